//! Kubewarden's protocol, bytes in and bytes out, on top of the pure review.
//!
//! The shapes are those of `kubewarden-policy-sdk` (`ValidationResponse`, `SettingsValidationResponse`); a test feeds
//! our answers to its types. They are written out here because the SDK's helpers cannot set warnings or audit
//! annotations, its maps come out in random order, and its errors quote the whole payload.

use serde::Serialize;

use crate::finding::repair_warning;
use crate::json::Node;
use crate::request::{Payload, object_text};
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
    // Parsed before, so the payload is UTF-8 text and has an object; were it not, nobody should be told it was repaired.
    let text = std::str::from_utf8(payload).unwrap_or_default();
    let object = object_text(text).map_err(|_| refuse("its `object` cannot be found again"))?;
    let edits: Vec<_> = verdict.repairs.iter().map(|repair| repair.edit.clone()).collect();
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
    let read = match serde_json::from_slice::<Node<'_>>(payload) {
        Ok(node) => Settings::read(Some(node)),
        Err(_) => Err(vec!["the settings are not valid JSON".to_owned()]),
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
