//! What happens to a pipeline over its life: labels, finalizers, edits, versions, deletion, and policies that come, are
//! sharpened, and cannot be reached.

use cluster::{Cluster, Output};
use serde_json::{Value, json};

use crate::order::half_written;
use crate::{Check, policies, stored};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("lifecycle::an_object_from_before_the_policy_can_be_worked_with", from_before),
    ("lifecycle::a_defect_can_be_mended_alone", one_defect_of_three),
    ("lifecycle::both_versions_are_one_object", versions),
    ("lifecycle::a_deletion_mark_is_no_way_around", deletion_mark),
    ("lifecycle::deletion_is_never_in_the_way", deletion),
    ("lifecycle::monitor_then_protect", monitor_then_protect),
    ("lifecycle::the_policy_server_is_gone", policy_server_gone),
];

const KIND: &str = "tracepipelines";

/// A pipeline that cannot arrive and cannot be repaired: the web interface's host.
fn hopeless(name: &str) -> Value {
    let mut pipeline = half_written(name);
    let otlp = &mut pipeline["spec"]["output"]["otlp"];
    otlp["endpoint"] = json!({"value": "https://abc12345.apps.dynatrace.com/api"});
    otlp["path"] = "v2/otlp/v1/traces".into();
    otlp["protocol"] = "http".into();
    otlp["headers"][0]["prefix"] = "Api-Token".into();
    pipeline
}

fn apply(cluster: &Cluster, object: &Value, arguments: &[&str]) -> anyhow::Result<Output> {
    cluster.kubectl().pipe(&[&["apply", "-f", "-"], arguments].concat(), &object.to_string())
}

/// Asserts that kubectl was served, and that its warnings name just these rules.
fn served(output: &Output, rules: &[&str]) -> anyhow::Result<()> {
    anyhow::ensure!(output.code == 0, "exit code {}: {}", output.code, output.stderr);
    let named: Vec<&str> = output.warnings().iter().filter_map(|warning| warning.split(": ").next()).collect();
    anyhow::ensure!(named == rules, "warnings of {named:?}, expected {rules:?}: {}", output.stderr);
    Ok(())
}

/// Asserts that kubectl was denied with just these rules' problems.
fn denied(output: &Output, rules: &[&str]) -> anyhow::Result<()> {
    let problems = output.stderr.lines().filter_map(|line| line.strip_prefix("- "));
    let named: Vec<&str> = problems.filter_map(|problem| problem.split(": ").next()).collect();
    anyhow::ensure!(output.code == 1 && named == rules, "denied for {named:?}, expected {rules:?}: {}", output.stderr);
    Ok(())
}

fn from_before(cluster: &mut Cluster) -> anyhow::Result<String> {
    let old = hopeless("old");
    cluster.deploy(&[])?;
    served(&apply(cluster, &old, &[])?, &[])?;
    cluster.deploy(&policies::both())?;
    let kubectl = cluster.kubectl();
    // Both policies tell of it, in the same words, which the API server says once; none refuses what was there.
    let told = ["ui-host"];
    served(&kubectl.run(&["label", KIND, "old", "team=a"])?, &told)?;
    served(&kubectl.run(&["annotate", KIND, "old", "note=b"])?, &told)?;
    let patch = |text: &str| kubectl.run(&["patch", KIND, "old", "--type=merge", "-p", text]);
    served(&patch(r#"{"metadata":{"finalizers":["example.com/wait"]}}"#)?, &told)?;
    served(&patch(r#"{"metadata":{"finalizers":null}}"#)?, &told)?;
    served(&edit(cluster, "old", "s/team: a/team: c/")?, &told)?;
    // The same object once more, as a storage migration sends it.
    let stored = stored::get(cluster, &old)?;
    let answer = cluster.client().send("PUT", &stored::path(&old), Some(&stored))?;
    anyhow::ensure!(answer.is_success(), "written again: {}", answer.message());
    // A new mistake is one.
    let edited = edit(cluster, "old", "s#path: v2/otlp/v1/traces#path: v2/otlp/v1/metrics#")?;
    anyhow::ensure!(edited.code == 1, "a new mistake is stored: {}", edited.stdout);
    let mended = edit(cluster, "old", "s/abc12345.apps/abc12345.live/")?;
    served(&mended, &[])?;
    stored::delete(cluster, &old)?;
    Ok("label, annotation, finalizer, edit and rewrite pass; a new mistake does not".to_owned())
}

/// `kubectl edit` with an editor that makes one replacement.
fn edit(cluster: &Cluster, name: &str, replacement: &str) -> anyhow::Result<Output> {
    let mut command = cluster.kubectl().command();
    // kubectl opens the editor again on a refusal, and gives up when nothing changes.
    let output = command.args(["edit", KIND, name]).env("KUBE_EDITOR", format!("sed -i '{replacement}'")).output()?;
    Ok(output.into())
}

fn one_defect_of_three(cluster: &mut Cluster) -> anyhow::Result<String> {
    let mut pipeline = hopeless("three");
    let otlp = &mut pipeline["spec"]["output"]["otlp"];
    otlp["path"] = "v2/otlp/v1/metrics".into();
    otlp["headers"][0]["prefix"] = "Bearer".into();
    cluster.deploy(&[])?;
    served(&apply(cluster, &pipeline, &[])?, &[])?;
    cluster.deploy(&[policies::repair()])?;
    pipeline["spec"]["output"]["otlp"]["headers"][0]["prefix"] = "Api-Token".into();
    let output = apply(cluster, &pipeline, &[])?;
    anyhow::ensure!(output.code == 0 && !output.warnings().is_empty(), "one mended: {}", output.stderr);
    stored::delete(cluster, &pipeline)?;
    denied(&apply(cluster, &pipeline, &[])?, &["ui-host", "wrong-otlp-path"])?;
    Ok(format!("accepted with {} warnings, where a new one is denied", output.warnings().len()))
}

fn versions(cluster: &mut Cluster) -> anyhow::Result<String> {
    cluster.deploy(&policies::both())?;
    let mut alpha = half_written("versions");
    alpha["kind"] = "MetricPipeline".into();
    alpha["apiVersion"] = "telemetry.kyma-project.io/v1alpha1".into();
    alpha["spec"]["input"] = json!({"otlp": {"disabled": true}, "runtime": {"enabled": false}});
    let output = apply(cluster, &alpha, &[])?;
    anyhow::ensure!(output.code == 0, "{}", output.stderr);
    let mut beta = alpha.clone();
    beta["apiVersion"] = "telemetry.kyma-project.io/v1beta1".into();
    let as_beta = stored::get(cluster, &beta)?;
    anyhow::ensure!(as_beta["spec"]["input"]["otlp"]["enabled"] == json!(false), "{as_beta}");
    let output_of = |object: &Value| object["spec"]["output"]["otlp"].clone();
    let as_alpha = stored::get(cluster, &alpha)?;
    anyhow::ensure!(as_alpha["spec"]["input"]["otlp"]["disabled"] == json!(true), "{as_alpha}");
    anyhow::ensure!(output_of(&as_beta) == output_of(&as_alpha), "the outputs differ");
    anyhow::ensure!(output_of(&as_beta)["path"] == "v2/otlp/v1/metrics", "not repaired: {as_beta}");
    // Each version written back as it was read: nothing changes, and nobody has a word to say.
    for (object, version) in [(&as_beta, "v1beta1"), (&as_alpha, "v1alpha1")] {
        let answer = cluster.client().send("PUT", &stored::path(object), Some(object))?;
        let ours: Vec<&String> = answer.warnings.iter().filter(|warning| !warning.contains("is deprecated")).collect();
        anyhow::ensure!(answer.is_success() && ours.is_empty(), "{version}: {} {ours:?}", answer.message());
        anyhow::ensure!(answer.body["metadata"]["generation"] == json!(1), "{version} is another: {}", answer.body);
    }
    stored::delete(cluster, &beta)?;
    Ok("repaired in v1alpha1, read and written in both".to_owned())
}

fn deletion_mark(cluster: &mut Cluster) -> anyhow::Result<String> {
    deletion_mark_with(cluster, &policies::both())
}

pub(crate) fn deletion_mark_with(cluster: &mut Cluster, policies: &[Value]) -> anyhow::Result<String> {
    cluster.deploy(policies)?;
    let mut marked = hopeless("marked");
    marked["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    for arguments in [&["--server-side"][..], &[]] {
        denied(&apply(cluster, &marked, arguments)?, &["ui-host"])?;
        let answer = cluster.client().send("GET", &stored::path(&marked), None)?;
        anyhow::ensure!(answer.code == 404, "it is stored");
    }
    Ok("a new object with a deletion mark is reviewed".to_owned())
}

fn deletion(cluster: &mut Cluster) -> anyhow::Result<String> {
    let mut pipeline = hopeless("leaving");
    pipeline["metadata"]["finalizers"] = json!(["example.com/wait"]);
    cluster.deploy(&[])?;
    served(&apply(cluster, &pipeline, &[])?, &[])?;
    cluster.deploy(&policies::both())?;
    let kubectl = cluster.kubectl();
    served(&kubectl.run(&["delete", KIND, "leaving", "--wait=false"])?, &[])?;
    // An update like any other, but of an object on its way out.
    served(
        &kubectl.run(&["patch", KIND, "leaving", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#])?,
        &[],
    )?;
    let answer = cluster.client().send("GET", &stored::path(&pipeline), None)?;
    anyhow::ensure!(answer.code == 404, "it is still there");
    Ok("nobody is asked, and the finalizer goes".to_owned())
}

fn monitor_then_protect(cluster: &mut Cluster) -> anyhow::Result<String> {
    let monitor = policies::monitoring();
    cluster.deploy(&monitor)?;
    let (bad, half) = (hopeless("watched"), half_written("half"));
    let output = apply(cluster, &bad, &[])?;
    served(&output, &["ui-host"])?;
    let output = apply(cluster, &half, &[])?;
    // Each defect twice: by the repairing policy, which says what it sets, though Kubewarden drops the patch; and by the
    // validating one, which sees that nothing was set.
    let rules = ["grpc-protocol", "wrong-otlp-path", "wrong-authorization-scheme"];
    served(&output, &[rules, rules].concat())?;
    let sets = output.warnings().iter().filter(|warning| warning.contains("; the policy sets `")).count();
    anyhow::ensure!(sets == rules.len(), "{}", output.stderr);
    let seen = stored::get(cluster, &half)?;
    anyhow::ensure!(seen["spec"]["output"]["otlp"]["path"].is_null(), "monitor mode changes: {seen}");
    let count = output.warnings().len();

    cluster.deploy(&policies::both())?;
    served(&cluster.kubectl().run(&["label", KIND, "watched", "team=a"])?, &["ui-host"])?;
    denied(&apply(cluster, &hopeless("another"), &[])?, &["ui-host"])?;
    for object in [&bad, &half] {
        stored::delete(cluster, object)?;
    }
    Ok(format!("told ({count} warnings of what is missing), then denied"))
}

fn policy_server_gone(cluster: &mut Cluster) -> anyhow::Result<String> {
    cluster.deploy(&policies::both())?;
    let mut pipeline = half_written("waiting");
    let output = apply(cluster, &pipeline, &[])?;
    anyhow::ensure!(output.code == 0, "{}", output.stderr);
    cluster.stop_policy_server();
    let label = |cluster: &Cluster| cluster.kubectl().run(&["label", "--overwrite", KIND, "waiting", "team=a"]);
    for output in [label(cluster)?, apply(cluster, &half_written("new"), &[])?] {
        let is_told = output.stderr.contains("failed calling webhook \"clusterwide-kyma-dynatrace-");
        anyhow::ensure!(output.code == 1 && is_told, "{}", output.stderr);
    }
    let mut elsewhere = half_written("elsewhere");
    elsewhere["spec"]["output"]["otlp"] = json!({"endpoint": {"value": "http://jaeger.jaeger:4317"}});
    anyhow::ensure!(apply(cluster, &elsewhere, &[])?.code == 1, "pipelines that go elsewhere are asked about too");
    // The module's own reports and everybody's deletions go on.
    let status = json!({"status": {"conditions": []}});
    let path = format!("{}/status", stored::path(&pipeline));
    anyhow::ensure!(cluster.client().send("PATCH", &path, Some(&status))?.is_success(), "the status is not written");
    served(&cluster.kubectl().run(&["delete", KIND, "waiting"])?, &[])?;

    let ignoring: Vec<Value> = policies::both()
        .into_iter()
        .map(|mut policy| {
            policy["spec"]["failurePolicy"] = "Ignore".into();
            policy
        })
        .collect();
    cluster.deploy(&ignoring)?;
    cluster.stop_policy_server();
    pipeline = hopeless("waiting");
    served(&apply(cluster, &pipeline, &[])?, &[])?;
    stored::delete(cluster, &pipeline)?;
    // And back: the same webhooks, answered again.
    cluster.deploy(&policies::both())?;
    denied(&apply(cluster, &pipeline, &[])?, &["ui-host"])?;
    Ok("Fail stops creates and changes, not deletions and status; Ignore lets all through".to_owned())
}
