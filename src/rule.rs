//! What a rule is, what it looks at, and what it says.

mod definition;
mod fault;
mod finding;
mod repair;
mod subject;

pub use definition::{Rule, Scope};
pub use fault::{Fault, Text};
pub use finding::{Finding, Repaired};
pub use repair::Repair;
pub use subject::Subject;
