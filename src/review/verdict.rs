//! What a review comes to.

use crate::destination::{Destination, Recognition};
use crate::lookup::{Lookup, Outcome};
use crate::pipeline::Signal;
use crate::rule::{Finding, Repaired};
use crate::settings::Level;

/// What the policy thinks of a request.
///
/// The default is a request that does not concern the policy: accepted, untouched, without a message.
#[derive(Default)]
pub struct Verdict {
    /// The pipeline; `None` where the request does not concern the policy.
    pub about: Option<About>,
    /// What does not hold, in the order of the rules.
    pub findings: Vec<Finding>,
    /// How many findings there are that nobody has made a text of.
    pub more: usize,
    /// The Secrets that were looked at, and what came of each.
    pub looked_up: Vec<(Lookup, Outcome)>,
    /// What becomes of the request.
    pub decision: Decision,
}

/// The pipeline that a verdict is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// What it carries.
    pub signal: Signal,
    /// Where it ships to.
    pub destination: Destination,
    /// By what that is known.
    pub recognition: Recognition,
}

/// What becomes of a request. One that is rejected has nothing that could be filled in.
pub enum Decision {
    /// It is accepted.
    Accepted {
        /// What is filled in.
        repairs: Vec<Repaired>,
        /// The Secrets to look at before the verdict is given. Empty where nobody asked for lookups, where the request leaves
        /// output and inputs as they were, and in a review that was given what was seen.
        lookups: Vec<Lookup>,
    },
    /// It is rejected.
    Rejected {
        /// What would be filled in once the rest is mended.
        withheld: Vec<Withheld>,
    },
}

/// A repair that is only told of: it can be shown, and not be made.
pub struct Withheld(Repaired);

impl Withheld {
    /// The repair, to be told of.
    #[must_use]
    pub fn told(&self) -> &Repaired {
        &self.0
    }
}

impl Default for Decision {
    fn default() -> Self {
        Self::Accepted { repairs: Vec::new(), lookups: Vec::new() }
    }
}

impl Decision {
    /// Decides by the findings.
    pub(super) fn of(findings: &[Finding], repairs: Vec<Repaired>, lookups: Vec<Lookup>) -> Self {
        if findings.iter().any(|finding| finding.level == Level::Deny) {
            Self::Rejected { withheld: repairs.into_iter().map(Withheld).collect() }
        } else {
            Self::Accepted { repairs, lookups }
        }
    }
}

impl Verdict {
    /// Whether the request is accepted, with or without repairs.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        matches!(self.decision, Decision::Accepted { .. })
    }

    /// What is filled in, or would be.
    pub fn repairs(&self) -> impl Iterator<Item = &Repaired> {
        let (made, withheld): (&[Repaired], &[Withheld]) = match &self.decision {
            Decision::Accepted { repairs, .. } => (repairs, &[]),
            Decision::Rejected { withheld } => (&[], withheld),
        };
        made.iter().chain(withheld.iter().map(Withheld::told))
    }
}
