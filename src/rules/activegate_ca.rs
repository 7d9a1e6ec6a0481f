#![doc = include_str!("../../docs/rules/activegate-ca.md")]

use crate::destination::{Destination, Scheme};
use crate::pipeline::FieldPath;
use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::ActivegateCa,
    level: Level::Warn,
    scope: Scope::Direct,
    summary: "no `tls.ca` for an ActiveGate in the cluster, whose certificate is self-signed by default",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let output = &subject.output;
    let is_https = subject.address().valid_literal().is_some_and(|literal| literal.scheme == Scheme::Https);
    let is_covered = output.has_ca() || output.skips_verification();
    if subject.destination != Destination::InClusterActiveGate || is_covered || !is_https {
        return Vec::new();
    }
    vec![Fault {
        field: FieldPath::new("spec.output.otlp.tls.ca"),
        found: "is missing".into(),
        expected: "the ActiveGate's certificate".into(),
        why: "the ActiveGate's certificate is self-signed by default, so its verification fails".into(),
        fix: "set `tls.ca` to the key `tls.crt` of the Secret `<dynakube>-activegate-tls-secret`".into(),
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

    fn check_with(scheme: &str, tls: &str) -> Vec<Fault> {
        let url = endpoint(&format!("{scheme}://dynakube-activegate.dynatrace/e/abc/api"));
        faults(&RULE, Signal::Logs, &format!(r#"{url},"tls":{tls}"#))
    }

    #[test]
    fn rejects_softly_a_missing_authority() {
        assert_eq!(check_with("https", r#"{"ca":{}}"#).len(), 1, "an empty one is none");
        assert_one(&check_with("https", "{}"), "spec.output.otlp.tls.ca", "is missing", "the ActiveGate's certificate");
    }

    #[test]
    fn accepts_an_authority() {
        assert_eq!(check_with("https", r#"{"ca":{"value":"x"}}"#), []);
    }

    #[test]
    fn ignores_what_other_rules_find_and_other_hosts() {
        assert_eq!(check_with("https", r#"{"insecureSkipVerify":true}"#), []);
        assert_eq!(check_with("http", "{}"), []);
        assert_eq!(faults(&RULE, Signal::Logs, &endpoint("https://abc12345.live.dynatrace.com")), []);
    }
}
