#![doc = include_str!("../../docs/rules/undocumented-compression.md")]

use crate::pipeline::FieldPath;
use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::UndocumentedCompression,
    level: Level::Warn,
    scope: Scope::Direct,
    summary: "`compression` is `snappy` or `zstd`; Dynatrace documents `gzip` only",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let compression = &subject.output.compression;
    let Some(found) = ["snappy", "zstd"].into_iter().find(|name| compression.is(name)) else { return Vec::new() };
    vec![Fault {
        field: FieldPath::new("spec.output.otlp.compression"),
        found: format!("is `{found}`").into(),
        expected: "`gzip`".into(),
        why: "Dynatrace documents no other compression for OTLP".into(),
        fix: "set `compression: gzip`".into(),
        level: None,
        evidence: Evidence::of(found),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, assert_one, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn check_with(compression: &str) -> Vec<Fault> {
        faults(&RULE, Signal::Logs, &format!(r#"{SECRET},"compression":"{compression}""#))
    }

    #[test]
    fn rejects_softly_what_is_not_documented() {
        assert_one(&check_with("zstd"), "spec.output.otlp.compression", "is `zstd`", "`gzip`");
        assert_one(&check_with("snappy"), "spec.output.otlp.compression", "is `snappy`", "`gzip`");
    }

    #[test]
    fn accepts_gzip_and_none() {
        assert_eq!(check_with("gzip"), []);
        assert_eq!(check_with("none"), []);
    }
}
