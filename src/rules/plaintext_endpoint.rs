#![doc = include_str!("../../docs/rules/plaintext-endpoint.md")]

use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::Level;

/// The rule.
pub static RULE: Rule = Rule {
    id: "plaintext-endpoint",
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "the endpoint is `http://`, or TLS is switched off: the token would travel in clear text",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if subject.address().literal().is_some_and(|literal| literal.is_plaintext) {
        faults.push(fault(
            "spec.output.otlp.endpoint.value",
            "`http://`",
            "`https://`",
            "write `https://` in the endpoint",
        ));
    }
    if subject.output.is_insecure() {
        faults.push(fault("spec.output.otlp.tls.insecure", "`true`", "no such field", "remove `tls.insecure`"));
    }
    faults
}

fn fault(field: &'static str, found: &'static str, expected: &'static str, fix: &'static str) -> Fault {
    Fault {
        field: field.into(),
        found: found.into(),
        expected: expected.into(),
        why: "the ingest token would travel in clear text".into(),
        fix: fix.into(),
        level: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, assert_one, endpoint, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_plain_http_in_any_case() {
        for scheme in ["http", "HTTP"] {
            let faults = faults(&RULE, Signal::Logs, &endpoint(&format!("{scheme}://abc12345.live.dynatrace.com")));
            assert_one(&faults, "spec.output.otlp.endpoint.value", "`http://`", "`https://`");
        }
    }

    #[test]
    fn rejects_tls_switched_off_also_with_a_secret() {
        let faults = faults(&RULE, Signal::Logs, &format!(r#"{SECRET},"tls":{{"insecure":true}}"#));
        assert_one(&faults, "spec.output.otlp.tls.insecure", "`true`", "no such field");
    }

    #[test]
    fn accepts_https() {
        let otlp = format!(r#"{},"tls":{{"insecure":false}}"#, endpoint("https://abc12345.live.dynatrace.com"));
        assert_eq!(faults(&RULE, Signal::Logs, &otlp), []);
    }

    #[test]
    fn ignores_the_collector_in_the_cluster() {
        assert_eq!(faults(&RULE, Signal::Logs, &endpoint("http://dynakube-telemetry-ingest.dynatrace:4317")), []);
    }
}
