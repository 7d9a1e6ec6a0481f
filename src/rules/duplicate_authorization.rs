#![doc = include_str!("../../docs/rules/duplicate-authorization.md")]

use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::Level;

/// The rule.
pub static RULE: Rule = Rule {
    id: "duplicate-authorization",
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "there are two or more `Authorization` headers, and which one is sent is chance",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let mut headers = subject.output.authorizations();
    let (Some(first), Some(second)) = (headers.next(), headers.next()) else { return Vec::new() };
    vec![Fault {
        field: second.field("").into(),
        found: format!("another `Authorization` beside headers[{}]", first.index).into(),
        expected: "exactly one".into(),
        why: "names of headers compare without case, so only one of them arrives".into(),
        fix: "keep the one with prefix `Api-Token`, remove the others".into(),
        level: None,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, assert_one, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_two_headers_whatever_their_case() {
        let otlp =
            format!(r#"{SECRET},"headers":[{{"name":"Authorization"}},{{"name":"X"}},{{"name":"AUTHORIZATION"}}]"#);
        let found = "another `Authorization` beside headers[0]";
        assert_one(&faults(&RULE, Signal::Logs, &otlp), "spec.output.otlp.headers[2]", found, "exactly one");
    }

    #[test]
    fn accepts_one_header() {
        let otlp = format!(r#"{SECRET},"headers":[{{"name":"Authorization"}},{{"name":"Proxy-Authorization"}}]"#);
        assert_eq!(faults(&RULE, Signal::Logs, &otlp), []);
    }
}
