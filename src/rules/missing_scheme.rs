#![doc = include_str!("../../docs/rules/missing-scheme.md")]

use crate::destination::Scheme;
use crate::pipeline::FieldPath;
use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::MissingScheme,
    level: Level::Deny,
    scope: Scope::Dynatrace,
    summary: "the endpoint does not begin with `https://` (or `http://`, to the Collector)",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let Some(literal) = subject.address().valid_literal() else { return Vec::new() };
    // Over gRPC the module takes `host:4317`.
    if subject.destination.is_collector() && !subject.output.protocol.is("http") {
        return Vec::new();
    }
    let expected = if subject.destination.is_collector() { "http://" } else { "https://" };
    let (found, fix) = match literal.scheme {
        Scheme::Absent => ("has no scheme", format!("write `{expected}` in front of the endpoint")),
        Scheme::Other => ("has an unknown scheme", format!("replace the scheme of the endpoint with `{expected}`")),
        Scheme::Http | Scheme::Https => return Vec::new(),
    };
    vec![Fault {
        field: FieldPath::new("spec.output.otlp.endpoint.value"),
        found: found.into(),
        expected: format!("`{expected}`").into(),
        why: "the Telemetry module accepts the pipeline and then sends nothing".into(),
        fix: fix.into(),
        level: None,
        evidence: subject.at_host(found),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, assert_one, endpoint, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_endpoints_without_a_scheme_or_with_another() {
        for (url, found) in [
            ("abc12345.live.dynatrace.com/api", "has no scheme"),
            ("//abc12345.live.dynatrace.com", "has no scheme"),
            ("grpc://abc12345.live.dynatrace.com", "has an unknown scheme"),
        ] {
            let faults = faults(&RULE, Signal::Logs, &endpoint(url));
            assert_one(&faults, "spec.output.otlp.endpoint.value", found, "`https://`");
        }
    }

    #[test]
    fn rejects_it_to_the_collector_over_http_alone() {
        let collector = endpoint("dynakube-telemetry-ingest.dynatrace:4318");
        let http = faults(&RULE, Signal::Logs, &format!(r#"{collector},"protocol":"http""#));
        assert_one(&http, "spec.output.otlp.endpoint.value", "has no scheme", "`http://`");
        assert_eq!(faults(&RULE, Signal::Logs, &collector), []);
    }

    #[test]
    fn accepts_both_schemes_in_any_case() {
        for url in ["https://abc12345.live.dynatrace.com", "HTTP://abc12345.live.dynatrace.com"] {
            assert_eq!(faults(&RULE, Signal::Logs, &endpoint(url)), []);
        }
    }

    #[test]
    fn ignores_endpoints_out_of_secrets_and_those_that_are_no_url() {
        assert_eq!(faults(&RULE, Signal::Logs, SECRET), []);
        assert_eq!(faults(&RULE, Signal::Logs, &endpoint("abc12345.live.dynatrace.com/a b%zz")), []);
    }
}
