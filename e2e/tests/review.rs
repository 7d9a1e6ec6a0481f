//! `review` says as data what `validate` says as texts: the same response byte for byte, and texts that are made of the data alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::collections::BTreeMap;

use e2e::generate::{pipeline, settings};
use e2e::{assert_review_agrees, corpus, module, payload};
use kyma_dynatrace_admission::admission_request;
use kyma_dynatrace_policy::report::Report;
use kyma_dynatrace_policy::settings::{Level, RuleId};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// How many random requests are made.
const RANDOM: usize = 10_000;

fn reviewed(request: &Value, settings: &Value, name: &str) -> Report<'static> {
    let payload = payload(request, settings);
    let validated = module().call("validate", &payload).expect("an answer");
    assert_review_agrees(&payload, &validated, name)
}

#[test]
fn the_response_of_every_case_page_and_real_pipeline_is_made_of_the_report() {
    let mut count = 0;
    let settings_of = |settings: &Value| if settings.is_null() { json!({}) } else { settings.clone() };
    for case in e2e::cases::all() {
        reviewed(&case.request(), &settings_of(&case.settings), &case.name);
        count += 1;
    }
    for example in e2e::pages::examples() {
        let object: Value = yaml_serde::from_str(&example.yaml).unwrap();
        let settings = e2e::pages::settings_of(&example.yaml);
        for settings in [json!({"denialsAsWarnings": true}), settings_of(&settings)] {
            reviewed(&admission_request(&object, None), &settings, &example.id);
            count += 1;
        }
    }
    for (name, _, object) in corpus() {
        reviewed(&admission_request(&object, None), &json!({}), &name);
        count += 1;
    }
    for broken in ["", "x", "{}", r#"{"request":[]}"#, r#"{"request":{},"settings":{"mode":3}}"#] {
        let validated = module().call("validate", broken.as_bytes()).unwrap();
        assert_eq!(assert_review_agrees(broken.as_bytes(), &validated, broken), Report::default());
        count += 1;
    }
    println!("{count} requests");
    assert!(count > 200);
}

#[test]
fn the_answer_follows_the_published_schema() {
    let schema = std::fs::read_to_string(e2e::root().join("docs/review.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str::<Value>(&schema).unwrap()).unwrap();
    let mut count = 0;
    for case in e2e::cases::all() {
        let answer = module().call("review", &payload(&case.request(), &case.settings)).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let errors: Vec<String> = schema.iter_errors(&answer).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{}", case.name);
        count += 1;
    }
    assert!(count > 50);
    assert!(!schema.is_valid(&json!({"response": {}})), "the schema can fail");
}

#[test]
fn the_response_of_random_requests_is_made_of_the_report() {
    // Generators of generators need more stack than a test has where nothing is optimised.
    std::thread::Builder::new().stack_size(64 << 20).spawn(random_requests).unwrap().join().unwrap();
}

/// One request in three is an update of another pipeline, one in three of the same one.
fn random_requests() {
    let mut runner = TestRunner::deterministic();
    let strategy = (pipeline(), pipeline(), settings());
    let mut drawn: BTreeMap<String, usize> = BTreeMap::new();
    for index in 0..RANDOM {
        let (new, old, mut settings) = strategy.new_tree(&mut runner).unwrap().current();
        let object = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let (new, old) = (object(&new.text), object(&old.text));
        settings["denialsAsWarnings"] = (index % 4 == 0).into();
        let old = match index % 3 {
            0 => None,
            1 => Some(Value::clone(&new)),
            _ => Some(old),
        };
        let report = reviewed(&admission_request(&new, old.as_ref()), &settings, &format!("random {index}"));
        let verdict = match (report.is_accepted(), report.repairs.is_empty()) {
            (true, true) => "accepted",
            (true, false) => "repaired",
            (false, true) => "rejected",
            (false, false) => "rejected, with repairs withheld",
        };
        *drawn.entry(verdict.to_owned()).or_default() += 1;
        for finding in &report.findings {
            assert!(RuleId::from_name(&finding.rule).is_some() && finding.level != Level::Off);
            assert!(
                ![&finding.found, &finding.expected, &finding.why, &finding.fix].iter().any(|text| text.is_empty())
            );
            *drawn.entry(format!("{} {}", finding.rule, finding.level.name())).or_default() += 1;
        }
    }
    println!("{drawn:#?}");
    for verdict in ["accepted", "repaired", "rejected", "rejected, with repairs withheld"] {
        assert!(drawn.get(verdict).is_some_and(|count| *count > 50), "{verdict} is hardly ever drawn");
    }
}
