//! The one pure call: a request and settings in, a verdict out.
//!
//! Nothing here reads a clock, logs, or knows a host. Whether a request is let through unseen is decided in
//! [`review`] and nowhere else, each time with the reason beside it.

mod ratchet;
mod request;
mod verdict;

pub use request::{Operation, Request};
pub use verdict::Verdict;

use crate::destination::Destination;
use crate::pipeline::{GROUP, Signal};
use crate::rule::{Fault, Finding, Repaired, Rule, Subject};
use crate::rules::RULES;
use crate::settings::{Level, Mode, Settings};

/// Reviews an admission request.
///
/// # Errors
/// A sentence that says why the request cannot be decided: it must be rejected then, because nobody has looked at it.
pub fn review(request: &Request<'_>, settings: &Settings) -> Result<Verdict, &'static str> {
    let Some(signal) = Signal::of_kind(request.kind).filter(|_| request.group == GROUP) else {
        // Not ours; a policy with wider rules than ours may send anything.
        return Ok(Verdict::default());
    };
    if request.operation == Operation::Other || request.is_subresource {
        // Nothing of `spec` is stored; and the Telemetry module cannot be removed while pipelines are left.
        return Ok(Verdict::default());
    }
    let object = request.object.ok_or("the admission request has no `object` that is a JSON object")?;
    if object.is_deleted() {
        // Controllers take their finalizers off by an UPDATE; blocking that blocks the deletion.
        return Ok(Verdict::default());
    }
    let Some(subject) = Subject::read(signal, object, settings) else {
        // No OTLP output (a Fluent Bit LogPipeline, or none at all or no object, on which the schema check has the word).
        return Ok(Verdict::default());
    };
    let old = request.old_object.filter(|_| request.operation == Operation::Update);
    let old = old.and_then(|old| Subject::read(signal, old, settings));
    if old.is_some_and(|old| ratchet::is_unchanged(&old, &subject)) {
        return Ok(remind(subject));
    }
    Ok(judge(subject, settings.mode))
}

/// Warns of everything that does not hold, and lets it be: the pipeline was there before.
fn remind(subject: Subject<'_>) -> Verdict {
    let mut verdict = judge(subject, Mode::Validate);
    for finding in &mut verdict.findings {
        finding.level = Level::Warn;
    }
    verdict
}

/// Repairs a pipeline and judges what the repairs leave.
///
/// In `validate` mode each repair is a finding instead. The rules judge the repaired state in both modes, so the two
/// cannot disagree about which pipelines are in order.
fn judge(mut subject: Subject<'_>, mode: Mode) -> Verdict {
    let settings = subject.settings;
    let repairs = repair(&mut subject);
    let mut findings = Vec::new();
    for rule in RULES {
        check(rule, &subject, &mut findings);
        if mode == Mode::Validate {
            let missing = repairs.iter().filter(|repaired| std::ptr::eq(repaired.rule, *rule));
            findings.extend(missing.filter_map(|repaired| finding(rule, repaired.repair.fault.clone(), settings)));
        }
    }
    let repairs = if mode == Mode::Repair { repairs } else { Vec::new() };
    let mut verdict = Verdict { about: Some((subject.signal, subject.destination)), findings, repairs };
    if !verdict.is_accepted() {
        verdict.repairs.clear();
    }
    if subject.destination == Destination::Elsewhere && verdict.findings.is_empty() {
        verdict.about = None;
    }
    verdict
}

/// Makes all repairs of rules that are on, in the order of the rules.
fn repair(subject: &mut Subject<'_>) -> Vec<Repaired> {
    let mut repairs = Vec::new();
    for rule in RULES {
        let Some(repair) = rule.repair else { continue };
        if rule.scope.holds(subject) && level(rule, None, subject.settings).is_some() {
            repairs.extend(repair(subject).into_iter().map(|repair| Repaired { rule, repair }));
        }
    }
    repairs
}

fn check(rule: &'static Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if rule.scope.holds(subject) && level(rule, None, subject.settings).is_some() {
        let faults = (rule.check)(subject);
        findings.extend(faults.into_iter().filter_map(|fault| finding(rule, fault, subject.settings)));
    }
}

/// The fault as a finding, unless the rule is off.
fn finding(rule: &'static Rule, fault: Fault, settings: &Settings) -> Option<Finding> {
    let level = level(rule, fault.level, settings)?;
    Some(Finding { rule, level, fault })
}

/// What a fault of a rule does: what the settings say of the rule, else what the fault says, else what the rule says.
/// `None` where the rule is off.
fn level(rule: &Rule, fault: Option<Level>, settings: &Settings) -> Option<Level> {
    let level = settings.level(rule.id).or(fault).unwrap_or(rule.level);
    (level != Level::Off).then_some(level)
}
