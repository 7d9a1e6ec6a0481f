//! What the tests share: pipelines out of a few words, and the faults and repairs of one rule.

use serde_json::Value;

use crate::lookup::{LookUp, Lookup, Outcome, Seen, Value as SecretValue};
use crate::pipeline::{Object, Output, Signal};
use crate::rule::{Fault, Repair, Rule, Subject};
use crate::settings::Settings;

/// An endpoint out of the declared Secret.
pub(crate) const SECRET: &str =
    r#""endpoint":{"valueFrom":{"secretKeyRef":{"name":"dynakube","namespace":"dynatrace","key":"apiurl"}}}"#;

/// The header with the token of the declared Secret.
pub(crate) const TOKEN: &str = r#""headers":[{"name":"Authorization","prefix":"Api-Token","valueFrom":{"secretKeyRef":{"name":"dynakube","namespace":"dynatrace","key":"dataIngestToken"}}}]"#;

/// A text in the form of a token, of nobody.
pub(crate) fn token() -> String {
    format!("dt0c01.{}.{}", "A1".repeat(12), "b2".repeat(32))
}

/// A literal endpoint.
pub(crate) fn endpoint(url: &str) -> String {
    format!(r#""endpoint":{{"value":"{url}"}}"#)
}

/// An object, kept for as long as the tests run.
pub(crate) fn object(json: &str) -> Object<'static> {
    serde_json::from_str(json.to_owned().leak()).unwrap()
}

/// An output.
pub(crate) fn output(json: &str) -> Output<'static> {
    serde_json::from_str(json.to_owned().leak()).unwrap()
}

/// Valid settings.
pub(crate) fn settings(json: &str) -> Settings {
    Settings::read(serde_json::from_str(json).unwrap()).unwrap()
}

/// A pipeline whose `spec.output.otlp` has these members, under these settings.
pub(crate) fn subject(signal: Signal, otlp: &str, input: &str, json: &str) -> Subject<'static> {
    let object = object(&format!(r#"{{"spec":{{"input":{input},"output":{{"otlp":{{{otlp}}}}}}}}}"#));
    let settings = settings(json);
    Subject::read(signal, Box::leak(Box::new(object)), Box::leak(Box::new(settings)), Seen::NOTHING).unwrap()
}

/// The faults that a rule finds in `spec.output.otlp` with these members, under these settings.
pub(crate) fn faults_with(rule: &Rule, signal: Signal, otlp: &str, input: &str, settings: &str) -> Vec<Fault> {
    let subject = subject(signal, otlp, input, settings);
    if rule.scope.holds(&subject) { (rule.check)(&subject) } else { Vec::new() }
}

/// The same with default settings and no inputs.
pub(crate) fn faults(rule: &Rule, signal: Signal, otlp: &str) -> Vec<Fault> {
    faults_with(rule, signal, otlp, "{}", "{}")
}

/// Somebody to whom the same happens with every Secret.
impl LookUp for Outcome {
    fn secret(&self, _: &Lookup) -> Outcome {
        self.clone()
    }
}

/// A Secret that is there, with these values.
pub(crate) fn found(values: &[(&str, &str)]) -> Outcome {
    let value = |value: &str| SecretValue::new(value.as_bytes().to_vec());
    Outcome::Found(values.iter().map(|(key, text)| ((*key).to_owned(), value(text))).collect())
}

/// The faults of a rule where this comes of each lookup, under these settings.
pub(crate) fn faults_seen_with(
    rule: &Rule,
    signal: Signal,
    otlp: &str,
    settings: &str,
    outcome: Outcome,
) -> Vec<Fault> {
    let mut subject = subject(signal, otlp, "{}", settings);
    subject.seen = Box::leak(Box::new(Seen::by(&outcome, &subject.lookups())));
    assert!(rule.scope.holds(&subject));
    (rule.check)(&subject)
}

/// The same with default settings.
pub(crate) fn faults_seen(rule: &Rule, signal: Signal, otlp: &str, outcome: Outcome) -> Vec<Fault> {
    faults_seen_with(rule, signal, otlp, "{}", outcome)
}

/// What a rule's repair fills in: pointers below the output, and values. A second run fills in nothing.
pub(crate) fn repairs_with(rule: &Rule, signal: Signal, otlp: &str, settings: &str) -> Vec<(String, Value)> {
    let mut subject = subject(signal, otlp, "{}", settings);
    if !rule.scope.holds(&subject) {
        return Vec::new();
    }
    let repair = rule.repair.unwrap();
    let repairs = repair(&mut subject);
    assert!(repair(&mut subject).is_empty(), "{}: a second run changes nothing", rule.id);
    let value = |repair: &Repair| serde_json::from_str(repair.value.text()).unwrap();
    let told = |repair: &Repair| (repair.place.pointer().replace("/spec/output/otlp/", ""), value(repair));
    repairs.iter().map(told).collect()
}

/// The same with default settings.
pub(crate) fn repairs(rule: &Rule, signal: Signal, otlp: &str) -> Vec<(String, Value)> {
    repairs_with(rule, signal, otlp, "{}")
}

/// Asserts one fault, and its field, what was found and what is expected.
#[track_caller]
pub(crate) fn assert_one(faults: &[Fault], field: &str, found: &str, expected: &str) {
    let texts: Vec<_> = faults.iter().map(|f| (f.field.as_str(), f.found.as_ref(), f.expected.as_ref())).collect();
    assert_eq!(texts, [(field, found, expected)]);
}
