//! `check`: every pipeline in the inputs becomes the request that an API server would send, and is put to the module.

mod given;

use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use kyma_dynatrace_admission::{AdmissionResponse, admission_request};
use kyma_dynatrace_apiserver::ApiServer;
use kyma_dynatrace_engine::Policy;
use kyma_dynatrace_manifest::document::{Document, Object, Objects, split};
use kyma_dynatrace_manifest::finding::{self, Finding, Severity};
use kyma_dynatrace_manifest::fix;
use kyma_dynatrace_manifest::places::Places;
use kyma_dynatrace_policy::text::holds_token;
use serde_json::Value;

use crate::exit::Exit;
use crate::input::{self, Failure, Input};
use crate::policy::{Deployed, Source};
use crate::report::{Format, Report, github, json, junit, sarif, text, write_out};

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
            MinSeverity::Error => Self::Error,
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
    let deployed = source.load()?;
    let started = start.elapsed();
    let mut check = Check {
        args,
        deployed,
        min: args.min_severity.into(),
        server: None,
        stored: BTreeMap::new(),
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
    deployed: Deployed,
    min: Severity,
    /// Defaults, schemas and CEL rules, if they are given.
    server: Option<ApiServer>,
    /// Objects that are stored, by kind and name.
    stored: BTreeMap<String, Value>,
    report: Report,
    bar: ProgressBar,
}

impl Check<'_> {
    /// The objects in a document; none where it is broken, which goes into the report.
    fn objects(&mut self, input: &Input, document: &Document<'_>) -> Objects {
        document.objects().unwrap_or_else(|(message, line)| {
            self.report.failures.push(Failure { name: input.name.clone(), line, message });
            Objects::default()
        })
    }

    /// The object as admission gets it.
    fn decode(&self, object: &Value) -> Value {
        self.server.as_ref().map_or_else(|| object.clone(), |server| server.decode(object))
    }

    /// Checks all documents of an input, and repairs them if that is asked for.
    fn input(&mut self, input: &Input) -> anyhow::Result<()> {
        let mut repaired = String::with_capacity(input.text.len());
        let mut copied = 0;
        let mut is_changed = false;
        for document in split(&input.text) {
            let text = self.document(input, &document)?;
            repaired.push_str(input.text.get(copied..document.offset).unwrap_or_default());
            repaired.push_str(text.as_deref().unwrap_or(document.text));
            copied = document.offset + document.text.len();
            is_changed |= text.is_some();
        }
        repaired.push_str(input.text.get(copied..).unwrap_or_default());
        match (&input.path, self.args.fix) {
            // Standard input goes to standard output, repaired or not: what reads it needs all of it.
            (None, true) => drop(write_out(&repaired)?),
            _ if !is_changed => {}
            (Some(path), true) => {
                if let Err(error) = write(path, &repaired) {
                    self.report.failures.push(Failure::new(&input.name, format!("cannot be written: {error}")));
                }
            }
            (_, false) => drop(write_out(&fix::diff(&input.name, &input.text, &repaired))?),
        }
        Ok(())
    }

    /// Checks the pipelines of a document; its repaired text, if repairs are wanted and there are any.
    fn document(&mut self, input: &Input, document: &Document<'_>) -> anyhow::Result<Option<String>> {
        let mut text: Option<String> = None;
        let Objects { objects, duplicates } = self.objects(input, document);
        if let Some(pipeline) = objects.iter().find(|object| object.is_pipeline()) {
            let findings = duplicates.iter().map(|(key, line)| Finding::of_duplicate(key, document.line_span(*line)));
            self.take_down(input, document, pipeline, findings.collect())?;
        }
        for object in objects {
            if !object.is_pipeline() {
                self.report.passed_over += 1;
                continue;
            }
            let operation = if self.stored.contains_key(&object.title()) { "UPDATE" } else { "CREATE" };
            if !self.deployed.is_sent(&object.value, operation) {
                self.report.passed_over += 1;
                continue;
            }
            self.report.checked.push((input.name.clone(), object.title()));
            let repaired = self.repair(input, document, &object, &mut text);
            let submitted = self.decode(repaired.as_ref().unwrap_or(&object.value));
            let response = self.admit(&self.deployed.policy, &object, &submitted);
            if response.status.as_ref().and_then(|status| status.code) == Some(500) {
                let message = format!("{}: {}", object.title(), response.message());
                self.report.failures.push(Failure::new(&input.name, message));
                continue;
            }
            let mut findings = finding::read(&response);
            findings.extend(self.refusals(&object, submitted, &response));
            self.findings(input, document, &object, findings)?;
        }
        Ok(text)
    }

    /// Puts an object to a policy, as an update of what is stored under its name, if anything is.
    fn admit(&self, policy: &Policy, object: &Object, submitted: &Value) -> AdmissionResponse {
        policy.admit(&admission_request(submitted, self.stored.get(&object.title())))
    }

    /// Applies the policy's repairs to the document's text, if that is asked for and safe; the repaired object, if the text
    /// is to be written.
    fn repair(
        &mut self,
        input: &Input,
        document: &Document<'_>,
        object: &Object,
        text: &mut Option<String>,
    ) -> Option<Value> {
        if !self.args.fix && !self.args.diff {
            return None;
        }
        let response = self.admit(&self.deployed.repairer, object, &self.decode(&object.value));
        let patch = response.patch.as_ref()?;
        if self.args.diff && may_show_credential(document, object) {
            let message =
                format!("{}: its repairs are not shown, a line of them may hold a credential", object.title());
            self.report.failures.push(Failure { name: input.name.clone(), line: Some(document.line), message });
            return None;
        }
        let current = Document { text: text.as_deref().unwrap_or(document.text), ..*document };
        match fix::apply(&current, object, patch) {
            Ok((repaired, value)) => {
                *text = Some(repaired);
                self.report.repaired += usize::from(self.args.fix);
                self.args.fix.then_some(value)
            }
            Err(reason) => {
                let message = format!("{}: not repaired, {reason}", object.title());
                self.report.failures.push(Failure { name: input.name.clone(), line: Some(document.line), message });
                None
            }
        }
    }

    /// What the API server has to say of an object before and after admission.
    fn refusals(&self, object: &Object, submitted: Value, response: &AdmissionResponse) -> Vec<Finding> {
        let Some(server) = &self.server else { return Vec::new() };
        let unknown = server.unknown_fields(&object.value).into_iter();
        let mut findings: Vec<Finding> =
            unknown.map(|field| Finding::of_api_server(&field, "is no known field")).collect();
        if response.allowed {
            let mut admitted = submitted;
            // The patch was made from this object, so it fits.
            let _ = response.patch.iter().try_for_each(|patch| json_patch::patch(&mut admitted, &patch.0));
            let refusals = server.refusals(&admitted).into_iter();
            findings.extend(refusals.map(|refusal| Finding::of_api_server(&refusal.field, &refusal.message)));
        }
        findings
    }

    /// Takes down findings, at their fields' places in the input.
    fn findings(
        &mut self,
        input: &Input,
        document: &Document<'_>,
        object: &Object,
        mut findings: Vec<Finding>,
    ) -> anyhow::Result<()> {
        if findings.is_empty() {
            return Ok(());
        }
        if let Some(places) = Places::of(document.text) {
            for finding in &mut findings {
                finding.span = places.span(&object.route(&finding.field));
            }
        }
        self.take_down(input, document, object, findings)
    }

    /// Takes down findings whose places in the document are known, and prints them.
    fn take_down(
        &mut self,
        input: &Input,
        document: &Document<'_>,
        object: &Object,
        mut findings: Vec<Finding>,
    ) -> anyhow::Result<()> {
        if self.args.quiet {
            findings.retain(|finding| finding.severity >= self.min);
        }
        if findings.is_empty() {
            return Ok(());
        }
        // A line that may hold a token is not shown.
        let source = (!may_show_credential(document, object)).then_some((document.text, document.line));
        // Standard output is for the repaired text alone, where that is where it goes.
        let is_piped = self.args.fix && input.path.is_none();
        for mut finding in findings {
            finding.file.clone_from(&input.name);
            finding.object = object.title();
            finding.locate(document);
            if self.args.format == Format::Text {
                let text = text::finding(&finding, source);
                self.bar.suspend(|| if is_piped { write_error(&text) } else { write_out(&text).map(drop) })?;
            }
            self.report.findings.push(finding);
        }
        Ok(())
    }

    /// Prints the report, or what of it is left to print.
    fn finish(self) -> anyhow::Result<Exit> {
        let report = &self.report;
        match self.args.format {
            Format::Text => write_error(&text::summary(report))?,
            Format::Json => drop(write_out(&json(report)?)?),
            Format::Sarif => drop(write_out(&sarif::render(report)?)?),
            Format::Junit => drop(write_out(&junit::render(report)?)?),
            Format::Github => drop(write_out(&github::render(report))?),
        }
        Ok(report.exit(self.min))
    }
}

/// Writes to standard error; a reader that has gone away is no error.
fn write_error(text: &str) -> anyhow::Result<()> {
    match anstream::stderr().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Whether a line of the object's document may hold a credential, so that none is shown.
fn may_show_credential(document: &Document<'_>, object: &Object) -> bool {
    holds_token(document.text) || object.has_literal_credential()
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
