//! Who is called when: API servers call mutating webhooks in the order of their configurations' names, and the policy has
//! to be there before the Telemetry module fills in its defaults.

use cluster::Cluster;
use serde_json::{Value, json};

use crate::{Check, policies, settle};

pub(crate) const CHECKS: &[(&str, Check)] = &[("order::the_policy_comes_before_the_modules_defaults", order)];

/// A pipeline that the policy repairs: `protocol`, `path` and the header's prefix are missing.
pub(crate) fn half_written(name: &str) -> Value {
    let secret = |key: &str| json!({"secretKeyRef": {"name": "dynakube", "namespace": "dynatrace", "key": key}});
    json!({"apiVersion": "telemetry.kyma-project.io/v1beta1", "kind": "TracePipeline", "metadata": {"name": name},
        "spec": {"output": {"otlp": {"endpoint": {"valueFrom": secret("apiurl")},
            "headers": [{"name": "Authorization", "valueFrom": secret("dataIngestToken")}]}}}})
}

fn order(cluster: &mut Cluster) -> anyhow::Result<String> {
    cluster.deploy(&policies::both())?;
    settle(check(cluster)?)?;
    Ok("the policy repairs what the module has not filled in yet".to_owned())
}

/// Creates a half-written pipeline, and looks at what the module's webhook is given.
pub(crate) fn check(cluster: &Cluster) -> anyhow::Result<Vec<String>> {
    drop(cluster.calls());
    let answer = cluster.create(&half_written("order"))?;
    let mut complaints = Vec::new();
    if !answer.is_success() {
        complaints.push(format!("refused: {}", answer.message()));
    }
    let calls = cluster.calls();
    let of_module = calls.iter().find(|(path, _)| path.starts_with("/mutate-telemetry"));
    let Some((_, request)) = of_module else {
        complaints.push("the module's webhook was not called".to_owned());
        return Ok(complaints);
    };
    for (field, expected) in [("protocol", "http"), ("path", "v2/otlp/v1/traces"), ("headers/0/prefix", "Api-Token")] {
        let seen = request.pointer(&format!("/object/spec/output/otlp/{field}"));
        if seen != Some(&json!(expected)) {
            complaints.push(format!("the module's webhook was given {field} as {seen:?}"));
        }
    }
    Ok(complaints)
}
