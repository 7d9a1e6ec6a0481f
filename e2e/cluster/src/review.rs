//! What an API server asks a webhook, and the answers: policy-server's, and those of the Telemetry module.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use json_patch::Patch;
use kyma_dynatrace_admission::AdmissionResponse;
use kyma_dynatrace_engine::Policy;
use serde_json::{Value, json};

use crate::conversion::convert;

/// A policy as a policy server holds it.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) policy: Arc<Policy>,
    /// Lets everything through unchanged, and keeps the warnings.
    pub(crate) is_monitoring: bool,
}

/// The answer to an AdmissionReview; `None` where there is no request in it.
pub(crate) fn validate(served: &Served, review: &Value) -> Option<Value> {
    let request = review.get("request").filter(|request| request.is_object())?;
    let mut response = served.policy.admit(request);
    if served.is_monitoring {
        response = AdmissionResponse { allowed: true, patch: None, status: None, ..response };
    }
    let mut response = serde_json::to_value(response).ok()?;
    pack(&mut response);
    Some(json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}))
}

/// The Telemetry module's answer to an AdmissionReview: its defaults as a patch, and a fault if one is wanted.
pub(crate) fn fill_in(review: &Value, fault: Option<&Patch>) -> Option<Value> {
    let request = review.get("request").filter(|request| request.is_object())?;
    let object = request.get("object")?;
    let mut filled = object.clone();
    kyma_dynatrace_apiserver::fill_in(&mut filled);
    if let Some(fault) = fault {
        // Where it does not fit, there is nothing to break.
        let _ = json_patch::patch(&mut filled, fault);
    }
    let mut response = json!({"uid": request.get("uid")?, "allowed": true});
    let patch = json_patch::diff(object, &filled);
    if let (Some(members), false) = (response.as_object_mut(), patch.0.is_empty()) {
        members.insert("patch".to_owned(), serde_json::to_value(patch).ok()?);
    }
    pack(&mut response);
    Some(json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}))
}

/// Puts the patch in base64, as the wire has it.
fn pack(response: &mut Value) {
    let Some(members) = response.as_object_mut() else { return };
    if let Some(patch) = members.get("patch").map(Value::to_string) {
        members.insert("patch".to_owned(), STANDARD.encode(patch).into());
        members.insert("patchType".to_owned(), "JSONPatch".into());
    }
}

/// The Telemetry module's answer to a ConversionReview.
pub(crate) fn converted(review: &Value) -> Option<Value> {
    let request = review.get("request").filter(|request| request.is_object())?;
    let version = request.get("desiredAPIVersion")?.as_str()?;
    let objects = request.get("objects")?.as_array()?;
    let converted: Vec<Value> = objects.iter().map(|object| convert(object, version)).collect();
    Some(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview",
        "response": {"uid": request.get("uid")?, "result": {"status": "Success"}, "convertedObjects": converted},
    }))
}
