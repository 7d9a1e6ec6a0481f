//! The admission request, read in one pass over its text.
//!
//! Only what decides is looked at: operation, kind, subresource, the deletion mark, and the text of the output and
//! the inputs. The rest is skipped unread, so the cost of a large object that goes elsewhere is the cost of skimming
//! it. Field names are those of `AdmissionRequest` in `admission.k8s.io/v1`.

use std::borrow::Cow;

use crate::json::Node;
use crate::scan::{NOT_JSON, Scan, Scanner};

/// What the host sends: the request and the settings, neither decided upon yet.
#[derive(Default)]
pub struct Payload<'a> {
    request: Option<Shape<RequestText<'a>>>,
    /// The settings, unread; absent means defaults.
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
        let read = read(&mut scanner).and_then(|payload| scanner.end().map(|()| payload));
        match read {
            Ok(Shape::Object(payload)) => Ok(payload),
            Ok(_) => Err("the admission request is not a JSON object"),
            Err(NOT_JSON) => Err("the admission request is not valid JSON"),
            Err(error) => Err(error),
        }
    }

    /// The request inside.
    ///
    /// # Errors
    /// A sentence that names the field without which nothing can be decided.
    pub fn request(self) -> Result<Request<'a>, &'static str> {
        let request = match self.request {
            Some(Shape::Object(request)) => request,
            None | Some(Shape::Null) => return Err("the payload has no `request`"),
            Some(Shape::Other) => return Err("the `request` is not an object"),
        };
        let kind = object(request.kind).ok_or("the admission request has no `kind` object")?;
        let operation = request.operation.and_then(Node::text).ok_or("the admission request has no `operation`")?;
        let operation = match operation.as_ref() {
            "CREATE" => Operation::Create,
            "UPDATE" => Operation::Update,
            "DELETE" | "CONNECT" => Operation::Other,
            _ => return Err("the `operation` is none of CREATE, UPDATE, DELETE, CONNECT"),
        };
        Ok(Request {
            operation,
            group: kind.group.unwrap_or_default(),
            kind: kind.kind.ok_or("the admission request's `kind` has no `kind`")?,
            is_subresource: request.sub_resource.is_some_and(|node| !node.is_null() && node.raw() != "\"\""),
            object: object(request.object).and_then(Object::of),
            old_object: object(request.old_object).and_then(Object::of),
        })
    }
}

/// A value that ought to be an object. The schema check that follows admission reports wrong types well; the policy
/// must only not stumble over them.
enum Shape<T> {
    Object(T),
    Null,
    Other,
}

/// The object, if it is one.
fn object<T>(shape: Option<Shape<T>>) -> Option<T> {
    match shape {
        Some(Shape::Object(object)) => Some(object),
        None | Some(Shape::Null | Shape::Other) => None,
    }
}

/// Something that is read out of an object's members, in one pass.
trait Part<'a>: Default {
    /// Reads the value of a member. Those that do not matter are skipped.
    fn member(&mut self, name: &str, scanner: &mut Scanner<'a>) -> Scan<()>;

    /// Told the object's text when all members are read.
    fn is_at(&mut self, _node: Node<'a>) {}
}

fn read<'a, T: Part<'a>>(scanner: &mut Scanner<'a>) -> Scan<Shape<T>> {
    match scanner.peek() {
        Some(b'{') => {
            let mut part = T::default();
            let start = scanner.mark();
            scanner.object(&mut |scanner, name| part.member(&name, scanner))?;
            part.is_at(Node::since(scanner, start));
            Ok(Shape::Object(part))
        }
        Some(b'n') => scanner.skip().map(|()| Shape::Null),
        _ => scanner.skip().map(|()| Shape::Other),
    }
}

/// Notes a member's value. Of two with one name nobody can say which one the others take, so there may be one only.
fn set<T>(place: &mut Option<T>, value: T) -> Scan<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err("the admission request has a field twice"),
    }
}

fn text<'a>(scanner: &mut Scanner<'a>) -> Scan<Cow<'a, str>> {
    Node::read(scanner)?.text().ok_or("the admission request's `kind` has a field of the wrong type")
}

#[derive(Default)]
struct RequestText<'a> {
    operation: Option<Node<'a>>,
    kind: Option<Shape<KindText<'a>>>,
    sub_resource: Option<Node<'a>>,
    object: Option<Shape<ObjectText<'a>>>,
    old_object: Option<Shape<ObjectText<'a>>>,
}

#[derive(Default)]
struct KindText<'a> {
    group: Option<Cow<'a, str>>,
    kind: Option<Cow<'a, str>>,
}

#[derive(Default)]
struct ObjectText<'a> {
    node: Option<Node<'a>>,
    metadata: Option<Shape<MetadataText<'a>>>,
    spec: Option<Shape<SpecText<'a>>>,
}

#[derive(Default)]
struct MetadataText<'a> {
    deletion_timestamp: Option<Node<'a>>,
}

#[derive(Default)]
struct SpecText<'a> {
    input: Option<Node<'a>>,
    output: Option<Shape<OutputText<'a>>>,
}

#[derive(Default)]
struct OutputText<'a> {
    otlp: Option<Node<'a>>,
}

impl<'a> Part<'a> for Payload<'a> {
    fn member(&mut self, name: &str, scanner: &mut Scanner<'a>) -> Scan<()> {
        match name {
            "request" => set(&mut self.request, read(scanner)?),
            "settings" => set(&mut self.settings, Node::read(scanner)?),
            _ => scanner.skip(),
        }
    }
}

impl<'a> Part<'a> for RequestText<'a> {
    fn member(&mut self, name: &str, scanner: &mut Scanner<'a>) -> Scan<()> {
        match name {
            "operation" => set(&mut self.operation, Node::read(scanner)?),
            "kind" => set(&mut self.kind, read(scanner)?),
            "subResource" => set(&mut self.sub_resource, Node::read(scanner)?),
            "object" => set(&mut self.object, read(scanner)?),
            "oldObject" => set(&mut self.old_object, read(scanner)?),
            _ => scanner.skip(),
        }
    }
}

impl<'a> Part<'a> for KindText<'a> {
    fn member(&mut self, name: &str, scanner: &mut Scanner<'a>) -> Scan<()> {
        match name {
            "group" => set(&mut self.group, text(scanner)?),
            "kind" => set(&mut self.kind, text(scanner)?),
            _ => scanner.skip(),
        }
    }
}

impl<'a> Part<'a> for ObjectText<'a> {
    fn member(&mut self, name: &str, scanner: &mut Scanner<'a>) -> Scan<()> {
        match name {
            "metadata" => set(&mut self.metadata, read(scanner)?),
            "spec" => set(&mut self.spec, read(scanner)?),
            _ => scanner.skip(),
        }
    }

    fn is_at(&mut self, node: Node<'a>) {
        self.node = Some(node);
    }
}

impl<'a> Part<'a> for MetadataText<'a> {
    fn member(&mut self, name: &str, scanner: &mut Scanner<'a>) -> Scan<()> {
        match name {
            "deletionTimestamp" => set(&mut self.deletion_timestamp, Node::read(scanner)?),
            _ => scanner.skip(),
        }
    }
}

impl<'a> Part<'a> for SpecText<'a> {
    fn member(&mut self, name: &str, scanner: &mut Scanner<'a>) -> Scan<()> {
        match name {
            "input" => set(&mut self.input, Node::read(scanner)?),
            "output" => set(&mut self.output, read(scanner)?),
            _ => scanner.skip(),
        }
    }
}

impl<'a> Part<'a> for OutputText<'a> {
    fn member(&mut self, name: &str, scanner: &mut Scanner<'a>) -> Scan<()> {
        match name {
            "otlp" => set(&mut self.otlp, Node::read(scanner)?),
            _ => scanner.skip(),
        }
    }
}

impl<'a> Object<'a> {
    fn of(text: ObjectText<'a>) -> Option<Self> {
        let is_set = |node: &Node<'_>| !node.is_null();
        let spec = object(text.spec).unwrap_or_default();
        Some(Self {
            node: text.node?,
            is_deleted: object(text.metadata)
                .and_then(|metadata| metadata.deletion_timestamp)
                .is_some_and(|t| is_set(&t)),
            input: spec.input.filter(is_set),
            otlp: object(spec.output).and_then(|output| output.otlp).filter(is_set),
        })
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
