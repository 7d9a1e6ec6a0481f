//! Every case of `cases.yaml`: the verdict as written there, and the whole response and object as blessed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::collections::BTreeSet;
use std::fs;

use e2e::cases::{Case, all};
use e2e::{payload, policy, root};
use serde_json::{Value, json};

#[test]
fn every_case_is_decided_as_written_and_answered_as_blessed() {
    let cases = all();
    let is_blessing = std::env::var_os("BLESS").is_some();
    let mut failures = Vec::new();
    for case in &cases {
        let request = case.request();
        let response = policy(&case.settings).admit(&request);
        let verdict = match (response.allowed, &response.patch) {
            (true, None) => "accepted",
            (true, Some(_)) => "repaired",
            (false, _) => "rejected",
        };
        let annotations = response.audit_annotations.clone().unwrap_or_default();
        let findings: Vec<&str> = annotations.get("findings").map(|ids| ids.split(',').collect()).unwrap_or_default();
        let expected: Vec<&str> = case.findings.iter().map(String::as_str).collect();
        if (verdict, &findings) != (case.verdict.as_str(), &expected) {
            failures.push(format!("{}: {verdict} {findings:?}, expected {} {expected:?}", case.name, case.verdict));
            continue;
        }

        hand_over(case, &request, &json!(response));
        let mut object = request["object"].clone();
        if let Some(patch) = &response.patch {
            json_patch::patch(&mut object, &patch.0).unwrap();
        }
        let answer = yaml_serde::to_string(&json!({"response": response, "object": object})).unwrap();
        let expected = root().join("e2e/expected").join(format!("{}.yaml", case.name));
        if is_blessing {
            fs::write(expected, answer).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != answer {
            failures.push(format!("{}:\n{answer}", expected.display()));
        }
    }
    let names: BTreeSet<String> = cases.iter().map(|case| case.name.clone()).collect();
    for entry in fs::read_dir(root().join("e2e/expected")).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(names.contains(&name), "e2e/expected/{name}.yaml has no case");
    }
    assert!(failures.is_empty(), "not as blessed (`make bless` and review):\n{}", failures.join("\n"));
}

/// Writes a case where `e2e.bats` finds it, so that kwctl is asked the same and has to answer the same.
fn hand_over(case: &Case, request: &Value, response: &Value) {
    let folder = root().join("target/e2e").join(&case.name);
    fs::create_dir_all(&folder).unwrap();
    let settings = if case.settings.is_null() { json!({}) } else { case.settings.clone() };
    for (name, value) in [("request", request), ("settings", &settings), ("expected", response)] {
        fs::write(folder.join(format!("{name}.json")), value.to_string()).unwrap();
    }
}

#[test]
fn bats_has_a_test_for_every_case() {
    let cases = all();
    let tests: String = cases.iter().map(|case| format!("@test \"{0}\" {{ decides {0}; }}\n", case.name)).collect();
    let path = root().join("e2e/e2e.bats");
    let text = fs::read_to_string(&path).unwrap();
    let (begin, end) = ("# cases: made by `make bless` from cases.yaml\n", "# end of cases\n");
    let (head, rest) = text.split_once(begin).unwrap();
    let (_, tail) = rest.split_once(end).unwrap();
    let wanted = format!("{head}{begin}{tests}{end}{tail}");
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, wanted).unwrap();
    } else {
        assert_eq!(text, wanted, "run `make bless`");
    }
}

#[test]
fn native_and_wasm_answers_are_the_same() {
    let cases = all();
    let module = e2e::module();
    for case in &cases {
        let payload = payload(&case.request(), &case.settings);
        let in_wasm = module.call("validate", &payload).unwrap();
        e2e::assert_native_agrees(&payload, &in_wasm, &case.name);
    }
}
