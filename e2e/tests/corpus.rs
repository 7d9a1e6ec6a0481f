//! Real pipelines, of Dynatrace's users and of others, as admission gets them in each world of definitions.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics is a test that fails")]

use std::collections::BTreeMap;

use e2e::{corpus, policy, worlds};
use kyma_dynatrace_admission::admission_request;
use serde_json::json;
use xtask::report::Outcome;

const UNTOUCHED: &str = r#"{"uid":"00000000-0000-0000-0000-000000000000","allowed":true}"#;

#[test]
fn pipelines_of_others_are_never_touched() {
    let corpus = corpus();
    let worlds = worlds();
    for mode in ["repair", "validate"] {
        let policy = policy(&json!({"mode": mode}));
        let mut count = 0;
        for (file, _, object) in corpus.iter().filter(|(_, class, _)| class == "other") {
            // As printed, and as decoded in each world.
            for object in std::iter::once(object.clone()).chain(worlds.iter().map(|world| world.decode(object))) {
                let response = policy.admit(&admission_request(&object, None));
                assert_eq!(serde_json::to_string(&response).unwrap(), UNTOUCHED, "{file} in mode {mode}");
            }
            count += 1;
        }
        println!("{count} pipelines of others accepted untouched in mode {mode}");
        assert!(corpus.is_empty() || count == 381);
    }
}

/// Verdict and findings before `temporality` existed, then with it.
const DYNATRACE: [(&str, &str, &str); 15] = [
    // A Secret that nobody declared: its value may begin with the scheme already, and in the guide of that time it did.
    (
        "metricpipeline-dynatrace-guide-1",
        "accepted wrong-authorization-scheme,application-temporality",
        "accepted wrong-authorization-scheme,application-temporality",
    ),
    (
        "metricpipeline-dynatrace-guide-2",
        "accepted wrong-authorization-scheme,application-temporality",
        "accepted wrong-authorization-scheme,application-temporality",
    ),
    ("metricpipeline-dynatrace-guide-3", "repaired application-temporality", "repaired application-temporality"),
    ("metricpipeline-dynatrace-guide-4", "accepted application-temporality", "accepted application-temporality"),
    // An exporter of the user's own: nothing but its name tells that Dynatrace is behind it.
    ("metricpipeline-dynatrace-guide-5", "accepted", "accepted"),
    ("metricpipeline-dynatrace-guide-6", "accepted", "accepted"),
    ("metricpipeline-dynatrace-guide-7", "accepted application-temporality", "accepted application-temporality"),
    ("metricpipeline-dynatrace-guide-8", "accepted", "accepted"),
    ("metricpipeline-dynatrace-guide-9", "accepted application-temporality", "accepted application-temporality"),
    // No endpoint; the old world drops `temporality: delta`.
    ("metricpipeline-dynatrace-guide-10", "rejected missing-value,cumulative-metrics", "rejected missing-value"),
    ("metricpipeline-dynatrace-guide-11", "rejected cumulative-metrics", "accepted"),
    ("tracepipeline-dynatrace-guide-1", "accepted wrong-authorization-scheme", "accepted wrong-authorization-scheme"),
    ("tracepipeline-dynatrace-guide-2", "accepted", "accepted"),
    ("tracepipeline-dynatrace-guide-3", "accepted", "accepted"),
    ("tracepipeline-dynatrace-guide-4", "accepted", "accepted"),
];

#[test]
fn pipelines_of_the_guide_get_their_verdict_in_each_world() {
    let wanted: BTreeMap<&str, (&str, &str)> = DYNATRACE.iter().map(|(file, old, new)| (*file, (*old, *new))).collect();
    let policy = policy(&json!({}));
    let corpus = corpus();
    for world in worlds() {
        for (file, _, object) in corpus.iter().filter(|(_, class, _)| class.starts_with("dynatrace")) {
            let object = world.decode(object);
            let response = policy.admit(&admission_request(&object, None));
            let annotations = response.audit_annotations.clone().unwrap_or_default();
            let findings = annotations.get("findings").map_or("", String::as_str);
            let verdict = format!("{} {findings}", Outcome::of(&response).word());
            let (old, new) = wanted.get(file.trim_end_matches(".yaml")).unwrap();
            let wanted = if world.name.contains("2025") { old } else { new };
            assert_eq!(verdict.trim(), *wanted, "{file} in {}", world.name);
            if let Some(patch) = &response.patch {
                let mut repaired = object.clone();
                json_patch::patch(&mut repaired, &patch.0).unwrap();
                assert_eq!(world.errors(&repaired), [""; 0], "{file} in {}", world.name);
            }
            println!("{}: {file}: {}", world.name, verdict.trim());
        }
    }
}

#[test]
fn native_and_wasm_answers_are_the_same() {
    let module = e2e::module();
    for (file, _, object) in corpus() {
        for mode in ["repair", "validate"] {
            let payload = e2e::payload(&admission_request(&object, None), &json!({"mode": mode}));
            let in_wasm = module.call("validate", &payload).unwrap();
            e2e::assert_native_agrees(&payload, &in_wasm, &file);
        }
    }
}
