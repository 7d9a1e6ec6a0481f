//! What was found, for people and for programs.

use std::io::{ErrorKind, Write as _};
use std::ops::Range;

use kyma_dynatrace_manifest::finding::{Finding, Severity};
use kyma_dynatrace_policy::report::Endpoint;
use serde::Serialize;

use crate::exit::Exit;
use crate::input::Failure;

pub(crate) mod github;
pub(crate) mod junit;
pub(crate) mod sarif;
pub(crate) mod text;

/// The format of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people, with the lines concerned
    Text,
    /// One JSON object; its schema is in docs/check.schema.json
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, for CI views
    Junit,
    /// GitHub workflow commands
    Github,
}

/// Everything that a run has to say.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Objects checked, in order.
    pub(crate) checked: Vec<Case>,
    /// Those of them that are not recognised as pipelines for Dynatrace.
    pub(crate) unrecognized: Vec<Unrecognized>,
    /// Objects of other kinds.
    pub(crate) passed_over: usize,
    /// Repairs written.
    pub(crate) repaired: usize,
    /// What was found.
    pub(crate) findings: Vec<Finding>,
    /// How many findings are left out, because the policy tells no more of one pipeline.
    pub(crate) omitted: usize,
    /// How many findings `--quiet` keeps out of `findings`.
    pub(crate) hidden: usize,
    /// What could not be checked.
    pub(crate) failures: Vec<Failure>,
}

/// A pipeline that was checked.
#[derive(Debug)]
pub(crate) struct Case {
    /// The input's name.
    pub(crate) file: String,
    /// Kind and name of the object.
    pub(crate) object: String,
    /// Where its findings are in the report's.
    pub(crate) findings: Range<usize>,
    /// How many more are left out.
    pub(crate) omitted: usize,
    /// Where it is in the list of those that are not recognised.
    pub(crate) unrecognized: Option<usize>,
}

/// A pipeline that is not recognised as one for Dynatrace: the rules for Dynatrace have not judged it.
#[derive(Debug, Serialize)]
pub(crate) struct Unrecognized {
    /// The input's name.
    pub(crate) file: String,
    /// Kind and name of the object.
    pub(crate) object: String,
    /// Line in the input on which its name stands, from 1.
    pub(crate) line: usize,
    /// What to declare if it is one all the same; nothing where the endpoint may not be shown.
    pub(crate) declare: Option<Endpoint<'static>>,
}

impl Unrecognized {
    /// That it is not recognised, and what to do about it, in two clauses.
    pub(crate) fn texts(&self) -> (String, String) {
        let fix = match &self.declare {
            Some(Endpoint::Secret { namespace, name, key }) => format!(
                "if it ships to Dynatrace, add `{{namespace: {namespace}, name: {name}, endpointKey: {key}}}` to `dynatrace.secrets` in the settings"
            ),
            Some(Endpoint::Host(host)) => {
                format!("if it ships to Dynatrace, add the host `{host}` to `dynatrace.hosts` in the settings")
            }
            None => "if it ships to Dynatrace, add its host to `dynatrace.hosts` or its Secret to `dynatrace.secrets` in the settings".to_owned(),
        };
        ("not recognised as a pipeline for Dynatrace, so not checked as one".to_owned(), fix)
    }

    /// Both clauses in one line.
    pub(crate) fn sentence(&self) -> String {
        let (what, fix) = self.texts();
        format!("{what}; {fix}")
    }
}

/// The page about pipelines that are not recognised.
const RECOGNISED: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/recognised.md");

/// What to do. What the policy fills in need not be written, but the file then says something else than the cluster.
pub(crate) fn help(finding: &Finding) -> String {
    let fix = &finding.fix;
    match &finding.repair {
        Some(repair) if repair.withheld => format!("once the errors are fixed, `--fix` writes it; by hand: {fix}"),
        Some(_) => format!("`--fix` writes it; by hand: {fix}"),
        None => fix.clone(),
    }
}

/// What is wrong, why, and what to do, in one line.
pub(crate) fn sentence(finding: &Finding) -> String {
    format!("{}. Fix: {}", finding.message, help(finding))
}

/// A name in one line that shows what it is: without what would begin a line, turn its direction or not be seen, and without what
/// no XML may hold.
pub(crate) fn plain(name: &str) -> String {
    let is_shown = |c: char| {
        !(c.is_control()
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}'))
    };
    name.chars().map(|c| if is_shown(c) { c } else { '?' }).collect()
}

/// A clause behind a semicolon, where there is anything to count.
pub(crate) fn clause(number: usize, clause: impl FnOnce(usize) -> String) -> String {
    if number == 0 { String::new() } else { format!("; {}", clause(number)) }
}

/// A number with its noun.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

impl Report {
    /// The exit code, where findings below `min` do not count.
    pub(crate) fn exit(&self, min: Severity) -> Exit {
        if !self.failures.is_empty() {
            Exit::Failure
        } else if self.findings.iter().any(|finding| finding.severity >= min) {
            Exit::Findings
        } else {
            Exit::Clean
        }
    }

    /// How many findings there are of each severity.
    pub(crate) fn sums(&self) -> String {
        let of = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        let all = [Severity::Error, Severity::Repair, Severity::Warning];
        all.map(|severity| count(of(severity), severity.name())).join(", ")
    }

    /// How many pipelines there were, and what of them was not judged, in one sentence.
    pub(crate) fn extent(&self) -> String {
        let unrecognized = match self.unrecognized.len() {
            0 => String::new(),
            number => format!(
                ", {number} of them not recognised as {} for Dynatrace (see {RECOGNISED})",
                if number == 1 { "one" } else { "ones" }
            ),
        };
        let omitted = clause(self.omitted, |number| format!("{} not listed", count(number, "finding")));
        format!("{}{unrecognized}{omitted}", count(self.checked.len(), "pipeline"))
    }
}

/// The report as one JSON object.
pub(crate) fn json(report: &Report) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Json<'a> {
        version: u8,
        checked: usize,
        unrecognized: &'a [Unrecognized],
        passed_over: usize,
        repaired: usize,
        findings: &'a [Finding],
        omitted: usize,
        failures: Vec<JsonFailure<'a>>,
    }
    #[derive(Serialize)]
    struct JsonFailure<'a> {
        file: &'a str,
        line: Option<usize>,
        message: &'a str,
    }
    let failures = report.failures.iter().map(|failure| JsonFailure {
        file: &failure.name,
        line: failure.line,
        message: &failure.message,
    });
    let json = Json {
        version: 2,
        checked: report.checked.len(),
        unrecognized: &report.unrecognized,
        passed_over: report.passed_over,
        repaired: report.repaired,
        findings: &report.findings,
        omitted: report.omitted,
        failures: failures.collect(),
    };
    Ok(serde_json::to_string_pretty(&json)? + "\n")
}

/// Writes to standard output; a reader that has gone away is no error.
pub(crate) fn write_out(text: &str) -> anyhow::Result<Exit> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Clean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_names_in_one_line_that_says_what_they_are() {
        assert_eq!(plain("a\n::error::b\u{202e}c\u{200b}d\u{fffe}e\u{9b}f"), "a?::error::b?c?d?e?f");
        assert_eq!(plain("traces-é/x.yaml"), "traces-é/x.yaml");
    }
}
