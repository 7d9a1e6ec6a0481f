//! Properties of the policy over generated pipelines that mix valid, half-written and hostile fields.
//!
//! `PROPTEST_CASES` sets the number of cases (`make test-long`: 10,000). The seeds of failures that were found are kept
//! in `properties.proptest-regressions`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that panics is a test that fails"
)]

use std::sync::LazyLock;

use e2e::generate::{Pipeline, elsewhere, pipeline, settings};
use e2e::{module, payload};
use kyma_dynatrace_admission::admission_request;
use kyma_dynatrace_engine::Module;
use kyma_dynatrace_policy::lookup::{LookUp, Lookup, Outcome, Refusal, Value as Secret};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::value::RawValue;
use serde_json::{Value, json};

static MODULE: LazyLock<Module> = LazyLock::new(module);

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("properties.proptest-regressions"))),
        ..ProptestConfig::default()
    }
}

/// The policy's answer to a payload: in wasm, which is the native one.
fn answer(payload: &[u8]) -> Vec<u8> {
    let answer = MODULE.call("validate", payload).expect("the module answers");
    e2e::assert_native_agrees(payload, &answer, "generated");
    answer
}

/// The payload for creating an object given as text.
fn create(object: &str, settings: &Value) -> Vec<u8> {
    let kind: Value = serde_json::from_str(object).unwrap();
    let request = admission_request(&json!({"apiVersion": kind["apiVersion"], "kind": kind["kind"]}), None);
    let text = payload(&request, settings);
    let text = String::from_utf8(text).unwrap();
    let placeholder = format!("\"object\":{}", json!({"apiVersion": kind["apiVersion"], "kind": kind["kind"]}));
    assert!(text.contains(&placeholder));
    text.replace(&placeholder, &format!("\"object\":{object}")).into_bytes()
}

#[derive(serde::Deserialize)]
struct Answer<'a> {
    accepted: bool,
    #[serde(borrow)]
    mutated_object: Option<&'a RawValue>,
    message: Option<String>,
    warnings: Option<Vec<String>>,
}

fn read(answer: &[u8]) -> Answer<'_> {
    serde_json::from_slice(answer).unwrap()
}

/// The pointers of everything that differs between two values.
fn differences(pointer: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in after {
                match before.get(key) {
                    Some(old) => differences(&format!("{pointer}/{key}"), old, value, found),
                    None => found.push(format!("{pointer}/{key}")),
                }
            }
            found.extend(before.keys().filter(|key| !after.contains_key(*key)).map(|key| format!("-{pointer}/{key}")));
        }
        (Value::Array(before), Value::Array(after)) if before.len() <= after.len() => {
            for (index, value) in after.iter().enumerate() {
                match before.get(index) {
                    Some(old) => differences(&format!("{pointer}/{index}"), old, value, found),
                    None => found.push(format!("{pointer}/-")),
                }
            }
        }
        _ if before != after => found.push(pointer.to_owned()),
        _ => {}
    }
}

/// Whether nothing that a person wrote is overwritten: what stands there is absent, null or blank, or a temporality.
fn may_be_set(before: &Value, pointer: &str) -> bool {
    let old = before.pointer(pointer).unwrap_or(&Value::Null);
    pointer.ends_with("/temporality") || old.is_null() || old.as_str().is_some_and(|text| text.trim().is_empty())
}

fn is_repairable(pointer: &str) -> bool {
    let Some(rest) = pointer.strip_prefix("/spec/output/otlp/") else { return false };
    let is_prefix = rest.strip_prefix("headers/").and_then(|rest| rest.strip_suffix("/prefix"));
    matches!(rest, "protocol" | "path" | "temporality" | "headers" | "headers/-")
        || is_prefix.is_some_and(|index| index.parse::<usize>().is_ok())
}

fn with_mode(settings: &Value, mode: &str) -> Value {
    let mut settings = settings.clone();
    settings["mode"] = mode.into();
    settings
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_repair_changes_only_what_it_may(pipeline in pipeline(), settings in settings()) {
        let payload = create(&pipeline.text, &settings);
        let answer = answer(&payload);
        let answer = read(&answer);
        if let Some(after) = answer.mutated_object {
            prop_assert!(answer.accepted, "a rejected request is never mutated");
            let mut found = Vec::new();
            let before: Value = serde_json::from_str(&pipeline.text).unwrap();
            differences("", &before, &serde_json::from_str(after.get()).unwrap(), &mut found);
            prop_assert!(!found.is_empty());
            prop_assert!(found.iter().all(|pointer| is_repairable(pointer)), "{found:?}");
            prop_assert!(found.iter().all(|pointer| may_be_set(&before, pointer)), "{found:?}");
        }
    }

    #[test]
    fn a_repaired_pipeline_is_in_order_in_both_modes(pipeline in pipeline(), settings in settings()) {
        let first = answer(&create(&pipeline.text, &with_mode(&settings, "repair")));
        if let Some(repaired) = read(&first).mutated_object {
            for mode in ["repair", "validate"] {
                let again = answer(&create(repaired.get(), &with_mode(&settings, mode)));
                let again = read(&again);
                prop_assert!(again.accepted, "{mode}: {:?}", again.message);
                prop_assert!(again.mutated_object.is_none(), "{mode}: repaired twice");
            }
        }
    }

    #[test]
    fn validate_mode_rejects_what_repair_mode_repairs_or_rejects(pipeline in pipeline(), settings in settings()) {
        // Levels in the settings turn rejections into warnings, and are about one mode alone.
        let mut settings = settings;
        settings.as_object_mut().unwrap().remove("rules");
        let repair = answer(&create(&pipeline.text, &with_mode(&settings, "repair")));
        let validate = answer(&create(&pipeline.text, &with_mode(&settings, "validate")));
        let (repair, validate) = (read(&repair), read(&validate));
        prop_assert!(validate.mutated_object.is_none());
        prop_assert_eq!(validate.accepted, repair.accepted && repair.mutated_object.is_none());
    }

    #[test]
    fn an_update_that_changes_nothing_is_let_be(pipeline in pipeline(), settings in settings()) {
        let old: Value = serde_json::from_str(&pipeline.text).unwrap();
        let mut new = old.clone();
        new["metadata"]["labels"]["team"] = "a".into();
        let request = admission_request(&new, Some(&old));
        let answer = answer(&payload(&request, &settings));
        let answer = read(&answer);
        prop_assert!(answer.accepted, "{:?}", answer.message);
        prop_assert!(answer.mutated_object.is_none());
    }

    #[test]
    fn what_the_module_fills_in_is_no_change(pipeline in pipeline(), settings in settings()) {
        let old: Value = serde_json::from_str(&pipeline.text).unwrap();
        let mut new = old.clone();
        if let Some(otlp) = new.pointer_mut("/spec/output/otlp").and_then(Value::as_object_mut) {
            let is_well_formed = otlp.get("protocol").is_none_or(|protocol| protocol.is_string() || protocol.is_null());
            if !is_well_formed {
                return Ok(());
            }
            if otlp.get("protocol").and_then(Value::as_str).unwrap_or_default().is_empty() {
                otlp.insert("protocol".to_owned(), "grpc".into());
            }
            otlp.entry("temporality").or_insert("preserve".into());
        }
        let malformed = payload(&admission_request(&old, None), &json!({"rules": {"malformed-output": "deny"}}));
        if String::from_utf8(answer(&malformed)).unwrap().contains("malformed-output") {
            // Of a malformed output only the same text is known to be the same.
            return Ok(());
        }
        let answer = answer(&payload(&admission_request(&new, Some(&old)), &settings));
        let answer = read(&answer);
        prop_assert!(answer.accepted && answer.mutated_object.is_none(), "{:?}", answer.message);
    }

    #[test]
    fn pipelines_that_go_elsewhere_are_never_touched(pipeline in elsewhere(), settings in settings()) {
        let payload = create(&pipeline.text, &settings);
        let answer: Value = serde_json::from_slice(&answer(&payload)).unwrap();
        let said: Vec<&str> =
            answer.as_object().unwrap().iter().filter(|(_, v)| !v.is_null()).map(|(k, _)| k.as_str()).collect();
        prop_assert_eq!((said, &answer["accepted"]), (vec!["accepted"], &Value::Bool(true)));
    }

    #[test]
    fn no_token_is_ever_told(pipeline in pipeline(), settings in settings()) {
        let Pipeline { text, secrets } = pipeline;
        let mut answer: Value = serde_json::from_slice(&answer(&create(&text, &settings))).unwrap();
        // The object is the user's own, and the host makes a patch of it.
        answer.as_object_mut().unwrap().remove("mutated_object");
        let said = answer.to_string();
        for secret in secrets {
            prop_assert!(!said.contains(&secret), "{said}");
        }
    }

    #[test]
    fn warnings_and_messages_keep_to_their_length(pipeline in pipeline(), settings in settings()) {
        let answer = answer(&create(&pipeline.text, &settings));
        let answer = read(&answer);
        for line in answer.message.unwrap_or_default().lines().filter(|line| line.starts_with("- ")) {
            prop_assert!(line.chars().count() <= 242, "{line}");
        }
        for warning in answer.warnings.unwrap_or_default() {
            let text = warning.split("; see ").next().unwrap();
            prop_assert!(text.chars().count() <= 120 && !warning.contains('\n'), "{warning}");
        }
    }

    #[test]
    fn any_json_and_any_bytes_get_an_answer(value in e2e::generate::any_json(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for payload in [payload(&value, &value), value.to_string().into_bytes(), bytes] {
            let answer = answer(&payload);
            prop_assert!(!read(&answer).accepted || read(&answer).mutated_object.is_none());
            let answer = MODULE.call("validate_settings", &payload).unwrap();
            prop_assert_eq!(kyma_dynatrace_policy::validate_settings(&payload).unwrap(), answer);
        }
    }
}

/// The properties would hold for pipelines that no rule looks at: these are not such.
/// Somebody who sees something else each time.
struct Clerk(usize);

impl LookUp for Clerk {
    fn secret(&self, lookup: &Lookup) -> Outcome {
        match self.0 % 4 {
            0 => Outcome::Missing,
            1 => Outcome::Refused(Refusal::Rights),
            2 => Outcome::Failed,
            // Neither a URL nor a token.
            _ => Outcome::Found(lookup.keys.iter().map(|key| (key.clone(), Secret::new(b"a b".to_vec()))).collect()),
        }
    }
}

#[test]
fn generated_pipelines_reach_every_rule_and_every_repair() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use std::collections::BTreeMap;

    let mut runner = TestRunner::deterministic();
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let strategy = (pipeline(), settings());
    for index in 0..8000 {
        let (pipeline, settings) = strategy.new_tree(&mut runner).unwrap().current();
        let payload = create(&pipeline.text, &settings);
        let answer = kyma_dynatrace_policy::kubewarden::answer(&payload, &Clerk(index)).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let without = kyma_dynatrace_policy::kubewarden::answer(&payload, &()).unwrap();
        let without: Value = serde_json::from_slice(&without).unwrap();
        for field in ["accepted", "mutated_object"] {
            assert_eq!(answer[field], without[field], "what is looked up warns, and changes nothing");
        }
        let verdict = if answer["mutated_object"].is_object() { "repaired" } else { "not repaired" };
        *found.entry(format!("{verdict}, accepted {}", answer["accepted"])).or_default() += 1;
        for list in ["findings", "repaired"] {
            let ids = answer["audit_annotations"][list].as_str().unwrap_or_default();
            for id in ids.split(',').filter(|id| !id.is_empty()) {
                *found.entry(id.to_owned()).or_default() += 1;
            }
        }
    }
    println!("{found:#?}");
    let repairs = ["protocol", "path", "headers", "headers/-", "headers/0/prefix", "temporality"]
        .map(|field| format!("/spec/output/otlp/{field}"));
    let rules = kyma_dynatrace_policy::settings::RuleId::ALL.iter().map(ToString::to_string);
    for wanted in rules.chain(repairs) {
        assert!(found.get(&wanted).is_some_and(|count| *count >= 5), "{wanted} is hardly ever reached");
    }
}
