//! A rule that does not hold, and a rule that was made to hold.

use super::definition::Rule;
use super::fault::Fault;
use super::repair::Repair;
use crate::settings::Level;

/// A rule that does not hold for a pipeline.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// Whether it rejects or warns; never [`Level::Off`].
    pub level: Level,
    /// What was found where.
    pub fault: Fault,
}

/// A repair, with the rule whose finding it would be.
#[derive(Clone)]
pub struct Repaired {
    /// The rule.
    pub rule: &'static Rule,
    /// What is filled in where.
    pub repair: Repair,
}
