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

/// Why a payload cannot be read. The texts never quote it: it may hold tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// It is no text.
    #[error("the admission request is not UTF-8 text")]
    NotUtf8,
    /// There is nothing in it.
    #[error("the admission request is empty")]
    Empty,
    /// It is another JSON value.
    #[error("the admission request is not a JSON object")]
    NotAnObject,
    /// Of two members with one name nobody can say which one the others use.
    #[error("the admission request has a field twice")]
    FieldTwice,
    /// It is no JSON, or one that no reader accepts.
    #[error("the admission request is not valid JSON, or nested too deep")]
    NotJson,
    /// It has no request in it.
    #[error("the payload has no `request`")]
    NoRequest,
    /// The request is another JSON value.
    #[error("the `request` is not an object")]
    RequestNotAnObject,
    /// The request does not say of which kind its object is.
    #[error("the admission request has no `kind` object")]
    NoKind,
    /// The kind has no name.
    #[error("the admission request's `kind` has no `kind`")]
    NoKindName,
    /// A name in the kind is no text.
    #[error("the admission request's `kind` has a field of the wrong type")]
    KindOfWrongType,
    /// The request does not say what is asked for.
    #[error("the admission request has no `operation`")]
    NoOperation,
    /// What is asked for is not known.
    #[error("the `operation` is none of CREATE, UPDATE, DELETE, CONNECT")]
    UnknownOperation,
}

impl<'a> Payload<'a> {
    /// Reads the host's payload.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn parse(text: &'a str) -> Result<Self, PayloadError> {
        if text.trim_ascii().is_empty() {
            return Err(PayloadError::Empty);
        }
        match serde_json::from_str::<Field<Self>>(text) {
            Ok(Field::Is(payload)) => Ok(payload),
            Ok(_) => Err(PayloadError::NotAnObject),
            // No field's type is an error here, so what is left is one that is there twice.
            Err(error) if error.classify() == Category::Data => Err(PayloadError::FieldTwice),
            Err(_) => Err(PayloadError::NotJson),
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
    /// Which field is missing, without which nothing can be decided.
    pub fn request(&self) -> Result<Request<'_>, PayloadError> {
        let request = match &self.request {
            Field::Absent => return Err(PayloadError::NoRequest),
            Field::Malformed(_) => return Err(PayloadError::RequestNotAnObject),
            Field::Is(request) => request,
        };
        let kind = request.kind.value().ok_or(PayloadError::NoKind)?;
        if kind.kind.is_absent() {
            return Err(PayloadError::NoKindName);
        }
        let group = kind.group.text_or_empty().ok_or(PayloadError::KindOfWrongType)?;
        let name = kind.kind.text_or_empty().ok_or(PayloadError::KindOfWrongType)?;
        let operation = request.operation.value().ok_or(PayloadError::NoOperation)?;
        let operation = match &**operation {
            "CREATE" => Operation::Create,
            "UPDATE" => Operation::Update,
            "DELETE" | "CONNECT" => Operation::Other,
            _ => return Err(PayloadError::UnknownOperation),
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

    fn error(payload: &str) -> String {
        match Payload::parse(payload) {
            Ok(payload) => payload.request().err().unwrap().to_string(),
            Err(error) => error.to_string(),
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
