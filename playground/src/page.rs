//! One look at all panes.

use std::collections::BTreeMap;

use kyma_dynatrace_admission::{AdmissionResponse, Answerer, PolicyResponse, Secrets, SettingsResponse, payload};
use kyma_dynatrace_manifest::check::{self, Checked, Cluster, Outcome, Repairs, Trouble};
use kyma_dynatrace_manifest::deployed::Deployed;
use kyma_dynatrace_manifest::document::{Document, Object, split};
use kyma_dynatrace_manifest::finding::Finding;
use kyma_dynatrace_policy::text::holds_token;
use serde_json::Value;

use crate::asking::Module;
use crate::exchange::{Input, Output, Placed, Reviewed};

/// Checks what is in the panes with a module.
pub(crate) fn check(input: &Input, module: &dyn Module) -> Output {
    let mut output = Output { unshareable: unshareable(input), ..Output::default() };
    let stored = objects(&input.stored, &mut output.stored_troubles);
    let stored = stored.into_iter().map(|object| (object.title(), object.value)).collect();
    let secrets = secrets(&input.secrets, &mut output.secrets_troubles);
    let page = match Page::new(input, module, stored, secrets) {
        Ok(page) => page,
        Err(message) => return Output { unreadable: Some(message), ..output },
    };
    let text = &input.pipelines;
    let mut units = Units { text, byte: 0, units: 0 };
    let repaired = check::input(text, &page, Repairs::Offered, |document, outcome| {
        take_down(&mut output, &mut units, document, outcome);
        Ok::<(), std::convert::Infallible>(())
    });
    output.repaired = repaired.ok().flatten();
    output
}

/// The policy as the panes describe it, and what stands in the place of the cluster.
struct Page<'a> {
    module: &'a dyn Module,
    deployed: Deployed,
    settings: Value,
    repairing: Value,
    stored: BTreeMap<String, Value>,
    answerer: Option<Answerer>,
}

impl<'a> Page<'a> {
    fn new(
        input: &Input,
        module: &'a dyn Module,
        stored: BTreeMap<String, Value>,
        secrets: Option<Secrets>,
    ) -> Result<Self, String> {
        let mut deployed = Deployed::of_either(&input.settings)?;
        deployed.is_mutating = input.mutating.unwrap_or(deployed.is_mutating);
        let mode = input.mode.as_ref().map(|mode| ("mode", Value::from(mode.as_str())));
        let looks_up = secrets.is_some().then_some(("lookUpSecrets", true.into()));
        let settings = deployed.settings_with(&mode.into_iter().chain(looks_up).collect::<Vec<_>>());
        let repairing = deployed.repairing_settings();
        let answerer = secrets.map(Secrets::answerer);
        let page = Self { module, deployed, settings, repairing, stored, answerer };
        // policy-server loads no policy with invalid settings.
        let answer = module.call("validate_settings", &page.settings.to_string(), None)?;
        match serde_json::from_str(&answer) {
            Ok(SettingsResponse { valid: true, .. }) => Ok(page),
            Ok(SettingsResponse { message, .. }) => Err(message.unwrap_or_default()),
            Err(_) => Err("the module's answer cannot be read".to_owned()),
        }
    }

    /// What policy-server makes of the module's answer.
    fn review(
        &self,
        request: &Value,
        settings: &Value,
        answerer: Option<&Answerer>,
        is_mutating: bool,
    ) -> AdmissionResponse {
        let answer = self.module.call("validate", &payload(request, settings), answerer).and_then(|answer| {
            serde_json::from_str::<PolicyResponse>(&answer).map_err(|_| "the module's answer cannot be read".to_owned())
        });
        match answer {
            Ok(answer) => AdmissionResponse::of(request, answer, is_mutating),
            Err(message) => AdmissionResponse::rejection(request, message, Some(500)),
        }
    }
}

impl Cluster for Page<'_> {
    fn stored(&self, title: &str) -> Option<&Value> {
        self.stored.get(title)
    }

    fn is_sent(&self, object: &Value, operation: &str) -> bool {
        self.deployed.is_sent(object, operation)
    }

    fn admit(&self, request: &Value) -> AdmissionResponse {
        self.review(request, &self.settings, self.answerer.as_ref(), self.deployed.is_mutating)
    }

    fn repair(&self, request: &Value) -> AdmissionResponse {
        self.review(request, &self.repairing, None, true)
    }
}

fn take_down(output: &mut Output, units: &mut Units<'_>, document: &Document<'_>, outcome: Outcome) {
    output.passed_over += outcome.passed_over;
    output.troubles.extend(outcome.troubles);
    for Checked { object, response, findings } in outcome.checked {
        let placed = |finding: Finding| Placed {
            from: units.at(document.offset + finding.span.start),
            to: units.at(document.offset + finding.span.end),
            finding,
        };
        output.pipelines.push(Reviewed {
            title: object.title(),
            verdict: verdict(&response),
            findings: findings.into_iter().map(placed).collect(),
        });
    }
}

/// Editors in a browser count UTF-16 code units, Rust counts bytes. Places are near each other, so it is counted on from the
/// last one.
struct Units<'a> {
    text: &'a str,
    byte: usize,
    units: usize,
}

impl Units<'_> {
    fn at(&mut self, byte: usize) -> usize {
        let count = |from: usize, to: usize| self.text.get(from..to).map_or(0, |text| text.encode_utf16().count());
        self.units = (self.units + count(self.byte, byte)).saturating_sub(count(byte, self.byte));
        self.byte = byte;
        self.units
    }
}

fn verdict(response: &AdmissionResponse) -> Option<&'static str> {
    match (response.allowed, &response.patch) {
        (true, None) => Some("accepted"),
        (true, Some(_)) => Some("repaired"),
        (false, _) => response.status.as_ref().is_none_or(|status| status.code != Some(500)).then_some("rejected"),
    }
}

/// All objects in a pane.
fn objects(text: &str, troubles: &mut Vec<Trouble>) -> Vec<Object> {
    let mut objects = Vec::new();
    for document in split(text) {
        match document.objects() {
            Ok(found) => objects.extend(found.objects),
            Err((message, line)) => troubles.push(Trouble { line, message }),
        }
    }
    objects
}

/// Nothing where the pane is empty: then nothing is looked up. A Secret that cannot be read is one for the policy too.
fn secrets(text: &str, troubles: &mut Vec<Trouble>) -> Option<Secrets> {
    let mut secrets = Secrets::default();
    for object in objects(text, troubles) {
        if let Err(message) = secrets.add(&object.value) {
            troubles.push(Trouble { line: None, message });
        }
    }
    let has_content = !split(text).is_empty();
    if has_content && troubles.is_empty() && secrets.count() == 0 {
        troubles.push(Trouble { line: None, message: "no Secret".to_owned() });
    }
    has_content.then_some(secrets)
}

/// Why the panes must not go into a link. Secrets are never in one.
fn unshareable(input: &Input) -> Option<&'static str> {
    const CREDENTIAL: &str =
        "a token or another credential is in the text, and a link would show it: take it out first";
    const BROKEN: &str =
        "the YAML cannot be read, so that nobody can tell whether a credential is in it: mend it first";
    let of_document = |document: &Document<'_>| match document.objects() {
        Ok(found) => {
            let shows = |object: &Object| object.has_literal_credential() || is_secret(&object.value);
            found.objects.iter().any(shows).then_some(CREDENTIAL)
        }
        Err(_) => Some(BROKEN),
    };
    let of_text = |text: &String| {
        let documents = || split(text).iter().find_map(of_document);
        if holds_token(text) { Some(CREDENTIAL) } else { documents() }
    };
    [&input.pipelines, &input.settings, &input.stored].into_iter().find_map(of_text)
}

fn is_secret(object: &Value) -> bool {
    object.get("kind").and_then(Value::as_str) == Some("Secret")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

    use super::*;

    /// A policy that accepts all settings, and everything else with a warning.
    struct Warning;

    impl Module for Warning {
        fn call(&self, function: &str, payload: &str, _: Option<&Answerer>) -> Result<String, String> {
            assert!(serde_json::from_str::<Value>(payload).is_ok(), "{function}");
            Ok(r#"{"valid":true,"accepted":true,"warnings":["rule: apiVersion is so"]}"#.to_owned())
        }
    }

    fn pipelines(text: &str) -> Input {
        Input { pipelines: text.to_owned(), ..Input::default() }
    }

    #[test]
    fn nothing_that_may_be_a_credential_goes_into_a_link() {
        let pipeline = "apiVersion: telemetry.kyma-project.io/v1beta1\nkind: TracePipeline\nspec: {output: {otlp: {";
        let header = format!("{pipeline}headers: [{{name: X, value: y}}]}}}}}}\n");
        let number = header.replace("y}", "12}");
        let reference = format!("{pipeline}headers: [{{name: X, valueFrom: {{}}}}]}}}}}}\n");
        let token = format!("# dt0c01.{}.{}\n", "A".repeat(24), "B".repeat(64));
        let secret = "kind: Secret\nstringData: {a: b}\n".to_owned();
        for text in [&header, &number, &token, &secret, &format!("a: [\n---\n{reference}")] {
            assert!(unshareable(&pipelines(text)).is_some(), "{text}");
            assert!(unshareable(&Input { stored: text.clone(), ..Input::default() }).is_some(), "{text}");
            assert!(unshareable(&Input { settings: text.clone(), ..Input::default() }).is_some(), "{text}");
            // Secrets are in no link.
            assert_eq!(unshareable(&Input { secrets: text.clone(), ..pipelines(&reference) }), None, "{text}");
        }
        assert_eq!(unshareable(&pipelines("")), None);
    }

    #[test]
    fn places_are_told_in_utf_16() {
        let mut units = Units { text: "aä😀b", byte: 0, units: 0 };
        // To and fro.
        assert_eq!([0, 7, 3, 8, 1, 7].map(|byte| units.at(byte)), [0, 4, 2, 5, 1, 4]);
        let text =
            "# 😀\n---\nkind: ConfigMap\n---\n# ä\napiVersion: telemetry.kyma-project.io/v1beta1\nkind: LogPipeline\n";
        let output = check(&pipelines(text), &Warning);
        let finding = output.pipelines.first().unwrap().findings.first().unwrap();
        let units: Vec<u16> = text.encode_utf16().collect();
        let place = units.get(finding.from..finding.to).unwrap();
        assert_eq!(String::from_utf16(place).unwrap(), "telemetry.kyma-project.io/v1beta1");
        assert_eq!((output.passed_over, output.pipelines.len()), (1, 1));
    }
}
