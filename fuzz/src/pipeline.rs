//! The pipeline as a structure, so that nearly every input is one that the rules look at.

use arbitrary::{Arbitrary, Unstructured};
use serde_json::{Map, Value, json};

use crate::answer::{answer_to, create};

/// A text: one that means something somewhere, or any.
#[derive(Debug, Clone, Arbitrary)]
pub enum Text {
    /// One of [`WORDS`].
    Word(u8),
    /// Two of them, one behind the other.
    Words(u8, u8),
    /// Anything.
    Any(String),
}

/// Pieces of endpoints, paths, headers and names, right and wrong ones.
const WORDS: [&str; 48] = [
    "",
    " ",
    "http",
    "grpc",
    "delta",
    "preserve",
    "Authorization",
    "authorization",
    "Api-Token",
    "Api-Token ",
    "Bearer",
    "Basic",
    "gzip",
    "snappy",
    "dynakube",
    "dynatrace",
    "apiurl",
    "dataIngestToken",
    "apiToken",
    "v2/otlp/v1/metrics",
    "v2/otlp/v1/traces",
    "v2/otlp",
    "/v1/metrics",
    "/api/v2/otlp/v1/traces",
    "..",
    "//",
    "%2e%2e",
    "?",
    "#",
    "@",
    "https://",
    "http://",
    "grpc://",
    "https://abc12345.live.dynatrace.com",
    "https://abc12345.live.dynatrace.com/api",
    "https://abc12345.apps.dynatrace.com",
    "https://abc12345.live.dynatrace.com:9999",
    "https://managed.example.com/e/0a1b2c3d-0000-4000-8000-000000000000/api",
    "https://activegate.dynatrace:443/e/abc12345/api",
    "https://dynakube-activegate.dynatrace.svc/e/abc12345/api",
    "http://dynakube-telemetry-ingest.dynatrace:4318",
    "http://dynakube-telemetry-ingest.dynatrace.svc.cluster.local:4317",
    "dynakube-telemetry-ingest.dynatrace:4317",
    "dynakube-telemetry-ingest",
    "https://otlp.example.com",
    ":4317",
    "dt0c01.AAAAAAAAAAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB",
    "token",
];

impl Text {
    fn text(&self) -> String {
        let word = |index: &u8| WORDS[usize::from(*index) % WORDS.len()];
        match self {
            Self::Word(index) => word(index).to_owned(),
            Self::Words(first, second) => [word(first), word(second)].concat(),
            Self::Any(text) => text.clone(),
        }
    }
}

/// A value as Kyma takes one.
#[derive(Debug, Clone, Arbitrary)]
pub enum Source {
    /// In the pipeline.
    Literal(Text),
    /// In a Secret: name, namespace, key.
    Secret(Text, Text, Text),
    /// Null.
    Null,
    /// Something of another type.
    Wrong(i8),
}

impl Source {
    fn put(&self, object: &mut Map<String, Value>) {
        match self {
            Self::Literal(text) => drop(object.insert("value".to_owned(), text.text().into())),
            Self::Secret(name, namespace, key) => {
                let reference = json!({"name": name.text(), "namespace": namespace.text(), "key": key.text()});
                object.insert("valueFrom".to_owned(), json!({"secretKeyRef": reference}));
            }
            Self::Null => drop(object.insert("value".to_owned(), Value::Null)),
            Self::Wrong(number) => drop(object.insert("value".to_owned(), (*number).into())),
        }
    }
}

/// A header: name, prefix, value.
type Header = (Text, Option<Text>, Source);

/// A pipeline and the settings under which it is reviewed.
#[derive(Debug, Clone, Arbitrary)]
pub struct Pipeline {
    kind: u8,
    inputs: u8,
    endpoint: Option<Source>,
    path: Option<Text>,
    protocol: Option<Text>,
    temporality: Option<Text>,
    compression: Option<Text>,
    headers: Option<Vec<Header>>,
    tls: Option<u8>,
    basic: bool,
    settings: u8,
}

/// As a fuzzer gives it.
pub fn bytes(data: &[u8]) {
    if let Ok(given) = Pipeline::arbitrary_take_rest(Unstructured::new(data)) {
        pipeline(&given);
    }
}

impl Pipeline {
    fn object(&self) -> Value {
        let kind = ["MetricPipeline", "TracePipeline", "LogPipeline"][usize::from(self.kind) % 3];
        let mut otlp = Map::new();
        let mut put = |name: &str, value: Value| drop(otlp.insert(name.to_owned(), value));
        if let Some(endpoint) = &self.endpoint {
            let mut object = Map::new();
            endpoint.put(&mut object);
            put("endpoint", object.into());
        }
        let texts = [
            ("path", &self.path),
            ("protocol", &self.protocol),
            ("temporality", &self.temporality),
            ("compression", &self.compression),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                put(name, text.text().into());
            }
        }
        if let Some(headers) = &self.headers {
            put("headers", headers.iter().map(header).collect());
        }
        if let Some(bits) = self.tls {
            put("tls", json!({"insecure": bits & 1 > 0, "insecureSkipVerify": bits & 2 > 0}));
        }
        if self.basic {
            put("authentication", json!({"basic": {"user": {"value": "a"}, "password": {"value": "b"}}}));
        }
        let input = |bit: u8| json!({"enabled": self.inputs & (1 << bit) > 0});
        let input = json!({"istio": input(0), "prometheus": input(1), "runtime": input(2), "otlp": input(3)});
        json!({"apiVersion": "telemetry.kyma-project.io/v1beta1", "kind": kind, "metadata": {"name": "fuzz"},
            "spec": {"input": input, "output": {"otlp": otlp}}})
    }

    fn settings(&self, mode: &str) -> Value {
        let bit = |bit: u8| self.settings & (1 << bit) > 0;
        let conversion = ["never", "auto", "always"][usize::from(self.settings) % 3];
        json!({"mode": mode, "lookUpSecrets": bit(3), "denialsAsWarnings": bit(4), "metrics": {"deltaConversion": conversion},
            "dynatrace": {"hosts": if bit(5) { json!(["managed.example.com"]) } else { json!([]) }}})
    }
}

fn header((name, prefix, value): &Header) -> Value {
    let mut header = Map::new();
    header.insert("name".to_owned(), name.text().into());
    if let Some(prefix) = prefix {
        header.insert("prefix".to_owned(), prefix.text().into());
    }
    value.put(&mut header);
    header.into()
}

/// A repair sets what is missing and is the last one; the two modes agree on what is wrong.
pub fn pipeline(given: &Pipeline) {
    let object = given.object();
    let (repairing, validating) = (given.settings("repair"), given.settings("validate"));
    let repaired = answer_to(&create(&object, &repairing));
    let validated = answer_to(&create(&object, &validating));
    assert!(validated["mutated_object"].is_null(), "`validate` changes nothing");
    let mutated = &repaired["mutated_object"];
    if mutated.is_null() {
        assert_eq!(repaired["accepted"], validated["accepted"], "the modes disagree: {object}");
        return;
    }
    adds("", &object, mutated);
    let again = answer_to(&create(mutated, &repairing));
    assert_eq!(
        (&again["accepted"], &again["mutated_object"]),
        (&json!(true), &Value::Null),
        "repaired twice: {mutated}"
    );
    let judged = answer_to(&create(mutated, &validating));
    assert_eq!(judged["accepted"], json!(true), "repaired, and still not in order: {mutated}");
}

/// Whether everything that was written is still there.
fn adds(pointer: &str, before: &Value, after: &Value) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, old) in before {
                adds(&format!("{pointer}/{key}"), old, &after[key]);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            assert!(before.len() <= after.len(), "{pointer} is shorter");
            for (index, old) in before.iter().enumerate() {
                adds(&format!("{pointer}/{index}"), old, &after[index]);
            }
        }
        _ => {
            let is_empty = before.is_null() || before.as_str().is_some_and(|text| text.trim().is_empty());
            let may_change = is_empty || pointer.ends_with("/temporality");
            assert!(before == after || may_change, "{pointer} was {before}, and is {after}");
        }
    }
}
