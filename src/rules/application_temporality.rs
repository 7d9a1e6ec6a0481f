#![doc = include_str!("../../docs/rules/application-temporality.md")]

use crate::pipeline::{FieldPath, OTLP_INPUT};
use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::rules::cumulative_metrics;
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::ApplicationTemporality,
    level: Level::Warn,
    scope: Scope::DirectMetrics,
    summary: "`temporality` is not `delta`, so that applications have to push delta metrics by themselves",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let temporality = &subject.output.temporality;
    let is_told_elsewhere = temporality.is_malformed() || !subject.cumulative_inputs().is_empty();
    if temporality.is("delta") || is_told_elsewhere || subject.is_otlp_input_off() {
        return Vec::new();
    }
    vec![Fault {
        field: FieldPath::new("spec.output.otlp.temporality"),
        found: cumulative_metrics::found(subject).into(),
        expected: "`delta`, or applications that push delta".into(),
        why: "Dynatrace drops cumulative counters and histograms, and OpenTelemetry SDKs send those by default".into(),
        fix: "set `temporality: delta` (Telemetry module 1.64 or later), or \
            `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta` in every application"
            .into(),
        level: None,
        evidence: Evidence::Sources(vec![OTLP_INPUT]),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{assert_one, endpoint, faults_with};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn check_metrics(more: &str, input: &str) -> Vec<Fault> {
        let otlp = format!("{}{more}", endpoint("https://abc12345.live.dynatrace.com/api/v2/otlp"));
        faults_with(&RULE, Signal::Metrics, &otlp, input, "{}")
    }

    #[test]
    fn rejects_softly_what_depends_on_the_applications() {
        let faults = check_metrics("", "{}");
        let expected = "`delta`, or applications that push delta";
        assert_one(&faults, "spec.output.otlp.temporality", "is missing", expected);
        assert_eq!(RULE.level, Level::Warn);
    }

    #[test]
    fn accepts_an_otlp_input_that_is_off() {
        assert_eq!(check_metrics("", r#"{"otlp":{"enabled":false}}"#), []);
        assert_eq!(check_metrics("", r#"{"otlp":{"disabled":true}}"#), []);
    }

    #[test]
    fn accepts_delta() {
        assert_eq!(check_metrics(r#","temporality":"delta""#, "{}"), []);
    }

    #[test]
    fn ignores_what_cumulative_metrics_finds() {
        assert_eq!(check_metrics("", r#"{"istio":{"enabled":true}}"#), []);
    }
}
