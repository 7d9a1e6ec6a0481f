//! Findings as a compiler prints them.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use kyma_dynatrace_manifest::finding::{Finding, Severity};

use super::{Report, clause, count, help, plain};

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
    let (file, object) = (plain(&finding.file), plain(&finding.object));
    let title = level.primary_title(finding.message.as_str()).id(finding.rule.as_str());
    let mut group = match source {
        Some((text, line)) => {
            let annotation = AnnotationKind::Primary.span(finding.span.clone()).label(object.as_str());
            let snippet = Snippet::source(text).path(file.as_str()).line_start(line);
            title.element(snippet.annotation(annotation))
        }
        None => title
            .element(Origin::path(file.as_str()).line(finding.line).char_column(finding.column))
            .element(Level::NOTE.message(format!("in {object}; its lines are not shown, one may hold a credential"))),
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

/// More pipelines that are not recognised are only counted.
const MAX_UNRECOGNIZED: usize = 5;

/// The last lines: what could not be checked, what was not judged, and the sums.
pub(crate) fn summary(report: &Report, is_quiet: bool) -> String {
    let mut text = String::new();
    for failure in &report.failures {
        let line = failure.line.map(|line| format!(":{line}")).unwrap_or_default();
        let message = format!("{}{line}: {}", plain(&failure.name), failure.message);
        text += &render(Group::with_title(Level::ERROR.primary_title(message)));
    }
    let listed = if is_quiet { 0 } else { MAX_UNRECOGNIZED };
    for unrecognized in report.unrecognized.iter().take(listed) {
        let (what, fix) = unrecognized.texts();
        let title = format!("{}: {what}", plain(&unrecognized.object));
        let file = plain(&unrecognized.file);
        let place = Origin::path(file.as_str()).line(unrecognized.line);
        text += &render(Level::NOTE.primary_title(title).element(place).element(Level::HELP.message(fix)));
    }
    if !is_quiet && report.unrecognized.len() > listed {
        let more = report.unrecognized.len() - listed;
        text += &render(Group::with_title(Level::NOTE.primary_title(format!(
            "{more} more not recognised as pipelines for Dynatrace; `--format json` lists all of them"
        ))));
    }
    let hidden = clause(report.hidden, |number| format!("{} not shown", count(number, "finding")));
    let passed_over = clause(report.passed_over, |number| format!("{} of other kinds", count(number, "object")));
    let repaired = clause(report.repaired, |number| format!("{number} repaired"));
    let failures = clause(report.failures.len(), |number| format!("{number} could not be checked"));
    text + &format!("{}: {}{hidden}{repaired}{failures}{passed_over}\n", report.extent(), report.sums())
}
