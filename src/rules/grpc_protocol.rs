#![doc = include_str!("../../docs/rules/grpc-protocol.md")]

use crate::finding::Fault;
use crate::rule::{Rule, Scope, for_lists};
use crate::settings::Level;
use crate::subject::Subject;

/// Why it matters, also for the repair of a missing protocol.
pub const WHY: &str = "the Dynatrace API speaks OTLP over HTTP only";

/// The rule.
pub static RULE: Rule = Rule {
    id: "grpc-protocol",
    level: Level::Deny,
    scope: Scope::Direct,
    summary: for_lists("the protocol is `grpc` (or missing, which means `grpc`); the Dynatrace API speaks HTTP only"),
    check,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    if !subject.output.protocol.is("grpc") {
        return Vec::new();
    }
    vec![Fault {
        field: "spec.output.otlp.protocol".into(),
        found: "`grpc`".into(),
        wanted: "`http`".into(),
        why: WHY.into(),
        fix: "set `protocol: http`".into(),
        level: None,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SECRET, assert_one, endpoint, faults};
    use crate::subject::Signal;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_grpc_to_the_api() {
        let faults = faults(&RULE, Signal::Traces, &format!(r#"{SECRET},"protocol":"grpc""#));
        assert_one(&faults, "spec.output.otlp.protocol", "`grpc`", "`http`");
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
