#![doc = include_str!("../../docs/rules/duplicate-authorization.md")]

use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::DuplicateAuthorization,
    level: Level::Warn,
    scope: Scope::Direct,
    summary: "there are two or more different `Authorization` headers, of which the last is sent",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let Some(last) = subject.output.authorization() else { return Vec::new() };
    let is_same =
        |header: &crate::pipeline::Header<'_>| (header.scheme(), &header.value) == (last.scheme(), &last.value);
    let other = subject.output.authorizations().find(|header| !is_same(header));
    other
        .map(|other| Fault {
            field: other.field(""),
            found: format!("differs from headers[{}]", last.index).into(),
            expected: "one `Authorization` header".into(),
            why: "the Telemetry module sends the last one only".into(),
            fix: "remove all `Authorization` headers but the last".into(),
            level: None,
            evidence: Evidence::of(&[other, last].map(|header| (header.scheme(), header.source()))),
        })
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, assert_one, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_softly_headers_that_differ_whatever_their_case() {
        let otlp = format!(
            r#"{SECRET},"headers":[{{"name":"Authorization","value":"a"}},{{"name":"X"}},{{"name":"AUTHORIZATION","value":"b"}}]"#
        );
        let found = "differs from headers[2]";
        assert_one(
            &faults(&RULE, Signal::Logs, &otlp),
            "spec.output.otlp.headers[0]",
            found,
            "one `Authorization` header",
        );
        assert_eq!(RULE.level, Level::Warn);
    }

    #[test]
    fn accepts_one_header_and_the_same_twice() {
        for other in ["Proxy-Authorization", "authorization"] {
            let otlp = format!(
                r#"{SECRET},"headers":[{{"name":"Authorization","value":"a"}},{{"name":"{other}","value":"a"}}]"#
            );
            assert_eq!(faults(&RULE, Signal::Logs, &otlp), []);
        }
    }
}
