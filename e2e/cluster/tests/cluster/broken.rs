//! Broken clusters, one for each kind of test, and that each is found.

use cluster::Cluster;
use e2e::tree::Target;
use kyma_dynatrace_policy::rules::RULES;
use serde_json::{Value, json};

use crate::{Check, command, lifecycle, order, ownership, policies, setup, stored, verdicts};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("broken::a_policy_that_denies_nothing_is_found", denies_nothing),
    ("broken::a_webhook_out_of_order_is_found", out_of_order),
    ("broken::a_default_too_many_is_found", default_too_many),
    ("broken::a_dropped_field_is_found", dropped_field),
    ("broken::a_field_that_the_definition_lacks_is_found", unknown_field),
    ("broken::a_match_condition_too_wide_is_found", too_wide),
    ("broken::a_policy_that_repairs_nothing_is_found", repairs_nothing),
];

/// Asserts that a check complained.
fn found(complaints: &[String], of: &str) -> anyhow::Result<String> {
    anyhow::ensure!(!complaints.is_empty(), "{of} is not found");
    Ok(format!("found, {} complaints", complaints.len()))
}

/// The same for a check that ends with its first complaint.
fn fails(result: anyhow::Result<String>, of: &str) -> anyhow::Result<String> {
    match result {
        Ok(_) => anyhow::bail!("{of} is not found"),
        Err(error) => Ok(format!("found: {}", error.to_string().lines().next().unwrap_or_default())),
    }
}

fn denies_nothing(cluster: &mut Cluster) -> anyhow::Result<String> {
    let off: Value =
        RULES.iter().map(|rule| (rule.id.to_string(), json!("off"))).collect::<serde_json::Map<_, _>>().into();
    let repair = policies::repair();
    let examples = verdicts::that_are("rejected");
    let complaints =
        verdicts::check(cluster, &examples, &|_| policies::with_settings(repair.clone(), &json!({"rules": off})))?;
    anyhow::ensure!(complaints.len() == examples.len(), "{} of {} are found", complaints.len(), examples.len());
    found(&complaints, "a policy that denies nothing")
}

fn out_of_order(cluster: &mut Cluster) -> anyhow::Result<String> {
    cluster.deploy(&policies::both())?;
    let mut configurations = cluster.configurations();
    for configuration in &mut configurations {
        let name = configuration["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        configuration["metadata"]["name"] = format!("zz-{name}").into();
    }
    cluster.configure(configurations)?;
    let complaints = order::check(cluster)?;
    cluster.deploy(&policies::both())?;
    anyhow::ensure!(order::check(cluster)?.is_empty(), "found where it is in order too");
    found(&complaints, "a webhook out of order")
}

fn default_too_many(cluster: &mut Cluster) -> anyhow::Result<String> {
    let repair = policies::repair();
    cluster.deploy(std::slice::from_ref(&repair))?;
    let objects = [order::half_written("default")];
    anyhow::ensure!(command::compare(cluster, &repair, &objects)?.1.is_empty(), "found where there is none too");
    cluster.break_module(Some(json!([{"op": "add", "path": "/spec/output/otlp/compression", "value": "gzip"}])))?;
    let compared = command::compare(cluster, &repair, &objects);
    cluster.break_module(None)?;
    found(&compared?.1, "a default too many")
}

fn traces_direct() -> Target {
    policies::tree().targets().into_iter().find(|target| target.name == "pipelines/traces-direct").unwrap()
}

/// What the setup's check says of one part.
fn setup_of_traces(cluster: &Cluster) -> anyhow::Result<Vec<String>> {
    let mut complaints = Vec::new();
    setup::check_target(cluster, &policies::tree(), &traces_direct(), &[], &mut complaints)?;
    Ok(complaints)
}

fn dropped_field(cluster: &mut Cluster) -> anyhow::Result<String> {
    cluster.deploy(&[])?;
    anyhow::ensure!(setup_of_traces(cluster)?.is_empty(), "found where there is none too");
    cluster.break_module(Some(json!([{"op": "remove", "path": "/spec/output/otlp/headers"}])))?;
    let complaints = setup_of_traces(cluster);
    cluster.break_module(None)?;
    let complaints = complaints?;
    anyhow::ensure!(complaints.iter().any(|complaint| complaint.ends_with("headers is lost")), "{complaints:?}");
    found(&complaints, "a dropped field")
}

fn unknown_field(cluster: &mut Cluster) -> anyhow::Result<String> {
    cluster.deploy(&[])?;
    let is_of_traces = |definition: &&Value| definition["spec"]["names"]["kind"] == "TracePipeline";
    let definition = cluster.definitions().iter().find(is_of_traces).cloned().unwrap();
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tracepipelines.telemetry.kyma-project.io";
    let without_headers = |definition: &Value| {
        let mut definition = definition.clone();
        for version in definition["spec"]["versions"].as_array_mut().into_iter().flatten() {
            let otlp = "/schema/openAPIV3Schema/properties/spec/properties/output/properties/otlp/properties";
            version.pointer_mut(otlp).and_then(Value::as_object_mut).and_then(|fields| fields.remove("headers"));
        }
        definition
    };
    let put = |definition: &Value| -> anyhow::Result<()> {
        let patch = json!({"spec": {"versions": definition["spec"]["versions"]}});
        let answer = cluster.client().send("PATCH", path, Some(&patch))?;
        anyhow::ensure!(answer.is_success(), "{}", answer.message());
        Ok(())
    };
    put(&without_headers(&definition))?;
    // The API server goes by a changed definition some time after it has taken it.
    let complaints = eventually(cluster, |complaints| !complaints.is_empty());
    put(&definition)?;
    eventually(cluster, <[String]>::is_empty)?;
    found(&complaints?, "a field that the definition lacks")
}

/// Checks again until the complaints are as expected.
fn eventually(cluster: &Cluster, is_expected: impl Fn(&[String]) -> bool) -> anyhow::Result<Vec<String>> {
    let start = std::time::Instant::now();
    loop {
        let complaints = setup_of_traces(cluster)?;
        if is_expected(&complaints) || start.elapsed() > std::time::Duration::from_secs(60) {
            return Ok(complaints);
        }
    }
}

fn too_wide(cluster: &mut Cluster) -> anyhow::Result<String> {
    let mut wide = policies::both();
    for policy in &mut wide {
        // As long as the policy believed every deletion mark.
        policy["spec"]["matchConditions"] =
            json!([{"name": "not-being-deleted", "expression": "!has(object.metadata.deletionTimestamp)"}]);
    }
    let result = lifecycle::deletion_mark_with(cluster, &wide);
    let marked = json!({"apiVersion": "telemetry.kyma-project.io/v1beta1", "kind": "TracePipeline", "metadata": {"name": "marked"}});
    stored::delete(cluster, &marked)?;
    fails(result, "a match condition too wide")
}

fn repairs_nothing(cluster: &mut Cluster) -> anyhow::Result<String> {
    let result = ownership::server_side_with(cluster, &[]);
    stored::delete(cluster, &order::half_written("owned"))?;
    fails(result, "a policy that repairs nothing")
}
