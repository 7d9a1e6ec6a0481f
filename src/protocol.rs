//! Kubewarden's protocol, bytes in and bytes out, on top of the pure review.
//!
//! The shapes are those of `kubewarden-policy-sdk` (`ValidationResponse`, `SettingsValidationResponse`); a test feeds
//! our answers to its types. They are written out here because the SDK's helpers cannot set warnings or audit
//! annotations, its maps come out in random order, and its errors quote the whole payload.

use serde::Serialize;

use crate::finding::repair_warning;
use crate::json::Node;
use crate::request::Payload;
use crate::review::{Verdict, review};
use crate::settings::Settings;
use crate::splice::splice;

/// The answer to `validate`.
#[derive(Debug, Default, Serialize)]
struct Response {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_annotations: Option<AuditAnnotations>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// What the API server notes in its audit log. Identifiers only, never a user's value.
#[derive(Debug, Serialize)]
struct AuditAnnotations {
    destination: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    findings: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    repaired: String,
}

/// The answer to `validate_settings`.
#[derive(Debug, Serialize)]
struct SettingsResponse {
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Answers `validate`: the payload is `{"request": AdmissionRequest, "settings": {...}}`, the answer is JSON.
///
/// Never fails: what cannot be read is rejected, with a sentence that says what, and without an echo of it.
#[must_use]
pub fn validate(payload: &[u8]) -> Vec<u8> {
    match decide(payload) {
        Ok(response) => response,
        Err(message) => to_json(&Response { message: Some(message), ..Response::default() }),
    }
}

fn decide(payload: &[u8]) -> Result<Vec<u8>, String> {
    let refuse = |reason: &str| format!("kyma-dynatrace-policy cannot review this request: {reason}");
    let read = Payload::parse(payload).map_err(refuse)?;
    let settings = read.settings;
    let request = read.request().map_err(refuse)?;
    let settings = Settings::read(settings).map_err(|errors| refuse(&settings_message(&errors)))?;
    let verdict = review(&request, &settings).map_err(refuse)?;
    let response = to_json(&Response::of(&verdict));
    if verdict.repairs.is_empty() {
        return Ok(response);
    }
    let edits: Vec<_> = verdict.repairs.iter().map(|repair| repair.edit.clone()).collect();
    // Where there is a repair, there is an object.
    let object = request.object.map(|object| object.node.raw()).unwrap_or_default();
    let mutated = splice(object, &edits).ok_or_else(|| refuse("its `object` cannot be changed"))?;
    Ok(with_mutated_object(&mutated, &response))
}

/// Puts `mutated_object` in front of the response's other members, as text: parsing it would change its numbers.
fn with_mutated_object(mutated: &str, response: &[u8]) -> Vec<u8> {
    let members = response.strip_prefix(b"{").unwrap_or(response);
    [b"{\"mutated_object\":", mutated.as_bytes(), b",", members].concat()
}

impl Response {
    fn of(verdict: &Verdict<'_>) -> Self {
        let Some((signal, destination)) = verdict.about else { return Self { accepted: true, ..Self::default() } };
        let accepted = verdict.is_accepted();
        let mut warnings: Vec<String> = verdict.repairs.iter().map(repair_warning).collect();
        warnings.extend(verdict.cautions().map(crate::finding::Finding::warning));
        let message = if accepted {
            let done: Vec<String> = verdict.repairs.iter().map(crate::repair::Repair::done).collect();
            (!done.is_empty()).then(|| format!("repaired: {}", done.join("; ")))
        } else {
            let paragraphs: Vec<String> = verdict.denials().map(crate::finding::Finding::paragraph).collect();
            let problems =
                if paragraphs.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", paragraphs.len()) };
            Some(format!("this {} has {problems}:\n{}", signal.kind(), paragraphs.join("\n")))
        };
        let mut ids: Vec<&str> = verdict.findings.iter().map(|finding| finding.rule.id).collect();
        ids.dedup();
        let pointers: Vec<&str> = verdict.repairs.iter().map(|repair| repair.pointer.as_str()).collect();
        Self {
            accepted,
            message,
            audit_annotations: Some(AuditAnnotations {
                destination: destination.name(),
                findings: ids.join(","),
                repaired: pointers.join(","),
            }),
            warnings,
        }
    }
}

/// Answers `validate_settings`: the payload is the settings, the answer is JSON.
#[must_use]
pub fn validate_settings(payload: &[u8]) -> Vec<u8> {
    let node = std::str::from_utf8(payload).ok().and_then(|text| Node::parse(text).ok());
    let read = match node {
        Some(node) => Settings::read(Some(node)),
        None => Err(vec!["the settings are not valid JSON".to_owned()]),
    };
    to_json(&match read {
        Ok(_) => SettingsResponse { valid: true, message: None },
        Err(errors) => SettingsResponse { valid: false, message: Some(settings_message(&errors)) },
    })
}

fn settings_message(errors: &[String]) -> String {
    format!("invalid settings: {}", errors.join("; "))
}

/// JSON of one of our own types. Their serialisation cannot fail; an empty answer would be an error at the host.
fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::SECRET;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn answer(otlp: &str, settings: &str) -> String {
        let payload = format!(
            r#"{{"settings":{settings},"request":{{"operation":"CREATE","kind":{{"group":"telemetry.kyma-project.io","kind":"LogPipeline"}},"object":{{"spec":{{"output":{{"otlp":{{{otlp}}}}}}}}}}}}}"#
        );
        String::from_utf8(validate(payload.as_bytes())).unwrap()
    }

    #[test]
    fn accepts_without_a_word() {
        assert_eq!(answer(r#""endpoint":{"value":"http://loki:3100"}"#, "{}"), r#"{"accepted":true}"#);
    }

    #[test]
    fn repairs_and_tells_in_message_warning_and_annotation() {
        let header = r#""headers":[{"name":"Authorization","prefix":"Api-Token","valueFrom":{"secretKeyRef":{"name":"a","namespace":"b","key":"c"}}}]"#;
        let answer = answer(&format!(r#"{SECRET},"protocol":"http",{header}"#), "{}");
        let object = format!(
            r#"{{"spec":{{"output":{{"otlp":{{{SECRET},"protocol":"http",{header},"path":"v2/otlp/v1/logs"}}}}}}}}"#
        );
        let link = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/rules/wrong-otlp-path.md");
        assert_eq!(
            answer,
            format!(
                r#"{{"mutated_object":{object},"accepted":true,"message":"repaired: spec.output.otlp.path set to `v2/otlp/v1/logs`","audit_annotations":{{"destination":"direct-secret","repaired":"/spec/output/otlp/path"}},"warnings":["wrong-otlp-path: repaired, spec.output.otlp.path set to `v2/otlp/v1/logs`; see {link}"]}}"#
            )
        );
    }

    #[test]
    fn rejects_with_every_problem_and_no_object() {
        let answer = answer(r#""endpoint":{"value":"http://loki:3100"},"path":3,"protocol":4"#, "{}");
        assert!(
            answer
                .starts_with(r#"{"accepted":false,"message":"this LogPipeline has 2 problems:\n- malformed-output: "#)
        );
        assert!(answer.contains(r#""audit_annotations":{"destination":"elsewhere","findings":"malformed-output"}"#));
        assert!(!answer.contains("mutated_object"));
    }

    #[test]
    fn rejects_invalid_settings_and_unreadable_requests() {
        let message = "kyma-dynatrace-policy cannot review this request: invalid settings: unknown field `mod`, did you mean `mode`?";
        assert_eq!(answer("", r#"{"mod":1}"#), format!(r#"{{"accepted":false,"message":"{message}"}}"#));
        let answer = String::from_utf8(validate(b"")).unwrap();
        assert!(answer.contains("cannot review this request: the admission request is empty"));
    }

    #[test]
    fn rejects_settings_that_are_no_json() {
        let text = |settings: &[u8]| String::from_utf8(validate_settings(settings)).unwrap();
        assert_eq!(text(b"{}"), r#"{"valid":true}"#);
        assert_eq!(text(b"{"), r#"{"valid":false,"message":"invalid settings: the settings are not valid JSON"}"#);
        assert!(text(b"[]").contains("must be an object"));
    }
}
