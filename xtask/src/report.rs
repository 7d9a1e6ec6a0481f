//! An admission response as its reader sees it: what `make demo` prints and what the rules' pages show.

use kyma_dynatrace_admission::AdmissionResponse;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted as it is, perhaps with warnings.
    Accepted,
    /// Accepted with a patch.
    Repaired,
    /// Rejected.
    Rejected,
}

impl Outcome {
    /// The outcome of a response.
    #[must_use]
    pub fn of(response: &AdmissionResponse) -> Self {
        match (response.allowed, &response.patch) {
            (true, None) => Self::Accepted,
            (true, Some(_)) => Self::Repaired,
            (false, _) => Self::Rejected,
        }
    }

    /// The outcome in one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Repaired => "repaired",
            Self::Rejected => "rejected",
        }
    }
}

/// The response as text: the outcome, then the findings or the patch as a diff of YAML, then the warnings.
///
/// # Errors
/// Where the patch does not fit the object, which it was made from.
pub fn render(object: &Value, response: &AdmissionResponse) -> anyhow::Result<String> {
    let mut lines = vec![Outcome::of(response).word().to_owned()];
    if let Some(patch) = &response.patch {
        let mut repaired = object.clone();
        json_patch::patch(&mut repaired, &patch.0)?;
        lines.push(diff(object, &repaired)?);
    }
    if !response.allowed {
        lines.extend(response.status.iter().filter_map(|status| status.message.clone()));
    }
    lines.extend(response.warnings.iter().flatten().map(|warning| format!("Warning: {warning}")));
    Ok(lines.join("\n"))
}

/// The changed lines of a document, with three lines around them.
fn diff(before: &Value, after: &Value) -> anyhow::Result<String> {
    let (before, after) = (yaml_serde::to_string(before)?, yaml_serde::to_string(after)?);
    let diff = TextDiff::from_lines(&before, &after);
    let mut lines = Vec::new();
    for group in diff.grouped_ops(3) {
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            lines.push(format!("  {sign} {}", change.value().trim_end()));
        }
    }
    Ok(lines.join("\n"))
}
