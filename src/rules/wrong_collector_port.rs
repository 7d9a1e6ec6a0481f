#![doc = include_str!("../../docs/rules/wrong-collector-port.md")]

use crate::pipeline::FieldPath;
use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::WrongCollectorPort,
    level: Level::Deny,
    scope: Scope::Collector,
    summary: "protocol and port do not fit: the Collector takes gRPC on 4317 and HTTP on 4318",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let protocol = subject.output.protocol.text_or_empty();
    let (Some(protocol), Some(literal)) = (protocol, subject.address().valid_literal()) else { return Vec::new() };
    let (name, expected) = match protocol {
        "" | "grpc" => ("grpc", "4317"),
        "http" => ("http", "4318"),
        // The schema check refuses any other protocol.
        _ => return Vec::new(),
    };
    if literal.port.as_deref() == Some(expected) {
        return Vec::new();
    }
    let found = literal.shown_port().map_or_else(|| "has no port".to_owned(), |port| format!("has the port {port}"));
    vec![Fault {
        field: FieldPath::new("spec.output.otlp.endpoint.value"),
        found: found.into(),
        expected: format!("port {expected} for the protocol `{name}`").into(),
        why: "the Dynatrace Collector takes gRPC on 4317 and HTTP on 4318".into(),
        fix: format!("set the port of the endpoint to {expected}").into(),
        level: None,
        evidence: subject.at_host(literal.port.as_deref().unwrap_or_default()),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{assert_one, endpoint, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn check_port(port: &str, protocol: &str) -> Vec<Fault> {
        let url = endpoint(&format!("http://dynakube-telemetry-ingest.dynatrace{port}"));
        faults(&RULE, Signal::Metrics, &format!("{url}{protocol}"))
    }

    #[test]
    fn rejects_pairs_that_do_not_fit() {
        let field = "spec.output.otlp.endpoint.value";
        let http = r#","protocol":"http""#;
        assert_one(&check_port(":4317", http), field, "has the port 4317", "port 4318 for the protocol `http`");
        assert_one(&check_port(":4318", ""), field, "has the port 4318", "port 4317 for the protocol `grpc`");
        assert_one(&check_port("", http), field, "has no port", "port 4318 for the protocol `http`");
    }

    #[test]
    fn accepts_pairs_that_fit() {
        assert_eq!(check_port(":4317", ""), []);
        assert_eq!(check_port(":4317", r#","protocol":"grpc""#), []);
        assert_eq!(check_port(":4318", r#","protocol":"http""#), []);
    }

    #[test]
    fn ignores_a_malformed_protocol() {
        assert_eq!(check_port(":1", r#","protocol":3"#), []);
    }
}
