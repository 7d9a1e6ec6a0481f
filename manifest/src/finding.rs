//! What the policy found in an object, as its report says it, at its place in the manifest.
//!
//! Everything here is data that the report brings. The one text that is made is a finding's message, in one line.

use std::ops::Range;

use kyma_dynatrace_admission::Reviewed;
use kyma_dynatrace_policy::pipeline::FieldPath;
use kyma_dynatrace_policy::report;
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
    /// Where, as a JSON pointer; a final `-` means: append to the array.
    pub pointer: String,
    /// The value.
    pub value: Value,
    /// The value in a few words.
    pub meaning: String,
    /// Whether the policy rejects the object for something else, and fills this in only once that is fixed.
    pub withheld: bool,
}

impl Finding {
    /// A finding of which only this is known.
    fn unplaced(rule: &str, severity: Severity) -> Self {
        Self {
            rule: rule.to_owned(),
            severity,
            field: FieldPath::ROOT,
            message: String::new(),
            found: String::new(),
            expected: String::new(),
            why: String::new(),
            fix: String::new(),
            link: String::new(),
            repair: None,
            file: String::new(),
            object: String::new(),
            line: 0,
            column: 0,
            span: 0..0,
        }
    }

    /// A finding of the policy's.
    fn new(severity: Severity, finding: &report::Finding<'_>) -> Self {
        let report::Finding { rule, field, found, expected, why, fix, page, .. } = finding;
        let message = format!("{field} {found}, expected {expected}: {why}");
        let [found, expected, why, fix, link] = [found, expected, why, fix, page].map(|text| text.clone().into_owned());
        Self { field: field.clone(), message, found, expected, why, fix, link, ..Self::unplaced(rule, severity) }
    }

    /// Something that the policy fills in, or would.
    fn of_repair(report::Repair { finding, pointer, value, meaning }: &report::Repair<'_>, withheld: bool) -> Self {
        let filled = Filled {
            pointer: pointer.clone().into_owned(),
            value: serde_json::from_str(value.text()).unwrap_or_default(),
            meaning: meaning.clone().into_owned(),
            withheld,
        };
        Self { repair: Some(filled), ..Self::new(Severity::Repair, finding) }
    }

    /// Something that the API server itself refuses.
    pub fn of_api_server(field: &FieldPath, message: &str) -> Self {
        let name = if *field == FieldPath::ROOT { "the object" } else { field.as_str() };
        let fix = "correct the field, or remove it if the CustomResourceDefinition does not know it".to_owned();
        Self {
            field: field.clone(),
            found: message.to_owned(),
            expected: "what the CustomResourceDefinition accepts".to_owned(),
            why: "the API server does not store the object as it is written".to_owned(),
            message: format!("{name}: {message}"),
            fix,
            ..Self::unplaced("api-server", Severity::Error)
        }
    }

    /// A key that is in a mapping twice: the API server is sent the last one.
    pub fn of_duplicate(key: &str, span: Range<usize>) -> Self {
        let found = format!("{} occurs twice", kyma_dynatrace_policy::text::quote(key));
        let why = "the last one counts, and what the others say is lost".to_owned();
        let fix = "keep one of them".to_owned();
        let (message, expected) = (format!("{found}: {why}"), "each key once".to_owned());
        Self { message, found, expected, why, fix, span, ..Self::unplaced("duplicate-key", Severity::Warning) }
    }

    /// Says of which object it is, and where its span, which is in the document's text, is in the input.
    pub(crate) fn locate(&mut self, object: &str, document: &Document<'_>) {
        object.clone_into(&mut self.object);
        let before = document.text.get(..self.span.start).unwrap_or_default();
        self.line = document.line_at(self.span.start);
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
    // What only policy-server rejects, `--fix` repairs.
    findings.extend(report.repairs.iter().map(|repair| Finding::of_repair(repair, !report.is_accepted())));
    findings.extend(report.warnings().map(|finding| Finding::new(Severity::Warning, finding)));
    findings
}

/// A rejection without a finding: the policy could not read the request, or policy-server does not let it mutate.
fn rejected(message: &str, is_reviewed: bool) -> Finding {
    let (rule, expected, why, fix) = if is_reviewed {
        (
            "policy-server",
            "a policy that may change objects",
            "Kubewarden rejects what a policy without `mutating: true` would change",
            "set `mutating: true` for the policy, or `mode: validate` in its settings",
        )
    } else {
        (
            "request",
            "a pipeline that can be read",
            "the policy rejects what it cannot read",
            "correct what the message names",
        )
    };
    let message = message.lines().next().unwrap_or("rejected without a message").to_owned();
    let [expected, why, fix] = [expected, why, fix].map(str::to_owned);
    Finding { found: message.clone(), message, expected, why, fix, ..Finding::unplaced(rule, Severity::Error) }
}
