//! When an UPDATE leaves a pipeline's output and inputs as they were.
//!
//! The Telemetry module rewrites every pipeline when its storage version changes, and controllers add labels. If such
//! an update were rejected for what was there before the policy, the migration would stop and never end. So what is as
//! it was is accepted, and only warned about.

use crate::output::{Field, Header, Output, TextField};
use crate::subject::Subject;

/// Whether two states of a pipeline ship the same data to the same place in the same way.
///
/// Compares the fields that rules read. What the module's defaulter fills in counts as unchanged: absent `protocol` is
/// `grpc`, absent `temporality` is `preserve`, absent `enabled` is off.
#[must_use]
pub fn is_unchanged(old: &Subject<'_>, new: &Subject<'_>) -> bool {
    old.enabled_inputs == new.enabled_inputs && is_same_output(&old.output, &new.output)
}

fn is_same_output(old: &Output<'_>, new: &Output<'_>) -> bool {
    if !old.malformed.is_empty() || !new.malformed.is_empty() {
        // Of a malformed field only its type is known, so nothing less than the same text is the same.
        return old.malformed == new.malformed && old.node.raw() == new.node.raw();
    }
    old.endpoint == new.endpoint
        && is_same_text(&old.protocol, &new.protocol, "grpc")
        && is_same_text(&old.path, &new.path, "")
        && is_same_text(&old.temporality, &new.temporality, "preserve")
        && is_same_text(&old.compression, &new.compression, "")
        && is_same_headers(&old.headers, &new.headers)
        && old.authentication == new.authentication
        && old.tls == new.tls
}

fn is_same_text(old: &TextField<'_>, new: &TextField<'_>, default: &str) -> bool {
    let filled = |text: &str| if text.is_empty() { default.to_owned() } else { text.to_owned() };
    old.text_or_empty().map(filled) == new.text_or_empty().map(filled)
}

fn is_same_headers(old: &Field<Vec<Header<'_>>>, new: &Field<Vec<Header<'_>>>) -> bool {
    let (old, new) = (old.value().map_or(&[][..], Vec::as_slice), new.value().map_or(&[][..], Vec::as_slice));
    old.len() == new.len() && old.iter().zip(new).all(|(old, new)| is_same_header(old, new))
}

fn is_same_header(old: &Header<'_>, new: &Header<'_>) -> bool {
    old.name == new.name && old.scheme() == new.scheme() && old.value == new.value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;
    use crate::settings::Settings;
    use crate::subject::Signal;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn unchanged(old: (&str, &str), new: (&str, &str)) -> bool {
        let settings = Settings::default();
        let subject =
            |(otlp, input)| Subject::read(Signal::Metrics, parse(otlp), Some(parse(input)), &settings).unwrap();
        is_unchanged(&subject(old), &subject(new))
    }

    #[test]
    fn accepts_what_defaulters_fill_in() {
        let old = r#"{"endpoint":{"value":"https://h"},"headers":[{"name":"A","value":"b"}]}"#;
        let new = r#"{"protocol":"grpc","temporality":"preserve","path":"","tls":{},"unknown":1,
            "endpoint":{"valueFrom":null,"value":"https://h"},"headers":[{"prefix":" ","name":"A","value":"b"}]}"#;
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
    fn rejects_malformed_fields_unless_they_are_the_same_text() {
        assert!(unchanged((r#"{"path":3}"#, "{}"), (r#"{"path":3}"#, "{}")));
        assert!(!unchanged((r#"{"path":3}"#, "{}"), (r#"{"path":4}"#, "{}")));
    }
}
