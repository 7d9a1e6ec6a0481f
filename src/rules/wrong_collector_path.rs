#![doc = include_str!("../../docs/rules/wrong-collector-path.md")]

use crate::destination::url::Url;
use crate::pipeline::OTLP;
use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::Level;
use crate::text::quote;

/// The rule.
pub static RULE: Rule = Rule {
    id: "wrong-collector-path",
    level: Level::Deny,
    scope: Scope::Collector,
    summary: "the path is neither empty nor `/v1/<signal>`: the Collector has no Dynatrace API",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let output = &subject.output;
    let (Some(path), Some(protocol)) = (output.path.text_or_empty(), output.protocol.text_or_empty()) else {
        return Vec::new();
    };
    let address = subject.address();
    let Some(literal) = address.literal() else { return Vec::new() };
    // The exporter for gRPC appends nothing.
    let posted_to = if protocol == "http" || literal.has_path {
        literal.effective.clone()
    } else {
        literal.endpoint.as_ref().map(Url::wire_path).map_err(|error| *error)
    };
    let expected = format!("/v1/{}", subject.signal.name());
    let found = match posted_to {
        Ok(effective) if effective.is_empty() || effective == expected => return Vec::new(),
        Ok(effective) => format!("such that data goes to {}", quote(&effective)),
        Err(error) => format!("no valid URL, {error}"),
    };
    vec![Fault {
        field: format!("{OTLP}.{}", if path.is_empty() { "endpoint.value" } else { "path" }).into(),
        found: found.into(),
        expected: format!("no path, or `{expected}`").into(),
        why: "the Collector takes plain OTLP; the Dynatrace API is behind it".into(),
        fix: "remove `path`, and let the endpoint end in its port".into(),
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

    fn check_with(base: &str, more: &str) -> Vec<Fault> {
        let url = endpoint(&format!("http://dynakube-telemetry-ingest.dynatrace:4318{base}"));
        faults(&RULE, Signal::Traces, &format!("{url}{more}"))
    }

    #[test]
    fn rejects_the_path_of_the_dynatrace_api() {
        let faults = check_with("", r#","protocol":"http","path":"v2/otlp/v1/traces""#);
        let found = "such that data goes to `/v2/otlp/v1/traces`";
        assert_one(&faults, "spec.output.otlp.path", found, "no path, or `/v1/traces`");
    }

    #[test]
    fn rejects_a_doubled_path_and_a_slash_for_grpc() {
        let faults = check_with("/v1/traces", r#","protocol":"http""#);
        let found = "such that data goes to `/v1/traces/v1/traces`";
        assert_one(&faults, "spec.output.otlp.endpoint.value", found, "no path, or `/v1/traces`");
        assert_eq!(check_with("/", "").len(), 1, "the module refuses gRPC endpoints with a path");
        assert!(check_with("\\n", "")[0].found.starts_with("no valid URL"));
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
