//! What is looked up in the cluster: the Secrets from which a pipeline takes its URL and its token.
//!
//! A review is pure. It says which Secrets it would like to see ([`Lookup`]), somebody outside looks ([`LookUp`]), and a
//! second review is given what was seen ([`Seen`]). No type here shows a value, not in `Debug` either.

mod outcome;
mod seen;
mod value;

pub use outcome::{Outcome, Refusal};
pub use seen::{LookUp, Lookup, Seen};
pub use value::Value;
