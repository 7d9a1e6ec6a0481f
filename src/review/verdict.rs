//! What a review comes to.

use crate::destination::Destination;
use crate::lookup::Lookup;
use crate::pipeline::Signal;
use crate::rule::{Finding, Repaired};
use crate::settings::Level;

/// What the policy thinks of a request.
///
/// The default is a request that does not concern the policy: accepted, untouched, without a word.
#[derive(Default)]
pub struct Verdict {
    /// The kind of pipeline and where it ships to; `None` where the request does not concern the policy.
    pub about: Option<(Signal, Destination)>,
    /// What does not hold, in the order of the rules.
    pub findings: Vec<Finding>,
    /// What is filled in. Empty where the request is rejected.
    pub repairs: Vec<Repaired>,
    /// How many findings there are that nobody has made a text of.
    pub more: usize,
    /// The Secrets to look at before the verdict is given. Empty where nobody asked for lookups, where the request is rejected
    /// anyway or leaves output and inputs as they were, and in a review that was given what was seen.
    pub lookups: Vec<Lookup>,
    /// The Secrets, as `namespace/name`, at which somebody looked in vain, without a reason that anybody could mend.
    pub failed: Vec<String>,
}

impl Verdict {
    /// The verdict as it is given: a rejected request is never mutated.
    pub(super) fn settled(mut self) -> Self {
        if !self.is_accepted() {
            self.repairs.clear();
            self.lookups.clear();
        }
        self
    }

    /// Whether the request is accepted, with or without repairs.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.denials().next().is_none()
    }

    /// The findings that reject the request.
    pub fn denials(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.level == Level::Deny)
    }

    /// The findings that only warn.
    pub fn cautions(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.level == Level::Warn)
    }
}
