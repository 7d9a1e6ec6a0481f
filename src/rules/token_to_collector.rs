#![doc = include_str!("../../docs/rules/token-to-collector.md")]

use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::TokenToCollector,
    level: Level::Warn,
    scope: Scope::Collector,
    summary: "an `Authorization` header is sent to the Collector, which needs none",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let fault = |header: &crate::pipeline::Header<'_>| Fault {
        field: header.field(""),
        found: "is an `Authorization` header".into(),
        expected: "none".into(),
        why: "the Collector has its own token, and takes plaintext by default".into(),
        fix: "remove the `Authorization` header".into(),
        level: None,
        evidence: Evidence::of(&header.source()),
    };
    subject.output.authorizations().map(fault).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{assert_one, endpoint, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn check_with(header: &str) -> Vec<Fault> {
        let collector = endpoint("http://dynakube-telemetry-ingest.dynatrace:4317");
        faults(&RULE, Signal::Metrics, &format!(r#"{collector},"headers":[{{"name":"{header}","value":"x"}}]"#))
    }

    #[test]
    fn rejects_softly_a_needless_token() {
        let faults = check_with("authorization");
        assert_one(&faults, "spec.output.otlp.headers[0]", "is an `Authorization` header", "none");
    }

    #[test]
    fn accepts_other_headers() {
        assert_eq!(check_with("X-Scope"), []);
    }
}
