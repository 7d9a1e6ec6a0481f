//! What a pipeline says: the fields of its object that the policy reads, and nothing of settings or rules.
//!
//! Field names and types are those of `telemetry.kyma-project.io`, v1alpha1 and v1beta1. All types are derived, read
//! in one pass, and borrow from the request's text; everything that is not named here is skipped.

mod field;
mod header;
mod input;
mod object;
mod output;
mod path;
mod signal;
mod source;

#[cfg(feature = "wapc")]
pub(crate) use field::Members;
pub use field::{Field, JsonType, Malformed, OTLP, Text};
pub use header::{HEADERS, Header, Headers};
pub use input::{Input, Inputs, OTLP_INPUT};
pub use object::Object;
pub use output::{Authentication, Output, Tls};
pub use path::{FieldPath, Step};
pub use signal::{GROUP, Signal};
pub use source::{SecretKey, Source, ValueSource};
