//! The admission request, read in one pass over its text.
//!
//! Only what decides is looked at: operation, kind, subresource, the deletion mark, and the text of the output and
//! the inputs. The rest is skipped unread, so the cost of a large object that goes elsewhere is the cost of skimming
//! it. Field names are those of `AdmissionRequest` in `admission.k8s.io/v1`.

use std::borrow::Cow;

use serde::Deserialize;

use crate::json::{Node, Shape, Text};

/// What the host sends: the request and the settings, neither decided upon yet.
#[derive(Deserialize)]
pub struct Payload<'a> {
    #[serde(borrow, default)]
    request: Shape<RequestText<'a>>,
    /// The settings, unread; absent means defaults.
    #[serde(borrow, default)]
    pub settings: Option<Node<'a>>,
}

/// An admission request that can be decided upon.
#[derive(Debug)]
pub struct Request<'a> {
    /// What is asked for.
    pub operation: Operation,
    /// API group of the object, for example `telemetry.kyma-project.io`.
    pub group: Cow<'a, str>,
    /// Kind of the object, for example `MetricPipeline`.
    pub kind: Cow<'a, str>,
    /// Whether a subresource (`status`, `scale`) is written rather than the object.
    pub is_subresource: bool,
    /// The object as submitted; `None` where it is missing or no object.
    pub object: Option<Object<'a>>,
    /// The object as it is stored, on UPDATE and DELETE.
    pub old_object: Option<Object<'a>>,
}

/// The parts of an object that the policy reads.
#[derive(Debug)]
pub struct Object<'a> {
    /// Whether `metadata.deletionTimestamp` is set: the object is on its way out.
    pub is_deleted: bool,
    /// `spec.input`.
    pub input: Option<Node<'a>>,
    /// `spec.output.otlp`, whatever its type; `None` where there is no such output.
    pub otlp: Option<Node<'a>>,
}

/// The operation of an admission request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A new object.
    Create,
    /// A changed object.
    Update,
    /// DELETE or CONNECT: nothing is stored that could be wrong.
    Other,
}

impl<'a> Payload<'a> {
    /// Reads the host's payload.
    ///
    /// # Errors
    /// A sentence that says what cannot be read. It never quotes the payload, which may hold tokens.
    pub fn parse(payload: &'a [u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(payload).map_err(|_| "the admission request is not UTF-8 text")?;
        if text.trim_ascii().is_empty() {
            return Err("the admission request is empty");
        }
        match serde_json::from_str::<Shape<Self>>(text) {
            Ok(Shape::Object(payload)) => Ok(payload),
            Ok(_) => Err("the admission request is not a JSON object"),
            Err(error) if error.is_data() => Err("the admission request has a field of the wrong type, or twice"),
            Err(_) => Err("the admission request is not valid JSON"),
        }
    }

    /// The request inside.
    ///
    /// # Errors
    /// A sentence that names the field without which nothing can be decided.
    pub fn request(self) -> Result<Request<'a>, &'static str> {
        let request = match self.request {
            Shape::Object(request) => request,
            Shape::Absent => return Err("the payload has no `request`"),
            Shape::Other => return Err("the `request` is not an object"),
        };
        let kind = request.kind.object().ok_or("the admission request has no `kind` object")?;
        let operation = request.operation.and_then(Node::text).ok_or("the admission request has no `operation`")?;
        let operation = match operation.as_ref() {
            "CREATE" => Operation::Create,
            "UPDATE" => Operation::Update,
            "DELETE" | "CONNECT" => Operation::Other,
            _ => return Err("the `operation` is none of CREATE, UPDATE, DELETE, CONNECT"),
        };
        Ok(Request {
            operation,
            group: kind.group.map(|text| text.0).unwrap_or_default(),
            kind: kind.kind.ok_or("the admission request's `kind` has no `kind`")?.0,
            is_subresource: request.sub_resource.is_some_and(|node| !node.is_null() && node.raw() != "\"\""),
            object: request.object.object().map(Object::from),
            old_object: request.old_object.object().map(Object::from),
        })
    }
}

/// The text of `request.object`, found by a second pass that only a repair pays for.
///
/// # Errors
/// None in practice: the first pass has read the same text.
pub(crate) fn object_text(payload: &str) -> Result<&str, serde_json::Error> {
    #[derive(Deserialize)]
    struct Outer<'a> {
        #[serde(borrow)]
        request: Inner<'a>,
    }
    #[derive(Deserialize)]
    struct Inner<'a> {
        #[serde(borrow)]
        object: Node<'a>,
    }
    serde_json::from_str::<Outer<'_>>(payload).map(|outer| outer.request.object.raw())
}

#[derive(Deserialize)]
struct RequestText<'a> {
    #[serde(borrow, default)]
    operation: Option<Node<'a>>,
    #[serde(borrow, default)]
    kind: Shape<KindText<'a>>,
    #[serde(borrow, default, rename = "subResource")]
    sub_resource: Option<Node<'a>>,
    #[serde(borrow, default)]
    object: Shape<ObjectText<'a>>,
    #[serde(borrow, default, rename = "oldObject")]
    old_object: Shape<ObjectText<'a>>,
}

#[derive(Deserialize)]
struct KindText<'a> {
    #[serde(borrow, default)]
    group: Option<Text<'a>>,
    #[serde(borrow, default)]
    kind: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct ObjectText<'a> {
    #[serde(borrow, default)]
    metadata: Shape<MetadataText<'a>>,
    #[serde(borrow, default)]
    spec: Shape<SpecText<'a>>,
}

#[derive(Deserialize)]
struct MetadataText<'a> {
    #[serde(borrow, default, rename = "deletionTimestamp")]
    deletion_timestamp: Option<Node<'a>>,
}

#[derive(Deserialize)]
struct SpecText<'a> {
    #[serde(borrow, default)]
    input: Option<Node<'a>>,
    #[serde(borrow, default)]
    output: Shape<OutputText<'a>>,
}

#[derive(Deserialize)]
struct OutputText<'a> {
    #[serde(borrow, default)]
    otlp: Option<Node<'a>>,
}

impl<'a> From<ObjectText<'a>> for Object<'a> {
    fn from(text: ObjectText<'a>) -> Self {
        let deletion = text.metadata.object().and_then(|metadata| metadata.deletion_timestamp);
        let (input, output) = text.spec.object().map_or((None, Shape::Absent), |spec| (spec.input, spec.output));
        Self {
            is_deleted: deletion.is_some_and(|node| !node.is_null()),
            input,
            otlp: output.object().and_then(|output| output.otlp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn error(payload: &str) -> &'static str {
        Payload::parse(payload.as_bytes()).and_then(Payload::request).unwrap_err()
    }

    #[test]
    fn accepts_a_request_and_finds_the_output() {
        let payload = r#"{"settings":{},"request":{"uid":"u","operation":"CREATE",
            "kind":{"group":"telemetry.kyma-project.io","version":"v1beta1","kind":"TracePipeline"},
            "object":{"metadata":{"name":"x"},"spec":{"output":{"otlp":{"path":"p"}}}}}}"#;
        let payload = Payload::parse(payload.as_bytes()).unwrap();
        let request = payload.request().unwrap();
        assert_eq!(request.operation, Operation::Create);
        assert_eq!(request.kind, "TracePipeline");
        assert_eq!(request.object.unwrap().otlp.unwrap().raw(), r#"{"path":"p"}"#);
    }

    #[test]
    fn rejects_what_is_no_request_and_says_why() {
        assert_eq!(error(""), "the admission request is empty");
        assert_eq!(error("hello"), "the admission request is not valid JSON");
        assert_eq!(error("[1]"), "the admission request is not a JSON object");
        assert_eq!(error("{}"), "the payload has no `request`");
        assert_eq!(error(r#"{"request":[]}"#), "the `request` is not an object");
        assert_eq!(error(r#"{"request":{}}"#), "the admission request has no `kind` object");
        assert_eq!(error(r#"{"request":{"kind":{"kind":"A"}}}"#), "the admission request has no `operation`");
        assert!(error(r#"{"request":{"kind":{"kind":"A"},"operation":"PATCH"}}"#).contains("none of CREATE"));
        assert!(error(r#"{"request":{"kind":{"kind":3}}}"#).contains("wrong type"));
        assert_eq!(Payload::parse(b"\"\xff\"").err(), Some("the admission request is not UTF-8 text"));
    }

    #[test]
    fn ignores_objects_of_odd_shape() {
        for object in ["3", "\"text\"", "[]", "null", r#"{"spec":3}"#, r#"{"spec":[{"output":{}}]}"#] {
            let payload = format!(r#"{{"request":{{"kind":{{"kind":"A"}},"operation":"CREATE","object":{object}}}}}"#);
            let request = Payload::parse(payload.as_bytes()).unwrap().request().unwrap();
            assert!(request.object.is_none_or(|object| object.otlp.is_none()));
        }
    }
}
