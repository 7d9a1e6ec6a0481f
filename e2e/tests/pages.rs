//! The rules' pages are tests: every example on them is run, natively and in wasm, and answered as printed below it.
//!
//! An example is a fence ```` ```yaml <expectation> ```` with a pipeline, perhaps with a first line `# settings: {...}`.
//! The expectation is `accepted` (without a word about the page's rule), `warned`, `repaired` or `rejected` (each with the
//! page's rule named). Below it stands a fence ```` ```text ```` with the answer, which `BLESS=1` rewrites.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::collections::BTreeSet;
use std::fs;

use e2e::pages::{Part, answerer_of, page, parts, settings_of};
use e2e::{module, payload, policy, root};
use kyma_dynatrace_admission::admission_request;
use kyma_dynatrace_engine::Policy;
use kyma_dynatrace_policy::rules::RULES;
use kyma_dynatrace_policy::settings::Level;
use serde_json::{Value, json};
use xtask::report::{Outcome, render};

const HEADINGS: [&str; 4] = ["## Why it matters", "## Accepted", "## How to fix it", "## When to exempt"];

/// Runs an example; the answer as printed, and whether it names the rule.
fn answer(id: &str, yaml: &str) -> (Outcome, bool, String) {
    let object: Value = yaml_serde::from_str(yaml).unwrap();
    let settings = settings_of(yaml);
    let request = admission_request(&object, None);

    let mut policy = Policy::new(module(), settings.clone(), true).unwrap();
    if let Some(answerer) = answerer_of(yaml) {
        policy = policy.answered_by(answerer);
    } else {
        let payload = payload(&request, &settings);
        let in_wasm = module().call("validate", &payload).unwrap();
        e2e::assert_native_agrees(&payload, &in_wasm, id);
    }
    let response = policy.admit(&request);
    let text = render(&object, &response).unwrap();
    let names_rule = text.contains(&format!("- {id}: ")) || text.contains(&format!("Warning: {id}: "));
    (Outcome::of(&response), names_rule, text)
}

/// Whether the answer is the expected one.
fn is_expected(expectation: &str, outcome: Outcome, names_rule: bool) -> bool {
    match expectation {
        "accepted" => outcome == Outcome::Accepted && !names_rule,
        "warned" => outcome == Outcome::Accepted && names_rule,
        "repaired" => outcome == Outcome::Repaired && names_rule,
        "rejected" => outcome == Outcome::Rejected && names_rule,
        _ => false,
    }
}

#[test]
fn every_example_is_answered_as_its_page_says() {
    let mut failures = Vec::new();
    let mut count = 0;
    for rule in RULES {
        let text = fs::read_to_string(page(rule.id.name())).unwrap();
        let mut blessed = String::new();
        let mut expectations = BTreeSet::new();
        for part in parts(&text) {
            match part {
                Part::Prose(prose) => blessed.push_str(&prose),
                Part::Example { expectation, yaml, .. } => {
                    let (outcome, names_rule, answer) = answer(rule.id.name(), &yaml);
                    if !is_expected(&expectation, outcome, names_rule) {
                        failures.push(format!("{}: not {expectation}\n{answer}\n", rule.id));
                    }
                    blessed.push_str(&format!("```yaml {expectation}\n{yaml}```\n\n```text\n{answer}\n```\n"));
                    expectations.insert(expectation);
                    count += 1;
                }
            }
        }
        let finding = if rule.level == Level::Warn { "warned" } else { "rejected" };
        for expected in [finding, "accepted"].into_iter().filter(|expected| !expectations.contains(*expected)) {
            failures.push(format!("{} has no example that is {expected}", rule.id));
        }
        if std::env::var_os("BLESS").is_some() && failures.is_empty() {
            fs::write(page(rule.id.name()), blessed).unwrap();
        } else if blessed != text {
            failures.push(format!("{}:\n{blessed}", page(rule.id.name()).display()));
        }
    }
    println!("{count} examples on {} pages", RULES.len());
    assert!(failures.is_empty(), "not as blessed (`make bless` and review):\n{}", failures.join("\n"));
}

#[test]
fn every_page_has_its_rule_and_its_parts() {
    let ids: BTreeSet<String> = RULES.iter().map(|rule| rule.id.to_string()).collect();
    let files = fs::read_dir(root().join("docs/rules")).unwrap();
    let pages: BTreeSet<String> =
        files.map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(pages, ids, "pages and rules");
    for id in ids {
        let text = fs::read_to_string(page(&id)).unwrap();
        assert!(text.starts_with(&format!("# `{id}`\n")), "{id}: title");
        for heading in HEADINGS {
            assert!(text.contains(&format!("\n{heading}\n")), "{id}: {heading}");
        }
    }
}

#[test]
fn the_texts_of_findings_keep_to_their_form() {
    let mut count = 0;
    let mut cut = Vec::new();
    for rule in RULES {
        for part in parts(&fs::read_to_string(page(rule.id.name())).unwrap()) {
            let Part::Example { yaml, .. } = part else { continue };
            let (_, _, answer) = answer(rule.id.name(), &yaml);
            for line in answer.lines().filter(|line| line.starts_with("- ") || line.starts_with("  fix: ")) {
                assert!(line.chars().count() <= 240 + 7, "{}: too long: {line}", rule.id);
                assert!(!line.ends_with(['.', '…']), "{}: ends in a full stop, or is cut: {line}", rule.id);
                count += 1;
            }
            for warning in answer.lines().filter_map(|line| line.strip_prefix("Warning: ")) {
                let (text, link) = warning.split_once("; see ").expect("a warning has a link");
                if text.chars().count() > 120 || text.ends_with('…') {
                    cut.push(format!("{}: {text}", rule.id));
                }
                assert!(warning.len() <= 256 && link.ends_with(".md"), "{}: {warning}", rule.id);
                count += 1;
            }
        }
    }
    assert_eq!(cut, [""; 0], "too long, or cut");
    assert!(count > 2 * RULES.len());
}

#[test]
fn a_request_of_the_audit_scanner_shows_the_drift() {
    // As the scanner sends it: a CREATE without a user, the kind in the place of the plural, a stored object.
    let mut object: Value =
        yaml_serde::from_str(&fs::read_to_string(root().join("examples/09-traces-without-prefix.yaml")).unwrap())
            .unwrap();
    object["metadata"]["uid"] = "8c3a".into();
    object["metadata"]["resourceVersion"] = "42".into();
    object["status"] = json!({"conditions": [{"type": "TelemetryFlowHealthy", "status": "True"}]});
    let mut request = admission_request(&object, None);
    request["resource"]["resource"] = "TracePipeline".into();
    request.as_object_mut().unwrap().remove("userInfo");

    let response = policy(&json!({})).admit(&request);
    assert!(response.allowed, "a repair is a pass");
    let message = response.status.unwrap().message.unwrap();
    assert_eq!(message, "the policy sets spec.output.otlp.headers[0].prefix to `Api-Token`");

    let validating = Policy::new(module(), json!({"mode": "validate"}), false).unwrap();
    let response = validating.admit(&request);
    assert!(!response.allowed, "the validating policy reports a failure");
    let status = response.status.unwrap();
    assert!(status.message.unwrap().contains("- wrong-authorization-scheme: "));
    assert_eq!(status.code, None, "not an error of the evaluation, which 500 would be");
}
