//! The admission request, read in one pass over its text.
//!
//! Only what decides is looked at: operation, kind, subresource, the deletion mark, and the text of the output and
//! the inputs. The rest is skipped unread, so the cost of a large object that goes elsewhere is the cost of skimming
//! it. Field names are those of `AdmissionRequest` in `admission.k8s.io/v1`.

use std::borrow::Cow;

use crate::json::Node;
use crate::scan::{NOT_JSON, Scan, Scanner};

/// What the host sends: the request and the settings, neither decided upon yet.
pub struct Payload<'a>(Found<'a>);

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
    /// The object itself, for repairs.
    pub node: Node<'a>,
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
        let mut scanner = Scanner::new(text);
        if scanner.peek().is_none() {
            return Err("the admission request is empty");
        }
        let mut found = Found::default();
        match read(&mut scanner, &mut found, Place::Payload).and_then(|()| scanner.end()) {
            Ok(()) if found.object(Place::Payload).is_some() => Ok(Self(found)),
            Ok(()) => Err("the admission request is not a JSON object"),
            Err(NOT_JSON) => Err("the admission request is not valid JSON"),
            Err(error) => Err(error),
        }
    }

    /// The settings, unread; `None` means defaults.
    #[must_use]
    pub fn settings(&self) -> Option<Node<'a>> {
        self.0.get(Place::Settings)
    }

    /// The request inside.
    ///
    /// # Errors
    /// A sentence that names the field without which nothing can be decided.
    pub fn request(&self) -> Result<Request<'a>, &'static str> {
        let found = &self.0;
        let request = found.get(Place::Request).ok_or("the payload has no `request`")?;
        if !request.is_object() {
            return Err("the `request` is not an object");
        }
        found.object(Place::Kind).ok_or("the admission request has no `kind` object")?;
        let kind = found.get(Place::KindName).ok_or("the admission request's `kind` has no `kind`")?;
        let group = found.get(Place::Group).map_or(Ok(Cow::Borrowed("")), |node| node.text().ok_or(WRONG_TYPE));
        let (group, kind) = (group?, kind.text().ok_or(WRONG_TYPE)?);
        let operation = found.get(Place::Operation).and_then(Node::text);
        let operation = match operation.ok_or("the admission request has no `operation`")?.as_ref() {
            "CREATE" => Operation::Create,
            "UPDATE" => Operation::Update,
            "DELETE" | "CONNECT" => Operation::Other,
            _ => return Err("the `operation` is none of CREATE, UPDATE, DELETE, CONNECT"),
        };
        Ok(Request {
            operation,
            group,
            kind,
            is_subresource: found.get(Place::SubResource).is_some_and(|node| node.raw() != "\"\""),
            object: found.object(Place::Object).map(|node| Object {
                node,
                is_deleted: found.get(Place::DeletionTimestamp).is_some(),
                input: found.get(Place::Input),
                otlp: found.get(Place::Otlp),
            }),
            old_object: found.object(Place::OldObject).map(|node| Object {
                node,
                is_deleted: found.get(Place::OldDeletionTimestamp).is_some(),
                input: found.get(Place::OldInput),
                otlp: found.get(Place::OldOtlp),
            }),
        })
    }
}

const WRONG_TYPE: &str = "the admission request's `kind` has a field of the wrong type";

/// A place in the payload that is looked at.
#[derive(Clone, Copy)]
enum Place {
    Payload,
    Settings,
    Request,
    Operation,
    Kind,
    Group,
    KindName,
    SubResource,
    Object,
    Metadata,
    DeletionTimestamp,
    Spec,
    Input,
    Output,
    Otlp,
    OldObject,
    OldMetadata,
    OldDeletionTimestamp,
    OldSpec,
    OldInput,
    OldOutput,
    OldOtlp,
}

impl Place {
    /// The place of a member that is looked at.
    fn member(self, name: &str) -> Option<Self> {
        Some(match (self, name) {
            (Self::Payload, "request") => Self::Request,
            (Self::Payload, "settings") => Self::Settings,
            (Self::Request, "operation") => Self::Operation,
            (Self::Request, "kind") => Self::Kind,
            (Self::Request, "subResource") => Self::SubResource,
            (Self::Request, "object") => Self::Object,
            (Self::Request, "oldObject") => Self::OldObject,
            (Self::Kind, "group") => Self::Group,
            (Self::Kind, "kind") => Self::KindName,
            (Self::Object, "metadata") => Self::Metadata,
            (Self::Object, "spec") => Self::Spec,
            (Self::Metadata, "deletionTimestamp") => Self::DeletionTimestamp,
            (Self::Spec, "input") => Self::Input,
            (Self::Spec, "output") => Self::Output,
            (Self::Output, "otlp") => Self::Otlp,
            (Self::OldObject, "metadata") => Self::OldMetadata,
            (Self::OldObject, "spec") => Self::OldSpec,
            (Self::OldMetadata, "deletionTimestamp") => Self::OldDeletionTimestamp,
            (Self::OldSpec, "input") => Self::OldInput,
            (Self::OldSpec, "output") => Self::OldOutput,
            (Self::OldOutput, "otlp") => Self::OldOtlp,
            _ => return None,
        })
    }

    /// Whether members of it are looked at.
    fn has_members(self) -> bool {
        matches!(
            self,
            Self::Payload
                | Self::Request
                | Self::Kind
                | Self::Object
                | Self::Metadata
                | Self::Spec
                | Self::Output
                | Self::OldObject
                | Self::OldMetadata
                | Self::OldSpec
                | Self::OldOutput
        )
    }
}

/// What was found at each place.
#[derive(Default)]
struct Found<'a>([Option<Node<'a>>; Place::OldOtlp as usize + 1]);

impl<'a> Found<'a> {
    /// What is at a place; `None` where it is absent or null.
    fn get(&self, place: Place) -> Option<Node<'a>> {
        self.0.get(place as usize).copied().flatten().filter(|node| !node.is_null())
    }

    /// The object at a place. The schema check that follows admission reports wrong types well; the policy must only
    /// not stumble over them.
    fn object(&self, place: Place) -> Option<Node<'a>> {
        self.get(place).filter(|node| node.is_object())
    }

    /// Of two members with one name nobody can say which one the others take, so there may be one only.
    fn set(&mut self, place: Place, node: Node<'a>) -> Scan<()> {
        match self.0.get_mut(place as usize).map(|slot| slot.replace(node)) {
            Some(Some(_)) => Err("the admission request has a field twice"),
            _ => Ok(()),
        }
    }
}

/// Reads the next value, and notes what is at the places in it, in one pass.
fn read<'a>(scanner: &mut Scanner<'a>, found: &mut Found<'a>, place: Place) -> Scan<()> {
    let start = scanner.mark();
    if place.has_members() && scanner.peek() == Some(b'{') {
        scanner.object(&mut |scanner, name| match place.member(&name) {
            Some(member) => read(scanner, found, member),
            None => scanner.skip(),
        })?;
    } else {
        scanner.skip()?;
    }
    found.set(place, Node::since(scanner, start))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn error(payload: &str) -> &'static str {
        Payload::parse(payload.as_bytes()).and_then(|payload| payload.request()).unwrap_err()
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
