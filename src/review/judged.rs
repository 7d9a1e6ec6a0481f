//! A pipeline repaired and judged by all rules.

use super::verdict::{About, Decision, Verdict};
use crate::destination::Destination;
use crate::rule::{Fault, Finding, Repaired, Rule, Scope, Subject};
use crate::rules::RULES;
use crate::settings::{Level, Mode};

/// A pipeline with all that is found in it, before it is decided what becomes of it.
pub(super) struct Judged<'a> {
    /// The pipeline, as its repairs leave it.
    pub(super) subject: Subject<'a>,
    /// What is filled in.
    pub(super) repairs: Vec<Repaired>,
    /// What does not hold.
    pub(super) findings: Vec<Finding>,
    /// Whether nothing is to be looked up for it.
    is_settled: bool,
}

impl<'a> Judged<'a> {
    /// Repairs a pipeline and judges what the repairs leave.
    ///
    /// In `validate` mode each repair is a finding instead. The rules judge the repaired state in both modes, so the two
    /// cannot disagree about which pipelines are in order.
    pub(super) fn of(mut subject: Subject<'a>) -> Self {
        let repairs = repair(&mut subject);
        let is_repaired = subject.settings.mode == Mode::Repair;
        let mut judged = Self { repairs: Vec::new(), findings: Vec::new(), is_settled: false, subject };
        let subject = &judged.subject;
        for rule in RULES.iter().filter(|rule| rule.scope.holds(subject)) {
            let faults = match level(rule, None, subject) {
                None => continue,
                Some(Level::Warn) => told_only(rule, subject),
                Some(_) => (rule.check)(subject),
            };
            judged.findings.extend(faults.into_iter().filter_map(|fault| finding(rule, fault, subject)));
            if !is_repaired {
                let missing = repairs.iter().filter(|repaired| std::ptr::eq(repaired.rule, *rule));
                let missing = missing.filter_map(|repaired| finding(rule, repaired.repair.fault.clone(), subject));
                judged.findings.extend(missing);
            }
        }
        if is_repaired {
            judged.repairs = repairs;
        }
        judged
    }

    /// Makes a warning of everything: it was like that before.
    pub(super) fn warn_only(&mut self) {
        for finding in &mut self.findings {
            finding.level = Level::Warn;
        }
        for repaired in std::mem::take(&mut self.repairs) {
            self.tell(repaired);
        }
        self.is_settled = true;
    }

    /// Tells of a repair that is not made, in the order of the rules.
    pub(super) fn tell(&mut self, Repaired { rule, repair }: Repaired) {
        let place = self.findings.iter().position(|finding| finding.rule.id.cmp(&rule.id).is_gt());
        let place = place.unwrap_or(self.findings.len());
        self.findings.insert(place, Finding { rule, level: Level::Warn, fault: repair.fault });
    }

    /// What becomes of the request.
    pub(super) fn verdict(self) -> Verdict {
        let Self { subject, repairs, findings, is_settled } = self;
        // A header that is kept out of memory has something wrong in it, which nobody has looked at more closely.
        let more =
            if findings.is_empty() { 0 } else { subject.output.headers.value().map_or(0, |headers| headers.more) };
        let is_asked_for = subject.settings.look_up_secrets && subject.seen.is_nothing() && !is_settled;
        let lookups = if is_asked_for && has_use_for_lookups(&subject) { subject.lookups() } else { Vec::new() };
        let Subject { signal, destination, recognition, .. } = subject;
        Verdict {
            about: Some(About { signal, destination, recognition }),
            looked_up: subject.seen.all().map(|(lookup, outcome)| (lookup.clone(), outcome.clone())).collect(),
            decision: Decision::of(&findings, repairs, lookups),
            findings,
            more,
        }
    }
}

/// Whether a rule that judges what was looked up is on.
fn has_use_for_lookups(subject: &Subject<'_>) -> bool {
    let judges = |rule: &&&Rule| rule.scope == Scope::LookedUp;
    subject.destination.is_direct() && RULES.iter().filter(judges).any(|rule| level(rule, None, subject).is_some())
}

/// What a rule at level `warn` says: what is missing is told, and nothing is filled in.
fn told_only(rule: &Rule, subject: &Subject<'_>) -> Vec<Fault> {
    let faults = (rule.check)(subject);
    match rule.repair {
        Some(repair) if faults.is_empty() => {
            repair(&mut subject.clone()).into_iter().map(|repair| repair.fault).collect()
        }
        _ => faults,
    }
}

/// Makes all repairs of rules that reject, in the order of the rules.
fn repair(subject: &mut Subject<'_>) -> Vec<Repaired> {
    let mut repairs = Vec::new();
    for rule in RULES {
        let Some(repair) = rule.repair else { continue };
        if rule.scope.holds(subject) && level(rule, None, subject) == Some(Level::Deny) {
            repairs.extend(repair(subject).into_iter().map(|repair| Repaired { rule, repair }));
        }
    }
    repairs
}

/// The fault as a finding, unless the rule is off.
fn finding(rule: &'static Rule, fault: Fault, subject: &Subject<'_>) -> Option<Finding> {
    let level = level(rule, fault.level, subject)?;
    Some(Finding { rule, level, fault })
}

/// What a fault of a rule does: what the settings say of the rule, else what the fault says, else what the rule says.
/// `None` where the rule is off.
fn level(rule: &Rule, fault: Option<Level>, subject: &Subject<'_>) -> Option<Level> {
    let level = subject.settings.level(rule.id).or(fault).unwrap_or(rule.level);
    match level {
        Level::Off => None,
        // It may be somebody else's Service.
        Level::Deny if subject.destination == Destination::PossibleCollector && rule.scope != Scope::Any => {
            Some(Level::Warn)
        }
        level => Some(level),
    }
}
