//! From an admission request to the response that the API server gets, as policy-server makes it.

use kyma_dynatrace_admission::{AdmissionResponse, Answerer, PolicyResponse, SettingsResponse, payload};
use serde_json::Value;

use crate::error::{CallError, SettingsError};
use crate::module::Module;

/// A module with the settings and the `mutating` flag of a ClusterAdmissionPolicy.
pub struct Policy {
    module: Module,
    settings: Value,
    is_mutating: bool,
    answerer: Option<Answerer>,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Policy {
    /// Puts settings to a module, which judges them first: policy-server loads no policy with invalid settings.
    ///
    /// # Errors
    /// Where the policy does not accept the settings.
    pub fn new(module: Module, settings: Value, is_mutating: bool) -> Result<Self, SettingsError> {
        let answer = module.call("validate_settings", settings.to_string().as_bytes())?;
        let answer: SettingsResponse = serde_json::from_slice(&answer).map_err(unreadable)?;
        if answer.valid {
            Ok(Self { module, settings, is_mutating, answerer: None })
        } else {
            Err(SettingsError::Invalid(answer.message.unwrap_or_default()))
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

    /// The policy's own answer to an `AdmissionRequest`.
    ///
    /// # Errors
    /// Where the policy traps, takes too long or answers in another shape.
    pub fn ask(&self, request: &Value) -> Result<PolicyResponse, CallError> {
        let payload = payload(request, &self.settings);
        let answer = self.module.instance_with(self.answerer.clone())?.call("validate", payload.as_bytes())?;
        serde_json::from_slice(&answer).map_err(unreadable)
    }
}

fn unreadable(error: serde_json::Error) -> CallError {
    // Line and column, but no content: serde's text for a wrong type may quote a value.
    CallError::Answer(format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    /// A policy that gives this answer to everything (and thereby accepts all settings).
    fn policy(answer: &str, is_mutating: bool) -> Policy {
        let answer = answer.replace('{', r#"{"valid":true,"#);
        let wat = format!(
            r#"(module (import "wapc" "__guest_response" (func $answer (param i32 i32)))
                (memory (export "memory") 1) (data (i32.const 0) "{}")
                (func (export "__guest_call") (param i32 i32) (result i32)
                    (call $answer (i32.const 0) (i32.const {})) i32.const 1))"#,
            answer.replace('"', "\\\""),
            answer.len(),
        );
        Policy::new(Module::load(wat.as_bytes()).unwrap(), json!({}), is_mutating).unwrap()
    }

    /// A policy that asks its host with what it was sent, and answers what the host answers.
    fn echo(answerer: &Answerer) -> Result<Policy, SettingsError> {
        let wat = r#"(module
            (import "wapc" "__guest_request" (func $request (param i32 i32)))
            (import "wapc" "__guest_response" (func $answer (param i32 i32)))
            (import "wapc" "__host_call" (func $host (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
            (import "wapc" "__host_response_len" (func $len (result i32)))
            (import "wapc" "__host_response" (func $get (param i32)))
            (memory (export "memory") 1) (data (i32.const 0) "{\22valid\22:true}")
            (func (export "__guest_call") (param $name i32) (param $length i32) (result i32)
                (if (i32.eq (local.get $name) (i32.const 17)) (then
                    (call $answer (i32.const 0) (i32.const 14)) (return (i32.const 1))))
                (call $request (i32.const 64) (i32.const 128))
                (drop (call $host (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                    (i32.const 0) (i32.const 0) (i32.const 128) (local.get $length)))
                (call $get (i32.const 4096))
                (call $answer (i32.const 4096) (call $len))
                i32.const 1))"#;
        let policy = Policy::new(Module::load(wat.as_bytes()).unwrap(), json!({"a": 1}), false)?;
        Ok(policy.answered_by(answerer.clone()))
    }

    #[test]
    fn sends_request_and_settings_and_hands_host_calls_on() {
        let answerer: Answerer = Arc::new(|call| {
            let sent: Value = serde_json::from_slice(call.payload).map_err(|error| error.to_string())?;
            assert_eq!(sent, json!({"request": {"uid": "u"}, "settings": {"a": 1}}));
            Ok(br#"{"accepted":true}"#.to_vec())
        });
        let policy = echo(&answerer).unwrap();
        assert!(policy.ask(&json!({"uid": "u"})).unwrap().accepted);
        assert!(format!("{policy:?}").starts_with("Policy { settings: Object {\"a\": Number(1)}"), "{policy:?}");
    }

    #[test]
    fn makes_a_patch_of_a_mutated_object() {
        let answer = r#"{"accepted":true,"mutated_object":{"valid":1}}"#.replace(r#"{"valid":1}"#, "[2]");
        let response = policy(&answer, true).admit(&json!({"uid": "u", "object": [1]}));
        assert!(response.allowed);
        assert_eq!(serde_json::to_value(response.patch).unwrap(), json!([{"op": "replace", "path": "/0", "value": 2}]));
    }

    #[test]
    fn rejects_mutations_where_they_are_not_allowed() {
        let answer = r#"{"accepted":true,"mutated_object":[2]}"#;
        let response = policy(answer, false).admit(&json!({"object": [1]}));
        assert!(!response.allowed && response.status.unwrap().message.unwrap().contains("not allow mutations"));
        assert!(policy(answer, false).admit(&json!({"object": [2]})).allowed, "an unchanged object is no mutation");
        assert!(!policy(answer, true).admit(&json!({"object": null})).allowed);
    }

    #[test]
    fn answers_500_for_an_answer_that_is_none() {
        let response = policy(r#"{"accepted":"yes"}"#, true).admit(&json!({"object": {}}));
        assert_eq!(response.status.unwrap().code, Some(500));
    }
}
