//! What was found, for people and for programs.

use std::io::{ErrorKind, Write as _};

use kyma_dynatrace_manifest::finding::{Finding, Severity};
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
    /// Objects checked, with the input's name, kind and name, in order.
    pub(crate) checked: Vec<(String, String)>,
    /// Objects of other kinds.
    pub(crate) passed_over: usize,
    /// Repairs written.
    pub(crate) repaired: usize,
    /// What was found.
    pub(crate) findings: Vec<Finding>,
    /// What could not be checked.
    pub(crate) failures: Vec<Failure>,
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
}

/// The report as one JSON object.
pub(crate) fn json(report: &Report) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Json<'a> {
        version: u8,
        checked: usize,
        passed_over: usize,
        repaired: usize,
        findings: &'a [Finding],
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
        version: 1,
        checked: report.checked.len(),
        passed_over: report.passed_over,
        repaired: report.repaired,
        findings: &report.findings,
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
