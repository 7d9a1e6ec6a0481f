#![doc = include_str!("../../docs/rules/bare-collector-host.md")]

use crate::pipeline::FieldPath;
use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::BareCollectorHost,
    level: Level::Warn,
    scope: Scope::Collector,
    summary: "the Collector's host has no namespace, and resolves only in the gateway's own",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let address = subject.address();
    let Some(literal) = address.valid_literal().filter(|literal| !literal.host.contains('.')) else {
        return Vec::new();
    };
    vec![Fault {
        field: FieldPath::new("spec.output.otlp.endpoint.value"),
        found: ["has the host ", &literal.shown_host()].concat().into(),
        expected: "`<service>.<namespace>`".into(),
        why: "a name without a namespace resolves only inside the gateway's own namespace, `kyma-system`".into(),
        fix: format!(
            "change the host of the endpoint to {}, with the namespace of your DynaKube",
            literal.shown(&format!("{}.dynatrace", literal.host))
        )
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

    #[test]
    fn rejects_softly_a_host_without_namespace() {
        let faults = faults(&RULE, Signal::Metrics, &endpoint("http://telemetry-ingest:4317"));
        let found = "has the host `telemetry-ingest`";
        assert_one(&faults, "spec.output.otlp.endpoint.value", found, "`<service>.<namespace>`");
    }

    #[test]
    fn accepts_a_host_with_namespace() {
        assert_eq!(faults(&RULE, Signal::Metrics, &endpoint("http://telemetry-ingest.dynatrace:4317")), []);
    }
}
