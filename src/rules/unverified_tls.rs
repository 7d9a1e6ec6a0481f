#![doc = include_str!("../../docs/rules/unverified-tls.md")]

use crate::destination::Destination;
use crate::pipeline::FieldPath;
use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::UnverifiedTls,
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "the server's certificate is not verified (a warning for an ActiveGate in the cluster)",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    if !subject.output.skips_verification() {
        return Vec::new();
    }
    let is_in_cluster = subject.destination == Destination::InClusterActiveGate;
    let fix = if is_in_cluster {
        "remove `tls.insecureSkipVerify`, and set `tls.ca` to the key `tls.crt` of the Secret `<dynakube>-activegate-tls-secret`"
    } else {
        "remove `tls.insecureSkipVerify`; for a private CA, set `tls.ca`"
    };
    vec![Fault {
        field: FieldPath::new("spec.output.otlp.tls.insecureSkipVerify"),
        found: "is `true`".into(),
        expected: "a verified certificate".into(),
        why: "anyone on the network path can read the ingest token and the data".into(),
        fix: fix.into(),
        level: is_in_cluster.then_some(Level::Warn),
        evidence: Evidence::Presence,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{assert_one, endpoint, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const SKIP: &str = r#""tls":{"insecureSkipVerify":true}"#;

    #[test]
    fn rejects_tls_without_verification() {
        let faults =
            faults(&RULE, Signal::Logs, &format!("{},{SKIP}", endpoint("https://abc12345.live.dynatrace.com")));
        assert_one(&faults, "spec.output.otlp.tls.insecureSkipVerify", "is `true`", "a verified certificate");
        assert_eq!(faults[0].level, None);
    }

    #[test]
    fn rejects_it_softly_in_the_cluster() {
        let activegate = endpoint("https://dynakube-activegate.dynatrace/e/abc/api");
        assert_eq!(faults(&RULE, Signal::Logs, &format!("{activegate},{SKIP}"))[0].level, Some(Level::Warn));
    }

    #[test]
    fn accepts_verified_tls() {
        assert_eq!(faults(&RULE, Signal::Logs, &endpoint("https://abc12345.live.dynatrace.com")), []);
    }
}
