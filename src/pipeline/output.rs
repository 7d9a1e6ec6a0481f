//! `spec.output.otlp` as the rules read it.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess};

use super::field::{Field, JsonType, Malformed, Members, OTLP, Shape, Text};
use super::header::{Header, Headers};
use super::input::Inputs;
use super::path::FieldPath;
use super::signal::Signal;
use super::source::{Source, ValueSource};
use crate::text::holds_token;

/// `spec.output.otlp`: `OTLPOutput` of the Telemetry module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Output<'a> {
    /// `endpoint`.
    #[serde(borrow)]
    pub endpoint: Field<ValueSource<'a>>,
    /// `protocol`; the module takes absent for `grpc`.
    #[serde(borrow)]
    pub protocol: Field<Text<'a>>,
    /// `path`.
    #[serde(borrow)]
    pub path: Field<Text<'a>>,
    /// `temporality`, of a MetricPipeline. Other kinds have no such field; the API server drops it there.
    #[serde(borrow)]
    pub temporality: Field<Text<'a>>,
    /// `compression`.
    #[serde(borrow)]
    pub compression: Field<Text<'a>>,
    /// `headers`.
    #[serde(borrow)]
    pub headers: Field<Headers<'a>>,
    /// `authentication`.
    pub authentication: Field<Authentication>,
    /// `tls`.
    #[serde(borrow)]
    pub tls: Field<Tls<'a>>,
}

/// `authentication`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Authentication {
    /// `basic`: a user name and a password.
    pub basic: Field<Credentials>,
    /// `oauth2`.
    pub oauth2: Field<Credentials>,
}

/// `basic` or `oauth2`: nothing is kept of it but where a token stands in clear text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The members whose literal holds a token, each with what stands for the member.
    tokens: Vec<(&'static str, u64)>,
    /// Stands for the members that take a value.
    digest: u64,
}

/// The members of `basic` and `oauth2` that take a value.
const CREDENTIALS: [&str; 5] = ["user", "password", "tokenURL", "clientID", "clientSecret"];

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl<'de> Shape<'de> for Credentials {
    fn of_object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut credentials = Self::default();
        while let Some(key) = object.next_key::<String>()? {
            let Some(name) = CREDENTIALS.into_iter().find(|name| *name == key) else {
                object.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = object.next_value::<Field<ValueSource<'de>>>()?;
            let source = value.value().map_or(Source::Absent, ValueSource::source);
            let is_told = credentials.tokens.iter().any(|(told, _)| *told == name);
            if matches!(source, Source::Literal(text) if holds_token(text)) && !is_told {
                credentials.tokens.push((name, digest(&value)));
            }
            credentials.digest = digest(&(credentials.digest, name, value));
        }
        Ok(Some(credentials))
    }
}

/// `tls`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tls<'a> {
    /// `insecure`: no TLS.
    pub insecure: Field<bool>,
    /// `insecureSkipVerify`: TLS without verification.
    pub insecure_skip_verify: Field<bool>,
    /// `ca`: the authority of the server's certificate.
    #[serde(borrow)]
    pub ca: Field<ValueSource<'a>>,
}

impl Members for Output<'_> {}
impl Members for Authentication {}
impl Members for Tls<'_> {}

impl<'a> Output<'a> {
    /// Where the endpoint comes from.
    #[must_use]
    pub fn endpoint(&self) -> Source<'_> {
        match &self.endpoint {
            Field::Absent => Source::Absent,
            Field::Malformed(_) => Source::Malformed,
            Field::Is(value) => value.source(),
        }
    }

    /// The headers that are kept.
    pub fn headers(&self) -> impl Iterator<Item = &Header<'a>> {
        self.headers.value().into_iter().flat_map(|headers| &headers.kept)
    }

    /// The `Authorization` headers, in order.
    pub fn authorizations(&self) -> impl DoubleEndedIterator<Item = &Header<'a>> {
        self.headers.value().into_iter().flat_map(Headers::authorizations)
    }

    /// Whether it is certain that no `Authorization` header is sent.
    #[must_use]
    pub fn lacks_authorization(&self) -> bool {
        !self.headers.is_malformed()
            && self.headers().all(|header| !header.name.is_malformed())
            && self.authorizations().next().is_none()
    }

    /// Whether `authentication.basic` is set.
    #[must_use]
    pub fn has_basic(&self) -> bool {
        self.authentication.value().is_some_and(|authentication| !authentication.basic.is_absent())
    }

    /// Whether `authentication.oauth2` is set.
    #[must_use]
    pub fn has_oauth2(&self) -> bool {
        self.authentication.value().is_some_and(|authentication| !authentication.oauth2.is_absent())
    }

    /// `tls.insecure`: no TLS. Malformed is off, here and below.
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        self.tls.value().is_some_and(|tls| tls.insecure == Field::Is(true))
    }

    /// `tls.insecureSkipVerify`: TLS without verification.
    #[must_use]
    pub fn skips_verification(&self) -> bool {
        self.tls.value().is_some_and(|tls| tls.insecure_skip_verify == Field::Is(true))
    }

    /// Whether `tls.ca` is given, and not an empty one (`IsValid` in the module).
    #[must_use]
    pub fn has_ca(&self) -> bool {
        let ca = self.tls.value().map(|tls| &tls.ca);
        ca.is_some_and(|ca| ca.is_malformed() || ca.value().is_some_and(|ca| ca.source() != Source::Absent))
    }

    /// Where tokens stand in clear text in `authentication`, each with what stands for its text.
    pub fn authentication_tokens(&self) -> impl Iterator<Item = (FieldPath, u64)> {
        let kinds = self.authentication.value().into_iter();
        let kinds =
            kinds.flat_map(|both| [("authentication.basic", &both.basic), ("authentication.oauth2", &both.oauth2)]);
        kinds.flat_map(|(kind, credentials)| {
            let tokens = credentials.value().into_iter().flat_map(|credentials| &credentials.tokens);
            tokens.map(move |(name, digest)| (OTLP.join(kind).join(name).join("value"), *digest))
        })
    }

    /// The `Authorization` header that is sent: the module takes the last (`env_vars.go`, both names become one variable).
    #[must_use]
    pub fn authorization(&self) -> Option<&Header<'a>> {
        self.authorizations().next_back()
    }

    /// Everything of the wrong type in the output and the inputs, in a fixed order.
    #[must_use]
    pub fn malformed(&self, inputs: Option<&Inputs>, signal: Signal) -> Vec<Malformed> {
        let mut noted = Vec::new();
        let at = |name: &'static str| move || OTLP.join(name);
        self.endpoint.note(JsonType::Object, at("endpoint"), &mut noted);
        if let Field::Is(endpoint) = &self.endpoint {
            endpoint.note(&at("endpoint"), &mut noted);
        }
        self.protocol.note(JsonType::String, at("protocol"), &mut noted);
        self.path.note(JsonType::String, at("path"), &mut noted);
        if signal == Signal::Metrics {
            self.temporality.note(JsonType::String, at("temporality"), &mut noted);
        }
        self.compression.note(JsonType::String, at("compression"), &mut noted);
        self.headers.note(JsonType::Array, at("headers"), &mut noted);
        for header in self.headers() {
            header.note(&mut noted);
        }
        self.authentication.note(JsonType::Object, at("authentication"), &mut noted);
        if let Field::Is(Authentication { basic, oauth2 }) = &self.authentication {
            basic.note(JsonType::Object, at("authentication.basic"), &mut noted);
            oauth2.note(JsonType::Object, at("authentication.oauth2"), &mut noted);
        }
        self.tls.note(JsonType::Object, at("tls"), &mut noted);
        if let Field::Is(tls) = &self.tls {
            tls.insecure.note(JsonType::Boolean, at("tls.insecure"), &mut noted);
            tls.insecure_skip_verify.note(JsonType::Boolean, at("tls.insecureSkipVerify"), &mut noted);
            tls.ca.note(JsonType::Object, at("tls.ca"), &mut noted);
        }
        if let Some(inputs) = inputs.filter(|_| signal == Signal::Metrics) {
            inputs.note(&mut noted);
        }
        noted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn parse(text: &str) -> Output<'_> {
        match serde_json::from_str::<Field<Output<'_>>>(text).unwrap() {
            Field::Is(output) => output,
            _ => Output::default(),
        }
    }

    #[test]
    fn accepts_a_whole_output() {
        let output = parse(
            r#"{"endpoint":{"value":"","valueFrom":{"secretKeyRef":{"name":"n","namespace":"ns","key":"k"}}},
            "protocol":"http","path":"p","headers":[{"name":"AUTHORIZATION","prefix":" Api-Token ","value":"v"}],
            "tls":{"insecure":true,"ca":{"value":"pem"}},"authentication":{"oauth2":{}}}"#,
        );
        assert!(output.malformed(None, Signal::Metrics).is_empty());
        assert!(matches!(output.endpoint(), Source::Secret(key) if key.key == "k"));
        let header = output.authorizations().next().unwrap();
        assert_eq!((header.scheme(), header.source()), (Some("Api-Token"), Source::Literal("v")));
        assert!(output.is_insecure() && output.has_ca() && !output.skips_verification());
        assert!(output.has_oauth2() && !output.has_basic());
    }

    #[test]
    fn rejects_every_field_of_the_wrong_type_once() {
        let output = parse(
            r#"{"endpoint":{"valueFrom":{"secretKeyRef":{"name":1,"namespace":"a","key":"b"}}},"path":3,"protocol":[],
            "temporality":{},"compression":true,"headers":[7,{"name":1,"valueFrom":"x"},null],"authentication":"x",
            "tls":{"insecure":"yes","ca":1}}"#,
        );
        let inputs = serde_json::from_str(r#"{"istio":{"enabled":"yes"},"runtime":3}"#).unwrap();
        let told = |m: &Malformed| format!("{} {} {}", m.field, m.found.with_article(), m.expected.with_article());
        let fields: Vec<_> = output.malformed(Some(&inputs), Signal::Metrics).iter().map(told).collect();
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
                "spec.output.otlp.headers[2] null an object",
                "spec.output.otlp.authentication a string an object",
                "spec.output.otlp.tls.insecure a string a boolean",
                "spec.output.otlp.tls.ca a number an object",
                "spec.input.istio.enabled a string a boolean",
            ]
        );
        assert!(!output.lacks_authorization(), "the headers are not known");
    }

    #[test]
    fn ignores_nulls_and_what_other_kinds_have() {
        let output = parse(r#"{"path":null,"headers":null,"tls":null,"temporality":3}"#);
        assert!(output.malformed(None, Signal::Logs).is_empty() && output.lacks_authorization());
        assert!(matches!(serde_json::from_str::<Field<Output<'_>>>("[]").unwrap(), Field::Malformed(JsonType::Array)));
    }

    #[test]
    fn keeps_few_of_many_headers_and_always_the_last_authorization() {
        let mut text = r#"{"headers":[{"name":"X","value":"y"}"#.to_owned();
        text.push_str(&",1".repeat(5000));
        text.push_str(r#",{"name":"authorization","prefix":"last","value":"v"}]}"#);
        let output = parse(&text);
        let headers = output.headers.value().unwrap();
        assert_eq!((headers.count, headers.kept.len(), headers.more), (5002, 101, 4900));
        assert_eq!(output.authorizations().next_back().unwrap().scheme(), Some("last"));
    }

    #[test]
    fn rejects_to_show_content_in_debug_output() {
        let output = parse(r#"{"path":"secret","headers":[{"name":"Authorization","value":"secret"}]}"#);
        assert!(!format!("{output:?}").contains("secret"));
    }
}
