//! What was found, for people and for programs.

use std::io::{ErrorKind, Write as _};

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
    /// Objects checked, with the input's name, kind and name, in order.
    pub(crate) checked: Vec<(String, String)>,
    /// Those of them that are not recognised as pipelines for Dynatrace.
    pub(crate) unrecognized: Vec<Unrecognized>,
    /// Objects of other kinds.
    pub(crate) passed_over: usize,
    /// Repairs written.
    pub(crate) repaired: usize,
    /// What was found.
    pub(crate) findings: Vec<Finding>,
    /// How many findings are left out.
    pub(crate) omitted: usize,
    /// What could not be checked.
    pub(crate) failures: Vec<Failure>,
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
    pub(crate) declare: Option<Declare>,
}

/// What the settings would have to name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Declare {
    /// A Secret, in `dynatrace.secrets`.
    Secret { namespace: String, name: String, key: String },
    /// A host, in `dynatrace.hosts`.
    Host(String),
}

impl From<&Endpoint<'_>> for Declare {
    fn from(endpoint: &Endpoint<'_>) -> Self {
        match endpoint {
            Endpoint::Secret { namespace, name, key } => {
                let [namespace, name, key] = [namespace, name, key].map(|text| text.clone().into_owned());
                Self::Secret { namespace, name, key }
            }
            Endpoint::Host(host) => Self::Host(host.clone().into_owned()),
        }
    }
}

impl Unrecognized {
    /// That it is not recognised, and what to do about it, in two clauses.
    pub(crate) fn texts(&self) -> (String, String) {
        let fix = match &self.declare {
            Some(Declare::Secret { namespace, name, key }) => format!(
                "if it ships to Dynatrace, declare the Secret `{namespace}/{name}` with its key `{key}` in `dynatrace.secrets` of the settings"
            ),
            Some(Declare::Host(host)) => {
                format!("if it ships to Dynatrace, declare the host `{host}` in `dynatrace.hosts` of the settings")
            }
            None => "if it ships to Dynatrace, declare its host or Secret in the settings".to_owned(),
        };
        ("not recognised as a pipeline for Dynatrace, so not checked as one".to_owned(), fix)
    }
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

    /// How many pipelines there were, and what of them was not judged, in one sentence.
    pub(crate) fn extent(&self) -> String {
        let unrecognized = match self.unrecognized.len() {
            0 => String::new(),
            number => format!(
                ", {number} of them not recognised as {} for Dynatrace (see docs/recognised.md)",
                if number == 1 { "one" } else { "ones" }
            ),
        };
        let omitted = match self.omitted {
            0 => String::new(),
            number => format!("; {} not listed", count(number, "finding")),
        };
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
