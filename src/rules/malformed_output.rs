#![doc = include_str!("../../docs/rules/malformed-output.md")]

use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::MalformedOutput,
    level: Level::Deny,
    scope: Scope::Any,
    summary: "a field of the output, or an input's `enabled`, has the wrong JSON type",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let fault = |malformed: crate::pipeline::Malformed| Fault {
        evidence: Evidence::of(&malformed.found),
        field: malformed.field,
        found: ["is ", malformed.found.with_article()].concat().into(),
        expected: malformed.expected.with_article().into(),
        why: "Kyma does not accept this type, so the policy cannot tell where the data goes".into(),
        fix: format!("set the field to {}", malformed.expected.with_article()).into(),
        level: None,
    };
    subject.malformed().into_iter().map(fault).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{assert_one, endpoint, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_a_wrong_type_wherever_the_pipeline_ships_to() {
        let otlp = format!(r#"{},"path":3"#, endpoint("http://loki.logs:3100"));
        assert_one(&faults(&RULE, Signal::Logs, &otlp), "spec.output.otlp.path", "is a number", "a string");
    }

    #[test]
    fn accepts_fields_of_the_right_type_and_unknown_ones() {
        let otlp = format!(r#"{},"path":"x","future":3"#, endpoint("http://loki.logs:3100"));
        assert_eq!(faults(&RULE, Signal::Logs, &otlp), []);
    }
}
