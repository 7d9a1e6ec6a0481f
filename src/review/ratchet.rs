//! What an UPDATE is not blamed for.
//!
//! The Telemetry module rewrites every pipeline when its storage version changes, and controllers add labels. If such
//! an update were rejected for what was there before the policy, the migration would stop and never end. So a finding
//! that the stored object already has is a warning, and what would have been filled in there is not filled in now: what is
//! stored may work in a way that nobody can see from here. Only what is new is enforced.

use super::judged::Judged;
use crate::pipeline::{Field, HEADERS, Output, Text};
use crate::rule::{Fault, Repaired, Rule, Subject};
use crate::settings::Level;

/// The stored pipeline with all that is found in it.
pub(super) struct Stored<'a>(Judged<'a>);

/// What is forgiven: each fault of the stored pipeline forgives one, so that a second header with the same token is new.
struct Forgiven<'s, 'a> {
    stored: &'s Subject<'a>,
    /// The faults that have forgiven nothing yet.
    left: Vec<(&'s Rule, &'s Fault)>,
}

impl<'a> Stored<'a> {
    /// Judges what is stored.
    pub(super) fn of(stored: Subject<'a>) -> Self {
        Self(Judged::of(stored))
    }

    /// Makes warnings of the findings and repairs that the stored pipeline has too.
    pub(super) fn soften(&self, judged: &mut Judged<'_>) {
        let Judged { subject, repairs, findings, .. } = judged;
        let mut forgiven = Forgiven { stored: &self.0.subject, left: self.faults().collect() };
        for finding in findings.iter_mut().filter(|finding| finding.level == Level::Deny) {
            if forgiven.takes(finding.rule, &finding.fault, subject) {
                finding.level = Level::Warn;
            }
        }
        let (old, new) =
            std::mem::take(repairs).into_iter().partition(|repaired: &Repaired| self.would_make(repaired, subject));
        *repairs = new;
        let old: Vec<Repaired> = old;
        old.into_iter().for_each(|repaired| judged.tell(repaired));
    }

    /// Whether the stored pipeline would have got a repair: the same value at the same place, for the same fault.
    fn would_make(&self, Repaired { rule, repair }: &Repaired, subject: &Subject<'_>) -> bool {
        let place = subject.place(&repair.fault.field);
        self.0.repairs.iter().any(|old| {
            old.rule.id == rule.id
                && old.repair.value.element() == repair.value.element()
                && old.repair.fault.evidence.covers(&repair.fault.evidence)
                && self.0.subject.place(&old.repair.fault.field) == place
        })
    }

    /// All faults for which the stored pipeline would be rejected: what was no more than a warning where it shipped to forgives
    /// nothing that is rejected where it ships to now. What is filled in by one mode is a fault for the other.
    fn faults(&self) -> impl Iterator<Item = (&Rule, &Fault)> {
        let findings = self.0.findings.iter().filter(|finding| finding.level == Level::Deny);
        let findings = findings.map(|finding| (finding.rule, &finding.fault));
        findings.chain(self.0.repairs.iter().map(|repaired| (repaired.rule, &repaired.repair.fault)))
    }
}

impl Forgiven<'_, '_> {
    /// Whether the stored pipeline has a fault: of the same rule, at the same field, with the same evidence.
    fn takes(&mut self, rule: &Rule, fault: &Fault, subject: &Subject<'_>) -> bool {
        if is_header(fault) && !has_same_rest(self.stored, subject) {
            return false;
        }
        let place = subject.place(&fault.field);
        let same = self.left.iter().position(|(old_rule, old)| {
            old_rule.id == rule.id && old.evidence.covers(&fault.evidence) && self.stored.place(&old.field) == place
        });
        same.map(|at| self.left.swap_remove(at)).is_some()
    }
}

fn is_header(fault: &Fault) -> bool {
    fault.field.in_element_of(&HEADERS).is_some()
}

/// Whether no header with something wrong in it is new among those that are too many to be kept.
fn has_same_rest(old: &Subject<'_>, new: &Subject<'_>) -> bool {
    let rest = |subject: &Subject<'_>| subject.output.headers.value().map_or((0, 0), |all| (all.more, all.more_digest));
    rest(new).0 == 0 || rest(old) == rest(new)
}

/// Whether two states of a pipeline ship the same data to the same place in the same way.
///
/// Compares the fields that rules read. What the module's defaulter fills in counts as unchanged: absent `protocol` is
/// `grpc`, absent `temporality` is `preserve`, absent `enabled` is its default. Of a field of the wrong type only its type is
/// known.
pub(super) fn is_unchanged(old: &Subject<'_>, new: &Subject<'_>) -> bool {
    old.sources() == new.sources() && is_same_output(&old.output, &new.output)
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
