//! What a rule is, what it looks at, and what it says.

mod definition;
mod evidence;
mod fault;
mod finding;
mod repair;
mod subject;

pub use definition::{Rule, Scope};
pub use evidence::Evidence;
pub use fault::{Fault, Text};
pub use finding::{Finding, Repaired};
pub use repair::{Json, Repair};
pub use subject::{Place, Subject};
