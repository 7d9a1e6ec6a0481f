#![doc = include_str!("../../docs/rules/activegate-ca.md")]

use crate::destination::Destination;
use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::Level;

/// The rule.
pub static RULE: Rule = Rule {
    id: "activegate-ca",
    level: Level::Warn,
    scope: Scope::Direct,
    summary: "no `tls.ca` for an ActiveGate in the cluster, whose certificate is self-signed by default",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let output = &subject.output;
    let is_plaintext = output.is_insecure() || subject.address().literal().is_some_and(|literal| literal.is_plaintext);
    if subject.destination != Destination::InClusterActiveGate
        || output.has_ca()
        || output.skips_verification()
        || is_plaintext
    {
        return Vec::new();
    }
    vec![Fault {
        field: "spec.output.otlp.tls.ca".into(),
        found: "missing".into(),
        expected: "the ActiveGate's certificate".into(),
        why: "it is self-signed unless you gave the DynaKube one of your own, and verification fails".into(),
        fix: "take `tls.ca` from key `tls.crt` of Secret `<dynakube>-activegate-tls-secret`".into(),
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

    fn check_with(scheme: &str, tls: &str) -> Vec<Fault> {
        let url = endpoint(&format!("{scheme}://dynakube-activegate.dynatrace/e/abc/api"));
        faults(&RULE, Signal::Logs, &format!(r#"{url},"tls":{tls}"#))
    }

    #[test]
    fn rejects_softly_a_missing_authority() {
        assert_one(&check_with("https", "{}"), "spec.output.otlp.tls.ca", "missing", "the ActiveGate's certificate");
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
