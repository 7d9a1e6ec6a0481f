//! The tests' own admission endpoint with bodies that are none, and two clusters beside each other.

use cluster::Cluster;
use serde_json::json;

use crate::{Check, order, policies};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("server::bad_bodies_get_a_clear_error_and_end_nothing", bad_bodies),
    ("server::two_clusters_do_not_meet", two_clusters),
];

fn bad_bodies(cluster: &mut Cluster) -> anyhow::Result<String> {
    cluster.deploy(&policies::both())?;
    let huge = format!("{{\"request\": \"{}\"}}", "x".repeat(10 << 20));
    let bodies = [
        ("no JSON", "{".to_owned(), 400),
        ("another JSON", "[]".to_owned(), 422),
        ("no request", json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}).to_string(), 422),
        ("10 MB", huge, 413),
    ];
    for (name, body, code) in &bodies {
        let answer = match cluster.ask_policy_server("clusterwide-kyma-dynatrace-repair", body) {
            Ok(answer) => answer,
            // The real one hangs up on who writes too much.
            Err(_) if cluster.has_real_policy_server() => continue,
            Err(error) => return Err(error),
        };
        anyhow::ensure!(answer.code == *code, "{name}: {} {}, expected {code}", answer.code, answer.body);
        anyhow::ensure!(!answer.message().is_empty() || cluster.has_real_policy_server(), "{name}: no message");
    }
    let missing = cluster.ask_policy_server("nobody", "{\"request\": {}}")?;
    anyhow::ensure!([404, 422].contains(&missing.code), "an unknown policy: {}", missing.code);
    let answer = cluster.create(&order::half_written("after"))?;
    anyhow::ensure!(answer.is_success(), "nothing works any more: {}", answer.message());
    Ok(format!("{} bodies refused, and the server serves on", bodies.len()))
}

fn two_clusters(cluster: &mut Cluster) -> anyhow::Result<String> {
    cluster.deploy(&policies::both())?;
    let Some(mut other) = Cluster::start()? else { return Ok("no definitions".to_owned()) };
    let pipeline = order::half_written("beside");
    let is_repaired = |cluster: &Cluster| -> anyhow::Result<bool> {
        Ok(cluster.create(&pipeline)?.body.pointer("/spec/output/otlp/path").is_some())
    };
    other.deploy(&[])?;
    anyhow::ensure!(is_repaired(cluster)? && !is_repaired(&other)?, "one cluster's policy is the other's");
    other.deploy(&policies::both())?;
    cluster.deploy(&[])?;
    anyhow::ensure!(!is_repaired(cluster)? && is_repaired(&other)?, "one cluster's policy is the other's");
    let folder = other.folder().to_owned();
    drop(other);
    anyhow::ensure!(!folder.exists(), "{} is left", folder.display());
    cluster.deploy(&policies::both())?;
    anyhow::ensure!(is_repaired(cluster)?, "the end of one cluster is the other's");
    Ok("each has its own policies, data and end".to_owned())
}
