//! The settings: read once, strictly, and valid ever after.
//!
//! A misspelt key that is silently ignored is a policy that does not do what its owner believes. So unknown keys,
//! unknown rule ids, bad globs and empty names are refused at every level, all of them at once. The settings are never
//! echoed whole: somebody may have put a token there.

mod check;
mod error;
mod nearest;
mod read;
mod rule_id;
mod types;

pub use check::{is_object_name, is_secret_key};
pub use error::{SettingsError, SettingsErrors};
pub use rule_id::RuleId;
pub use types::{
    DeclaredSecret, DeltaConversion, Dynatrace, InjectPrefixFor, Level, Metrics, Mode, Settings, TokenScheme,
};
