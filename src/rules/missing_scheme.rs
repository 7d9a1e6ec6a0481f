#![doc = include_str!("../../docs/rules/missing-scheme.md")]

use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::Level;

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-scheme",
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "the endpoint begins with neither `https://` nor `http://`",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    if subject.address().literal().is_none_or(|literal| literal.has_scheme) {
        return Vec::new();
    }
    vec![Fault {
        field: "spec.output.otlp.endpoint.value".into(),
        found: "without a scheme".into(),
        expected: "`https://` in front".into(),
        why: "the Telemetry module accepts it and then sends nothing".into(),
        fix: "begin the endpoint with `https://`".into(),
        level: None,
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
        for url in
            ["abc12345.live.dynatrace.com/api", "//abc12345.live.dynatrace.com", "grpc://abc12345.live.dynatrace.com"]
        {
            let faults = faults(&RULE, Signal::Logs, &endpoint(url));
            assert_one(&faults, "spec.output.otlp.endpoint.value", "without a scheme", "`https://` in front");
        }
    }

    #[test]
    fn accepts_both_schemes_in_any_case() {
        for url in ["https://abc12345.live.dynatrace.com", "HTTP://abc12345.live.dynatrace.com"] {
            assert_eq!(faults(&RULE, Signal::Logs, &endpoint(url)), []);
        }
    }

    #[test]
    fn ignores_endpoints_out_of_secrets() {
        assert_eq!(faults(&RULE, Signal::Logs, SECRET), []);
    }
}
