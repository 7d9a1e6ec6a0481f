//! The webhook configurations: as the Kubewarden controller makes them of a policy, and as the Telemetry module brings
//! them along.
//!
//! Sources: `internal/controller/policy_subreconciler_webhook.go` of kubewarden-controller (2026-05), and
//! `helm/templates/mutating-webhook.kyma-project.io.yaml` of kyma-project/telemetry-manager (2026-08).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Where Kubewarden's controller and policy servers live.
pub const KUBEWARDEN: &str = "kubewarden";
/// The service of the policy server that the manifests name.
pub const POLICY_SERVICE: &str = "policy-server-kyma-dynatrace";
/// Where the Telemetry module lives.
pub const KYMA: &str = "kyma-system";
/// The service of the Telemetry module's webhooks.
pub const TELEMETRY_SERVICE: &str = "telemetry-manager-webhook";
/// The name of the Telemetry module's configuration: API servers call in the order of names.
pub const TELEMETRY: &str = "telemetry-mutating-webhook.kyma-project.io";

/// How an API server reaches a service, and whom it trusts there.
pub(crate) struct Service<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) port: u16,
    /// PEM.
    pub(crate) authority: &'a str,
}

impl Service<'_> {
    fn at(&self, path: &str) -> Value {
        json!({
            "caBundle": STANDARD.encode(self.authority),
            "service": {"namespace": self.namespace, "name": self.name, "port": self.port, "path": path},
        })
    }
}

/// The name that the Kubewarden controller gives a ClusterAdmissionPolicy's webhook.
#[must_use]
pub fn unique_name(policy: &Value) -> String {
    let name = policy.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    format!("clusterwide-{name}")
}

/// The name of that webhook in its configuration, and in what kubectl prints.
#[must_use]
pub fn webhook_name(policy: &Value) -> String {
    format!("{}.kubewarden.admission", unique_name(policy))
}

/// The configuration for a ClusterAdmissionPolicy: a mutating one if the policy may mutate, else a validating one.
pub(crate) fn of_policy(policy: &Value, service: &Service<'_>) -> Value {
    let spec = policy.get("spec").cloned().unwrap_or_default();
    let name = unique_name(policy);
    let or = |field: &str, default: Value| spec.get(field).cloned().unwrap_or(default);
    let mut rules = or("rules", json!([]));
    for rule in rules.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        rule.entry("scope").or_insert("*".into());
    }
    let mut webhook = json!({
        "name": webhook_name(policy),
        "admissionReviewVersions": ["v1"],
        "clientConfig": service.at(&format!("/validate/{name}")),
        "failurePolicy": or("failurePolicy", "Fail".into()),
        "matchConditions": or("matchConditions", json!([])),
        "matchPolicy": or("matchPolicy", "Equivalent".into()),
        "namespaceSelector": {"matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [KUBEWARDEN]}]},
        "objectSelector": or("objectSelector", json!({})),
        "rules": rules,
        "sideEffects": or("sideEffects", "None".into()),
        "timeoutSeconds": or("timeoutSeconds", 10.into()),
    });
    let is_mutating = spec.get("mutating") == Some(&Value::Bool(true));
    if let Some(webhook) = webhook.as_object_mut().filter(|_| is_mutating) {
        webhook.insert("reinvocationPolicy".to_owned(), "Never".into());
    }
    let kind = if is_mutating { "MutatingWebhookConfiguration" } else { "ValidatingWebhookConfiguration" };
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "webhooks": [webhook], "metadata": {
        "name": name, "labels": {"app.kubernetes.io/part-of": "kubewarden"}}})
}

/// The Telemetry module's mutating webhooks, one for each kind and version.
pub(crate) fn of_telemetry(service: &Service<'_>) -> Value {
    let versions = ["v1beta1", "v1alpha1"];
    let webhooks = versions.into_iter().flat_map(|version| {
        ["metric", "trace", "log"].map(|kind| {
            json!({
                "name": format!("mutating-{kind}pipelines-{version}.kyma-project.io"),
                "admissionReviewVersions": ["v1"],
                "clientConfig": service.at(&format!("/mutate-telemetry-kyma-project-io-{version}-{kind}pipeline")),
                "failurePolicy": "Fail", "matchPolicy": "Exact", "sideEffects": "None", "timeoutSeconds": 15,
                "rules": [{"apiGroups": ["telemetry.kyma-project.io"], "apiVersions": [version],
                    "operations": ["CREATE", "UPDATE"], "resources": [format!("{kind}pipelines")], "scope": "*"}],
            })
        })
    });
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": TELEMETRY}, "webhooks": webhooks.collect::<Vec<_>>()})
}

/// How the module tells the API server to convert its kinds.
pub(crate) fn conversion(service: &Service<'_>) -> Value {
    json!({"strategy": "Webhook",
        "webhook": {"clientConfig": service.at("/convert"), "conversionReviewVersions": ["v1"]}})
}
