//! GitHub workflow commands: one line for each finding, shown at its place in a pull request.

use kyma_dynatrace_manifest::finding::{Finding, Severity};

use super::{Report, plain, sentence};

/// The report as workflow commands.
pub(crate) fn render(report: &Report) -> String {
    let mut lines = String::new();
    for finding in &report.findings {
        let command = match finding.severity {
            // What is filled in is accepted; but the file says something else, and the command ends with 1.
            Severity::Error | Severity::Repair => "error",
            Severity::Warning => "warning",
        };
        let (file, title) = (property(&finding.file), property(&title(finding)));
        let message = data(&text(finding));
        let (line, column) = (finding.line, finding.column);
        lines += &format!("::{command} file={file},line={line},col={column},title={title}::{message}\n");
    }
    for unrecognized in &report.unrecognized {
        let (file, line) = (property(&unrecognized.file), unrecognized.line);
        let message = data(&format!("{}: {}", plain(&unrecognized.object), unrecognized.sentence()));
        lines += &format!("::notice file={file},line={line},title=not recognised::{message}\n");
    }
    if !report.unrecognized.is_empty() || report.omitted > 0 {
        lines +=
            &format!("::notice title=kyma-dynatrace::{}\n", data(&format!("{}: {}", report.extent(), report.sums())));
    }
    for failure in &report.failures {
        let (file, line) = (property(&failure.name), failure.line.unwrap_or(1));
        lines += &format!("::error file={file},line={line},title=not checked::{}\n", data(&failure.message));
    }
    lines
}

/// What is wrong, what to do, where to read on.
fn text(finding: &Finding) -> String {
    let see = if finding.link.is_empty() { String::new() } else { format!(". See: {}", finding.link) };
    format!("{}: {}{see}", plain(&finding.object), sentence(finding))
}

/// The rule, and what is special about it.
fn title(finding: &Finding) -> String {
    if finding.repair.is_some() { format!("{} (repair)", finding.rule) } else { finding.rule.clone() }
}

/// Escapes a command's message (`@actions/core`, `escapeData`).
fn data(text: &str) -> String {
    text.trim().replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a command's property (`@actions/core`, `escapeProperty`).
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Failure;

    #[test]
    fn escapes_what_would_end_a_command_or_begin_another() {
        let failures = vec![Failure::new("a,b:c%\n.yaml", "1%\r\n::error::x")];
        let report = Report { failures, ..Report::default() };
        assert_eq!(
            render(&report),
            "::error file=a%2Cb%3Ac%25%0A.yaml,line=1,title=not checked::1%25%0D%0A::error::x\n"
        );
    }
}
