#![doc = include_str!("../../docs/rules/grpc-protocol.md")]

use crate::pipeline::{Field, FieldPath};
use crate::rule::{Evidence, Fault, Json, Repair, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::GrpcProtocol,
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "the protocol is `grpc` (or missing, which means `grpc`); the Dynatrace API speaks HTTP only",
    check,
    repair: Some(repair),
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    if !subject.output.protocol.is("grpc") {
        return Vec::new();
    }
    vec![fault("is `grpc`")]
}

/// A missing protocol means `grpc` to the module.
fn repair(subject: &mut Subject<'_>) -> Vec<Repair> {
    if subject.output.protocol.text_or_empty() != Some("") {
        return Vec::new();
    }
    subject.output.to_mut().protocol = Field::Is("http".into());
    let fault = fault("is missing, which means `grpc`");
    vec![Repair { place: fault.field.clone(), value: Json::new(&"http"), shown: "`http`".to_owned(), fault }]
}

fn fault(found: &'static str) -> Fault {
    Fault {
        field: FieldPath::new("spec.output.otlp.protocol"),
        found: found.into(),
        expected: "`http`".into(),
        why: "the Dynatrace API takes OTLP over HTTP only".into(),
        fix: "set `protocol: http`".into(),
        level: None,
        evidence: Evidence::Presence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, assert_one, endpoint, faults, repairs};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_grpc_to_the_api() {
        let faults = faults(&RULE, Signal::Traces, &format!(r#"{SECRET},"protocol":"grpc""#));
        assert_one(&faults, "spec.output.otlp.protocol", "is `grpc`", "`http`");
    }

    #[test]
    fn repairs_what_is_missing_empty_or_null() {
        for protocol in ["", r#","protocol":"""#, r#","protocol":null"#] {
            let repaired = repairs(&RULE, Signal::Traces, &format!("{SECRET}{protocol}"));
            assert_eq!(repaired, [("protocol".to_owned(), "http".into())]);
        }
        assert_eq!(repairs(&RULE, Signal::Traces, &format!(r#"{SECRET},"protocol":"grpc""#)), []);
        assert_eq!(repairs(&RULE, Signal::Traces, &endpoint("http://loki.logs:3100")), []);
    }

    #[test]
    fn accepts_http() {
        assert_eq!(faults(&RULE, Signal::Traces, &format!(r#"{SECRET},"protocol":"http""#)), []);
    }

    #[test]
    fn ignores_grpc_to_the_collector() {
        let otlp = format!(r#"{},"protocol":"grpc""#, endpoint("http://dynakube-telemetry-ingest.dynatrace:4317"));
        assert_eq!(faults(&RULE, Signal::Traces, &otlp), []);
    }
}
