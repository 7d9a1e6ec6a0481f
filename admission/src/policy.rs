//! From an admission request to the response that the API server gets, as policy-server makes it, whatever runs the module.

use kyma_dynatrace_policy::report::{Answer, Report};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{CallError, PolicyError};
use crate::host::Answerer;
use crate::request::payload;
use crate::response::{AdmissionResponse, PolicyResponse, SettingsResponse};

/// A policy's module, however it is run.
pub trait Module {
    /// Calls a waPC function in a new instance, whose host calls are answered by `answerer`; without one every host capability
    /// but logging is refused.
    ///
    /// # Errors
    /// Where the module traps, returns an error or takes too long.
    fn call(&self, function: &str, payload: &[u8], answerer: Option<&Answerer>) -> Result<Vec<u8>, CallError>;
}

/// A module with the settings and the `mutating` flag of a ClusterAdmissionPolicy.
pub struct Policy<M> {
    module: M,
    settings: Value,
    is_mutating: bool,
    answerer: Option<Answerer>,
}

/// What becomes of a request, and the data of which the policy's answer was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Reviewed {
    /// The API server's response.
    pub response: AdmissionResponse,
    /// The policy's verdict; empty where it gave none.
    pub report: Report<'static>,
}

impl<M> std::fmt::Debug for Policy<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<M: Module> Policy<M> {
    /// Puts settings to a module, which judges them first: policy-server loads no policy with invalid settings.
    ///
    /// # Errors
    /// Where the policy does not accept the settings.
    pub fn new(module: M, settings: Value, is_mutating: bool) -> Result<Self, PolicyError> {
        let answer = module.call("validate_settings", settings.to_string().as_bytes(), None)?;
        let answer: SettingsResponse = read(&answer)?;
        if answer.valid {
            Ok(Self { module, settings, is_mutating, answerer: None })
        } else {
            Err(PolicyError::Settings(answer.message.unwrap_or_default()))
        }
    }

    /// The same for a module that has to say what its verdicts are made of.
    ///
    /// # Errors
    /// Where the module has no function `review`, or does not accept the settings.
    pub fn reviewing(module: M, settings: Value, is_mutating: bool) -> Result<Self, PolicyError> {
        let policy = Self::new(module, settings, is_mutating)?;
        match policy.module.call("review", b"{}", None) {
            // What the guest side of waPC says of a function that nobody has registered.
            Err(CallError::Guest(text)) if text.contains("No handler registered for function") => {
                Err(PolicyError::NoReview)
            }
            // A trap is told for the object that it is about.
            _ => Ok(policy),
        }
    }

    /// The policy with somebody to answer its host calls. Without, it is refused every host capability but logging.
    #[must_use]
    pub fn answered_by(mut self, answerer: Answerer) -> Self {
        self.set_answerer(answerer);
        self
    }

    /// Gives the policy somebody to answer its host calls.
    pub fn set_answerer(&mut self, answerer: Answerer) {
        self.answerer = Some(answerer);
    }

    /// Sends an `AdmissionRequest` to the policy and makes the API server's response of the answer.
    #[must_use]
    pub fn admit(&self, request: &Value) -> AdmissionResponse {
        match self.ask(request) {
            Ok(answer) => AdmissionResponse::of(request, answer, self.is_mutating),
            Err(error) => AdmissionResponse::rejection(request, error.to_string(), Some(500)),
        }
    }

    /// The same, with the data of which the answer was made.
    #[must_use]
    pub fn review(&self, request: &Value) -> Reviewed {
        match self.call::<Answer<'static, PolicyResponse>>("review", request) {
            Ok(Answer { response, report }) => {
                Reviewed { response: AdmissionResponse::of(request, response, self.is_mutating), report }
            }
            Err(error) => Reviewed {
                response: AdmissionResponse::rejection(request, error.to_string(), Some(500)),
                report: Report::default(),
            },
        }
    }

    /// The policy's own answer to an `AdmissionRequest`.
    ///
    /// # Errors
    /// Where the policy traps, takes too long or answers in another shape.
    pub fn ask(&self, request: &Value) -> Result<PolicyResponse, CallError> {
        self.call("validate", request)
    }

    fn call<A: DeserializeOwned>(&self, function: &str, request: &Value) -> Result<A, CallError> {
        let payload = payload(request, &self.settings);
        read(&self.module.call(function, payload.as_bytes(), self.answerer.as_ref())?)
    }
}

fn read<A: DeserializeOwned>(answer: &[u8]) -> Result<A, CallError> {
    // Line and column, but no content: serde's text for a wrong type may quote a value.
    serde_json::from_slice(answer).map_err(|error| {
        CallError::Answer(format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column()))
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use serde_json::json;

    use super::*;

    /// A module that accepts all settings, and gives this answer to everything else.
    struct Fixed {
        answer: Result<Value, CallError>,
        sent: RefCell<Vec<(String, Value)>>,
    }

    impl Module for &Fixed {
        fn call(&self, function: &str, payload: &[u8], answerer: Option<&Answerer>) -> Result<Vec<u8>, CallError> {
            let sent = serde_json::from_slice(payload).unwrap();
            self.sent.borrow_mut().push((format!("{function} {}", answerer.is_some()), sent));
            match function {
                "validate_settings" => Ok(br#"{"valid":true}"#.to_vec()),
                _ => self.answer.clone().map(|answer| answer.to_string().into_bytes()),
            }
        }
    }

    fn fixed(answer: Value) -> Fixed {
        Fixed { answer: Ok(answer), sent: RefCell::default() }
    }

    fn failing(error: CallError) -> Fixed {
        Fixed { answer: Err(error), sent: RefCell::default() }
    }

    #[test]
    fn sends_request_and_settings_and_hands_host_calls_on() {
        let module = fixed(json!({"accepted": true}));
        let policy = Policy::new(&module, json!({"a": 1}), false).unwrap();
        assert!(policy.ask(&json!({"uid": "u"})).unwrap().accepted);
        let policy = policy.answered_by(std::sync::Arc::new(|_| Ok(Vec::new())));
        assert_eq!(policy.admit(&json!({"uid": "u"})).uid, "u");
        let payload = json!({"request": {"uid": "u"}, "settings": {"a": 1}});
        let expected = [
            ("validate_settings false", json!({"a": 1})),
            ("validate false", payload.clone()),
            ("validate true", payload),
        ];
        assert_eq!(*module.sent.borrow(), expected.map(|(function, sent)| (function.to_owned(), sent)));
        assert!(format!("{policy:?}").starts_with("Policy { settings: Object {\"a\": Number(1)}"), "{policy:?}");
    }

    #[test]
    fn rejects_settings_that_the_policy_rejects() {
        struct Strict;
        impl Module for Strict {
            fn call(&self, _: &str, _: &[u8], _: Option<&Answerer>) -> Result<Vec<u8>, CallError> {
                Ok(br#"{"valid":false,"message":"no"}"#.to_vec())
            }
        }
        let error = Policy::new(Strict, json!({}), true).unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), &error),
            ("Provided settings are not valid: no", &PolicyError::Settings("no".to_owned()))
        );
    }

    #[test]
    fn makes_a_patch_of_a_mutated_object() {
        let module = fixed(json!({"accepted": true, "mutated_object": [2]}));
        let request = json!({"uid": "u", "object": [1]});
        let response = Policy::new(&module, json!({}), true).unwrap().admit(&request);
        assert!(response.allowed);
        assert_eq!(serde_json::to_value(response.patch).unwrap(), json!([{"op": "replace", "path": "/0", "value": 2}]));
    }

    #[test]
    fn rejects_mutations_where_they_are_not_allowed() {
        let module = fixed(json!({"accepted": true, "mutated_object": [2]}));
        let policy = |is_mutating| Policy::new(&module, json!({}), is_mutating).unwrap();
        let response = policy(false).admit(&json!({"object": [1]}));
        assert!(!response.allowed && response.status.unwrap().message.unwrap().contains("not allow mutations"));
        assert!(policy(false).admit(&json!({"object": [2]})).allowed, "an unchanged object is no mutation");
        assert!(!policy(true).admit(&json!({"object": null})).allowed);
    }

    #[test]
    fn answers_500_where_there_is_no_answer() {
        let code = |module: &Fixed| {
            let policy = Policy::new(module, json!({}), true).unwrap();
            let reviewed = policy.review(&json!({"object": {}}));
            assert_eq!(reviewed.report, Report::default());
            let codes = [policy.admit(&json!({"object": {}})), reviewed.response].map(|one| one.status.unwrap().code);
            assert_eq!(codes[0], codes[1]);
            codes[0]
        };
        assert_eq!(code(&fixed(json!({"accepted": "yes", "response": 3}))), Some(500));
        assert_eq!(code(&failing(CallError::Timeout)), Some(500));
    }

    #[test]
    fn reads_what_a_response_is_made_of() {
        let finding = json!({"rule": "r", "level": "warn", "field": "a[0].b", "found": "is x", "expected": "y", "why": "w", "fix": "f", "page": "p"});
        let report = json!({"kind": "TracePipeline", "destination": "direct-saas", "recognized_by": "host", "endpoint": null,
            "findings": [finding], "repairs": [], "omitted": 3, "lookups": []});
        let module = fixed(json!({"response": {"accepted": true}, "report": report}));
        let reviewed = Policy::reviewing(&module, json!({}), true).unwrap().review(&json!({"uid": "u"}));
        assert!(reviewed.response.allowed);
        let finding = reviewed.report.findings.first().unwrap();
        assert_eq!((reviewed.report.omitted, finding.field.pointer().as_str(), &*finding.fix), (3, "/a/0/b", "f"));
    }

    #[test]
    fn rejects_a_module_without_the_function_in_one_sentence() {
        let old = failing(CallError::Guest("No handler registered for function \"review\"".to_owned()));
        let error = Policy::reviewing(&old, json!({}), true).unwrap_err();
        assert_eq!(error, PolicyError::NoReview);
        assert!(error.to_string().contains("0.3.0 or later"));
        let trapping = failing(CallError::Guest("unreachable".to_owned()));
        assert!(Policy::reviewing(&trapping, json!({}), true).is_ok(), "that is told for each object");
    }
}
