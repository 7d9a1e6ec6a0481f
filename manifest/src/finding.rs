//! What the policy found in an object, as its report says it, at its place in the manifest.
//!
//! Everything here is data that the report brings. The one text that is made is a finding's message, in one line.

use std::ops::Range;

use kyma_dynatrace_admission::Reviewed;
use kyma_dynatrace_policy::pipeline::FieldPath;
use kyma_dynatrace_policy::report;
use kyma_dynatrace_policy::settings::Level;
use serde::Serialize;
use serde_json::Value;

use crate::document::Document;

/// What a finding means for the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It is accepted all the same.
    Warning,
    /// It is accepted, and changed on its way into the cluster.
    Repair,
    /// It is rejected.
    Error,
}

impl Severity {
    /// The severity in one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Repair => "repair",
            Self::Error => "error",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The rule's id; `api-server`, `policy-server`, `request` or `duplicate-key` for what is no rule's.
    pub rule: String,
    /// What it means.
    pub severity: Severity,
    /// The field's path in the object.
    pub field: FieldPath,
    /// What is wrong and why that matters, in one line.
    pub message: String,
    /// What is there.
    pub found: String,
    /// What ought to be there.
    pub expected: String,
    /// Why that matters.
    pub why: String,
    /// What to do, in one line.
    pub fix: String,
    /// The rule's page.
    pub link: String,
    /// What the policy fills in.
    pub repair: Option<Filled>,
    /// The input's name.
    pub file: String,
    /// Kind and name of the object.
    pub object: String,
    /// Line in the input, from 1.
    pub line: usize,
    /// Column in the line, from 1, in characters.
    pub column: usize,
    /// The bytes of the culprit in its document's text.
    #[serde(skip)]
    pub span: Range<usize>,
}

/// What the policy fills in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Filled {
    /// Where, as a JSON pointer; `-` at its end is behind an array's last element.
    pub pointer: String,
    /// The value.
    pub value: Value,
    /// The value in a few words.
    pub meaning: String,
}

/// Something that is no rule's finding: who says it, what, and what to do.
struct Said<'a> {
    rule: &'a str,
    severity: Severity,
    field: FieldPath,
    message: String,
    fix: &'a str,
}

impl From<Said<'_>> for Finding {
    fn from(Said { rule, severity, field, message, fix }: Said<'_>) -> Self {
        Self {
            rule: rule.to_owned(),
            severity,
            field,
            message,
            found: String::new(),
            expected: String::new(),
            why: String::new(),
            fix: fix.to_owned(),
            link: String::new(),
            repair: None,
            file: String::new(),
            object: String::new(),
            line: 0,
            column: 0,
            span: 0..0,
        }
    }
}

impl Finding {
    /// A finding of the policy's.
    fn new(severity: Severity, finding: &report::Finding<'_>) -> Self {
        let report::Finding { rule, field, found, expected, why, fix, page, .. } = finding;
        let message = format!("{field} {found}, expected {expected}: {why}");
        let said = Said { rule, severity, field: field.clone(), message, fix };
        let [found, expected, why, link] = [found, expected, why, page].map(|text| text.clone().into_owned());
        Self { found, expected, why, link, ..said.into() }
    }

    /// Something that the policy fills in.
    fn of_repair(report::Repair { finding, pointer, value, meaning }: &report::Repair<'_>) -> Self {
        let filled = Filled {
            pointer: pointer.clone().into_owned(),
            value: serde_json::from_str(value.text()).unwrap_or_default(),
            meaning: meaning.clone().into_owned(),
        };
        Self { repair: Some(filled), ..Self::new(Severity::Repair, finding) }
    }

    /// Something that the API server itself refuses.
    pub fn of_api_server(field: &FieldPath, message: &str) -> Self {
        let name = if *field == FieldPath::ROOT { "the object" } else { field.as_str() };
        let (message, fix) = (format!("{name}: {message}"), "write what the CustomResourceDefinition accepts");
        Said { rule: "api-server", severity: Severity::Error, field: field.clone(), message, fix }.into()
    }

    /// A key that is in a mapping twice: the API server is sent the last one.
    pub fn of_duplicate(key: &str, span: Range<usize>) -> Self {
        let key = kyma_dynatrace_policy::text::quote(key);
        let message = format!("{key} is there twice, and the last one counts");
        let (rule, field, fix) = ("duplicate-key", FieldPath::ROOT, "keep one of them");
        Self { span, ..Said { rule, severity: Severity::Warning, field, message, fix }.into() }
    }

    /// Says of which object it is, and where its span, which is in the document's text, is in the input.
    pub(crate) fn locate(&mut self, object: &str, document: &Document<'_>) {
        object.clone_into(&mut self.object);
        let before = document.text.get(..self.span.start).unwrap_or_default();
        self.line = document.line + before.matches('\n').count();
        self.column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    }
}

/// All that is found in an object: what rejects it, what is filled in (or would be), warnings.
#[must_use]
pub fn all(Reviewed { response, report }: &Reviewed) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    findings.extend(report.denials().map(|finding| Finding::new(Severity::Error, finding)));
    if !response.allowed && findings.is_empty() {
        findings.push(rejected(response.message(), report.kind.is_some()));
    }
    findings.extend(report.repairs.iter().map(Finding::of_repair));
    findings.extend(
        report
            .findings
            .iter()
            .filter(|finding| finding.level == Level::Warn)
            .map(|finding| Finding::new(Severity::Warning, finding)),
    );
    findings
}

/// A rejection without a finding: the policy could not read the request, or policy-server does not let it mutate.
fn rejected(message: &str, is_reviewed: bool) -> Finding {
    let (rule, fix) = if is_reviewed {
        ("policy-server", "set `mutating: true` for the policy, or `mode: validate` in its settings")
    } else {
        ("request", "correct what the message names")
    };
    let message = message.lines().next().unwrap_or("rejected without a message").to_owned();
    Said { rule, severity: Severity::Error, field: FieldPath::ROOT, message, fix }.into()
}
