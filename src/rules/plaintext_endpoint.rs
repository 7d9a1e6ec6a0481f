#![doc = include_str!("../../docs/rules/plaintext-endpoint.md")]

use crate::destination::Scheme;
use crate::pipeline::FieldPath;
use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::PlaintextEndpoint,
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "the endpoint is `http://`: the token would travel in clear text",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    if subject.address().valid_literal().is_none_or(|literal| literal.scheme != Scheme::Http) {
        return Vec::new();
    }
    let found = "begins with `http://`";
    vec![Fault {
        field: FieldPath::new("spec.output.otlp.endpoint.value"),
        found: found.into(),
        expected: "`https://`".into(),
        why: "the ingest token would travel in clear text".into(),
        fix: "change `http://` to `https://` in the endpoint".into(),
        level: None,
        evidence: subject.at_host(found),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{assert_one, endpoint, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_plain_http_in_any_case() {
        for scheme in ["http", "HTTP"] {
            let faults = faults(&RULE, Signal::Logs, &endpoint(&format!("{scheme}://abc12345.live.dynatrace.com")));
            assert_one(&faults, "spec.output.otlp.endpoint.value", "begins with `http://`", "`https://`");
        }
    }

    #[test]
    fn accepts_https_also_where_tls_insecure_says_nothing() {
        for tls in ["false", "true"] {
            let url = endpoint("https://abc12345.live.dynatrace.com");
            assert_eq!(faults(&RULE, Signal::Logs, &format!(r#"{url},"tls":{{"insecure":{tls}}}"#)), []);
        }
    }

    #[test]
    fn ignores_the_collector_in_the_cluster() {
        assert_eq!(faults(&RULE, Signal::Logs, &endpoint("http://dynakube-telemetry-ingest.dynatrace:4317")), []);
    }
}
