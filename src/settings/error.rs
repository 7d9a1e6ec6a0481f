//! What can be wrong with settings. No text here shows a value that could be a credential.

use std::fmt;

/// One thing that is wrong with settings. Places, names and values are in backticks, as texts show them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// They are not JSON.
    #[error("the settings are not valid JSON, or nested too deep")]
    Unreadable,
    /// A value of the wrong JSON type.
    #[error("{place} must be {expected}, not {found}")]
    WrongType {
        /// Where it stands.
        place: String,
        /// The type that it should have.
        expected: String,
        /// The type that it has.
        found: &'static str,
    },
    /// A key that no setting has.
    #[error("unknown field {name}{parent}, expected {known}{nearest}")]
    UnknownField {
        /// The key.
        name: String,
        /// ` in <place>`; empty at the top.
        parent: String,
        /// The keys that are known.
        known: String,
        /// The one that may be meant, as a question; empty where none is near.
        nearest: String,
    },
    /// A word that is none of those that a setting accepts.
    #[error("{place} is {name}, expected {known}{nearest}")]
    UnknownWord {
        /// Where it stands.
        place: String,
        /// The word.
        name: String,
        /// The words that are accepted.
        known: String,
        /// The one that may be meant, as a question; empty where none is near.
        nearest: String,
    },
    /// An id in `rules` that no rule has.
    #[error("unknown rule {name} in `rules`{nearest}")]
    UnknownRule {
        /// The id.
        name: String,
        /// The one that may be meant, as a question; empty where none is near.
        nearest: String,
    },
    /// A key that is missing.
    #[error("{place} has no `{name}`")]
    Missing {
        /// Where it is missing.
        place: String,
        /// The key.
        name: String,
    },
    /// A text that is empty.
    #[error("`{0}` is empty")]
    Empty(String),
    /// A Secret that is declared twice.
    #[error("`{0}` is the same Secret as one before it")]
    Twice(String),
    /// A text of another form.
    #[error("`{place}` is {value}: {why}")]
    Form {
        /// Where it stands.
        place: String,
        /// The text, as it may be shown.
        value: String,
        /// Why it is not accepted.
        why: String,
    },
}

/// Everything that is wrong with settings, in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsErrors(pub Vec<SettingsError>);

impl std::error::Error for SettingsErrors {}

impl fmt::Display for SettingsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(SettingsError::to_string).collect();
        f.write_str(&texts.join("; "))
    }
}
