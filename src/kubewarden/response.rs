//! Kubewarden's protocol, bytes in and bytes out, on top of the pure review.
//!
//! The shapes are those of `kubewarden-policy-sdk` (`ValidationResponse`, `SettingsValidationResponse`); a test feeds
//! our answers to its types. They are written out here because the SDK's helpers cannot set warnings or audit
//! annotations, its maps come out in random order, and its errors quote the whole payload.

use crate::finding::{Finding, repair_warning};
use crate::json::{Node, write_text};
use crate::repair::Repair;
use crate::request::Payload;
use crate::review::{Verdict, review};
use crate::settings::Settings;
use crate::splice::splice;

/// Answers `validate`: the payload is `{"request": AdmissionRequest, "settings": {...}}`, the answer is JSON.
///
/// Never fails: what cannot be read is rejected, with a sentence that says what, and without an echo of it.
#[must_use]
pub fn validate(payload: &[u8]) -> Vec<u8> {
    let answer = decide(payload).unwrap_or_else(|reason| {
        let mut answer = Answer::new("accepted", false);
        answer.text("message", &["kyma-dynatrace-policy cannot review this request: ", &reason].concat());
        answer.end()
    });
    answer.into_bytes()
}

/// The answer, or why there can be none but a rejection.
fn decide(payload: &[u8]) -> Result<String, String> {
    let read = Payload::parse(payload)?;
    let request = read.request()?;
    let settings = Settings::read(read.settings()).map_err(|errors| settings_message(&errors))?;
    let verdict = review(&request, &settings)?;
    let mut answer = Answer::new("accepted", verdict.is_accepted());
    tell(&mut answer, &verdict);
    if !verdict.repairs.is_empty() {
        let edits: Vec<_> = verdict.repairs.iter().map(|repair| repair.edit.clone()).collect();
        // Where there is a repair, there is an object; were there none, nobody should be told that it was repaired.
        let object = request.object.map(|object| object.node.raw()).unwrap_or_default();
        let mutated = splice(object, &edits).ok_or("its `object` cannot be changed")?;
        answer.json("mutated_object", &mutated);
    }
    Ok(answer.end())
}

/// Message, audit annotations and warnings. In the annotations there are identifiers only, never a user's value.
fn tell(answer: &mut Answer, verdict: &Verdict<'_>) {
    let Some((signal, destination)) = verdict.about else { return };
    if verdict.is_accepted() {
        if !verdict.repairs.is_empty() {
            let done: Vec<String> = verdict.repairs.iter().map(Repair::done).collect();
            answer.text("message", &["repaired: ", &done.join("; ")].concat());
        }
    } else {
        let paragraphs: Vec<String> = verdict.denials().map(Finding::paragraph).collect();
        let problems =
            if paragraphs.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", paragraphs.len()) };
        answer.text("message", &["this ", signal.kind(), " has ", &problems, ":\n", &paragraphs.join("\n")].concat());
    }
    let mut ids: Vec<&str> = verdict.findings.iter().map(|finding| finding.rule.id).collect();
    ids.dedup();
    let pointers: Vec<&str> = verdict.repairs.iter().map(|repair| repair.pointer.as_str()).collect();
    let mut annotations = Answer { json: String::new() };
    annotations.text("destination", destination.name());
    for (name, list) in [("findings", ids), ("repaired", pointers)] {
        if !list.is_empty() {
            annotations.text(name, &list.join(","));
        }
    }
    answer.json("audit_annotations", &annotations.end());
    let repairs = verdict.repairs.iter().map(repair_warning);
    let warnings: Vec<String> = repairs.chain(verdict.cautions().map(Finding::warning)).collect();
    if !warnings.is_empty() {
        answer.list("warnings", &warnings);
    }
}

/// A JSON object, written member by member.
struct Answer {
    json: String,
}

impl Answer {
    fn new(name: &str, value: bool) -> Self {
        let mut answer = Self { json: String::new() };
        answer.json(name, if value { "true" } else { "false" });
        answer
    }

    fn name(&mut self, name: &str) {
        self.json.push(if self.json.is_empty() { '{' } else { ',' });
        write_text(&mut self.json, name);
        self.json.push(':');
    }

    fn json(&mut self, name: &str, value: &str) {
        self.name(name);
        self.json.push_str(value);
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        write_text(&mut self.json, value);
    }

    fn list(&mut self, name: &str, values: &[String]) {
        self.name(name);
        self.json.push('[');
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.json.push(',');
            }
            write_text(&mut self.json, value);
        }
        self.json.push(']');
    }

    fn end(mut self) -> String {
        self.json.push('}');
        self.json
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
    let mut answer = Answer::new("valid", read.is_ok());
    if let Err(errors) = read {
        answer.text("message", &settings_message(&errors));
    }
    answer.end().into_bytes()
}

fn settings_message(errors: &[String]) -> String {
    ["invalid settings: ", &errors.join("; ")].concat()
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
                r#"{{"accepted":true,"message":"repaired: spec.output.otlp.path set to `v2/otlp/v1/logs`","audit_annotations":{{"destination":"direct-secret","repaired":"/spec/output/otlp/path"}},"warnings":["wrong-otlp-path: repaired, spec.output.otlp.path set to `v2/otlp/v1/logs`; see {link}"],"mutated_object":{object}}}"#
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
