#![doc = include_str!("../../docs/rules/unexpected-port.md")]

use crate::destination::Destination;
use crate::pipeline::FieldPath;
use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::UnexpectedPort,
    level: Level::Warn,
    scope: Scope::Direct,
    summary: "the endpoint has a port other than 443, on which Dynatrace SaaS does not listen",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    if subject.destination != Destination::Saas {
        return Vec::new();
    }
    let Some(literal) = subject.address().valid_literal() else { return Vec::new() };
    if literal.port.as_deref().is_none_or(|port| port.parse() == Ok(443)) {
        return Vec::new();
    }
    let port = literal.shown_port().unwrap_or_default();
    vec![Fault {
        field: FieldPath::new("spec.output.otlp.endpoint.value"),
        found: format!("has the port {port}").into(),
        expected: "no port, or 443".into(),
        why: "Dynatrace SaaS takes OTLP on port 443 only".into(),
        fix: "remove the port from the endpoint".into(),
        level: None,
        evidence: subject.at_host(literal.port.as_deref().unwrap_or_default()),
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
    fn rejects_softly_another_port() {
        let faults = faults(&RULE, Signal::Logs, &endpoint("https://abc12345.live.dynatrace.com:4318/api"));
        assert_one(&faults, "spec.output.otlp.endpoint.value", "has the port 4318", "no port, or 443");
        assert_eq!(RULE.level, Level::Warn);
    }

    #[test]
    fn accepts_443_and_none_and_any_on_other_destinations() {
        for url in [
            "https://abc12345.live.dynatrace.com:443/api",
            "https://abc12345.live.dynatrace.com/api",
            "https://dt.corp.example:9999/e/abc/api",
        ] {
            assert_eq!(faults(&RULE, Signal::Logs, &endpoint(url)), [], "{url}");
        }
    }
}
