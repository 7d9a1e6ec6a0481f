//! Findings as a compiler prints them.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use kyma_dynatrace_manifest::finding::{Finding, Severity};

use super::{Report, count};

/// One finding, with the lines concerned.
///
/// `source` is the text of its document and the line on which that begins; `None` where no line may be shown, because it may
/// hold a token.
pub(crate) fn finding(finding: &Finding, source: Option<(&str, usize)>) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Repair => Level::INFO.with_name("repair"),
        Severity::Warning => Level::WARNING,
    };
    let fix = help(finding);
    let title = level.primary_title(finding.message.as_str()).id(finding.rule.as_str());
    let mut group = match source {
        Some((text, line)) => {
            let annotation = AnnotationKind::Primary.span(finding.span.clone()).label(finding.object.as_str());
            let snippet = Snippet::source(text).path(finding.file.as_str()).line_start(line);
            title.element(snippet.annotation(annotation))
        }
        None => title.element(Origin::path(finding.file.as_str()).line(finding.line).char_column(finding.column)),
    };
    for (level, text) in [(Level::HELP, &fix), (Level::NOTE.with_name("see"), &finding.link)] {
        if !text.is_empty() {
            group = group.element(level.message(text.as_str()));
        }
    }
    render(group)
}

fn render(group: Group<'_>) -> String {
    // Colour is taken out again by `anstream` where it is not wanted.
    Renderer::styled().render(&[group]) + "\n\n"
}

/// What to do. What the policy fills in need not be written, but the file then says something else than the cluster.
fn help(finding: &Finding) -> String {
    match &finding.repair {
        Some(_) => format!("`--fix` writes it; by hand: {}", finding.fix),
        None => finding.fix.clone(),
    }
}

/// More pipelines that are not recognised are only counted.
const MAX_UNRECOGNIZED: usize = 5;

/// The last lines: what could not be checked, what was not judged, and the sums.
pub(crate) fn summary(report: &Report, is_quiet: bool) -> String {
    let mut text = String::new();
    for failure in &report.failures {
        let line = failure.line.map(|line| format!(":{line}")).unwrap_or_default();
        let message = format!("{}{line}: {}", failure.name, failure.message);
        text += &format!("{}\n", Renderer::styled().render(&[Group::with_title(Level::ERROR.primary_title(message))]));
    }
    for unrecognized in report.unrecognized.iter().take(if is_quiet { 0 } else { MAX_UNRECOGNIZED }) {
        let (what, fix) = unrecognized.texts();
        let title = format!("{}: {what}", unrecognized.object);
        let place = Origin::path(unrecognized.file.as_str()).line(unrecognized.line);
        text += &render(Level::NOTE.primary_title(title).element(place).element(Level::HELP.message(fix)));
    }
    let of = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let found =
        [Severity::Error, Severity::Repair, Severity::Warning].map(|severity| count(of(severity), severity.name()));
    let passed_over = match report.passed_over {
        0 => String::new(),
        number => format!("; {} of other kinds", count(number, "object")),
    };
    let repaired = if report.repaired > 0 { format!("; {} repaired", report.repaired) } else { String::new() };
    let failures = match report.failures.len() {
        0 => String::new(),
        number => format!("; {number} could not be checked"),
    };
    text + &format!("{}: {}{repaired}{failures}{passed_over}\n", report.extent(), found.join(", "))
}
