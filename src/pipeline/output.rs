//! `spec.output.otlp` as the rules read it: each field absent, of the right type, or malformed.
//!
//! Field names and types are those of `OTLPOutput` in `telemetry.kyma-project.io`, v1alpha1 and v1beta1, which agree on
//! every field read here. Nothing is ever written back from this view; repairs cut text into the original.

use std::borrow::Cow;

use crate::json::{Members, Node};
use crate::settings::with_article;
use crate::subject::Signal;

/// Path of the output in the object, as messages write it.
pub const OTLP: &str = "spec.output.otlp";

/// A field of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field<T> {
    /// Not there, or null.
    Absent,
    /// There, with the wrong type: nothing can be said about it but that.
    Malformed,
    /// There.
    Is(T),
}

impl<T> Field<T> {
    /// The value, if it is there and readable.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Malformed => None,
        }
    }

    /// Whether the field is there with the wrong type.
    pub fn is_malformed(&self) -> bool {
        matches!(self, Self::Malformed)
    }
}

/// A string field.
pub type TextField<'a> = Field<Cow<'a, str>>;

impl TextField<'_> {
    /// The text; empty where it is absent. `None` where the field is malformed.
    #[must_use]
    pub fn text_or_empty(&self) -> Option<&str> {
        match self {
            Self::Absent => Some(""),
            Self::Malformed => None,
            Self::Is(text) => Some(text),
        }
    }

    /// Whether the text is exactly this.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.value().is_some_and(|value| value == text)
    }
}

/// Where a value comes from (`ValueType`): the literal wins over the Secret, as in the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source<'a> {
    /// Neither a literal nor a Secret is named.
    Absent,
    /// Of the wrong type somewhere.
    Malformed,
    /// A literal that is not empty.
    Literal(Cow<'a, str>),
    /// A key of a Secret.
    Secret(SecretKey<'a>),
}

/// `secretKeyRef`. Parts that are missing are empty; the schema check refuses those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretKey<'a> {
    /// Namespace of the Secret.
    pub namespace: Cow<'a, str>,
    /// Name of the Secret.
    pub name: Cow<'a, str>,
    /// Key in the Secret.
    pub key: Cow<'a, str>,
}

/// One header of the output.
#[derive(Debug, Clone)]
pub struct Header<'a> {
    /// The header's object; `None` for one that a repair adds.
    pub node: Option<Node<'a>>,
    /// Its position in `headers`.
    pub index: usize,
    /// `name`.
    pub name: TextField<'a>,
    /// `prefix`.
    pub prefix: TextField<'a>,
    /// `value` or `valueFrom`.
    pub value: Source<'a>,
}

impl Header<'_> {
    /// Whether this is the `Authorization` header; names compare without case.
    #[must_use]
    pub fn is_authorization(&self) -> bool {
        self.name.value().is_some_and(|name| name.eq_ignore_ascii_case("authorization"))
    }

    /// The prefix without blanks around it, as the module uses it. `None` where it is malformed.
    #[must_use]
    pub fn scheme(&self) -> Option<&str> {
        self.prefix.text_or_empty().map(str::trim)
    }

    /// The path of one of the header's fields, or of the header itself.
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        let dot = if name.is_empty() { "" } else { "." };
        format!("{OTLP}.headers[{}]{dot}{name}", self.index)
    }
}

/// `authentication`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authentication {
    /// Whether it is there at all.
    pub is_present: bool,
    /// Whether it is no object, so that nothing is known of it.
    pub is_malformed: bool,
    /// Whether `basic` is set.
    pub basic: bool,
    /// Whether `oauth2` is set.
    pub oauth2: bool,
}

/// `tls`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// `insecure`: no TLS.
    pub insecure: bool,
    /// `insecureSkipVerify`: TLS without verification.
    pub insecure_skip_verify: bool,
    /// Whether a `ca` is given.
    pub ca: bool,
}

/// A field of the wrong type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The field's path.
    pub field: String,
    /// The JSON type it has, with its article. Never the value.
    pub found: String,
    /// The JSON type it should have, with its article.
    pub wanted: &'static str,
}

/// The output, read.
#[derive(Debug, Clone)]
pub struct Output<'a> {
    /// The object itself, for repairs.
    pub node: Node<'a>,
    /// `endpoint`.
    pub endpoint: Source<'a>,
    /// `protocol`; the module takes absent for `grpc`.
    pub protocol: TextField<'a>,
    /// `path`.
    pub path: TextField<'a>,
    /// `temporality`, of a MetricPipeline.
    pub temporality: TextField<'a>,
    /// `compression`.
    pub compression: TextField<'a>,
    /// `headers`.
    pub headers: Field<Vec<Header<'a>>>,
    /// `authentication`.
    pub authentication: Authentication,
    /// `tls`.
    pub tls: Tls,
    /// Everything of the wrong type, in the order in which it is read.
    pub malformed: Vec<Malformed>,
}

impl<'a> Output<'a> {
    /// Reads `spec.output.otlp`; `None` where it is not an object, so that there is no output.
    #[must_use]
    pub fn read(node: Node<'a>, signal: Signal) -> Option<Self> {
        let members = node.members()?;
        let mut reader = Reader::default();
        let object = (&members, &ROOT);
        let endpoint = reader.endpoint(&members);
        Some(Self {
            node,
            endpoint,
            protocol: reader.text(object, "protocol"),
            path: reader.text(object, "path"),
            // Other kinds have no such field; the API server drops it there.
            temporality: match signal {
                Signal::Metrics => reader.text(object, "temporality"),
                Signal::Traces | Signal::Logs => Field::Absent,
            },
            compression: reader.text(object, "compression"),
            headers: reader.headers(&members),
            authentication: reader.authentication(&members),
            tls: reader.tls(&members),
            malformed: reader.malformed,
        })
    }

    /// The `Authorization` headers, in order.
    pub fn authorizations(&self) -> impl Iterator<Item = &Header<'a>> {
        self.headers.value().into_iter().flatten().filter(|header| header.is_authorization())
    }

    /// Whether it is certain that no `Authorization` header is sent.
    #[must_use]
    pub fn lacks_authorization(&self) -> bool {
        let is_readable = |headers: &Vec<Header<'_>>| headers.iter().all(|header| !header.name.is_malformed());
        !self.headers.is_malformed()
            && self.headers.value().is_none_or(is_readable)
            && self.authorizations().next().is_none()
    }

    /// The member of the output that a repair has to replace, null included.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Node<'a>> {
        self.node.members()?.nullable(name)
    }
}

/// Where a field is. Written out only for a finding: most fields are in order.
#[derive(Clone, Copy)]
pub(crate) enum Place<'p> {
    /// A path.
    At(&'static str),
    /// A member of an object.
    Member(&'p Place<'p>, &'static str),
    /// An element of an array.
    Element(&'p Place<'p>, usize),
}

impl Place<'_> {
    #[cold]
    pub(crate) fn path(&self) -> String {
        match self {
            Self::At(path) | Self::Member(Place::At(""), path) => (*path).to_owned(),
            Self::Member(parent, name) => join!(parent.path(), ".", name),
            Self::Element(parent, index) => format!("{}[{index}]", parent.path()),
        }
    }
}

const ROOT: Place<'static> = Place::At(OTLP);

/// Reads fields and remembers those of the wrong type.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) malformed: Vec<Malformed>,
}

impl Reader {
    #[cold]
    fn wrong(&mut self, place: &Place<'_>, node: Node<'_>, wanted: &'static str) {
        self.malformed.push(Malformed { field: place.path(), found: with_article(node.kind()), wanted });
    }

    /// The member of this name: absent, of the wrong type, or what `convert` makes of it.
    fn member<'a, T>(
        &mut self,
        (members, parent): (&Members<'a>, &Place<'_>),
        name: &'static str,
        wanted: &'static str,
        convert: fn(Node<'a>) -> Option<T>,
    ) -> Field<T> {
        let Some(node) = members.get(name) else { return Field::Absent };
        match convert(node) {
            Some(value) => Field::Is(value),
            None => {
                self.wrong(&Place::Member(parent, name), node, wanted);
                Field::Malformed
            }
        }
    }

    fn text<'a>(&mut self, object: (&Members<'a>, &Place<'_>), name: &'static str) -> TextField<'a> {
        self.member(object, name, "a string", Node::text)
    }

    /// A boolean; absent and malformed are false.
    pub(crate) fn flag(&mut self, object: (&Members<'_>, &Place<'_>), name: &'static str) -> bool {
        self.member(object, name, "a boolean", Node::boolean) == Field::Is(true)
    }

    /// The members of a nested object.
    fn object<'a>(&mut self, object: (&Members<'a>, &Place<'_>), name: &'static str) -> Field<Members<'a>> {
        self.member(object, name, "an object", Node::members)
    }

    fn endpoint<'a>(&mut self, members: &Members<'a>) -> Source<'a> {
        match self.object((members, &ROOT), "endpoint") {
            Field::Absent => Source::Absent,
            Field::Malformed => Source::Malformed,
            Field::Is(members) => self.source((&members, &Place::Member(&ROOT, "endpoint"))),
        }
    }

    fn source<'a>(&mut self, object: (&Members<'a>, &Place<'_>)) -> Source<'a> {
        match self.text(object, "value") {
            Field::Malformed => return Source::Malformed,
            Field::Is(text) if !text.is_empty() => return Source::Literal(text),
            Field::Absent | Field::Is(_) => {}
        }
        let from = match self.object(object, "valueFrom") {
            Field::Absent => return Source::Absent,
            Field::Malformed => return Source::Malformed,
            Field::Is(from) => from,
        };
        let parent = Place::Member(object.1, "valueFrom");
        let key = match self.object((&from, &parent), "secretKeyRef") {
            Field::Absent => return Source::Absent,
            Field::Malformed => return Source::Malformed,
            Field::Is(key) => key,
        };
        let parent = Place::Member(&parent, "secretKeyRef");
        let mut part = |name| match self.text((&key, &parent), name) {
            Field::Is(text) => Some(text),
            Field::Absent => Some(Cow::Borrowed("")),
            Field::Malformed => None,
        };
        let (namespace, name, key) = (part("namespace"), part("name"), part("key"));
        match (namespace, name, key) {
            (Some(namespace), Some(name), Some(key)) => Source::Secret(SecretKey { namespace, name, key }),
            _ => Source::Malformed,
        }
    }

    fn headers<'a>(&mut self, members: &Members<'a>) -> Field<Vec<Header<'a>>> {
        match self.member((members, &ROOT), "headers", "an array", Node::items) {
            Field::Absent => Field::Absent,
            Field::Malformed => Field::Malformed,
            Field::Is(items) => {
                Field::Is(items.into_iter().enumerate().map(|(index, node)| self.header(index, node)).collect())
            }
        }
    }

    fn header<'a>(&mut self, index: usize, node: Node<'a>) -> Header<'a> {
        let headers = Place::Member(&ROOT, "headers");
        let parent = Place::Element(&headers, index);
        let Some(members) = node.members() else {
            self.wrong(&parent, node, "an object");
            let (name, prefix) = (Field::Malformed, Field::Malformed);
            return Header { node: None, index, name, prefix, value: Source::Malformed };
        };
        let object = (&members, &parent);
        Header {
            node: Some(node),
            index,
            name: self.text(object, "name"),
            prefix: self.text(object, "prefix"),
            value: self.source(object),
        }
    }

    fn authentication(&mut self, members: &Members<'_>) -> Authentication {
        match self.object((members, &ROOT), "authentication") {
            Field::Absent => Authentication::default(),
            Field::Malformed => Authentication { is_present: true, is_malformed: true, ..Authentication::default() },
            Field::Is(inner) => {
                let parent = Place::Member(&ROOT, "authentication");
                let mut is_set = |name| !matches!(self.object((&inner, &parent), name), Field::Absent);
                Authentication {
                    is_present: true,
                    is_malformed: false,
                    basic: is_set("basic"),
                    oauth2: is_set("oauth2"),
                }
            }
        }
    }

    fn tls(&mut self, members: &Members<'_>) -> Tls {
        let Field::Is(inner) = self.object((members, &ROOT), "tls") else { return Tls::default() };
        let object = (&inner, &Place::Member(&ROOT, "tls"));
        Tls {
            insecure: self.flag(object, "insecure"),
            insecure_skip_verify: self.flag(object, "insecureSkipVerify"),
            ca: !matches!(self.object(object, "ca"), Field::Absent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn accepts_a_whole_output() {
        let output = Output::read(
            parse(
                r#"{"endpoint":{"value":"","valueFrom":{"secretKeyRef":{"name":"n","namespace":"ns","key":"k"}}},
            "protocol":"http","path":"p","headers":[{"name":"AUTHORIZATION","prefix":" Api-Token ","value":"v"}],
            "tls":{"insecure":true,"ca":{}},"authentication":{"oauth2":{}}}"#,
            ),
            Signal::Metrics,
        )
        .unwrap();
        assert!(output.malformed.is_empty());
        assert!(matches!(&output.endpoint, Source::Secret(key) if key.key == "k"));
        let header = output.authorizations().next().unwrap();
        assert_eq!((header.scheme(), &header.value), (Some("Api-Token"), &Source::Literal("v".into())));
        assert_eq!(output.tls, Tls { insecure: true, insecure_skip_verify: false, ca: true });
        assert_eq!(
            output.authentication,
            Authentication { is_present: true, is_malformed: false, basic: false, oauth2: true }
        );
    }

    #[test]
    fn rejects_every_field_of_the_wrong_type_once() {
        let output = Output::read(parse(
            r#"{"endpoint":{"valueFrom":{"secretKeyRef":{"name":1,"namespace":"a","key":"b"}}},"path":3,"protocol":[],
            "temporality":{},"compression":true,"headers":[7,{"name":1,"valueFrom":"x"}],"authentication":"x",
            "tls":{"insecure":"yes","ca":1}}"#,
        ), Signal::Metrics)
        .unwrap();
        let fields: Vec<_> = output.malformed.iter().map(|m| format!("{} {} {}", m.field, m.found, m.wanted)).collect();
        assert_eq!(
            fields,
            [
                "spec.output.otlp.endpoint.valueFrom.secretKeyRef.name a number a string",
                "spec.output.otlp.protocol an array a string",
                "spec.output.otlp.path a number a string",
                "spec.output.otlp.temporality an object a string",
                "spec.output.otlp.compression a boolean a string",
                "spec.output.otlp.headers[0] a number an object",
                "spec.output.otlp.headers[1].name a number a string",
                "spec.output.otlp.headers[1].valueFrom a string an object",
                "spec.output.otlp.authentication a string an object",
                "spec.output.otlp.tls.insecure a string a boolean",
                "spec.output.otlp.tls.ca a number an object",
            ]
        );
        assert!(!output.lacks_authorization(), "the headers are not known");
    }

    #[test]
    fn ignores_nulls_and_what_is_no_output() {
        let output =
            Output::read(parse(r#"{"path":null,"headers":null,"tls":null,"temporality":3}"#), Signal::Logs).unwrap();
        assert!(output.malformed.is_empty() && output.lacks_authorization());
        assert!(Output::read(parse("[]"), Signal::Logs).is_none());
    }
}
