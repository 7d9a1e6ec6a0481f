//! The one pure call: a request and settings in, a verdict out.
//!
//! Nothing here reads a clock, logs, or knows a host. Whether a request is let through unseen is decided in
//! [`review`] and nowhere else, each time with the reason beside it.

use crate::destination::Destination;
use crate::finding::Finding;
use crate::ratchet::is_unchanged;
use crate::repair::{Repair, repair};
use crate::request::{Operation, Request};
use crate::rule::Rule;
use crate::rules::{RULES, position};
use crate::settings::{Level, Mode, Settings};
use crate::subject::{GROUP, Signal, Subject};

/// What the policy thinks of a request.
///
/// The default is a request that does not concern the policy: accepted, untouched, without a word.
#[derive(Debug, Default)]
pub struct Verdict<'a> {
    /// The kind of pipeline and where it ships to; `None` where the request does not concern the policy.
    pub about: Option<(Signal, Destination)>,
    /// What does not hold, in the order of the rules.
    pub findings: Vec<Finding>,
    /// What is filled in. Empty where the request is rejected.
    pub repairs: Vec<Repair<'a>>,
}

impl Verdict<'_> {
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

/// Reviews an admission request.
///
/// # Errors
/// A sentence that says why the request cannot be decided: it must be rejected then, because nobody has looked at it.
pub fn review<'a>(request: &Request<'a>, settings: &'a Settings) -> Result<Verdict<'a>, &'static str> {
    let Some(signal) = Signal::of_kind(&request.kind).filter(|_| request.group == GROUP) else {
        // Not ours; a policy with wider rules than ours may send anything.
        return Ok(Verdict::default());
    };
    if request.operation == Operation::Other || request.is_subresource {
        // Nothing of `spec` is stored; and the Telemetry module cannot be removed while pipelines are left.
        return Ok(Verdict::default());
    }
    let object = request.object.as_ref().ok_or("the admission request has no `object` that is a JSON object")?;
    if object.is_deleted {
        // Controllers take their finalizers off by an UPDATE; blocking that blocks the deletion.
        return Ok(Verdict::default());
    }
    let Some(otlp) = object.otlp else {
        // No OTLP output (a Fluent Bit LogPipeline, or none at all, which the schema check refuses).
        return Ok(Verdict::default());
    };
    let Some(subject) = Subject::read(signal, otlp, object.input, settings) else {
        // Not an object: the schema check has the word.
        return Ok(Verdict::default());
    };
    let old = request.old_object.as_ref().filter(|_| request.operation == Operation::Update);
    let old = old.and_then(|old| Subject::read(signal, old.otlp?, old.input, settings));
    if old.is_some_and(|old| is_unchanged(&old, &subject)) {
        return Ok(remind(subject));
    }
    Ok(judge(subject, settings.mode))
}

/// Warns of everything that does not hold, and lets it be: the pipeline was there before.
fn remind(subject: Subject<'_>) -> Verdict<'_> {
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
fn judge(mut subject: Subject<'_>, mode: Mode) -> Verdict<'_> {
    let settings = subject.settings;
    let repairs = repair(&mut subject, |rule| level(rule, None, settings).is_some());
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| check(rule, &subject)).collect();
    let repairs = match mode {
        Mode::Repair => repairs,
        Mode::Validate => {
            findings.extend(repairs.into_iter().filter_map(|repair| {
                let level = level(repair.rule, repair.fault.level, settings)?;
                Some(Finding { rule: repair.rule, level, fault: repair.fault })
            }));
            findings.sort_by_key(|finding| position(finding.rule));
            Vec::new()
        }
    };
    let mut verdict = Verdict { about: Some((subject.signal, subject.destination)), findings, repairs };
    if !verdict.is_accepted() {
        verdict.repairs.clear();
    }
    if subject.destination == Destination::Elsewhere && verdict.findings.is_empty() {
        verdict.about = None;
    }
    verdict
}

fn check(rule: &'static Rule, subject: &Subject<'_>) -> Vec<Finding> {
    if !rule.scope.holds(subject) || level(rule, None, subject.settings).is_none() {
        return Vec::new();
    }
    let finding = |fault: crate::finding::Fault| {
        let level = level(rule, fault.level, subject.settings)?;
        Some(Finding { rule, level, fault })
    };
    (rule.check)(subject).into_iter().filter_map(finding).collect()
}

/// What a fault of a rule does: what the settings say of the rule, else what the fault says, else what the rule says.
/// `None` where the rule is off.
fn level(rule: &Rule, fault: Option<Level>, settings: &Settings) -> Option<Level> {
    let level = settings.level(position(rule)).or(fault).unwrap_or(rule.level);
    (level != Level::Off).then_some(level)
}
