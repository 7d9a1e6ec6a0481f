//! `check`: every pipeline in the inputs becomes the request that an API server would send, and is put to the module.

mod given;

use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use kyma_dynatrace_admission::{AdmissionResponse, Reviewed};
use kyma_dynatrace_apiserver::ApiServer;
use kyma_dynatrace_manifest::check::{self, Checked, Cluster, Outcome, Repairs, Trouble, may_show_credential};
use kyma_dynatrace_manifest::document::Document;
use kyma_dynatrace_manifest::finding::{Finding, Severity};
use kyma_dynatrace_manifest::fix;
use serde_json::Value;

use crate::exit::Exit;
use crate::input::{self, Failure, Input};
use crate::policy::{Policies, Source};
use crate::report::{Case, Format, Report, Unrecognized, github, json, junit, sarif, text, write_out};

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Files, folders (searched for .yaml, .yml and .json) or `-` for standard input
    #[arg(default_value = "-")]
    paths: Vec<PathBuf>,
    /// Take settings and `mutating` from the manifest of the ClusterAdmissionPolicy that is deployed
    #[arg(long, value_name = "FILE", conflicts_with = "settings")]
    from: Option<PathBuf>,
    /// Take settings from a file
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Check with a module of your own instead of the released one
    #[arg(long, value_name = "FILE", env = "KYMA_DYNATRACE_POLICY", hide_env_values = true)]
    policy: Option<PathBuf>,
    /// Check schema and CEL rules too: CustomResourceDefinitions, for example of `kubectl get crd -o yaml`
    #[arg(long, value_name = "DIR|FILE")]
    crds: Option<PathBuf>,
    /// Take what is stored from a folder, so that objects found there are updated, not created
    #[arg(long, value_name = "DIR")]
    update_from: Option<PathBuf>,
    /// Look at Secrets too: their manifests, for example of `kubectl get secret -n dynatrace dynakube -o yaml`
    #[arg(long, value_name = "DIR|FILE")]
    secrets: Option<PathBuf>,
    /// Write repairs into the files
    #[arg(long)]
    fix: bool,
    /// Show what --fix would write
    #[arg(long, conflicts_with = "fix")]
    diff: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The lowest severity that makes the command end with 1
    #[arg(long, value_enum, default_value_t = MinSeverity::Error)]
    min_severity: MinSeverity,
    /// Print what the engine's start and each pipeline took
    #[arg(long)]
    timings: bool,
    /// Print only what counts by --min-severity
    #[arg(long, short)]
    quiet: bool,
}

const EXAMPLES: &str = "Examples:
  kyma-dynatrace check manifests/
  helm template . | kyma-dynatrace check -
  kyma-dynatrace check --from cluster/policy.yaml --format sarif manifests/ > result.sarif
  kyma-dynatrace check --fix manifests/
  kubectl get secret -n dynatrace dynakube -o yaml | kyma-dynatrace check --secrets - manifests/

Exit codes: 0 clean, or all repaired with --fix; 1 findings; 2 the command line is wrong; 3 something could not be checked";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum MinSeverity {
    /// Also what is accepted with a warning
    Warning,
    /// What is rejected, or changed on its way into the cluster
    Error,
}

impl From<MinSeverity> for Severity {
    fn from(min: MinSeverity) -> Self {
        match min {
            MinSeverity::Warning => Self::Warning,
            // What is changed on its way into the cluster is not what is in the file.
            MinSeverity::Error => Self::Repair,
        }
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    if let Some(message) = misuse(args) {
        anstream::eprintln!("error: {message}");
        return Ok(Exit::Usage);
    }
    let source = Source {
        policy: args.policy.as_deref(),
        from: args.from.as_deref(),
        settings: args.settings.as_deref(),
        looks_up: args.secrets.is_some(),
    };
    let start = Instant::now();
    let policies = source.load()?;
    let started = start.elapsed();
    let mut check = Check {
        args,
        min: args.min_severity.into(),
        given: Given { policies, server: None, stored: BTreeMap::new() },
        report: Report::default(),
        bar: ProgressBar::hidden(),
    };
    check.read_given()?;
    let files = input::files(&args.paths, &mut check.report.failures);
    check.bar = progress(files.len());
    for path in files {
        match input::read(&path) {
            Ok(input) => check.input(&input)?,
            Err(failure) => check.report.failures.push(failure),
        }
        check.bar.inc(1);
    }
    check.bar.finish_and_clear();
    if args.timings {
        print_timings(started, start.elapsed() - started, check.report.checked.len());
    }
    check.finish()
}

/// What is wrong with the use of standard input.
fn misuse(args: &Args) -> Option<&'static str> {
    match args.paths.iter().chain(&args.secrets).filter(|path| path.as_os_str() == "-").count() {
        0 => None,
        1 => std::io::stdin()
            .is_terminal()
            .then_some("standard input is a terminal; name files or folders, or pipe manifests in"),
        _ => Some("standard input can be read once: name the files or folders of the pipelines"),
    }
}

fn print_timings(start: Duration, checks: Duration, count: usize) {
    let each = checks / u32::try_from(count.max(1)).unwrap_or(u32::MAX);
    anstream::eprintln!("engine started in {start:.1?}; {count} pipelines in {checks:.1?}, {each:.1?} each");
}

/// A bar for more files than one likes to wait for; `indicatif` draws none where standard error is no terminal.
fn progress(files: usize) -> ProgressBar {
    if files > 100 { ProgressBar::new(files as u64) } else { ProgressBar::hidden() }
}

struct Check<'a> {
    args: &'a Args,
    min: Severity,
    given: Given,
    report: Report,
    bar: ProgressBar,
}

/// What stands in the place of the cluster.
struct Given {
    policies: Policies,
    /// Defaults, schemas and CEL rules, if they are given.
    server: Option<ApiServer>,
    /// Objects that are stored, by kind and name.
    stored: BTreeMap<String, Value>,
}

impl Cluster for Given {
    fn decode(&self, object: &Value) -> Value {
        self.server.as_ref().map_or_else(|| object.clone(), |server| server.decode(object))
    }

    fn stored(&self, title: &str) -> Option<&Value> {
        self.stored.get(title)
    }

    fn is_sent(&self, object: &Value, operation: &str) -> bool {
        self.policies.deployed.is_sent(object, operation)
    }

    fn admit(&self, request: &Value) -> Reviewed {
        self.policies.policy.review(request)
    }

    fn repair(&self, request: &Value) -> Reviewed {
        self.policies.repairer.review(request)
    }

    fn refusals(&self, object: &Value, submitted: Value, response: &AdmissionResponse) -> Vec<Finding> {
        let Some(server) = &self.server else { return Vec::new() };
        let unknown = server.unknown_fields(object).into_iter();
        let mut findings: Vec<Finding> = unknown.map(|field| Finding::of_api_server(&field, "unknown field")).collect();
        if response.allowed {
            let mut admitted = submitted;
            // The patch was made from this object, so it fits.
            let _ = response.patch.iter().try_for_each(|patch| json_patch::patch(&mut admitted, &patch.0));
            let refusals = server.refusals(&admitted).into_iter();
            findings.extend(refusals.map(|refusal| Finding::of_api_server(&refusal.field, &refusal.message)));
        }
        findings
    }
}

impl Check<'_> {
    /// Checks all documents of an input, and repairs them if that is asked for.
    fn input(&mut self, input: &Input) -> anyhow::Result<()> {
        let repairs = match (self.args.fix, self.args.diff) {
            (true, _) => Repairs::Written,
            (false, true) => Repairs::Printed,
            (false, false) => Repairs::Unasked,
        };
        let Self { args, min, given, report, bar } = self;
        let mut taking = Taking { args, min: *min, report, bar, input };
        let repaired = check::input(&input.text, given, repairs, |document, outcome| taking.down(document, outcome))?;
        match (&input.path, self.args.fix) {
            // Standard input goes to standard output, repaired or not: what reads it needs all of it.
            (None, true) => drop(write_out(repaired.as_deref().unwrap_or(&input.text))?),
            (Some(path), true) => {
                if let Some(Err(error)) = repaired.map(|repaired| write(path, &repaired)) {
                    self.report.failures.push(Failure::new(&input.name, format!("cannot be written: {error}")));
                }
            }
            (_, false) => {
                let diff = repaired.map(|repaired| fix::diff(&input.name, &input.text, &repaired));
                diff.as_deref().map(write_out).transpose()?;
            }
        }
        Ok(())
    }

    /// Prints the report, or what of it is left to print.
    fn finish(self) -> anyhow::Result<Exit> {
        let report = &self.report;
        match self.args.format {
            Format::Text => write_error(&text::summary(report, self.args.quiet))?,
            Format::Json => drop(write_out(&json(report)?)?),
            Format::Sarif => drop(write_out(&sarif::render(report)?)?),
            Format::Junit => drop(write_out(&junit::render(report)?)?),
            Format::Github => drop(write_out(&github::render(report))?),
        }
        Ok(report.exit(self.min))
    }
}

/// What is taken down of one input.
struct Taking<'a> {
    args: &'a Args,
    min: Severity,
    report: &'a mut Report,
    bar: &'a ProgressBar,
    input: &'a Input,
}

impl Taking<'_> {
    /// Takes down what there is to say of a document, and prints the findings.
    fn down(&mut self, document: &Document<'_>, outcome: Outcome) -> anyhow::Result<()> {
        let Self { args, report, input, .. } = self;
        report.passed_over += outcome.passed_over;
        report.repaired += if args.fix { outcome.repaired } else { 0 };
        let failure = |Trouble { line, message }| Failure { name: input.name.clone(), line, message };
        report.failures.extend(outcome.troubles.into_iter().map(failure));
        for Checked { object, reviewed, unrecognized_at, mut findings } in outcome.checked {
            let (file, title) = (self.input.name.clone(), object.title());
            let omitted = reviewed.report.omitted;
            self.report.omitted += omitted;
            let unrecognized = unrecognized_at.map(|line| {
                let (file, object) = (file.clone(), title.clone());
                let declare = reviewed.report.endpoint;
                self.report.unrecognized.push(Unrecognized { file, object, line, declare });
                self.report.unrecognized.len() - 1
            });
            if self.args.quiet {
                let count = findings.len();
                findings.retain(|finding| finding.severity >= self.min);
                self.report.hidden += count - findings.len();
            }
            let before = self.report.findings.len();
            let range = before..before + findings.len();
            self.report.checked.push(Case { file, object: title, findings: range, omitted, unrecognized });
            if findings.is_empty() {
                continue;
            }
            // A line that may hold a token is not shown.
            let source = (!may_show_credential(document, &object)).then_some((document.text, document.line));
            for finding in findings {
                self.finding(finding, source)?;
            }
        }
        Ok(())
    }

    fn finding(&mut self, mut finding: Finding, source: Option<(&str, usize)>) -> anyhow::Result<()> {
        finding.file.clone_from(&self.input.name);
        if self.args.format == Format::Text {
            let text = text::finding(&finding, source);
            // Standard output is for the repaired text alone, where that is where it goes.
            let is_piped = self.args.fix && self.input.path.is_none();
            self.bar.suspend(|| if is_piped { write_error(&text) } else { write_out(&text).map(drop) })?;
        }
        self.report.findings.push(finding);
        Ok(())
    }
}

/// Writes to standard error; a reader that has gone away is no error.
fn write_error(text: &str) -> anyhow::Result<()> {
    match anstream::stderr().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Replaces a file in one step, so that nobody ever sees half of it; it keeps its permissions.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(std::fs::metadata(&path)?.permissions())?;
    file.persist(&path)?;
    Ok(())
}
