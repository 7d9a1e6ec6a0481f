//! The requests that are measured. All are made from the manifests and the numbers here, so that they stay the same.

use kyma_dynatrace_admission::admission_request;
use serde_json::{Value, json};
use std::io::Write as _;

/// A request with a name.
pub struct Request {
    /// What it shows.
    pub name: &'static str,
    /// The host's payload: request and settings.
    pub payload: Vec<u8>,
    /// What we say of it.
    pub verdict: Verdict,
    /// How many Secrets are looked at for it.
    pub lookups: usize,
}

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted without a word: none of our business.
    Untouched,
    /// Accepted, reviewed, and in order.
    Accepted,
    /// Accepted with warnings.
    Warned,
    /// Accepted and mutated.
    Repaired,
    /// Rejected, for so many findings (warnings apart).
    Rejected(usize),
}

impl Verdict {
    /// The verdict of an answer; `None` where it is none.
    #[must_use]
    pub fn of(answer: &[u8]) -> Option<Self> {
        let answer: Value = serde_json::from_slice(answer).ok()?;
        let field = |name: &str| answer.get(name).unwrap_or(&Value::Null);
        let findings = || field("message").as_str().map_or(0, |message| message.matches("\n- ").count());
        let warnings = field("warnings").as_array().map_or(0, Vec::len);
        Some(match field("accepted").as_bool()? {
            false => Self::Rejected(findings()),
            true if field("mutated_object").is_object() => Self::Repaired,
            true if warnings > 0 => Self::Warned,
            true if field("audit_annotations").is_object() => Self::Accepted,
            true => Self::Untouched,
        })
    }
}

/// A payload with the name of its file.
pub type Named = (String, Vec<u8>);

/// The pipelines of the corpus beside the project, with their names; `None`, said loudly, where there is none.
///
/// # Errors
/// Where a file is not readable.
pub fn corpus() -> Result<Option<Vec<Named>>, String> {
    let folder = crate::root().join("../shared/corpus");
    let Ok(index) = std::fs::read_to_string(folder.join("index.tsv")) else {
        if std::env::var_os("REQUIRE_SHARED").is_some() {
            return Err("the corpus beside the project is missing".to_owned());
        }
        let _ = writeln!(std::io::stderr(), "SKIPPED: the corpus beside the project (../shared) is missing");
        return Ok(None);
    };
    let read = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"))?;
        let object: Value = yaml_serde::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
        Ok((name.to_owned(), payload(&object)))
    };
    let names = index.lines().skip(1).filter_map(|row| row.split('\t').next());
    names.map(read).collect::<Result<_, String>>().map(Some)
}

/// Settings that name every default.
pub const DEFAULT_SETTINGS: &str = r#"{"mode":"repair","denialsAsWarnings":false,"lookUpSecrets":false,"dynatrace":{"secrets":[{"namespace":"dynatrace","name":"dynakube","endpointKey":"apiurl","tokenKey":"dataIngestToken","endpointPath":"/api","tokenScheme":"Api-Token"}],"hosts":[],"collectorServices":[],"injectPrefixFor":"declaredSecrets"},"metrics":{"cumulativeInputs":["istio","prometheus","runtime"],"deltaConversion":"off"},"rules":{}}"#;

/// The host's payload for a pipeline, with default settings.
#[must_use]
pub fn payload(object: &Value) -> Vec<u8> {
    kyma_dynatrace_admission::payload(&admission_request(object, None), &json!({})).into_bytes()
}

fn secret(key: &str) -> Value {
    json!({"valueFrom": {"secretKeyRef": {"namespace": "dynatrace", "name": "dynakube", "key": key}}})
}

fn authorization() -> Value {
    let reference = json!({"namespace": "dynatrace", "name": "dynakube", "key": "dataIngestToken"});
    json!({"name": "Authorization", "prefix": "Api-Token", "valueFrom": {"secretKeyRef": reference}})
}

/// The transforms of `manifests/pipelines/workload-attributes`, which are about as long as those of Kyma's guide.
fn transforms() -> Value {
    let yaml = include_str!("../../manifests/pipelines/workload-attributes/transform.yaml");
    let patch: Value = yaml_serde::from_str(yaml).unwrap_or_default();
    patch.pointer("/0/value").cloned().unwrap_or_default()
}

/// A MetricPipeline with this output, both scraping inputs, and the transforms.
fn metrics(otlp: Value) -> Value {
    json!({
        "apiVersion": "telemetry.kyma-project.io/v1beta1",
        "kind": "MetricPipeline",
        "metadata": {"name": "dynatrace"},
        "spec": {
            "input": {"istio": {"enabled": true}, "prometheus": {"enabled": true}},
            "transform": transforms(),
            "output": {"otlp": otlp},
        },
    })
}

/// What Dynatrace takes as it is.
fn complete() -> Value {
    json!({
        "endpoint": secret("apiurl"), "path": "v2/otlp/v1/metrics", "protocol": "http", "temporality": "delta",
        "headers": [authorization()],
    })
}

fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    if let Some(place) = object.pointer_mut(pointer) {
        *place = value;
    }
    object
}

/// A pipeline that is in order, with so many bytes of statements.
#[must_use]
pub fn of_size(bytes: usize) -> Value {
    let statement = r#"set(resource.attributes["k8s.workload.kind"], "deployment") where resource.attributes["k8s.deployment.name"] != nil"#;
    let object = metrics(complete());
    let rest = payload(&with(object.clone(), "/spec/transform", json!([]))).len();
    let each = json!(statement).to_string().len() + 1;
    let statements = vec![statement; bytes.saturating_sub(rest) / each];
    with(object, "/spec/transform", json!([{"statements": statements}]))
}

fn incomplete(object: Value, otlp: &Value) -> Value {
    with(object, "/spec/output/otlp", otlp.clone())
}

const SECRET_OF_THE_TOKEN: &str = "/headers/0/valueFrom/secretKeyRef/name";

/// All requests, in the order of the table.
#[must_use]
pub fn all() -> Vec<Request> {
    let request = |name, verdict, object: Value| Request { name, payload: payload(&object), verdict, lookups: 0 };
    let looked_up = |name, lookups, object: Value| {
        let secrets =
            json!([{"namespace": "dynatrace", "name": "dynakube"}, {"namespace": "dynatrace", "name": "tokens"}]);
        let settings = json!({"lookUpSecrets": true, "dynatrace": {"secrets": secrets}});
        let payload = kyma_dynatrace_admission::payload(&admission_request(&object, None), &settings).into_bytes();
        Request { name, payload, verdict: Verdict::Accepted, lookups }
    };
    let elsewhere = json!({"endpoint": {"value": "http://backend.monitoring.svc.cluster.local:4317"}, "protocol": "grpc",
        "temporality": "preserve"});
    let collector = json!({"endpoint": {"value": "http://dynakube-telemetry-ingest.dynatrace.svc:4317"}});
    let repaired = json!({"endpoint": secret("apiurl"), "temporality": "delta"});
    let headers: Vec<Value> =
        (0..49).map(|n| json!({"name": format!("x-header-{n}"), "value": "some value"})).collect();
    let headers = [headers, vec![authorization()]].concat();
    let many = with(complete(), "/headers", json!(headers));
    vec![
        request("elsewhere", Verdict::Untouched, metrics(elsewhere)),
        request("to the Collector", Verdict::Accepted, metrics(collector)),
        request("accepted as it is", Verdict::Accepted, metrics(complete())),
        request("rejected, 10 findings", Verdict::Rejected(10), metrics(hopeless())),
        request("repaired", Verdict::Repaired, metrics(repaired.clone())),
        request("50 headers", Verdict::Accepted, metrics(many)),
        request("100 kB, accepted", Verdict::Accepted, of_size(100_000)),
        request("100 kB, repaired", Verdict::Repaired, incomplete(of_size(100_000), &repaired)),
        request("1 MB, accepted", Verdict::Accepted, of_size(1_000_000)),
        request("1 MB, repaired", Verdict::Repaired, incomplete(of_size(1_000_000), &repaired)),
        looked_up("one lookup", 1, metrics(complete())),
        looked_up("two lookups", 2, metrics(with(complete(), SECRET_OF_THE_TOKEN, "tokens".into()))),
    ]
}

/// As much wrong at once as one output can have.
fn hopeless() -> Value {
    json!({
        "endpoint": {"value": "http://abc12345.apps.dynatrace.com/api"},
        "path": "v2/otlp/v1/traces",
        "protocol": "grpc",
        "compression": 3,
        "temporality": "preserve",
        "tls": {"insecureSkipVerify": true},
        "headers": [
            {"name": "X-Scope"},
            {"name": "Authorization", "prefix": "Basic", "value": "some token"},
        ],
    })
}
