#![doc = include_str!("../../docs/rules/cumulative-metrics.md")]

use crate::pipeline::{Field, FieldPath, Signal, Text};
use crate::rule::{Evidence, Fault, Json, Repair, Rule, Scope, Subject};
use crate::settings::{DeltaConversion, Level, RuleId};
use crate::text::quote;

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::CumulativeMetrics,
    level: Level::Deny,
    scope: Scope::DirectMetrics,
    summary: "an input that produces cumulative metrics is on, and `temporality` is not `delta`: counters are dropped",
    check,
    repair: Some(repair),
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let temporality = &subject.output.temporality;
    if temporality.is("delta") || temporality.is_malformed() || subject.cumulative_inputs().is_empty() {
        return Vec::new();
    }
    vec![fault(subject)]
}

/// Sets `delta` where the settings ask for it. The one repair that changes what is there: the API server fills
/// `preserve` in where nobody wrote anything.
fn repair(subject: &mut Subject<'_>) -> Vec<Repair> {
    let current = &subject.output.temporality;
    if subject.signal != Signal::Metrics || current.is("delta") || current.is_malformed() {
        return Vec::new();
    }
    let applies = match subject.settings.metrics.delta_conversion {
        DeltaConversion::Off => false,
        // Absent means that the cluster's CRD has no such field, and would drop `delta`.
        DeltaConversion::Auto => !current.is_absent(),
        DeltaConversion::Always => true,
    };
    if !applies {
        return Vec::new();
    }
    let fault = Fault { fix: "set `temporality: delta`".into(), ..fault(subject) };
    subject.output.to_mut().temporality = Field::Is("delta".into());
    vec![Repair { place: fault.field.clone(), value: Json::new(&"delta"), shown: "`delta`".to_owned(), fault }]
}

/// The fault of a pipeline whose temporality is not delta.
fn fault(subject: &Subject<'_>) -> Fault {
    let names: Vec<String> =
        subject.cumulative_inputs().iter().map(|input| ["`", input.name(), "`"].concat()).collect();
    let producers = match names.as_slice() {
        [] => "applications can send them".to_owned(),
        [name] => format!("the input {name} produces them"),
        names => format!("the inputs {} produce them", names.join(", ")),
    };
    Fault {
        field: FieldPath::new("spec.output.otlp.temporality"),
        found: found(subject).into(),
        expected: "`delta`".into(),
        why: format!("Dynatrace drops cumulative counters and histograms, and {producers}").into(),
        fix: match subject.output.temporality {
            // The API server fills `preserve` in where the field exists.
            Field::Absent => {
                "set `temporality: delta` (Telemetry module 1.64 or later), or send to the Dynatrace Collector \
                 (`<dynakube>-telemetry-ingest`)"
            }
            _ => "set `temporality: delta`, or send to the Dynatrace Collector (`<dynakube>-telemetry-ingest`)",
        }
        .into(),
        level: None,
        evidence: Evidence::Sources(subject.cumulative_sources()),
    }
}

/// What the temporality is now.
pub(super) fn found(subject: &Subject<'_>) -> String {
    let shown = |value: &Text<'_>| ["is ", &quote(value)].concat();
    subject.output.temporality.value().map_or_else(|| "is missing".to_owned(), shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_one, endpoint, faults_with, repairs_with};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const API: &str = "https://abc12345.live.dynatrace.com/api/v2/otlp";

    fn check_metrics(endpoint_url: &str, temporality: &str, input: &str, settings: &str) -> Vec<Fault> {
        let otlp = format!("{}{temporality}", endpoint(endpoint_url));
        faults_with(&RULE, Signal::Metrics, &otlp, input, settings)
    }

    #[test]
    fn rejects_each_input_and_names_it() {
        for input in ["istio", "prometheus", "runtime"] {
            let enabled = format!(r#"{{"{input}":{{"enabled":true}}}}"#);
            let faults = check_metrics(API, r#","temporality":"preserve""#, &enabled, "{}");
            assert_one(&faults, "spec.output.otlp.temporality", "is `preserve`", "`delta`");
            assert!(faults[0].why.contains(&format!("`{input}`")));
            assert!(faults[0].fix.contains("Collector") && faults[0].fix.contains("temporality: delta"));
        }
    }

    #[test]
    fn rejects_a_missing_temporality_and_says_which_module_has_the_field() {
        let faults = check_metrics(API, "", r#"{"istio":{"enabled":true},"runtime":{"enabled":true}}"#, "{}");
        assert_one(&faults, "spec.output.otlp.temporality", "is missing", "`delta`");
        assert!(faults[0].why.contains("`istio`, `runtime`") && faults[0].fix.contains("1.64"));
    }

    #[test]
    fn accepts_delta_and_inputs_that_are_off() {
        let on = r#"{"istio":{"enabled":true}}"#;
        assert_eq!(check_metrics(API, r#","temporality":"delta""#, on, "{}"), []);
        assert_eq!(check_metrics(API, "", r#"{"istio":{},"prometheus":{"enabled":false}}"#, "{}"), []);
        let settings = r#"{"metrics":{"cumulativeInputs":["prometheus"]}}"#;
        assert_eq!(check_metrics(API, "", on, settings), []);
    }

    #[test]
    fn repairs_temporality_only_as_the_settings_ask() {
        let delta = || vec![("temporality".to_owned(), serde_json::Value::from("delta"))];
        for (conversion, temporality, repaired) in [
            ("off", r#","temporality":"preserve""#, Vec::new()),
            ("auto", r#","temporality":"preserve""#, delta()),
            ("auto", "", Vec::new()),
            ("always", "", delta()),
            ("always", r#","temporality":"delta""#, Vec::new()),
            ("always", r#","temporality":3"#, Vec::new()),
        ] {
            let settings = format!(r#"{{"metrics":{{"deltaConversion":"{conversion}"}}}}"#);
            let otlp = format!("{}{temporality}", endpoint(API));
            assert_eq!(repairs_with(&RULE, Signal::Metrics, &otlp, &settings), repaired, "{conversion}");
            assert_eq!(repairs_with(&RULE, Signal::Traces, &otlp, &settings), []);
        }
    }

    #[test]
    fn ignores_the_collector_which_converts_by_itself() {
        let collector = "http://dynakube-telemetry-ingest.dynatrace:4317";
        assert_eq!(check_metrics(collector, "", r#"{"istio":{"enabled":true}}"#, "{}"), []);
    }

    #[test]
    fn rejects_what_it_would_repair_with_the_repair_as_its_fix() {
        let otlp = format!(r#"{},"temporality":"preserve""#, endpoint(API));
        let settings = r#"{"metrics":{"deltaConversion":"auto"}}"#;
        let mut subject = crate::testing::subject(Signal::Metrics, &otlp, r#"{"istio":{"enabled":true}}"#, settings);
        let repairs = repair(&mut subject);
        assert_eq!(repairs[0].fault.fix, "set `temporality: delta`");
    }
}
