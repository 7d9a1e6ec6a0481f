//! What the policy lets through and what it repairs, put before the API server's own checks.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::fs;

use e2e::pages;
use e2e::{World, corpus, policy, root, worlds};
use kyma_dynatrace_admission::admission_request;
use serde_json::{Value, json};

/// Every pipeline the project has: the examples, those on the rules' pages, and the corpus.
fn pipelines() -> Vec<(String, Value)> {
    let mut pipelines = Vec::new();
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let object = yaml_serde::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        pipelines.push((path.display().to_string(), object));
    }
    let examples = pages::examples().into_iter();
    pipelines.extend(examples.map(|example| (example.id, yaml_serde::from_str(&example.yaml).unwrap())));
    pipelines.extend(corpus().into_iter().map(|(file, _, object)| (file, object)));
    pipelines
}

#[test]
fn a_repaired_pipeline_passes_and_no_other_is_changed() {
    let pipelines = pipelines();
    for world in worlds() {
        let (mut repaired, mut untouched) = (0, 0);
        for settings in [json!({}), json!({"metrics": {"deltaConversion": "auto"}})] {
            let policy = policy(&settings);
            for (name, object) in &pipelines {
                let submitted = world.decode(object);
                let response = policy.admit(&admission_request(&submitted, None));
                let Some(patch) = response.patch else {
                    untouched += 1;
                    continue;
                };
                let mut result = submitted.clone();
                json_patch::patch(&mut result, &patch.0).unwrap();
                assert_eq!(world.errors(&result), [""; 0], "{name} in {}", world.name);
                assert_eq!(world.decode(&result), result, "{name} in {}: a repair is dropped", world.name);
                repaired += 1;
            }
        }
        let rules = world.server.cel_rules();
        println!("{}: {repaired} repaired pass schema and {rules} CEL rules, {untouched} unchanged", world.name);
        assert!(repaired > 0 && untouched > 0 && rules > 0);
    }
}

/// The checks themselves have to be able to fail.
#[test]
fn the_api_server_refuses_what_a_real_one_refuses() {
    let worlds = worlds();
    let Some(world) = worlds.last() else { return };
    let pipeline = |otlp: Value| {
        json!({"apiVersion": "telemetry.kyma-project.io/v1beta1", "kind": "MetricPipeline",
            "metadata": {"name": "x"}, "spec": {"output": {"otlp": otlp}}})
    };
    let refused = |world: &World, otlp: Value| world.errors(&pipeline(otlp)).join("\n");
    let endpoint = json!({"value": "https://h"});
    assert_eq!(refused(world, json!({"endpoint": endpoint})), "");
    assert!(refused(world, json!({"endpoint": endpoint, "path": "x"})).contains("HTTP protocol"));
    assert!(refused(world, json!({"endpoint": endpoint, "temporality": "sometimes"})).contains("is not one of"));
    assert!(refused(world, json!({"endpoint": 3})).contains("endpoint"));
    assert!(refused(world, json!({})).contains("endpoint"));
    let decoded = world.decode(&pipeline(json!({"endpoint": endpoint, "unknown": 1})));
    assert_eq!(decoded["spec"]["output"]["otlp"]["unknown"], Value::Null);
    assert_eq!(decoded["spec"]["output"]["otlp"]["temporality"], "preserve");
    let old = worlds[0].decode(&pipeline(json!({"endpoint": endpoint, "temporality": "delta"})));
    assert_eq!(old["spec"]["output"]["otlp"]["temporality"], Value::Null, "the field came later");
}
