//! Whose the repaired fields are: what the next apply of the same manifest changes, and what a difference shows.

use cluster::{Cluster, Output};
use serde_json::{Value, json};

use crate::order::half_written;
use crate::{Check, policies, stored};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("ownership::repairs_belong_to_nobody_after_a_server_side_apply", server_side),
    ("ownership::a_second_apply_changes_nothing", second_apply),
    ("ownership::another_applier_has_no_conflict", another_applier),
];

/// Fields that the policy fills in, below the output, as managed fields name them.
const REPAIRED: [&str; 2] = ["f:path", "f:protocol"];

fn apply(cluster: &Cluster, arguments: &[&str], object: &Value) -> anyhow::Result<Output> {
    cluster.kubectl().must(&[&["apply", "-f", "-"], arguments].concat(), &object.to_string())
}

/// Exit code and text of `kubectl diff`.
fn diff(cluster: &Cluster, arguments: &[&str], object: &Value) -> anyhow::Result<Output> {
    let output = cluster.kubectl().pipe(&[&["diff", "-f", "-"], arguments].concat(), &object.to_string())?;
    anyhow::ensure!(output.code <= 1, "kubectl diff: {}", output.stderr);
    Ok(output)
}

/// The fields of the output that a manager owns.
fn owned(object: &Value, manager: &str) -> Option<Vec<String>> {
    let fields = object["metadata"]["managedFields"].as_array()?;
    let entry = fields.iter().find(|entry| entry["manager"] == manager)?;
    let otlp = entry.pointer("/fieldsV1/f:spec/f:output/f:otlp")?.as_object()?;
    Some(otlp.keys().cloned().collect())
}

fn server_side(cluster: &mut Cluster) -> anyhow::Result<String> {
    server_side_with(cluster, &policies::both())
}

pub(crate) fn server_side_with(cluster: &mut Cluster, policies: &[Value]) -> anyhow::Result<String> {
    cluster.deploy(policies)?;
    let pipeline = half_written("owned");
    apply(cluster, &["--server-side", "--field-manager=gitops"], &pipeline)?;
    let stored = stored::get(cluster, &pipeline)?;
    anyhow::ensure!(stored["spec"]["output"]["otlp"]["path"] == "v2/otlp/v1/traces", "not repaired: {stored}");
    let fields = owned(&stored, "gitops").unwrap_or_default();
    anyhow::ensure!(fields.contains(&"f:headers".to_owned()), "the applier owns its headers: {fields:?}");
    for managed in stored["metadata"]["managedFields"].as_array().into_iter().flatten() {
        let manager = managed["manager"].as_str().unwrap_or_default();
        let fields = owned(&stored, manager).unwrap_or_default();
        for field in REPAIRED {
            anyhow::ensure!(!fields.contains(&field.to_owned()), "{manager} owns {field}");
        }
    }
    // Nothing to do, whoever asks.
    for _ in 0..2 {
        apply(cluster, &["--server-side", "--field-manager=gitops"], &pipeline)?;
    }
    let again = stored::get(cluster, &pipeline)?;
    anyhow::ensure!(again == stored, "changed by the same manifest: {}", json!(json_patch::diff(&stored, &again)));
    let output = diff(cluster, &["--server-side", "--field-manager=gitops"], &pipeline)?;
    anyhow::ensure!(output.code == 0, "kubectl diff --server-side: {}", output.stdout);
    stored::delete(cluster, &pipeline)?;
    Ok("path and protocol are nobody's, headers the applier's; applied again, nothing changes".to_owned())
}

fn second_apply(cluster: &mut Cluster) -> anyhow::Result<String> {
    cluster.deploy(&[policies::repair()])?;
    let pipeline = half_written("twice");
    let first = apply(cluster, &[], &pipeline)?;
    let stored = stored::get(cluster, &pipeline)?;
    let output = diff(cluster, &[], &pipeline)?;
    anyhow::ensure!(output.code == 0, "kubectl diff: {}", output.stdout);
    let second = apply(cluster, &[], &pipeline)?;
    let again = stored::get(cluster, &pipeline)?;
    anyhow::ensure!(again["metadata"]["generation"] == json!(1), "a new generation: {again}");
    anyhow::ensure!(again["spec"] == stored["spec"], "changed: {}", json!(json_patch::diff(&stored, &again)));
    // What is in a list is replaced with the list, so that it is filled in again.
    let (first, second) = (first.warnings().len(), second.warnings().len());
    anyhow::ensure!((first, second) == (3, 1), "{first} warnings, then {second}");
    stored::delete(cluster, &pipeline)?;
    Ok(format!("{first} warnings the first time, {second} the second (the header's prefix), generation 1"))
}

fn another_applier(cluster: &mut Cluster) -> anyhow::Result<String> {
    cluster.deploy(&policies::both())?;
    let pipeline = half_written("shared");
    apply(cluster, &["--server-side", "--field-manager=first"], &pipeline)?;
    // The whole of it, repairs written out, by somebody else.
    let mut whole = pipeline.clone();
    let otlp = &mut whole["spec"]["output"]["otlp"];
    otlp["path"] = "v2/otlp/v1/traces".into();
    otlp["protocol"] = "http".into();
    otlp["headers"][0]["prefix"] = "Api-Token".into();
    let output =
        cluster.kubectl().pipe(&["apply", "-f", "-", "--server-side", "--field-manager=second"], &whole.to_string())?;
    anyhow::ensure!(output.code == 0, "{}", output.stderr);
    anyhow::ensure!(output.warnings().is_empty(), "nothing is missing: {}", output.stderr);
    stored::delete(cluster, &pipeline)?;
    Ok("who writes the repairs out takes them without a conflict".to_owned())
}
