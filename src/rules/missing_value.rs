#![doc = include_str!("../../docs/rules/missing-value.md")]

use crate::pipeline::{FieldPath, Source};
use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::MissingValue,
    level: Level::Deny,
    scope: Scope::Dynatrace,
    summary: "the endpoint or a header has neither a value nor a Secret",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let output = &subject.output;
    let mut faults = Vec::new();
    if output.endpoint() == Source::Absent {
        faults.push(fault(FieldPath::new("spec.output.otlp.endpoint"), "the endpoint"));
    }
    let empty = output.headers().filter(|header| header.source() == Source::Absent);
    faults.extend(empty.map(|header| fault(header.field(""), "the header")));
    faults
}

fn fault(field: FieldPath, what: &str) -> Fault {
    Fault {
        field,
        found: "has no value".into(),
        expected: "`value` or `valueFrom.secretKeyRef`".into(),
        why: "the Telemetry module cannot use it, and sends nothing".into(),
        fix: format!("set `value` or `valueFrom.secretKeyRef` of {what}").into(),
        level: None,
        evidence: Evidence::Presence,
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
    fn rejects_an_endpoint_and_headers_without_a_value() {
        let path = r#""path":"v2/otlp/v1/logs""#;
        let expected = "`value` or `valueFrom.secretKeyRef`";
        for endpoint in ["", r#","endpoint":{}"#, r#","endpoint":{"value":""}"#, r#","endpoint":{"valueFrom":{}}"#] {
            let faults = faults(&RULE, Signal::Logs, &format!("{path}{endpoint}"));
            assert_one(&faults, "spec.output.otlp.endpoint", "has no value", expected);
        }
        let headers = r#""headers":[{"name":"A","value":"b"},{"name":"Authorization","prefix":"Api-Token"}]"#;
        let faults = faults(&RULE, Signal::Logs, &format!("{SECRET},{headers}"));
        assert_one(&faults, "spec.output.otlp.headers[1]", "has no value", expected);
    }

    #[test]
    fn rejects_it_on_the_way_to_the_collector_too() {
        let otlp = format!(r#"{},"headers":[{{"name":"X"}}]"#, endpoint("http://telemetry-ingest.dynatrace:4317"));
        assert_eq!(faults(&RULE, Signal::Logs, &otlp).len(), 1);
    }

    #[test]
    fn accepts_literals_and_secrets() {
        assert_eq!(faults(&RULE, Signal::Logs, &format!(r#"{SECRET},"headers":[{{"name":"A","value":"b"}}]"#)), []);
    }

    #[test]
    fn ignores_values_of_the_wrong_type() {
        assert_eq!(faults(&RULE, Signal::Logs, r#""path":"v2/otlp/v1/logs","endpoint":{"value":3}"#), []);
    }
}
