//! The one pure call: a request and settings in, a verdict out.
//!
//! Nothing here reads a clock, logs, or knows a host. Whether a request is let through unseen is decided in
//! [`review`] and nowhere else, each time with the reason beside it.

use crate::destination::Destination;
use crate::finding::{Fault, Finding};
use crate::ratchet::is_unchanged;
use crate::repair::{Repair, repair};
use crate::request::{Operation, Request};
use crate::rule::Rule;
use crate::rules::RULES;
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
    let mut findings = Vec::new();
    for rule in RULES {
        check(rule, &subject, &mut findings);
        if mode == Mode::Validate {
            let missing = repairs.iter().filter(|repair| std::ptr::eq(repair.rule, *rule));
            findings.extend(missing.filter_map(|repair| finding(rule, repair.fault.clone(), settings)));
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
    let level = settings.level(rule).or(fault).unwrap_or(rule.level);
    (level != Level::Off).then_some(level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Payload;
    use crate::rules::testing::SECRET;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const GRPC: &str = r#""spec":{"output":{"otlp":{"protocol":"grpc","path":"v2/otlp/v1/traces"}}}"#;

    /// Verdict, ids of findings with their level, and repaired fields, of a request with these members.
    fn verdict(request: &str, settings: &str) -> (bool, Vec<String>, Vec<String>) {
        let payload = format!(r#"{{"request":{{{request}}},"settings":{settings}}}"#);
        let payload = Payload::parse(payload.as_bytes()).unwrap();
        let settings = Settings::read(payload.settings()).unwrap();
        let request = payload.request().unwrap();
        let verdict = review(&request, &settings).unwrap();
        let ids = verdict.findings.iter().map(|finding| format!("{} {:?}", finding.rule.id, finding.level)).collect();
        let pointers = verdict.repairs.iter().map(|r| r.pointer.replace("/spec/output/otlp/", "")).collect();
        (verdict.is_accepted(), ids, pointers)
    }

    fn request(operation: &str, group: &str, kind: &str, more: &str) -> String {
        format!(r#""operation":"{operation}","kind":{{"group":"{group}","kind":"{kind}"}},{more}"#)
    }

    fn traces(operation: &str, more: &str) -> String {
        request(operation, GROUP, "TracePipeline", more)
    }

    fn none() -> (bool, Vec<String>, Vec<String>) {
        (true, Vec::new(), Vec::new())
    }

    #[test]
    fn ignores_what_is_none_of_the_policy_s_business() {
        let object = format!(r#""object":{{{GRPC}}}"#);
        for request in [
            traces("DELETE", &object),
            traces("CONNECT", "\"object\":null"),
            traces("UPDATE", &format!(r#""subResource":"status",{object}"#)),
            traces("UPDATE", &format!(r#""object":{{"metadata":{{"deletionTimestamp":"now"}},{GRPC}}}"#)),
            traces("CREATE", r#""object":{}"#),
            traces("CREATE", r#""object":{"spec":{"output":{"otlp":"x"}}}"#),
            request("CREATE", GROUP, "Telemetry", &object),
            request("CREATE", "example.com", "TracePipeline", &object),
        ] {
            assert_eq!(verdict(&request, "{}"), none(), "{request}");
        }
        let found = verdict(&traces("UPDATE", &format!(r#""subResource":"",{object}"#)), "{}");
        assert!(!found.0, "an empty subresource is none");
    }

    #[test]
    fn rejects_a_request_without_an_object() {
        for object in ["\"object\":null", "\"object\":\"x\"", "\"x\":1"] {
            let payload = format!(r#"{{"request":{{{}}}}}"#, traces("CREATE", object));
            let request = Payload::parse(payload.as_bytes()).unwrap().request().unwrap();
            assert!(review(&request, &Settings::default()).unwrap_err().contains("no `object`"));
        }
    }

    #[test]
    fn repairs_or_rejects_by_mode() {
        let request = traces("CREATE", &format!(r#""object":{{"spec":{{"output":{{"otlp":{{{SECRET}}}}}}}}}"#));
        let fields = ["protocol", "path", "headers"].map(str::to_owned).to_vec();
        assert_eq!(verdict(&request, "{}"), (true, Vec::new(), fields));
        let ids = ["grpc-protocol Deny", "wrong-otlp-path Deny", "missing-authorization Deny"].map(str::to_owned);
        assert_eq!(verdict(&request, r#"{"mode":"validate"}"#), (false, ids.to_vec(), Vec::new()));
    }

    #[test]
    fn rejects_without_repairing_anything() {
        let object = format!(r#""object":{{"spec":{{"output":{{"otlp":{{{SECRET},"protocol":"grpc"}}}}}}}}"#);
        let (accepted, ids, repairs) = verdict(&traces("CREATE", &object), "{}");
        assert_eq!((accepted, ids, repairs), (false, vec!["grpc-protocol Deny".to_owned()], Vec::new()));
    }

    #[test]
    fn accepts_by_the_levels_of_the_settings() {
        let object = format!(r#""object":{{"spec":{{"output":{{"otlp":{{{SECRET}}}}}}}}}"#);
        let rules = r#"{"mode":"validate","rules":{"grpc-protocol":"warn","wrong-otlp-path":"off","missing-authorization":"off"}}"#;
        let (accepted, ids, _) = verdict(&traces("CREATE", &object), rules);
        assert_eq!((accepted, ids), (true, vec!["grpc-protocol Warn".to_owned()]));
        let rules = rules.replace("validate", "repair");
        let (_, _, repairs) = verdict(&traces("CREATE", &object), &rules);
        assert_eq!(repairs, ["protocol"], "a rule that is off repairs nothing");
    }

    #[test]
    fn accepts_an_update_that_changes_nothing_with_warnings() {
        let old = format!(r#""oldObject":{{{GRPC}}}"#);
        let update = |object: &str| traces("UPDATE", &format!(r#""object":{{{object}}},{old}"#));
        let labelled = format!(r#""metadata":{{"labels":{{"a":"b"}}}},{GRPC}"#);
        let ids = ["grpc-protocol Warn", "missing-authorization Warn"].map(str::to_owned).to_vec();
        assert_eq!(verdict(&update(&labelled), "{}"), (true, ids, Vec::new()));
        assert!(!verdict(&update(&GRPC.replace("v1/traces", "v1/traces/")), "{}").0, "a changed path");
        let create = traces("CREATE", &format!(r#""object":{{{GRPC}}},{old}"#));
        assert!(!verdict(&create, "{}").0, "only an UPDATE has an old state");
    }
}
