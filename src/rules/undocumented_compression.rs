#![doc = include_str!("../../docs/rules/undocumented-compression.md")]

use crate::finding::Fault;
use crate::rule::{Rule, Scope, for_lists};
use crate::settings::Level;
use crate::subject::Subject;

/// The rule.
pub static RULE: Rule = Rule {
    id: "undocumented-compression",
    level: Level::Warn,
    scope: Scope::Direct,
    summary: for_lists("`compression` is `snappy` or `zstd`; Dynatrace documents `gzip` only"),
    check,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let compression = &subject.output.compression;
    let Some(found) = ["snappy", "zstd"].into_iter().find(|name| compression.is(name)) else { return Vec::new() };
    vec![Fault {
        field: "spec.output.otlp.compression".into(),
        found: join!("`", found, "`").into(),
        wanted: "`gzip`".into(),
        why: "Dynatrace documents no other compression for OTLP".into(),
        fix: "remove `compression`, which means `gzip`, or set it to `gzip`".into(),
        level: None,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SECRET, assert_one, faults};
    use crate::subject::Signal;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn check_with(compression: &str) -> Vec<Fault> {
        faults(&RULE, Signal::Logs, &format!(r#"{SECRET},"compression":"{compression}""#))
    }

    #[test]
    fn rejects_softly_what_is_not_documented() {
        assert_one(&check_with("zstd"), "spec.output.otlp.compression", "`zstd`", "`gzip`");
        assert_one(&check_with("snappy"), "spec.output.otlp.compression", "`snappy`", "`gzip`");
    }

    #[test]
    fn accepts_gzip_and_none() {
        assert_eq!(check_with("gzip"), []);
        assert_eq!(check_with("none"), []);
    }
}
