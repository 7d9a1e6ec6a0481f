//! What an UPDATE is not blamed for.
//!
//! The Telemetry module rewrites every pipeline when its storage version changes, and controllers add labels. If such
//! an update were rejected for what was there before the policy, the migration would stop and never end. So a finding
//! that the stored object already has is a warning; only new ones are enforced.

use crate::pipeline::{Field, Input, Output, Text};
use crate::rule::{Finding, Subject};
use crate::settings::Level;

/// Makes warnings of the findings that the stored object already has: the same rule, at the same field, with the same
/// evidence. For `cumulative-metrics` the evidence is the inputs: none is on that was off.
pub(super) fn soften(findings: &mut [Finding], stored: &[Finding], old_inputs: &[Input], new_inputs: &[Input]) {
    for finding in findings.iter_mut() {
        if stored.iter().any(|stored| is_same(stored, finding, old_inputs, new_inputs)) {
            finding.level = Level::Warn;
        }
    }
}

fn is_same(stored: &Finding, new: &Finding, old_inputs: &[Input], new_inputs: &[Input]) -> bool {
    if (stored.rule.id, &stored.fault.field) != (new.rule.id, &new.fault.field) {
        return false;
    }
    match new.rule.id {
        "cumulative-metrics" => new_inputs.iter().all(|input| old_inputs.contains(input)),
        // Absent and `grpc` are the same.
        "grpc-protocol" => true,
        _ => stored.fault.found == new.fault.found,
    }
}

/// Whether two states of a pipeline ship the same data to the same place in the same way.
///
/// Compares the fields that rules read. What the module's defaulter fills in counts as unchanged: absent `protocol` is
/// `grpc`, absent `temporality` is `preserve`, absent `enabled` is off. Of a field of the wrong type only its type is
/// known.
pub(super) fn is_unchanged(old: &Subject<'_>, new: &Subject<'_>) -> bool {
    old.cumulative_inputs() == new.cumulative_inputs() && is_same_output(&old.output, &new.output)
}

fn is_same_output(old: &Output<'_>, new: &Output<'_>) -> bool {
    old.endpoint == new.endpoint
        && is_same_text(&old.protocol, &new.protocol, "grpc")
        && is_same_text(&old.path, &new.path, "")
        && is_same_text(&old.temporality, &new.temporality, "preserve")
        && is_same_text(&old.compression, &new.compression, "")
        && is_same_or_empty(&old.headers, &new.headers)
        && is_same_or_empty(&old.authentication, &new.authentication)
        && is_same_or_empty(&old.tls, &new.tls)
}

fn is_same_text(old: &Field<Text<'_>>, new: &Field<Text<'_>>, default: &str) -> bool {
    let filled = |text: &str| if text.is_empty() { default.to_owned() } else { text.to_owned() };
    match (old.text_or_empty(), new.text_or_empty()) {
        (Some(old), Some(new)) => filled(old) == filled(new),
        _ => old == new,
    }
}

/// Absent and empty are the same.
fn is_same_or_empty<T: Default + PartialEq>(old: &Field<T>, new: &Field<T>) -> bool {
    match (old, new) {
        (Field::Absent, Field::Is(value)) | (Field::Is(value), Field::Absent) => *value == T::default(),
        _ => old == new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::subject;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn unchanged(old: (&str, &str), new: (&str, &str)) -> bool {
        let subject = |(otlp, input): (&str, &str)| {
            let otlp = otlp.trim().trim_start_matches('{').strip_suffix('}').unwrap();
            subject(Signal::Metrics, otlp, input, "{}")
        };
        is_unchanged(&subject(old), &subject(new))
    }

    #[test]
    fn accepts_what_defaulters_fill_in() {
        let old = r#"{"endpoint":{"value":"https://h"},"headers":[{"name":"A","value":"b"}]}"#;
        let new = r#"{"protocol":"grpc","temporality":"preserve","path":"","tls":{},"unknown":1,
            "endpoint":{"valueFrom":null,"value":"https://h"},"headers":[{"name":"A","value":"b"}]}"#;
        let input = r#"{"istio":{"enabled":false},"otlp":{"enabled":true},"prometheus":{"namespaces":{}}}"#;
        assert!(unchanged((old, "{}"), (new, input)));
        assert!(unchanged(("{}", "{}"), (r#"{"headers":[]}"#, "null")));
    }

    #[test]
    fn rejects_every_change_that_a_rule_could_see() {
        let old = r#"{"endpoint":{"value":"https://h"},"headers":[{"name":"A","value":"b"}]}"#;
        for new in [
            r#"{"endpoint":{"value":"https://i"},"headers":[{"name":"A","value":"b"}]}"#,
            r#"{"endpoint":{"value":"https://h"},"headers":[{"name":"A","value":"c"}]}"#,
            r#"{"endpoint":{"value":"https://h"},"headers":[{"name":"A","value":"b","prefix":"P"}]}"#,
            r#"{"endpoint":{"value":"https://h"},"headers":[]}"#,
            r#"{"endpoint":{"value":"https://h"},"headers":[{"name":"A","value":"b"}],"protocol":"http"}"#,
            r#"{"endpoint":{"value":"https://h"},"headers":[{"name":"A","value":"b"}],"path":"/"}"#,
            r#"{"endpoint":{"value":"https://h"},"headers":[{"name":"A","value":"b"}],"temporality":"delta"}"#,
            r#"{"endpoint":{"value":"https://h"},"headers":[{"name":"A","value":"b"}],"tls":{"insecure":true}}"#,
            r#"{"endpoint":{"value":"https://h"},"headers":[{"name":"A","value":"b"}],"authentication":{"basic":{}}}"#,
            r#"{"endpoint":{"value":"https://h"},"headers":[{"name":"A","value":"b"}],"compression":"zstd"}"#,
        ] {
            assert!(!unchanged((old, "{}"), (new, "{}")), "{new}");
        }
        assert!(!unchanged((old, "{}"), (old, r#"{"istio":{"enabled":true}}"#)));
    }

    #[test]
    fn rejects_malformed_fields_unless_they_are_of_the_same_type() {
        assert!(unchanged((r#"{"path":3}"#, "{}"), (r#"{"path":4}"#, "{}")));
        assert!(!unchanged((r#"{"path":3}"#, "{}"), (r#"{"path":[]}"#, "{}")));
    }
}
