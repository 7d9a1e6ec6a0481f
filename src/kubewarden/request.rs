//! The host's payload, read in one pass.
//!
//! The types are derived for just what decides, and borrow the payload's text; the rest is skipped. The SDK's own
//! `ValidationRequest` builds the whole object, and quotes the whole payload in its errors, tokens included.

use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;

use crate::pipeline::{Field, Members, Object, Text};
use crate::review::{Operation, Request};

/// What the host sends: `{"request": AdmissionRequest, "settings": {...}}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Payload<'a> {
    #[serde(borrow)]
    request: Field<AdmissionRequest<'a>>,
    settings: Value,
}

/// `AdmissionRequest` of `admission.k8s.io/v1`, as far as it decides.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AdmissionRequest<'a> {
    #[serde(borrow)]
    operation: Field<Text<'a>>,
    #[serde(borrow)]
    kind: Field<Kind<'a>>,
    #[serde(borrow)]
    sub_resource: Field<Text<'a>>,
    #[serde(borrow)]
    object: Field<Object<'a>>,
    #[serde(borrow)]
    old_object: Field<Object<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Kind<'a> {
    #[serde(borrow)]
    group: Field<Text<'a>>,
    #[serde(borrow)]
    kind: Field<Text<'a>>,
}

impl Members for Payload<'_> {}
impl Members for AdmissionRequest<'_> {}
impl Members for Kind<'_> {}

const WRONG_TYPE: &str = "the admission request's `kind` has a field of the wrong type";

impl<'a> Payload<'a> {
    /// Reads the host's payload.
    ///
    /// # Errors
    /// A sentence that says what cannot be read. It never quotes the payload, which may hold tokens.
    pub fn parse(text: &'a str) -> Result<Self, &'static str> {
        if text.trim_ascii().is_empty() {
            return Err("the admission request is empty");
        }
        match serde_json::from_str::<Field<Self>>(text) {
            Ok(Field::Is(payload)) => Ok(payload),
            Ok(_) => Err("the admission request is not a JSON object"),
            // No field's type is an error here, so what is left is one that is there twice: of two members with one
            // name nobody can say which one the others take.
            Err(error) if error.classify() == Category::Data => Err("the admission request has a field twice"),
            Err(_) => Err("the admission request is not valid JSON, or nested too deep"),
        }
    }

    /// Takes the settings, unread; null means defaults.
    #[must_use]
    pub fn take_settings(&mut self) -> Value {
        self.settings.take()
    }

    /// The request inside.
    ///
    /// # Errors
    /// A sentence that names the field without which nothing can be decided.
    pub fn request(&self) -> Result<Request<'_>, &'static str> {
        let request = match &self.request {
            Field::Absent => return Err("the payload has no `request`"),
            Field::Malformed(_) => return Err("the `request` is not an object"),
            Field::Is(request) => request,
        };
        let kind = request.kind.value().ok_or("the admission request has no `kind` object")?;
        if kind.kind.is_absent() {
            return Err("the admission request's `kind` has no `kind`");
        }
        let group = kind.group.text_or_empty().ok_or(WRONG_TYPE)?;
        let name = kind.kind.text_or_empty().ok_or(WRONG_TYPE)?;
        let operation = request.operation.value().ok_or("the admission request has no `operation`")?;
        let operation = match &**operation {
            "CREATE" => Operation::Create,
            "UPDATE" => Operation::Update,
            "DELETE" | "CONNECT" => Operation::Other,
            _ => return Err("the `operation` is none of CREATE, UPDATE, DELETE, CONNECT"),
        };
        Ok(Request {
            operation,
            group,
            kind: name,
            is_subresource: request.sub_resource.text_or_empty() != Some(""),
            object: request.object.value(),
            old_object: request.old_object.value(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn error(payload: &str) -> &'static str {
        match Payload::parse(payload) {
            Ok(payload) => payload.request().err().unwrap(),
            Err(error) => error,
        }
    }

    #[test]
    fn accepts_a_request_and_finds_the_output() {
        let payload = r#"{"settings":{},"request":{"uid":"u","operation":"CREATE",
            "kind":{"group":"telemetry.kyma-project.io","version":"v1beta1","kind":"TracePipeline"},
            "object":{"metadata":{"name":"x"},"spec":{"output":{"otlp":{"path":"p"}}}}}}"#;
        let payload = Payload::parse(payload).unwrap();
        let request = payload.request().unwrap();
        assert_eq!((request.operation, request.kind), (Operation::Create, "TracePipeline"));
        assert!(request.object.unwrap().output().unwrap().path.is("p"));
    }

    #[test]
    fn rejects_what_is_no_request_and_says_why() {
        assert_eq!(error(""), "the admission request is empty");
        assert_eq!(error("hello"), "the admission request is not valid JSON, or nested too deep");
        assert_eq!(error("[1]"), "the admission request is not a JSON object");
        assert_eq!(error("{}"), "the payload has no `request`");
        assert_eq!(error(r#"{"request":[]}"#), "the `request` is not an object");
        assert_eq!(error(r#"{"request":{}}"#), "the admission request has no `kind` object");
        assert_eq!(error(r#"{"request":{"kind":{"kind":"A"}}}"#), "the admission request has no `operation`");
        assert_eq!(error(r#"{"request":{},"request":{}}"#), "the admission request has a field twice");
        assert!(error(r#"{"request":{"kind":{"kind":"A"},"operation":"PATCH"}}"#).contains("none of CREATE"));
        assert!(error(r#"{"request":{"kind":{"kind":3}}}"#).contains("wrong type"));
    }

    #[test]
    fn rejects_what_cannot_be_read_inside_of_the_output() {
        let with = |otlp: &str| format!(r#"{{"request":{{"object":{{"spec":{{"output":{{"otlp":{otlp}}}}}}}}}}}"#);
        for otlp in [r#"{"\ud800":1}"#, r#"{"path":"\ud800"}"#, r#"{"path":1e400}"#, r#"{"path":"a","path":"b"}"#] {
            assert!(Payload::parse(&with(otlp)).is_err(), "{otlp}");
        }
        assert!(Payload::parse(&with(r#"{"unknown":1e400}"#)).is_ok(), "nobody looks at it");
    }

    #[test]
    fn ignores_objects_of_odd_shape() {
        for object in ["3", "\"text\"", "[]", "null", r#"{"spec":3}"#, r#"{"spec":[{"output":{}}]}"#] {
            let payload = format!(r#"{{"request":{{"kind":{{"kind":"A"}},"operation":"CREATE","object":{object}}}}}"#);
            let payload = Payload::parse(&payload).unwrap();
            assert!(payload.request().unwrap().object.is_none_or(|object| object.output().is_none()));
        }
    }
}
