#![doc = include_str!("../../docs/rules/unknown-host.md")]

use crate::destination::{Destination, is_below_dynatrace};
use crate::pipeline::FieldPath;
use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::UnknownHost,
    level: Level::Warn,
    scope: Scope::Direct,
    summary: "the host is one of Dynatrace, but none that is known to take OTLP",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let address = subject.address();
    let is_unknown = |host: &str| subject.destination == Destination::Other && is_below_dynatrace(host);
    let Some(literal) = address.literal().filter(|literal| is_unknown(&literal.host)) else { return Vec::new() };
    vec![Fault {
        field: FieldPath::new("spec.output.otlp.endpoint.value"),
        found: ["has the host ", &literal.shown_host()].concat().into(),
        expected: "`<id>.live.dynatrace.com`".into(),
        why: "Dynatrace documents no other host below `dynatrace.com` for OTLP".into(),
        fix: "change the host of the endpoint to the API host of your environment; for Dynatrace Managed, add the host to `dynatrace.hosts` in the policy's settings".into(),
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

    #[test]
    fn rejects_softly_a_host_that_is_not_documented() {
        for host in ["abc12345.dynatrace.com", "a.b.live.dynatrace.com", "x.dynatracelabs.com"] {
            let faults = faults(&RULE, Signal::Logs, &endpoint(&format!("https://{host}/api/v2/otlp")));
            let expected = "`<id>.live.dynatrace.com`";
            assert_one(&faults, "spec.output.otlp.endpoint.value", &format!("has the host `{host}`"), expected);
        }
    }

    #[test]
    fn accepts_documented_hosts() {
        for host in ["abc12345.live.dynatrace.com", "abc.sprint.dynatracelabs.com", "x.dynatrace-managed.com"] {
            assert_eq!(faults(&RULE, Signal::Logs, &endpoint(&format!("https://{host}"))), []);
        }
    }

    #[test]
    fn ignores_other_hosts_with_the_path_of_the_api() {
        assert_eq!(faults(&RULE, Signal::Logs, &endpoint("https://proxy.example/api/v2/otlp")), []);
    }
}
