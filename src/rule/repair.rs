//! A repair: a value that is missing in the object, and where it goes.

use serde_json::Value;

use super::fault::Fault;

/// One repair of a pipeline.
///
/// A rule's repair does two things at once: it changes the subject, so that the rules then judge the repaired state, and
/// it notes the change to the object. That is why no repaired request can be rejected for what was repaired, and why
/// `validate` mode rejects just what `repair` mode would have repaired or rejected.
#[derive(Clone)]
pub struct Repair {
    /// Where the value goes, as a JSON pointer into the object; `-` at its end is behind an array's last element.
    pub pointer: String,
    /// The value.
    pub value: Value,
    /// The value, as the user reads it.
    pub shown: String,
    /// The finding in its place in `validate` mode.
    pub fault: Fault,
}

impl Repair {
    /// A value for a member of the output: `spec.output.otlp.<name>`.
    #[must_use]
    pub fn of_member(name: &str, value: Value, shown: String, fault: Fault) -> Self {
        Self { pointer: ["/spec/output/otlp/", name].concat(), value, shown, fault }
    }

    /// What is set, as a clause.
    #[must_use]
    pub fn done(&self) -> String {
        [&self.fault.field, " to ", self.shown.as_str()].concat()
    }
}
