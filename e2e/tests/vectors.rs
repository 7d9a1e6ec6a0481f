//! Endpoints, paths and protocols as users write them, and what the policy thinks of each.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics is a test that fails")]

use e2e::policy;
use kyma_dynatrace_admission::admission_request;
use serde_json::json;

/// Kind, endpoint, path, protocol and temporality (empty: absent); findings, in order, warnings included.
const VECTORS: &[(&str, &str, &str, &str, &str, &str)] = &[
    ("MetricPipeline", "https://abc12345.live.dynatrace.com/api", "v2/otlp/v1/metrics", "http", "delta", ""),
    ("TracePipeline", "https://abc12345.live.dynatrace.com/api/", "/v2/otlp/v1/traces/", "http", "", ""),
    ("LogPipeline", "https://abc12345.live.dynatrace.com/api/v2/otlp", "", "http", "", ""),
    (
        "MetricPipeline",
        "https://abc12345.live.dynatrace.com/api/v2/otlp",
        "v2/otlp/v1/metrics",
        "http",
        "delta",
        "wrong-otlp-path",
    ),
    ("TracePipeline", "https://abc12345.live.dynatrace.com", "v2/otlp/v1/traces", "http", "", "wrong-otlp-path"),
    ("TracePipeline", "https://abc12345.live.dynatrace.com", "api/v2/otlp/v1/traces", "http", "", ""),
    ("TracePipeline", "https://abc12345.live.dynatrace.com/api", "v2/otlp", "http", "", "wrong-otlp-path"),
    ("TracePipeline", "https://abc12345.apps.dynatrace.com/api", "v2/otlp/v1/traces", "http", "", "ui-host"),
    ("LogPipeline", "https://abc12345.sprint.apps.dynatracelabs.com/api", "v2/otlp/v1/logs", "http", "", "ui-host"),
    // In `validate` mode the missing path is a finding too.
    ("TracePipeline", "https://abc12345.live.dynatrace.com:443", "", "grpc", "", "grpc-protocol,wrong-otlp-path"),
    ("LogPipeline", "https://dt.corp.example/e/6f2b-uuid/api", "v2/otlp/v1/logs", "http", "", ""),
    (
        "MetricPipeline",
        "https://ag.corp.example:9999/e/abc12345/api/v2/otlp",
        "",
        "http",
        "preserve",
        "application-temporality",
    ),
    (
        "TracePipeline",
        "https://dynakube-activegate.dynatrace.svc/e/abc12345/api",
        "v2/otlp/v1/traces",
        "http",
        "",
        "activegate-ca",
    ),
    ("MetricPipeline", "http://dynakube-telemetry-ingest.dynatrace:4318", "", "http", "preserve", "token-to-collector"),
    (
        "TracePipeline",
        "http://dynakube-telemetry-ingest.dynatrace.svc.cluster.local:4317",
        "",
        "grpc",
        "",
        "token-to-collector",
    ),
    ("TracePipeline", "dynakube-telemetry-ingest.dynatrace:4317", "", "grpc", "", "token-to-collector,collector-tls"),
    (
        "TracePipeline",
        "http://dynakube-telemetry-ingest.dynatrace:4318",
        "v2/otlp/v1/traces",
        "http",
        "",
        "wrong-collector-path,token-to-collector",
    ),
    (
        "TracePipeline",
        "http://dynakube-telemetry-ingest.dynatrace:4317",
        "",
        "http",
        "",
        "wrong-collector-port,token-to-collector",
    ),
    ("TracePipeline", "https://ingest.otlp.other.example", "", "grpc", "", "(elsewhere)"),
    ("LogPipeline", "http://loki.logging.svc.cluster.local:3100", "otlp/v1/logs", "http", "", "(elsewhere)"),
    ("MetricPipeline", "http://prometheus.monitoring:9090/api/v1/otlp", "", "http", "preserve", "(elsewhere)"),
];

#[test]
fn each_vector_is_found_as_known() {
    for (kind, endpoint, path, protocol, temporality, wanted) in VECTORS {
        let mut otlp = json!({"endpoint": {"value": endpoint}});
        for (name, value) in [("path", path), ("protocol", protocol), ("temporality", temporality)] {
            if !value.is_empty() {
                otlp.as_object_mut().unwrap().insert(name.to_owned(), (*value).into());
            }
        }
        // Everywhere but elsewhere, a header that is right for the API and needless for the Collector.
        if *wanted != "(elsewhere)" {
            let token = json!({"name": "token", "namespace": "dynatrace", "key": "token"});
            let header = json!({"name": "Authorization", "prefix": "Api-Token", "valueFrom": {"secretKeyRef": token}});
            otlp.as_object_mut().unwrap().insert("headers".to_owned(), json!([header]));
        }
        let object = json!({"apiVersion": "telemetry.kyma-project.io/v1beta1", "kind": kind,
            "metadata": {"name": "x"}, "spec": {"output": {"otlp": otlp}}});
        let response = policy(&json!({"mode": "validate"})).admit(&admission_request(&object, None));
        let found = match &response.audit_annotations {
            None => "(elsewhere)".to_owned(),
            Some(annotations) => annotations.get("findings").cloned().unwrap_or_default(),
        };
        assert_eq!(found, *wanted, "{kind} {endpoint} {path}");
    }
}
