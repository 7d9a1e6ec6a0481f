//! What a check says: data, from which the texts are made.

use std::borrow::Cow;

use crate::settings::Level;

/// A text of a fault: most of them are always the same.
pub type Text = Cow<'static, str>;

/// Everything about a finding but the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field's path in the object, for example `spec.output.otlp.path`.
    pub field: Text,
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
}
