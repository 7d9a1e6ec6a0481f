#![doc = include_str!("../../docs/rules/wrong-collector-port.md")]

use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::Level;

/// The rule.
pub static RULE: Rule = Rule {
    id: "wrong-collector-port",
    level: Level::Deny,
    scope: Scope::Collector,
    summary: "protocol and port do not fit: the Collector takes gRPC on 4317 and HTTP on 4318",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let address = subject.address();
    let (Some(protocol), Some(literal)) = (subject.output.protocol.text_or_empty(), address.literal()) else {
        return Vec::new();
    };
    // A URL that Go cannot parse is the matter of `wrong-collector-path`.
    let Ok(url) = &literal.endpoint else { return Vec::new() };
    let port = url.port();
    let (name, expected) = match protocol {
        "" | "grpc" => ("grpc", "4317"),
        "http" => ("http", "4318"),
        // The schema check refuses any other protocol.
        _ => return Vec::new(),
    };
    if port == Some(expected) {
        return Vec::new();
    }
    let found = match port {
        // Digits only, as parsed; a port number is at most five of them.
        Some(port) if port.len() <= 5 => format!("at port {port}"),
        Some(_) => "at a port that is none".to_owned(),
        None => "without a port".to_owned(),
    };
    vec![Fault {
        field: "spec.output.otlp.endpoint.value".into(),
        found: found.into(),
        expected: format!("port {expected} for protocol `{name}`").into(),
        why: "the Dynatrace Collector takes gRPC on 4317 and HTTP on 4318".into(),
        fix: format!("write port {expected} in the endpoint, or change `protocol`").into(),
        level: None,
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
        assert_one(&check_port(":4317", http), field, "at port 4317", "port 4318 for protocol `http`");
        assert_one(&check_port(":4318", ""), field, "at port 4318", "port 4317 for protocol `grpc`");
        assert_one(&check_port("", http), field, "without a port", "port 4318 for protocol `http`");
        assert_one(&check_port(":123456", http), field, "at a port that is none", "port 4318 for protocol `http`");
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
