//! The texts that the cluster shows, made from a report: the message of a rejection, warnings, audit annotations.
//!
//! Texts are put together with `concat`, which allocates once: a rejection is most of what the policy does for its request. A
//! finding has three texts with three jobs: what is wrong and where, what to do, and a link. Each is one line.

use super::data::{Finding, LookupOutcome, Repair, Report};
use crate::text::clip;

/// Longest line of a rejection, in characters: Kubernetes truncates what it shows beyond 256.
const MAX_LINE: usize = 240;

/// Longest warning before its link, in characters, as `ValidationResponse.warnings` asks.
const MAX_WARNING: usize = 120;

/// More findings are not told in one answer.
const MAX_TOLD: usize = 20;

/// The message: of a rejection every problem, of an accepted repair what is filled in.
#[must_use]
pub fn message(report: &Report<'_>) -> Option<String> {
    let denied = report.denials().count();
    if denied == 0 {
        return (!report.repairs.is_empty()).then(|| {
            let mut message = "the policy sets ".to_owned();
            add_repairs(&mut message, &report.repairs);
            message
        });
    }
    let (count, told) = (denied + report.omitted, denied.min(MAX_TOLD));
    let problems = if count == 1 { " problem:" } else { " problems:" };
    let kind = report.kind.as_deref().unwrap_or_default();
    let mut message = ["this ", kind, " has ", &count.to_string(), problems].concat();
    message.reserve(told * 400);
    report.denials().take(told).for_each(|finding| add_paragraph(&mut message, finding));
    if count > told {
        message += &["\nand ", &(count - told).to_string(), " more"].concat();
    }
    if !report.repairs.is_empty() {
        message += "\nonce that is fixed, the policy sets ";
        add_repairs(&mut message, &report.repairs);
    }
    Some(message)
}

/// What is filled in, as clauses.
fn add_repairs(message: &mut String, repairs: &[Repair<'_>]) {
    for (index, repair) in repairs.iter().enumerate() {
        add(message, &[if index > 0 { "; " } else { "" }, repair.finding.field.as_str(), " to ", &repair.meaning]);
    }
}

/// The finding as a paragraph of a rejection: problem, fix and link on a line each.
fn add_paragraph(message: &mut String, finding: &Finding<'_>) {
    let Finding { rule, field, found, expected, why, fix, page, .. } = finding;
    let problem = [rule, ": ", field.as_str(), " ", found, ", expected ", expected, ": ", why];
    message.push_str("\n- ");
    add_clipped(message, &problem);
    message.push_str("\n  fix: ");
    add_clipped(message, &[fix]);
    add(message, &["\n  see: ", page]);
}

fn add(message: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| message.push_str(part));
}

/// One line of a rejection.
fn add_clipped(message: &mut String, parts: &[&str]) {
    // No more bytes than that, no more characters.
    if parts.iter().map(|part| part.len()).sum::<usize>() <= MAX_LINE {
        add(message, parts);
    } else {
        message.push_str(&clip(parts.concat(), MAX_LINE));
    }
}

/// The warnings, which `kubectl` shows beside the result: repairs, then findings. With `denials_as_warnings`, for policies
/// in monitor mode, what rejects the request too.
#[must_use]
pub fn warnings(report: &Report<'_>, denials_as_warnings: bool) -> Vec<String> {
    let denials = report.denials().count();
    let room = MAX_TOLD.saturating_sub(denials);
    let mut warnings = Vec::new();
    if denials == 0 {
        warnings.extend(report.repairs.iter().map(repair_warning));
    } else if denials_as_warnings {
        warnings.extend(report.denials().take(MAX_TOLD).map(warning));
    }
    warnings.extend(report.warnings().take(room).map(warning));
    let more = report.warnings().skip(room).count() + if denials == 0 { report.omitted } else { 0 };
    match more {
        0 => {}
        1 => warnings.push("and 1 more warning".to_owned()),
        more => warnings.push(format!("and {more} more warnings")),
    }
    warnings
}

/// What goes into the audit log, in the order of its names: identifiers only, never a user's value. Nothing for a request that
/// there is nothing to tell of.
#[must_use]
pub fn annotations(report: &Report<'_>) -> Vec<(&'static str, String)> {
    let Some(destination) = report.destination.as_deref().filter(|_| report.has_news()) else { return Vec::new() };
    let mut ids: Vec<&str> = report.findings.iter().map(|finding| &*finding.rule).collect();
    ids.dedup();
    let is_repaired = report.is_accepted();
    let pointers: Vec<&str> = report.repairs.iter().filter(|_| is_repaired).map(|repair| &*repair.pointer).collect();
    let failed = report.lookups.iter().filter(|lookup| lookup.outcome == LookupOutcome::Failed);
    let failed: Vec<String> = failed.map(super::data::Lookup::secret).collect();
    let mut annotations = vec![
        ("destination", destination.to_owned()),
        ("findings", ids.join(",")),
        ("lookups-failed", failed.join(",")),
        ("repaired", pointers.join(",")),
    ];
    annotations.retain(|(_, text)| !text.is_empty());
    annotations
}

/// The finding as one Kubernetes warning.
fn warning(finding: &Finding<'_>) -> String {
    let Finding { rule, field, found, expected, page, .. } = finding;
    let mut text = [rule, ": ", field.as_str(), " ", found, ", expected ", expected].concat();
    if text.len() > MAX_WARNING {
        // What to write helps more than what was written.
        text = [rule, ": ", field.as_str(), " is wrong, expected ", expected].concat();
    }
    [&clip(text, MAX_WARNING), "; see ", page].concat()
}

/// The repair as one Kubernetes warning. It says what the policy does, not what has been done: in monitor mode
/// Kubewarden drops the patch and keeps the warning.
fn repair_warning(Repair { finding, meaning, .. }: &Repair<'_>) -> String {
    let text =
        [&finding.rule, ": ", finding.field.as_str(), " ", &finding.found, "; the policy sets ", meaning].concat();
    [&clip(text, MAX_WARNING), "; see ", &finding.page].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::FieldPath;
    use crate::settings::{Level, RuleId};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn finding(found: &str) -> Finding<'static> {
        Finding {
            rule: RuleId::GrpcProtocol.name().into(),
            level: Level::Deny,
            field: FieldPath::new("spec.output.otlp.protocol"),
            found: found.to_owned().into(),
            expected: "`http`".into(),
            why: "that is why".into(),
            fix: "set it".into(),
            page: "https://example.com/page.md".into(),
        }
    }

    #[test]
    fn makes_three_texts_with_three_jobs() {
        let text = format!("{}: spec.output.otlp.protocol is `grpc`, expected `http`", RuleId::GrpcProtocol);
        let page = "https://example.com/page.md";
        let mut paragraph = String::new();
        add_paragraph(&mut paragraph, &finding("is `grpc`"));
        assert_eq!(paragraph, format!("\n- {text}: that is why\n  fix: set it\n  see: {page}"));
        assert_eq!(warning(&finding("is `grpc`")), format!("{text}; see {page}"));
    }

    #[test]
    fn clips_what_is_too_long_but_never_the_link() {
        let mut finding = finding(&"x".repeat(500));
        let mut paragraph = String::new();
        add_paragraph(&mut paragraph, &finding);
        let problem = paragraph.lines().nth(1).unwrap();
        assert_eq!(problem.chars().count(), MAX_LINE + "- ".len());
        let short = format!("{}: spec.output.otlp.protocol is wrong, expected `http`", RuleId::GrpcProtocol);
        assert_eq!(warning(&finding), format!("{short}; see {}", finding.page), "what to write is kept");
        finding.expected = "y".repeat(500).into();
        let warning = warning(&finding);
        let (text, link) = warning.split_once("; see ").unwrap();
        assert_eq!((text.chars().count(), link), (MAX_WARNING, &*finding.page));
    }

    #[test]
    fn counts_what_is_left_out_and_says_it_in_plain_numbers() {
        let told = |count: usize, omitted: usize| {
            let level = Level::Warn;
            let findings = vec![Finding { level, ..finding("is `grpc`") }; count];
            warnings(&Report { findings, omitted, ..Report::default() }, false).pop()
        };
        assert!(told(20, 0).is_some_and(|last| last.contains("; see ")));
        assert_eq!(told(21, 0).as_deref(), Some("and 1 more warning"));
        assert_eq!(told(20, 2).as_deref(), Some("and 2 more warnings"));
    }
}
