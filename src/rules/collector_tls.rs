#![doc = include_str!("../../docs/rules/collector-tls.md")]

use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::Level;

/// The rule.
pub static RULE: Rule = Rule {
    id: "collector-tls",
    level: Level::Warn,
    scope: Scope::Collector,
    summary: "no scheme and no `tls.insecure`: TLS to a port that speaks plaintext by default",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    if subject.output.is_insecure() || subject.address().literal().is_none_or(|literal| literal.has_scheme) {
        return Vec::new();
    }
    vec![Fault {
        field: "spec.output.otlp.endpoint.value".into(),
        found: "without a scheme, which means TLS".into(),
        expected: "`http://`".into(),
        why: "the Collector speaks plaintext unless the DynaKube has `telemetryIngest.tlsRefName`".into(),
        fix: "begin the endpoint with `http://`, or with `https://` if the DynaKube has `telemetryIngest.tlsRefName`"
            .into(),
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

    fn check_with(scheme: &str, more: &str) -> Vec<Fault> {
        let url = endpoint(&format!("{scheme}dynakube-telemetry-ingest.dynatrace:4317"));
        faults(&RULE, Signal::Metrics, &format!("{url}{more}"))
    }

    #[test]
    fn rejects_softly_a_missing_scheme() {
        let found = "without a scheme, which means TLS";
        assert_one(&check_with("", ""), "spec.output.otlp.endpoint.value", found, "`http://`");
    }

    #[test]
    fn accepts_a_scheme_or_tls_switched_off() {
        assert_eq!(check_with("http://", ""), []);
        assert_eq!(check_with("https://", ""), []);
        assert_eq!(check_with("", r#","tls":{"insecure":true}"#), []);
    }
}
