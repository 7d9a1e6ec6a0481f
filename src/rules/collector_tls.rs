#![doc = include_str!("../../docs/rules/collector-tls.md")]

use crate::destination::Scheme;
use crate::pipeline::FieldPath;
use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::CollectorTls,
    level: Level::Warn,
    scope: Scope::Collector,
    summary: "no scheme and no `tls.insecure`: TLS to a port that speaks plaintext by default",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let has_scheme = subject.address().valid_literal().is_none_or(|literal| literal.scheme != Scheme::Absent);
    // Over HTTP a missing scheme is the matter of `missing-scheme`.
    if subject.output.is_insecure() || has_scheme || subject.output.protocol.is("http") {
        return Vec::new();
    }
    vec![Fault {
        field: FieldPath::new("spec.output.otlp.endpoint.value"),
        found: "has no scheme, which means TLS".into(),
        expected: "`http://`".into(),
        why: "the Collector takes plaintext unless the DynaKube has `telemetryIngest.tlsRefName`".into(),
        fix: "write `http://` in front of the endpoint, or `https://` if the DynaKube has `telemetryIngest.tlsRefName`"
            .into(),
        level: None,
        evidence: subject.at_host(""),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{assert_one, endpoint, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn check_with(scheme: &str, more: &str) -> Vec<Fault> {
        let url = endpoint(&format!("{scheme}dynakube-telemetry-ingest.dynatrace:4317"));
        faults(&RULE, Signal::Metrics, &format!("{url}{more}"))
    }

    #[test]
    fn rejects_softly_a_missing_scheme() {
        let found = "has no scheme, which means TLS";
        assert_one(&check_with("", ""), "spec.output.otlp.endpoint.value", found, "`http://`");
    }

    #[test]
    fn accepts_a_scheme_or_tls_switched_off() {
        assert_eq!(check_with("http://", ""), []);
        assert_eq!(check_with("https://", ""), []);
        assert_eq!(check_with("", r#","tls":{"insecure":true}"#), []);
    }
}
