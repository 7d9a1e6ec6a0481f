//! The policy's answer to a payload, and what holds for each.

use kyma_dynatrace_policy::kubewarden::{answer, answer_review};
use kyma_dynatrace_policy::lookup::{LookUp, Lookup, Outcome, Refusal, Value as SecretValue};
use kyma_dynatrace_policy::text::holds_token;
use serde_json::Value;

/// Longest answer without an object in it, in bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// A cluster in which every Secret is something else, by its name.
pub(crate) struct Cluster;

impl LookUp for Cluster {
    fn secret(&self, lookup: &Lookup) -> Outcome {
        let value = |text: &str| SecretValue::new(text.as_bytes().to_vec());
        match lookup.name.len() % 6 {
            0 => Outcome::Missing,
            1 => Outcome::Refused(Refusal::Rights),
            2 => Outcome::Failed,
            3 => Outcome::Found(Vec::new()),
            4 => Outcome::Found(lookup.keys.iter().map(|key| (key.clone(), value("a b\n"))).collect()),
            _ => Outcome::Found(
                lookup.keys.iter().map(|key| (key.clone(), value("https://abc12345.live.dynatrace.com/api"))).collect(),
            ),
        }
    }
}

/// The policy's answer, which is one whatever the payload is.
pub(crate) fn answer_to(payload: &[u8]) -> Value {
    let bytes = answer(payload, &Cluster).unwrap();
    let answer: Value = serde_json::from_slice(&bytes).unwrap();
    let review = answer_review(payload, &Cluster).unwrap();
    assert!(
        review.starts_with(&[br#"{"response":"#, bytes.as_slice(), br#","report":{"#].concat()),
        "another response"
    );
    let is_accepted = answer["accepted"].as_bool().unwrap();
    let object = &answer["mutated_object"];
    assert!(is_accepted || object.is_null(), "a rejected request is never mutated");
    assert!(!object.is_null() || bytes.len() <= MAX_ANSWER, "an answer of {} bytes", bytes.len());
    assert!(is_accepted || !answer["message"].as_str().unwrap().is_empty(), "a rejection says why");
    let texts = [&answer["message"], &answer["warnings"], &answer["audit_annotations"]];
    assert!(!texts.iter().any(|text| holds_token(&text.to_string())), "a token is told");
    answer
}

/// The payload for creating an object.
pub(crate) fn create(object: &Value, settings: &Value) -> Vec<u8> {
    let request = kyma_dynatrace_admission::admission_request(object, None);
    kyma_dynatrace_admission::payload(&request, settings).into_bytes()
}
