#![doc = include_str!("../../docs/rules/conflicting-authentication.md")]

use crate::pipeline::FieldPath;
use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::ConflictingAuthentication,
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "`authentication.basic` is set, which the API does not take (a warning beside an `Authorization` header)",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let output = &subject.output;
    if output.has_basic() {
        // The header overrides the user name and the password (`otlpexporter_config_builder.go`).
        let level = (!output.lacks_authorization() || output.has_oauth2()).then_some(Level::Warn);
        faults.push(fault(
            "spec.output.otlp.authentication.basic",
            "basic",
            "the Dynatrace API takes no user name and password",
            level,
        ));
    }
    if output.has_oauth2() {
        faults.push(fault(
            "spec.output.otlp.authentication.oauth2",
            "oauth2",
            "Dynatrace does not document OAuth2 for OTLP",
            Some(Level::Warn),
        ));
    }
    faults
}

fn fault(field: &'static str, name: &str, why: &'static str, level: Option<Level>) -> Fault {
    Fault {
        field: FieldPath::new(field),
        found: "is set".into(),
        expected: "an `Authorization` header".into(),
        why: why.into(),
        fix: format!("remove `authentication.{name}`, and add an `Authorization` header with the ingest token").into(),
        level,
        evidence: Evidence::Presence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, assert_one, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn check_with(authentication: &str) -> Vec<Fault> {
        faults(&RULE, Signal::Logs, &format!(r#"{SECRET},"authentication":{authentication}"#))
    }

    #[test]
    fn rejects_basic_authentication() {
        let expected = "an `Authorization` header";
        assert_one(&check_with(r#"{"basic":{}}"#), "spec.output.otlp.authentication.basic", "is set", expected);
    }

    #[test]
    fn rejects_it_softly_beside_a_header_that_overrides_it() {
        let faults = check_with(r#"{"basic":{}},"headers":[{"name":"Authorization","value":"x"}]"#);
        assert_eq!((faults.len(), faults[0].level), (1, Some(Level::Warn)));
    }

    #[test]
    fn rejects_oauth2_softly() {
        let faults = check_with(r#"{"oauth2":{}}"#);
        assert_eq!((faults.len(), faults[0].level), (1, Some(Level::Warn)));
    }

    #[test]
    fn accepts_no_authentication() {
        assert_eq!(check_with("null"), []);
        assert_eq!(check_with("{}"), []);
    }

    #[test]
    fn ignores_authentication_that_is_malformed() {
        assert_eq!(check_with("3"), []);
    }
}
