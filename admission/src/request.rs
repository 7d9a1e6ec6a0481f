//! The admission request that an API server would send for an object.

use serde_json::{Value, json};

/// What a host sends to a policy's `validate`: the request, and the settings of the ClusterAdmissionPolicy.
#[must_use]
pub fn payload(request: &Value, settings: &Value) -> String {
    json!({"request": request, "settings": settings}).to_string()
}

/// The `AdmissionRequest` for creating an object, or for changing `old` into it.
///
/// Made as the API server makes one for the storage version's own endpoint: no conversion, no dry run. The uid is fixed, so
/// that the same object gives the same request.
#[must_use]
pub fn admission_request(object: &Value, old: Option<&Value>) -> Value {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (group, version) = text("/apiVersion").rsplit_once('/').unwrap_or(("", text("/apiVersion")));
    let kind = json!({"group": group, "version": version, "kind": text("/kind")});
    let plural = format!("{}s", text("/kind").to_lowercase());
    let resource = json!({"group": group, "version": version, "resource": plural});
    let operation = if old.is_some() { "UPDATE" } else { "CREATE" };
    json!({
        "uid": "00000000-0000-0000-0000-000000000000",
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "name": text("/metadata/name"),
        "operation": operation,
        "userInfo": {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]},
        "object": object,
        "oldObject": old,
        "dryRun": false,
        "options": {"apiVersion": "meta.k8s.io/v1", "kind": if old.is_some() { "UpdateOptions" } else { "CreateOptions" }},
    })
}
