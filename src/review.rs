//! The one pure call: a request, settings and what was looked up in, a verdict out.
//!
//! Nothing here reads a clock, logs, or knows a host. Whether a request is let through unseen is decided in
//! [`review`] and nowhere else, each time with the reason beside it.

mod ratchet;
mod request;
mod verdict;

pub use request::{Operation, Request};
pub use verdict::Verdict;

use crate::destination::Destination;
use crate::lookup::{Outcome, Seen};
use crate::pipeline::{GROUP, Object, Signal};
use crate::rule::{Fault, Finding, Repaired, Rule, Scope, Subject};
use crate::rules::RULES;
use crate::settings::{Level, Mode, Settings};

/// Reviews an admission request.
///
/// With [`Seen::NOTHING`] the verdict names the Secrets to look at, if any; a second review is then given what was seen. What was
/// seen adds findings and changes no repair.
///
/// # Errors
/// A sentence that says why the request cannot be decided: it must be rejected then, because nobody has looked at it.
pub fn review(request: &Request<'_>, settings: &Settings, seen: &Seen) -> Result<Verdict, &'static str> {
    let Some(signal) = Signal::of_kind(request.kind).filter(|_| request.group == GROUP) else {
        // Not ours; a policy with wider rules than ours may send anything.
        return Ok(Verdict::default());
    };
    if request.operation == Operation::Other || request.is_subresource {
        // Nothing of `spec` is stored; and the Telemetry module cannot be removed while pipelines are left.
        return Ok(Verdict::default());
    }
    let object = request.object.ok_or("the admission request has no `object` that is a JSON object")?;
    let old = request.old_object.filter(|_| request.operation == Operation::Update);
    if old.is_some_and(Object::is_deleted) {
        // Controllers take their finalizers off by an UPDATE; blocking that blocks the deletion. (In the new object the
        // mark may be the user's own text: the API server wipes it only after mutating admission.)
        return Ok(Verdict::default());
    }
    let Some(subject) = Subject::read(signal, object, settings, seen) else {
        // No OTLP output (a Fluent Bit LogPipeline, or none at all or no object, on which the schema check has the word).
        return Ok(Verdict::default());
    };
    let Some(old) = old.and_then(|old| Subject::read(signal, old, settings, seen)) else {
        return Ok(judge(subject, settings.mode).settled());
    };
    if ratchet::is_unchanged(&old, &subject) {
        // It was there before, and somebody only adds a label: nothing is repaired either.
        let mut verdict = judge(subject, Mode::Validate);
        verdict.findings.iter_mut().for_each(|finding| finding.level = Level::Warn);
        verdict.lookups.clear();
        return Ok(verdict);
    }
    let inputs = (old.cumulative_inputs(), subject.cumulative_inputs());
    let mut verdict = judge(subject, settings.mode);
    let stored = judge(old, Mode::Validate).findings;
    ratchet::soften(&mut verdict.findings, &stored, &inputs.0, &inputs.1);
    Ok(verdict.settled())
}

/// Repairs a pipeline and judges what the repairs leave.
///
/// In `validate` mode each repair is a finding instead. The rules judge the repaired state in both modes, so the two
/// cannot disagree about which pipelines are in order.
fn judge(mut subject: Subject<'_>, mode: Mode) -> Verdict {
    let repairs = repair(&mut subject);
    let mut findings = Vec::new();
    for rule in RULES.iter().filter(|rule| rule.scope.holds(&subject)) {
        let faults = match level(rule, None, &subject) {
            None => continue,
            Some(Level::Warn) => told_only(rule, &subject),
            Some(_) => {
                let missing = repairs.iter().filter(|repaired| std::ptr::eq(repaired.rule, *rule));
                let missing = missing.filter(|_| mode == Mode::Validate).map(|repaired| repaired.repair.fault.clone());
                (rule.check)(&subject).into_iter().chain(missing).collect()
            }
        };
        findings.extend(faults.into_iter().filter_map(|fault| finding(rule, fault, &subject)));
    }
    let repairs = if mode == Mode::Repair { repairs } else { Vec::new() };
    // A header that is kept out of memory has something wrong in it, which nobody has looked at more closely.
    let more = if findings.is_empty() { 0 } else { subject.output.headers.value().map_or(0, |headers| headers.more) };
    let about = (subject.destination != Destination::Elsewhere || !findings.is_empty())
        .then_some((subject.signal, subject.destination));
    let is_asked_for = subject.settings.look_up_secrets && subject.seen.is_nothing();
    let lookups = if is_asked_for && has_use_for_lookups(&subject) { subject.lookups() } else { Vec::new() };
    let failed = subject.seen.all().filter(|(_, outcome)| **outcome == Outcome::Failed);
    let failed = failed.map(|(lookup, _)| lookup.secret()).collect();
    Verdict { about, findings, repairs, more, lookups, failed }
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
