//! From a policy's answer to the response that the API server gets.

use std::collections::BTreeMap;

use json_patch::Patch;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The answer of a policy's `validate_settings`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SettingsResponse {
    /// Whether the policy takes them.
    pub valid: bool,
    /// Why not.
    pub message: Option<String>,
}

/// The answer of a policy's `validate`, as Kubewarden defines it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PolicyResponse {
    /// Whether the request is accepted.
    pub accepted: bool,
    /// What the user is told.
    pub message: Option<String>,
    /// HTTP status of a rejection.
    pub code: Option<u16>,
    /// The object in its repaired form.
    pub mutated_object: Option<Value>,
    /// What goes into the audit log.
    pub audit_annotations: Option<BTreeMap<String, String>>,
    /// What `kubectl` shows beside the result.
    pub warnings: Option<Vec<String>>,
}

/// `AdmissionResponse` of `admission.k8s.io/v1`, with the patch in plain JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionResponse {
    /// The request's uid.
    pub uid: String,
    /// Whether the request is allowed.
    pub allowed: bool,
    /// JSON patch from the submitted to the repaired object; `None` where nothing changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<Patch>,
    /// Message and code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// What goes into the audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_annotations: Option<BTreeMap<String, String>>,
    /// What `kubectl` shows beside the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<String>>,
}

/// The part of a Kubernetes `Status` that an admission response uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// What the user is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
}

impl AdmissionResponse {
    /// What policy-server makes of a policy's answer to an `AdmissionRequest`; `is_mutating` is the flag of the
    /// ClusterAdmissionPolicy.
    #[must_use]
    pub fn of(request: &Value, answer: PolicyResponse, is_mutating: bool) -> Self {
        let patch = match (request.get("object"), answer.mutated_object) {
            (None | Some(Value::Null), Some(_)) => {
                let message = "Incoming object is null, which happens only with DELETE operations, but the policy \
                    is attempting a mutation. This is not allowed"
                    .to_owned();
                return Self::rejection(request, message, None);
            }
            (Some(object), Some(mutated)) => {
                Some(json_patch::diff(object, &mutated)).filter(|patch| !patch.0.is_empty())
            }
            (_, None) => None,
        };
        if patch.is_some() && !is_mutating {
            let message =
                "Request rejected by policy. The policy attempted to mutate the request, but it is currently \
                configured to not allow mutations."
                    .to_owned();
            return Self::rejection(request, message, None);
        }
        let status = (answer.message.is_some() || answer.code.is_some())
            .then_some(Status { message: answer.message, code: answer.code });
        Self {
            uid: uid(request),
            allowed: answer.accepted,
            patch,
            status,
            audit_annotations: answer.audit_annotations,
            warnings: answer.warnings,
        }
    }

    /// A rejection that is not the policy's own.
    #[must_use]
    pub fn rejection(request: &Value, message: String, code: Option<u16>) -> Self {
        Self {
            uid: uid(request),
            allowed: false,
            patch: None,
            status: Some(Status { message: Some(message), code }),
            audit_annotations: None,
            warnings: None,
        }
    }

    /// What the user is told; empty where there is nothing.
    #[must_use]
    pub fn message(&self) -> &str {
        self.status.as_ref().and_then(|status| status.message.as_deref()).unwrap_or_default()
    }
}

fn uid(request: &Value) -> String {
    request.get("uid").and_then(Value::as_str).unwrap_or_default().to_owned()
}
