//! Generated pipelines: every field valid, missing, half-written, of the wrong type or hostile.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// A generated pipeline as text, and what must never be told of it.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// As submitted.
    pub text: String,
    /// What must never be told.
    pub secrets: Vec<String>,
}

const HOSTS: &[&str] = &[
    "https://abc12345.live.dynatrace.com",
    "HTTPS://ABC12345.live.dynatrace.com.:443",
    "http://abc12345.sprint.dynatracelabs.com",
    "https://abc12345.live.dynatrace.com:4318",
    "https://abc12345.apps.dynatrace.com",
    "https://abc12345.dynatrace.com",
    "https://x.dynatrace-managed.com",
    "https://dt.corp.example/e/6f2b-uuid",
    "https://[::1]:9999/e/abc",
    "https://dynakube-activegate.dynatrace.svc/e/abc",
    "http://dynakube-telemetry-ingest.dynatrace:4317",
    "http://dynakube-telemetry-ingest.dynatrace:4318",
    "telemetry-ingest:4317",
    "abc12345.live.dynatrace.com",
    "//abc12345.live.dynatrace.com",
    "http://loki.logging.svc.cluster.local:3100",
    "otlp.example.com:4317",
    "https://u:SECRET@abc12345.live.dynatrace.com",
    "",
    ":",
];

const ENDPOINT_PATHS: &[&str] = &[
    "",
    "",
    "/",
    "/api",
    "/api/",
    "/api/v2",
    "/api/v2/otlp",
    "/api/v2/otlp/v1/traces",
    "/e/x/api",
    "?a=b",
    "#f",
    "\n",
    "/%zz",
    "/SECRET",
];

const PATHS: &[&str] = &[
    "",
    "v2/otlp/v1/metrics",
    "v2/otlp/v1/traces",
    "/v2/otlp/v1/logs/",
    "api/v2/otlp/v1/metrics",
    "v2/otlp",
    "../x",
    "v1/traces",
    "otlp/v1/logs",
    "SECRET",
    "v2/otlp/v1/logs?api-token=SECRET",
    "%zz",
    " ",
];

/// A Dynatrace token.
fn token() -> impl Strategy<Value = String> {
    ("dt0[a-z][0-9]{2}", "[A-Z0-9]{24}", "[A-Z0-9]{64}").prop_map(|(a, b, c)| format!("{a}.{b}.{c}"))
}

/// A value of any type, small.
pub fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~äß\\n\"]{0,12}".prop_map(Value::from),
        select(&["request", "settings", "kind", "operation", "object", "spec", "output", "otlp"][..])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,6}|request|object|kind|spec|output|otlp|mode|rules", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Mostly the given values, sometimes absent, null or of another type.
fn field(valid: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        12 => valid.prop_map(Some),
        5 => Just(None),
        1 => Just(Some(Value::Null)),
        1 => any_json().prop_map(Some),
    ]
}

fn text(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    select(values).prop_map(Value::from)
}

fn secret_ref() -> impl Strategy<Value = Value> {
    let name = select(&["dynakube", "dynakube", "other"][..]);
    let key = select(&["apiurl", "dataIngestToken", "dataIngestToken", "token", "apiToken"][..]);
    (name, key).prop_map(|(name, key)| json!({"secretKeyRef": {"name": name, "namespace": "dynatrace", "key": key}}))
}

fn endpoint() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => (select(HOSTS), select(ENDPOINT_PATHS)).prop_map(|(host, path)| json!({"value": format!("{host}{path}")})),
        3 => secret_ref().prop_map(|from| json!({"valueFrom": from})),
        1 => secret_ref().prop_map(|from| json!({"value": "", "valueFrom": from})),
    ]
}

fn header() -> impl Strategy<Value = Value> {
    let name = field(text(&["Authorization", "Authorization", "authorization", "X-Scope"]));
    let prefix = field(text(&["Api-Token", "api-token ", "", " ", "Bearer", "Basic", "Api-Token SECRET", "SECRET"]));
    let value = field(text(&["", "SECRET", "Api-Token SECRET"]));
    let value = (any::<bool>(), value, field(secret_ref()))
        .prop_map(|(literal, value, from)| if literal { ("value", value) } else { ("valueFrom", from) });
    (name, prefix, value)
        .prop_map(|(name, prefix, (key, value))| object([("name", name), ("prefix", prefix), (key, value)]))
}

fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

fn headers() -> impl Strategy<Value = Value> {
    proptest::collection::vec(prop_oneof![20 => header(), 1 => any_json()], 0..3).prop_map(Value::from)
}

fn tls() -> impl Strategy<Value = Value> {
    let flag = || field(any::<bool>().prop_map(Value::from));
    (flag(), flag(), field(Just(json!({"value": "pem"}))))
        .prop_map(|(insecure, skip, ca)| object([("insecure", insecure), ("insecureSkipVerify", skip), ("ca", ca)]))
}

fn authentication() -> impl Strategy<Value = Value> {
    let login = || field(Just(json!({"user": {"value": "SECRET"}, "password": {"value": "SECRET"}})));
    (login(), login()).prop_map(|(basic, oauth2)| object([("basic", basic), ("oauth2", oauth2)]))
}

fn otlp() -> impl Strategy<Value = Value> {
    let rarely = |strategy: BoxedStrategy<Option<Value>>| prop_oneof![6 => Just(None), 1 => strategy];
    (
        field(endpoint()),
        field(text(&["http", "http", "grpc", "", "HTTP"])),
        field(text(PATHS)),
        field(headers()),
        field(text(&["delta", "preserve", "", "other"])),
        rarely(field(text(&["gzip", "zstd", "none"])).boxed()),
        rarely(field(tls()).boxed()),
        rarely(field(authentication()).boxed()),
        rarely(any_json().prop_map(Some).boxed()),
        any::<prop::sample::Index>(),
    )
        .prop_map(
            |(endpoint, protocol, path, headers, temporality, compression, tls, authentication, unknown, turn)| {
                let mut members = [
                    ("endpoint", endpoint),
                    ("protocol", protocol),
                    ("path", path),
                    ("headers", headers),
                    ("temporality", temporality),
                    ("compression", compression),
                    ("tls", tls),
                    ("authentication", authentication),
                    ("unknown", unknown),
                ];
                members.rotate_left(turn.index(9));
                object(members)
            },
        )
}

/// Absent, null or empty.
fn missing() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![3 => Just(None), 1 => Just(Some(Value::Null)), 1 => Just(Some(json!("")))]
}

fn half_written_headers() -> impl Strategy<Value = Option<Value>> {
    let other = Just(json!({"name": "X-Scope", "value": "a"}));
    let token = (missing(), secret_ref()).prop_map(|(prefix, from)| {
        object([("name", Some(json!("Authorization"))), ("prefix", prefix), ("valueFrom", Some(from))])
    });
    let token = token.boxed();
    prop_oneof![
        Just(None),
        Just(Some(Value::Null)),
        proptest::collection::vec(other.clone(), 0..2).prop_map(|headers| Some(headers.into())),
        (other, token.clone()).prop_map(|(other, token)| Some(json!([other, token]))),
        token.prop_map(|token| Some(json!([token]))),
    ]
}

/// An output for Dynatrace in which nothing is wrong, but much may be missing.
fn half_written() -> impl Strategy<Value = Value> {
    let endpoint = prop_oneof![
        2 => Just(json!({"valueFrom": {"secretKeyRef": {"name": "dynakube", "namespace": "dynatrace", "key": "apiurl"}}})),
        1 => select(
            &["https://abc12345.live.dynatrace.com", "https://abc12345.live.dynatrace.com/api", "https://dt.corp.example/e/6f2b-uuid/api"][..],
        )
        .prop_map(|value| json!({"value": value})),
    ];
    let protocol = prop_oneof![missing(), text(&["http"]).prop_map(Some)];
    let path = prop_oneof![3 => missing(), 1 => text(&["v2/otlp/v1/metrics", "v2/otlp/v1/traces"]).prop_map(Some)];
    let headers = half_written_headers();
    let temporality = prop_oneof![Just(None), text(&["preserve", "delta"]).prop_map(Some)];
    (endpoint, protocol, path, headers, temporality, any_json()).prop_map(
        |(endpoint, protocol, path, headers, temporality, unknown)| {
            object([
                ("path", path),
                ("endpoint", Some(endpoint)),
                ("headers", headers),
                ("unknown", Some(unknown)),
                ("temporality", temporality),
                ("protocol", protocol),
            ])
        },
    )
}

fn input() -> impl Strategy<Value = Value> {
    let switch =
        || field(field(any::<bool>().prop_map(Value::from)).prop_map(|enabled| object([("enabled", enabled)])));
    (switch(), switch(), switch(), switch()).prop_map(|(istio, prometheus, runtime, otlp)| {
        object([("istio", istio), ("prometheus", prometheus), ("runtime", runtime), ("otlp", otlp)])
    })
}

fn whole(otlp: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = (Value, bool)> {
    let kind = select(&["MetricPipeline", "MetricPipeline", "TracePipeline", "LogPipeline"][..]);
    let version = select(&["v1alpha1", "v1beta1"][..]);
    (kind, version, otlp, field(input()), any_json(), any::<bool>()).prop_map(
        |(kind, version, otlp, input, unknown, is_pretty)| {
            let spec = object([
                ("unknown", Some(unknown.clone())),
                ("input", input),
                ("output", Some(json!({"custom": unknown, "otlp": otlp}))),
            ]);
            let pipeline = json!({
                "kind": kind,
                "apiVersion": format!("telemetry.kyma-project.io/{version}"),
                "spec": spec,
                "metadata": {"name": "dynatrace", "labels": {"backend": "abc12345.live.dynatrace.com"},
                    "annotations": {"last-applied": "{\"path\":\"v2/otlp/v1/metrics\",\"prefix\":\"Api-Token\"}"}},
                "status": {"endpoint": "https://abc12345.live.dynatrace.com/api", "unknown": unknown},
            });
            (pipeline, is_pretty)
        },
    )
}

/// Writes a pipeline as text, compact or pretty, with the secret in its places and numbers as people write them.
fn write(pipeline: &Value, is_pretty: bool, secret: String) -> Pipeline {
    let text = if is_pretty { serde_json::to_string_pretty(pipeline).unwrap() } else { pipeline.to_string() };
    let numbers = r#""numbers":[1.10,-0,1E5,12345678901234567890123,0.1000],"apiVersion""#;
    let text = text.replace("SECRET", &secret).replacen("\"apiVersion\"", numbers, 1);
    Pipeline { text, secrets: vec![secret] }
}

/// Any pipeline.
pub fn pipeline() -> impl Strategy<Value = Pipeline> {
    let otlp = prop_oneof![30 => otlp(), 20 => half_written(), 1 => any_json()];
    (whole(otlp), token()).prop_map(|((pipeline, is_pretty), token)| write(&pipeline, is_pretty, token))
}

fn elsewhere_endpoint() -> impl Strategy<Value = Value> {
    prop_oneof![
        select(
            &[
                "http://loki.logging.svc.cluster.local:3100",
                "otlp.example.com:4317",
                "https://prometheus.example/api/v1/otlp",
                "https://dynatrace.example.com/ingest",
                "https://live.dynatrace.com@evil.example/",
                "http://dynatrace-exporter-opentelemetry-collector.dynatrace:4317",
                "https://notdynatrace.com",
            ][..]
        )
        .prop_map(|value| json!({"value": value})),
        Just(json!({"valueFrom": {"secretKeyRef": {"name": "other", "namespace": "dynatrace", "key": "apiurl"}}})),
    ]
}

/// A well-formed pipeline that ships elsewhere, whatever its name, labels, annotations and status say.
pub fn elsewhere() -> impl Strategy<Value = Pipeline> {
    let endpoint = elsewhere_endpoint();
    let path = prop_oneof![Just(None), text(&["", "otlp/v1/logs", "v1/traces", "v2/otlp"]).prop_map(Some)];
    let header = prop_oneof![
        Just(json!({"name": "Authorization", "prefix": "Bearer", "value": "SECRET"})),
        Just(json!({"name": "X-Scope", "value": "Api-Token SECRET"})),
        Just(
            json!({"name": "Authorization", "valueFrom": {"secretKeyRef": {"name": "other", "namespace": "x", "key": "dynakube"}}})
        ),
    ];
    let headers = proptest::collection::vec(header, 0..3).prop_map(Value::from);
    let protocol = prop_oneof![Just(None), text(&["", "http", "grpc"]).prop_map(Some)];
    let temporality = prop_oneof![Just(None), text(&["preserve", "delta"]).prop_map(Some)];
    let otlp = (endpoint, path, headers, protocol, temporality).prop_map(
        |(endpoint, path, headers, protocol, temporality)| {
            object([
                ("endpoint", Some(endpoint)),
                ("path", path),
                ("headers", Some(headers)),
                ("protocol", protocol),
                ("temporality", temporality),
            ])
        },
    );
    let well_formed_input = |pipeline: &mut Value| {
        pipeline["spec"]["input"] = json!({"istio": {"enabled": true}, "prometheus": {"enabled": true}});
    };
    (whole(otlp), token()).prop_map(move |((mut pipeline, is_pretty), token)| {
        well_formed_input(&mut pipeline);
        write(&pipeline, is_pretty, token)
    })
}

/// The declared Secret, mostly as the default has it.
fn declared_secret() -> impl Strategy<Value = Value> {
    let paths = select(&["/api", "/api", "/api", "/api/v2/otlp", "/", "/e/abc/api"][..]);
    (paths, select(&["Api-Token", "Api-Token", "Bearer"][..])).prop_map(|(path, scheme)| {
        json!({"namespace": "dynatrace", "name": "dynakube", "endpointPath": path, "tokenScheme": scheme})
    })
}

/// Valid settings.
pub fn settings() -> impl Strategy<Value = Value> {
    let level = || prop_oneof![6 => Just(None), 1 => select(&["deny", "warn", "off"][..]).prop_map(|level| Some(Value::from(level)))];
    (
        select(&["repair", "repair", "validate"][..]),
        select(&["off", "auto", "always"][..]),
        (select(&["anySecret", "declaredSecrets"][..]), any::<(bool, bool)>(), declared_secret()),
        level(),
        level(),
        level(),
        level(),
    )
        .prop_map(
            |(mode, delta, (inject, (denials_as_warnings, looks_up), secret), path, token, scheme, metrics)| {
                json!({
                    "mode": mode,
                    "denialsAsWarnings": denials_as_warnings,
                    "lookUpSecrets": looks_up,
                    "dynatrace": {"injectPrefixFor": inject, "secrets": [secret]},
                    "metrics": {"deltaConversion": delta},
                    "rules": object([
                        ("wrong-otlp-path", path),
                        ("inline-token", token),
                        ("wrong-authorization-scheme", scheme),
                        ("cumulative-metrics", metrics),
                    ]),
                })
            },
        )
}
