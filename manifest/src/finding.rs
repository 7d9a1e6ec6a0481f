//! What the policy found in an object, read from its response.
//!
//! The response is made for people; its form is fixed and tested in the policy (`finding.rs` there): a rejection is a
//! paragraph for each finding, a warning is a line with a link at its end. That form is read back here, so that the
//! verdict is the module's own, whichever module it is.

use std::ops::Range;

use kyma_dynatrace_admission::AdmissionResponse;
use serde::Serialize;

use crate::document::Document;

/// What a finding means for the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It is accepted all the same.
    Warning,
    /// It is rejected, or changed on its way into the cluster.
    Error,
}

/// One finding.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The rule's id; empty where the policy gave another answer than findings.
    pub rule: String,
    /// What it means.
    pub severity: Severity,
    /// Whether the policy repairs it by itself.
    pub repairable: bool,
    /// The field's path in the object.
    pub field: String,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do, in one line; empty for warnings, which have none, and for what the policy repairs.
    pub fix: String,
    /// The rule's page.
    pub link: String,
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

impl Finding {
    fn new(severity: Severity, id_and_text: &str) -> Self {
        let (rule, message) = id_and_text.split_once(": ").unwrap_or(("", id_and_text));
        // "...; the policy sets ..." is a repair.
        let (repairable, text) = (message.contains("; the policy sets "), message);
        let severity = if repairable { Severity::Error } else { severity };
        let message = text.to_owned();
        Self {
            rule: rule.to_owned(),
            severity,
            repairable,
            field: text.split([' ', ':']).next().unwrap_or_default().to_owned(),
            message,
            fix: String::new(),
            link: String::new(),
            file: String::new(),
            object: String::new(),
            line: 0,
            column: 0,
            span: 0..0,
        }
    }

    /// Something that the API server itself refuses.
    pub fn of_api_server(field: &str, message: &str) -> Self {
        let name = if field.is_empty() { "the object" } else { field };
        let mut finding = Self::new(Severity::Error, &format!("api-server: {name}: {message}"));
        field.clone_into(&mut finding.field);
        "write what the CustomResourceDefinition takes".clone_into(&mut finding.fix);
        finding
    }

    /// Says of which object it is, and where its span, which is in the document's text, is in the input.
    pub(crate) fn locate(&mut self, object: &str, document: &Document<'_>) {
        object.clone_into(&mut self.object);
        let before = document.text.get(..self.span.start).unwrap_or_default();
        self.line = document.line + before.matches('\n').count();
        self.column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    }

    /// A key that is in a mapping twice: the API server is sent the last one.
    pub fn of_duplicate(key: &str, span: Range<usize>) -> Self {
        let key = kyma_dynatrace_policy::text::quote(key);
        let mut finding =
            Self::new(Severity::Warning, &format!("duplicate-key: {key} is there twice, and the last one counts"));
        finding.field.clear();
        "keep one of them".clone_into(&mut finding.fix);
        finding.span = span;
        finding
    }
}

/// The findings in a response, rejections first.
#[must_use]
pub fn read(response: &AdmissionResponse) -> Vec<Finding> {
    let message = response.message();
    let mut findings: Vec<Finding> = Vec::new();
    if !response.allowed {
        for line in message.lines() {
            if let Some(problem) = line.strip_prefix("- ") {
                findings.push(Finding::new(Severity::Error, problem));
            } else if let (Some(fix), Some(last)) = (line.strip_prefix("  fix: "), findings.last_mut()) {
                fix.clone_into(&mut last.fix);
            } else if let (Some(link), Some(last)) = (line.strip_prefix("  see: "), findings.last_mut()) {
                link.clone_into(&mut last.link);
            }
        }
        if findings.is_empty() {
            let mut finding = Finding::new(Severity::Error, "");
            message.lines().next().unwrap_or("rejected without a word").clone_into(&mut finding.message);
            findings.push(finding);
        }
    }
    for warning in response.warnings.iter().flatten() {
        let (text, link) = warning.rsplit_once("; see ").unwrap_or((warning, ""));
        let mut finding = Finding::new(Severity::Warning, text);
        link.clone_into(&mut finding.link);
        findings.push(finding);
    }
    findings
}
