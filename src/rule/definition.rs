//! A rule: a constant with an id, a level, a sentence, a check, and the repair of what is missing.

use super::fault::Fault;
use super::repair::Repair;
use super::subject::Subject;
use crate::pipeline::Signal;
use crate::settings::{Level, RuleId};

/// A rule. Each is a constant in a file of its own under `src/rules/`; `crate::rules::RULES` lists them.
#[derive(Debug)]
pub struct Rule {
    /// Its id: names the pattern, reads after "allow". Also the name of the rule's file and page.
    pub id: RuleId,
    /// What a finding does unless the settings say otherwise.
    pub level: Level,
    /// The destinations that the rule is for.
    pub scope: Scope,
    /// The rule in one sentence, for lists.
    pub summary: &'static str,
    /// The faults of a subject in scope, in the order of their fields.
    pub check: fn(&Subject<'_>) -> Vec<Fault>,
    /// Fills in what is missing, on the subject, and tells what it did; `None` for a rule that only judges.
    pub repair: Option<fn(&mut Subject<'_>) -> Vec<Repair>>,
}

/// Which destinations a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every pipeline with an OTLP output, wherever it ships to.
    Any,
    /// Pipelines that ship to the OTLP API.
    Direct,
    /// Metric pipelines that ship to the OTLP API.
    DirectMetrics,
    /// Pipelines that ship to the OTLP API, where somebody has looked at their Secrets.
    LookedUp,
    /// Pipelines that ship to a Dynatrace Collector in the cluster.
    Collector,
    /// Both of these.
    Dynatrace,
}

impl Scope {
    /// Whether a subject is in scope.
    #[must_use]
    pub fn holds(self, subject: &Subject<'_>) -> bool {
        let destination = subject.destination;
        match self {
            Self::Any => true,
            Self::Direct => destination.is_direct(),
            Self::DirectMetrics => destination.is_direct() && subject.signal == Signal::Metrics,
            Self::LookedUp => destination.is_direct() && !subject.seen.is_nothing(),
            Self::Collector => destination.is_collector(),
            Self::Dynatrace => destination.is_direct() || destination.is_collector(),
        }
    }

    /// The scope in a table's words.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Any => "any destination",
            Self::Direct => "direct",
            Self::DirectMetrics => "direct, MetricPipeline",
            Self::LookedUp => "direct, with `lookUpSecrets`",
            Self::Collector => "Collector",
            Self::Dynatrace => "direct and Collector",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn accepts_a_label_that_names_where_a_rule_looks() {
        assert_eq!((Scope::Any.label(), Scope::Direct.label()), ("any destination", "direct"));
        assert!(Scope::LookedUp.label().contains("lookUpSecrets") && Scope::Collector.label() == "Collector");
    }
}
