//! One look at all panes.

use std::collections::BTreeMap;

use kyma_dynatrace_admission::{AdmissionResponse, Module, Policy, PolicyError, Secrets};
use kyma_dynatrace_manifest::check::{self, Checked, Cluster, Outcome, Repairs, Trouble};
use kyma_dynatrace_manifest::deployed::Deployed;
use kyma_dynatrace_manifest::document::{Document, Object, split};
use kyma_dynatrace_manifest::error::DeployedError;
use kyma_dynatrace_manifest::finding::Finding;
use kyma_dynatrace_policy::text::holds_token;
use serde_json::Value;

use crate::declare::declared;
use crate::exchange::{Input, Output, Placed, Reviewed};

/// Checks what is in the panes with a module.
pub(crate) fn check(input: &Input, module: impl Module + Copy) -> Output {
    let mut output = Output { unshareable: unshareable(input), ..Output::default() };
    let stored = objects(&input.stored, &mut output.stored_troubles);
    let stored = stored.into_iter().map(|object| (object.title(), object.value)).collect();
    let secrets = secrets(&input.secrets, &mut output.secrets_troubles);
    let page = match Page::new(input, module, stored, secrets) {
        Ok(page) => page,
        Err(error) => return Output { unreadable: Some(error.to_string()), ..output },
    };
    let text = &input.pipelines;
    let mut units = Units { text, byte: 0, units: 0 };
    let repaired = check::input(text, &page, Repairs::Offered, |document, outcome| {
        record(&mut output, &mut units, input, document, outcome);
        Ok::<(), std::convert::Infallible>(())
    });
    output.repaired = repaired.ok().flatten();
    output
}

/// The policy as the panes describe it, and what stands in the place of the cluster.
struct Page<M> {
    policy: Policy<M>,
    repairer: Policy<M>,
    deployed: Deployed,
    stored: BTreeMap<String, Value>,
}

impl<M: Module + Copy> Page<M> {
    fn new(
        input: &Input,
        module: M,
        stored: BTreeMap<String, Value>,
        secrets: Option<Secrets>,
    ) -> Result<Self, PageError> {
        let mut deployed = Deployed::of_either(&input.settings)?;
        deployed.is_mutating = input.mutating.unwrap_or(deployed.is_mutating);
        let mode = input.mode.as_ref().map(|mode| ("mode", Value::from(mode.as_str())));
        let looks_up = secrets.is_some().then_some(("lookUpSecrets", true.into()));
        let settings = deployed.settings_with(&mode.into_iter().chain(looks_up).collect::<Vec<_>>());
        let mut policy = Policy::reviewing(module, settings, deployed.is_mutating)?;
        if let Some(secrets) = secrets {
            policy.set_answerer(secrets.answerer());
        }
        // Settings that are in order are so in `repair` mode too.
        let repairer = Policy::new(module, deployed.repairing_settings(), true)?;
        Ok(Self { policy, repairer, deployed, stored })
    }
}

/// Why nothing can be checked.
#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error(transparent)]
    Deployed(#[from] DeployedError),
    /// The settings stand in a pane of their own, whose title says so.
    #[error("{0}")]
    Settings(String),
    #[error(transparent)]
    Policy(PolicyError),
}

impl From<PolicyError> for PageError {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Settings(message) => Self::Settings(message),
            other => Self::Policy(other),
        }
    }
}

impl<M: Module> Cluster for Page<M> {
    fn stored(&self, title: &str) -> Option<&Value> {
        self.stored.get(title)
    }

    fn is_sent(&self, object: &Value, operation: &str) -> bool {
        self.deployed.is_sent(object, operation)
    }

    fn admit(&self, request: &Value) -> kyma_dynatrace_admission::Reviewed {
        self.policy.review(request)
    }

    fn repair(&self, request: &Value) -> kyma_dynatrace_admission::Reviewed {
        self.repairer.review(request)
    }
}

/// For more pipelines no settings are made: who has pressed one button has the others then.
const MAX_DECLARED: usize = 20;

/// Records what there is to say of a document.
fn record(output: &mut Output, units: &mut Units<'_>, input: &Input, document: &Document<'_>, outcome: Outcome) {
    output.passed_over += outcome.passed_over;
    output.troubles.extend(outcome.troubles);
    for Checked { object, reviewed, findings, .. } in outcome.checked {
        let placed = |finding: Finding| Placed {
            from: units.at(document.offset + finding.span.start),
            to: units.at(document.offset + finding.span.end),
            finding,
        };
        let endpoint = reviewed.report.endpoint.as_ref();
        let is_first = output.pipelines.iter().filter(|other| other.settings.is_some()).count() < MAX_DECLARED;
        output.pipelines.push(Reviewed {
            title: object.title(),
            verdict: verdict(&reviewed.response),
            is_unrecognized: reviewed.report.is_unrecognized(),
            omitted: reviewed.report.omitted,
            settings: endpoint.filter(|_| is_first).and_then(|endpoint| declared(&input.settings, endpoint)),
            declare: reviewed.report.endpoint,
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
            Err(error) => troubles.push(error.into()),
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

    use kyma_dynatrace_admission::{Answerer, CallError};

    use super::*;

    /// A policy that accepts all settings, and everything else with a warning.
    #[derive(Clone, Copy)]
    struct Warning;

    impl Module for Warning {
        fn call(&self, function: &str, payload: &[u8], _: Option<&Answerer>) -> Result<Vec<u8>, CallError> {
            assert!(serde_json::from_slice::<Value>(payload).is_ok(), "{function}");
            let finding = serde_json::json!({"rule": "r", "level": "warn", "field": "apiVersion", "found": "is so",
                "expected": "x", "why": "y", "fix": "z", "page": ""});
            let report = serde_json::json!({"kind": "LogPipeline", "destination": "elsewhere", "recognized_by": "nothing",
                "endpoint": {"host": "h.example"}, "findings": [finding], "repairs": [], "omitted": 0, "lookups": []});
            let response = serde_json::json!({"accepted": true});
            let answer = serde_json::json!({"valid": true, "response": response, "report": report});
            Ok(answer.to_string().into_bytes())
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
        let output = check(&pipelines(text), Warning);
        let pipeline = output.pipelines.first().unwrap();
        assert!(pipeline.is_unrecognized && pipeline.settings.as_ref().unwrap().contains("h.example"));
        let finding = pipeline.findings.first().unwrap();
        let units: Vec<u16> = text.encode_utf16().collect();
        let place = units.get(finding.from..finding.to).unwrap();
        assert_eq!(String::from_utf16(place).unwrap(), "telemetry.kyma-project.io/v1beta1");
        assert_eq!((output.passed_over, output.pipelines.len()), (1, 1));
    }
}
