//! Findings as a compiler prints them.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use kyma_dynatrace_manifest::finding::{Finding, Severity};

use super::Report;

/// One finding, with the lines concerned.
///
/// `source` is the text of its document and the line on which that begins; `None` where no line may be shown, because it may
/// hold a token.
pub(crate) fn finding(finding: &Finding, source: Option<(&str, usize)>) -> String {
    let level = if finding.severity == Severity::Error { Level::ERROR } else { Level::WARNING };
    let title = level.primary_title(finding.message.as_str()).id(finding.rule.as_str());
    let mut group = match source {
        Some((text, line)) => {
            let annotation = AnnotationKind::Primary.span(finding.span.clone()).label(finding.object.as_str());
            let snippet = Snippet::source(text).path(finding.file.as_str()).line_start(line);
            title.element(snippet.annotation(annotation))
        }
        None => title.element(Origin::path(finding.file.as_str()).line(finding.line).char_column(finding.column)),
    };
    for (level, text) in [(Level::HELP, &finding.fix), (Level::NOTE.with_name("see"), &finding.link)] {
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

/// The last lines: what could not be checked, and the sums.
pub(crate) fn summary(report: &Report) -> String {
    let mut text = String::new();
    for failure in &report.failures {
        let line = failure.line.map(|line| format!(":{line}")).unwrap_or_default();
        let message = format!("{}{line}: {}", failure.name, failure.message);
        text += &format!("{}\n", Renderer::styled().render(&[Group::with_title(Level::ERROR.primary_title(message))]));
    }
    let count = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let repaired = if report.repaired > 0 { format!(", {} repaired", report.repaired) } else { String::new() };
    text + &format!(
        "{} checked, {} of other kinds; {} errors, {} warnings{repaired}, {} could not be checked\n",
        report.checked.len(),
        report.passed_over,
        count(Severity::Error),
        count(Severity::Warning),
        report.failures.len()
    )
}
