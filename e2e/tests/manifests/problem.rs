//! What is wrong with a file.

use std::collections::BTreeSet;
use std::fmt;

/// One thing that is wrong, where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// The file, below `manifests/`.
    pub(crate) file: String,
    /// The field's path in it; empty where the file as a whole is wrong.
    pub(crate) field: String,
    /// What is wrong.
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(file: impl Into<String>, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.into(), field: field.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.file, self.field, self.message)
    }
}

/// Each problem once: a file that is wrong is wrong in every rendering that has it.
pub(crate) fn distinct(problems: Vec<Problem>) -> Vec<Problem> {
    problems.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

pub(crate) fn list(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
