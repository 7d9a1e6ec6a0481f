//! What the two policies add to the creation of a pipeline, on one API server: each pipeline is created as a dry run with
//! the policies and without them, in turns, in either order.
//!
//! Both sides are held to their work: with the policies both are called, without them none is, and the object that comes
//! out is the same.

use std::fmt::Write as _;
use std::time::Instant;

use cluster::{Cluster, webhooks};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

const PIPELINES: usize = 400;

/// A pipeline with this label is sent to fewer webhooks.
const LABEL: &str = "bench";

/// What is called for a pipeline, and the label that makes it so.
const SIDES: [(&str, &str, usize); 3] = [
    ("no webhook", "none", 0),
    ("a webhook in the place of the Telemetry module's", "module", 1),
    ("that, and both policies", "policies", 3),
];

/// Measures, prints the table, and writes it into `benches/README.md`.
pub(crate) fn run(cluster: &mut Cluster) -> anyhow::Result<()> {
    select(cluster)?;
    let table = measure(cluster)?;
    println!("{table}");
    let path = e2e::root().join("benches/README.md");
    let text = std::fs::read_to_string(&path)?;
    let table = format!("\n{table}\n");
    std::fs::write(&path, xtask::sections::replace(&text, "cluster", "bench-cluster", &table)?)?;
    Ok(())
}

/// Has the API server call webhooks by a pipeline's label, so that one server does both in turns.
fn select(cluster: &mut Cluster) -> anyhow::Result<()> {
    let selector =
        |labels: &[&str]| json!({"matchExpressions": [{"key": LABEL, "operator": "NotIn", "values": labels}]});
    let mut configurations = cluster.configurations();
    for webhook in configurations.iter_mut().filter_map(|configuration| configuration.pointer_mut("/webhooks/0")) {
        webhook["objectSelector"] = selector(&["none", "module"]);
    }
    cluster.configure(configurations)?;
    let path = format!("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{}", webhooks::TELEMETRY);
    let mut module = cluster.client().get(&path)?;
    for webhook in module["webhooks"].as_array_mut().into_iter().flatten() {
        webhook["objectSelector"] = selector(&["none"]);
    }
    let answer = cluster.client().send("PUT", &path, Some(&module))?;
    anyhow::ensure!(answer.is_success(), "{}", answer.message());
    Ok(())
}

fn measure(cluster: &Cluster) -> anyhow::Result<String> {
    let mut taken = SIDES.map(|_| Vec::new());
    let mut added = SIDES.map(|_| Vec::new());
    for (turn, pipeline) in pipelines(cluster)?.iter().enumerate() {
        let mut times = [0.0; SIDES.len()];
        let mut outcomes: [Value; SIDES.len()] = Default::default();
        for step in 0..SIDES.len() {
            // Each side comes first, second and last equally often.
            let side = (turn + step) % SIDES.len();
            let (_, label, calls) = SIDES[side];
            let mut labelled = pipeline.clone();
            labelled["metadata"]["labels"] = json!({LABEL: label});
            drop(cluster.calls());
            let start = Instant::now();
            let answer = cluster.create(&labelled)?;
            times[side] = start.elapsed().as_secs_f64() * 1000.0;
            anyhow::ensure!(answer.is_success(), "{label}: {}: {labelled}", answer.message());
            let called = cluster.calls().len();
            // A real policy-server does not tell whether it was called.
            let is_told = !cluster.has_real_policy_server();
            anyhow::ensure!(called == calls || !is_told, "{label}: {called} webhooks called, expected {calls}");
            outcomes[side] = answer.body["spec"]["output"].clone();
        }
        anyhow::ensure!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "not the same work: {outcomes:?}");
        for (side, time) in times.into_iter().enumerate() {
            taken[side].push(time);
            added[side].push(time - times[side.saturating_sub(1)]);
        }
    }
    table(cluster, taken, added)
}

/// Milliseconds for each pipeline, by side.
type Times = [Vec<f64>; SIDES.len()];

fn table(cluster: &Cluster, mut taken: Times, mut added: Times) -> anyhow::Result<String> {
    let mut table = "| called for a create | median, ms | p95, ms | added to the row above, median, ms | p95, ms |\n\
        |---|---|---|---|---|\n"
        .to_owned();
    for (side, (name, ..)) in SIDES.iter().enumerate() {
        let (median, p95) = quantiles(&mut taken[side]);
        let _ = write!(table, "| {name} | {median:.2} | {p95:.2} |");
        let _ = match side {
            0 => writeln!(table, " | |"),
            _ => {
                let (median, p95) = quantiles(&mut added[side]);
                writeln!(table, " {median:.2} | {p95:.2} |")
            }
        };
    }
    let server = if cluster.has_real_policy_server() { "policy-server" } else { "the server of the tests" };
    let version = cluster.version()?;
    let _ = writeln!(
        table,
        "\n{PIPELINES} pipelines as dry runs, each in all three ways, one client; kube-apiserver {version}, {server}."
    );
    Ok(table)
}

/// The median, and what one in twenty exceeds.
fn quantiles(times: &mut [f64]) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() * 95 / 100])
}

/// Pipelines that work, with everything written out: no webhook has anything to change. LogPipelines are not among them: the
/// API server takes none without the module's defaults.
fn pipelines(cluster: &Cluster) -> anyhow::Result<Vec<Value>> {
    let mut runner = TestRunner::deterministic();
    let any = e2e::working::working().prop_filter("goes to Dynatrace over HTTP", |working| {
        let is_log = working.object["kind"] == "LogPipeline";
        working.is_recognised && !is_log && working.object["spec"]["output"]["otlp"]["protocol"] == "http"
    });
    let mut pipelines = Vec::new();
    while pipelines.len() < PIPELINES {
        let tree = any.new_tree(&mut runner).map_err(|reason| anyhow::anyhow!("{reason}"))?;
        let mut object = tree.current().object;
        object["metadata"] = json!({"name": format!("bench-{}", pipelines.len())});
        // They work each under settings of their own; these are the manifests'.
        let answer = cluster.create(&object)?;
        let is_same = ["path", "headers"].into_iter().all(|field| {
            let pointer = format!("/spec/output/otlp/{field}");
            answer.body.pointer(&pointer) == object.pointer(&pointer)
        });
        if answer.is_success() && is_same {
            pipelines.push(object);
        }
    }
    Ok(pipelines)
}
