#![doc = include_str!("../../docs/rules/wrong-collector-path.md")]

use crate::pipeline::FieldPath;
use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::WrongCollectorPath,
    level: Level::Deny,
    scope: Scope::Collector,
    summary: "the path is one that the Collector does not serve: none over gRPC, `/v1/<signal>` over HTTP",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let output = &subject.output;
    let (Some(path), Some(protocol)) = (output.path.text_or_empty(), output.protocol.text_or_empty()) else {
        return Vec::new();
    };
    let Some(literal) = subject.address().valid_literal() else { return Vec::new() };
    let field = if path.is_empty() { "spec.output.otlp.endpoint.value" } else { "spec.output.otlp.path" };
    let (found, expected, why) = if protocol == "http" {
        let expected = format!("/v1/{}", subject.signal.name());
        match subject.address().posted() {
            Some(Ok(posted)) if posted.path == expected => return Vec::new(),
            Some(Ok(posted)) => (
                ["resolves to ", &literal.shown(&posted.wire)].concat(),
                format!("no path, or `{expected}`"),
                "the Collector takes plain OTLP, and has no Dynatrace API",
            ),
            Some(Err(error)) => (format!("is no valid path: {error}"), "no path".to_owned(), "the module refuses it"),
            None => return Vec::new(),
        }
    } else if literal.has_path || !path.is_empty() {
        // A slash is a path (`endpoint_validator.go`).
        ("is or has a path".to_owned(), "no path".to_owned(), "the Telemetry module refuses a path over gRPC")
    } else {
        return Vec::new();
    };
    vec![Fault {
        field: FieldPath::new(field),
        found: found.into(),
        expected: expected.into(),
        why: why.into(),
        fix: "remove `path`, and end the endpoint with its port".into(),
        level: None,
        evidence: subject.effective_path(),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{assert_one, endpoint, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn check_with(base: &str, more: &str) -> Vec<Fault> {
        let url = endpoint(&format!("http://dynakube-telemetry-ingest.dynatrace:4318{base}"));
        faults(&RULE, Signal::Traces, &format!("{url}{more}"))
    }

    #[test]
    fn rejects_the_path_of_the_dynatrace_api() {
        let faults = check_with("", r#","protocol":"http","path":"v2/otlp/v1/traces""#);
        let found = "resolves to `/v2/otlp/v1/traces`";
        assert_one(&faults, "spec.output.otlp.path", found, "no path, or `/v1/traces`");
    }

    #[test]
    fn rejects_a_doubled_path_over_http_and_any_path_over_grpc() {
        let faults = check_with("/v1/traces", r#","protocol":"http""#);
        let found = "resolves to `/v1/traces/v1/traces`";
        assert_one(&faults, "spec.output.otlp.endpoint.value", found, "no path, or `/v1/traces`");
        for base in ["/", "/v1/traces"] {
            let faults = check_with(base, "");
            assert_one(&faults, "spec.output.otlp.endpoint.value", "is or has a path", "no path");
        }
        assert_eq!(check_with("", r#","path":"v1/traces""#).len(), 1);
    }

    #[test]
    fn accepts_no_path_and_the_signal_s_own() {
        assert_eq!(check_with("", ""), []);
        assert_eq!(check_with("/", r#","protocol":"http""#), []);
        assert_eq!(check_with("", r#","protocol":"http","path":"/v1/traces/""#), []);
    }

    #[test]
    fn ignores_malformed_fields() {
        assert_eq!(check_with("/x", r#","path":3"#), []);
    }
}
