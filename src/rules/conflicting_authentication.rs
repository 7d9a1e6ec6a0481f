#![doc = include_str!("../../docs/rules/conflicting-authentication.md")]

use crate::pipeline::OTLP;
use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::Level;

/// The rule.
pub static RULE: Rule = Rule {
    id: "conflicting-authentication",
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "`authentication.basic` is set (or `oauth2`, a warning): the API takes tokens",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if subject.output.has_basic() {
        faults.push(fault("basic", "the API answers 401 to a user name and password", None));
    }
    if subject.output.has_oauth2() {
        faults.push(fault(
            "oauth2",
            "OAuth2 is not documented for OTLP, and competes with the header",
            Some(Level::Warn),
        ));
    }
    faults
}

fn fault(name: &str, why: &'static str, level: Option<Level>) -> Fault {
    Fault {
        field: format!("{OTLP}.authentication.{name}").into(),
        found: "set".into(),
        expected: "an `Authorization` header with a token".into(),
        why: why.into(),
        fix: format!("remove `authentication.{name}`, and send the ingest token in an `Authorization` header").into(),
        level,
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
        let expected = "an `Authorization` header with a token";
        assert_one(&check_with(r#"{"basic":{}}"#), "spec.output.otlp.authentication.basic", "set", expected);
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
