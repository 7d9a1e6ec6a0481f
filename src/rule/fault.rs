//! What a check says: data, from which the texts are made.

use std::borrow::Cow;
use std::fmt;

use super::evidence::Evidence;
use crate::pipeline::FieldPath;
use crate::settings::Level;

/// A text of a fault: most of them are always the same.
pub type Text = Cow<'static, str>;

/// Everything about a finding but the rule.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field's path in the object, for example `spec.output.otlp.path`.
    pub field: FieldPath,
    /// What is there, as what follows the field's name in a sentence, with user values quoted: "is `grpc`", "is missing".
    pub found: Text,
    /// What ought to be there: "`http`".
    pub expected: Text,
    /// Why that matters, as a clause.
    pub why: Text,
    /// What to do, as an instruction.
    pub fix: Text,
    /// The level of this fault where it is not the rule's.
    pub level: Option<Level>,
    /// What it rests on, so that an update can tell it from a new one.
    pub evidence: Evidence,
}

/// Without the evidence, which is never shown.
impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, found, expected, .. } = self;
        f.debug_struct("Fault")
            .field("field", field)
            .field("found", found)
            .field("expected", expected)
            .finish_non_exhaustive()
    }
}
