//! Whole requests: what is let through unseen, the modes, the levels, and the texts of the response.

use super::{Payload, answer as answer_with};
use crate::lookup::{LookUp, Lookup, Outcome, Refusal, Seen};
use crate::pipeline::GROUP;
use crate::review::{Decision, review};
use crate::rule::Repaired;
use crate::settings::RuleId::{
    CumulativeMetrics, GrpcProtocol, InlineToken, LookupRefused, MalformedOutput, MissingAuthorization, MissingValue,
    SecretEndpoint, SecretNotFound, SecretToken, WrongOtlpPath,
};
use crate::settings::{Level, RuleId, Settings};
use crate::testing::{SECRET, TOKEN, settings as read_settings};
use serde_json::{Value, json};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const GRPC: &str = r#""spec":{"output":{"otlp":{"protocol":"grpc","path":"v2/otlp/v1/traces"}}}"#;

/// Whether a request is accepted, its findings with their levels, and the repaired fields.
type Told = (bool, Vec<(RuleId, Level)>, Vec<String>);

/// Settings with these levels, as JSON; `more` are other settings, with a comma behind each.
fn leveled(more: &str, levels: &[(RuleId, Level)]) -> String {
    let levels: Vec<String> = levels.iter().map(|(id, level)| format!(r#""{id}":"{}""#, level.name())).collect();
    format!(r#"{{{more}"rules":{{{}}}}}"#, levels.join(","))
}

/// What is said of a request with these members.
fn verdict(request: &str, settings: &str) -> Told {
    let payload = format!(r#"{{"request":{{{request}}},"settings":{settings}}}"#);
    let payload = Payload::parse(&payload).unwrap();
    let settings = read_settings(settings);
    let request = payload.request().unwrap();
    let verdict = review(&request, &settings, Seen::NOTHING).unwrap();
    let ids = verdict.findings.iter().map(|finding| (finding.rule.id, finding.level)).collect();
    let repairs: &[Repaired] = match &verdict.decision {
        Decision::Accepted { repairs, .. } => repairs,
        Decision::Rejected { .. } => &[],
    };
    let pointers = repairs.iter().map(|r| r.repair.place.pointer().replace("/spec/output/otlp/", "")).collect();
    (verdict.is_accepted(), ids, pointers)
}

fn request(operation: &str, group: &str, kind: &str, more: &str) -> String {
    format!(r#""operation":"{operation}","kind":{{"group":"{group}","kind":"{kind}"}},{more}"#)
}

fn traces(operation: &str, more: &str) -> String {
    request(operation, GROUP, "TracePipeline", more)
}

fn none() -> Told {
    (true, Vec::new(), Vec::new())
}

#[test]
fn ignores_what_is_none_of_the_policy_s_business() {
    let object = format!(r#""object":{{{GRPC}}}"#);
    for request in [
        traces("DELETE", &object),
        traces("CONNECT", "\"object\":null"),
        traces("UPDATE", &format!(r#""subResource":"status",{object}"#)),
        traces("UPDATE", &format!(r#"{object},"oldObject":{{"metadata":{{"deletionTimestamp":"now"}}}}"#)),
        traces("CREATE", r#""object":{}"#),
        traces("CREATE", r#""object":{"spec":{"output":{"otlp":"x"}}}"#),
        request("CREATE", GROUP, "Telemetry", &object),
        request("CREATE", "example.com", "TracePipeline", &object),
    ] {
        assert_eq!(verdict(&request, "{}"), none(), "{request}");
    }
    let found = verdict(&traces("UPDATE", &format!(r#""subResource":"",{object}"#)), "{}");
    assert!(!found.0, "an empty subresource is none");
    let marked = format!(r#""object":{{"metadata":{{"deletionTimestamp":"now"}},{GRPC}}}"#);
    for operation in ["CREATE", "UPDATE"] {
        assert!(!verdict(&traces(operation, &marked), "{}").0, "the mark of a new object is the user's own text");
    }
}

#[test]
fn rejects_a_request_without_an_object() {
    for object in ["\"object\":null", "\"object\":\"x\"", "\"x\":1"] {
        let payload = format!(r#"{{"request":{{{}}}}}"#, traces("CREATE", object));
        let payload = Payload::parse(&payload).unwrap();
        let request = payload.request().unwrap();
        assert!(
            review(&request, &Settings::default(), Seen::NOTHING).err().unwrap().to_string().contains("no `object`")
        );
    }
}

#[test]
fn repairs_or_rejects_by_mode() {
    let request = traces("CREATE", &format!(r#""object":{{"spec":{{"output":{{"otlp":{{{SECRET}}}}}}}}}"#));
    let fields = ["protocol", "path", "headers"].map(str::to_owned).to_vec();
    assert_eq!(verdict(&request, "{}"), (true, Vec::new(), fields));
    let ids = [GrpcProtocol, WrongOtlpPath, MissingAuthorization].map(|id| (id, Level::Deny));
    assert_eq!(verdict(&request, r#"{"mode":"validate"}"#), (false, ids.to_vec(), Vec::new()));
}

#[test]
fn rejects_without_repairing_anything() {
    let object = format!(r#""object":{{"spec":{{"output":{{"otlp":{{{SECRET},"protocol":"grpc"}}}}}}}}"#);
    let (accepted, ids, repairs) = verdict(&traces("CREATE", &object), "{}");
    let denied = [GrpcProtocol, WrongOtlpPath].map(|id| (id, Level::Deny)).to_vec();
    assert_eq!((accepted, ids, repairs), (false, denied, Vec::new()));
}

#[test]
fn accepts_by_the_levels_of_the_settings() {
    let object = format!(r#""object":{{"spec":{{"output":{{"otlp":{{{SECRET}}}}}}}}}"#);
    let levels = [(GrpcProtocol, Level::Warn), (WrongOtlpPath, Level::Off), (MissingAuthorization, Level::Off)];
    let (accepted, ids, _) = verdict(&traces("CREATE", &object), &leveled(r#""mode":"validate","#, &levels));
    assert_eq!((accepted, ids), (true, vec![(GrpcProtocol, Level::Warn)]));
    let (_, _, repairs) = verdict(&traces("CREATE", &object), &leveled("", &levels));
    assert_eq!(repairs, [""; 0], "a rule that warns or is off repairs nothing");
    let (_, _, repairs) = verdict(&traces("CREATE", &object), &leveled("", &[(WrongOtlpPath, Level::Off)]));
    assert_eq!(repairs, ["protocol", "headers"]);
}

#[test]
fn accepts_an_update_that_changes_nothing_with_warnings() {
    let old = format!(r#""oldObject":{{{GRPC}}}"#);
    let update = |object: &str| traces("UPDATE", &format!(r#""object":{{{object}}},{old}"#));
    let labelled = format!(r#""metadata":{{"labels":{{"a":"b"}}}},{GRPC}"#);
    let ids = [GrpcProtocol, MissingValue, MissingAuthorization].map(|id| (id, Level::Warn)).to_vec();
    assert_eq!(verdict(&update(&labelled), "{}"), (true, ids, Vec::new()));
    let changed = GRPC.replace("v1/traces", "v1/metrics");
    assert!(!verdict(&update(&changed), "{}").0, "a new finding is enforced");
    let better = GRPC.replace("grpc", "http");
    assert!(verdict(&update(&better), "{}").0, "an improvement is never refused");
    let create = traces("CREATE", &format!(r#""object":{{{GRPC}}},{old}"#));
    assert!(!verdict(&create, "{}").0, "only an UPDATE has an old state");
}

/// The answer to a LogPipeline with this output.
fn answer(otlp: &str, settings: &str) -> Value {
    let object = format!(r#""object":{{"spec":{{"output":{{"otlp":{{{otlp}}}}}}}}}"#);
    let request = request("CREATE", GROUP, "LogPipeline", &object);
    let payload = format!(r#"{{"settings":{settings},"request":{{{request}}}}}"#);
    serde_json::from_slice(&crate::validate(payload.as_bytes()).unwrap()).unwrap()
}

#[test]
fn accepts_without_a_word() {
    let answer = answer(r#""endpoint":{"value":"http://loki:3100"}"#, "{}");
    let said = answer.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
    let said: Vec<&str> = said.map(|(key, _)| key.as_str()).collect();
    assert_eq!((said, &answer["accepted"]), (vec!["accepted"], &true.into()));
}

#[test]
fn repairs_and_tells_in_message_warning_and_annotation() {
    let header = r#""headers":[{"name":"Authorization","prefix":"Api-Token","valueFrom":{"secretKeyRef":{"name":"a","namespace":"b","key":"c"}}}]"#;
    let answer = answer(&format!(r#"{SECRET},"protocol":"http",{header},"n":1.10"#), "{}");
    let object = format!(
        r#"{{"spec":{{"output":{{"otlp":{{"path":"v2/otlp/v1/logs",{SECRET},"protocol":"http",{header},"n":1.1}}}}}}}}"#
    );
    let link = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/rules/");
    assert_eq!(
        answer,
        json!({
            "accepted": true,
            "code": null,
            "message": "the policy sets spec.output.otlp.path to `v2/otlp/v1/logs`",
            "audit_annotations": {"destination": "direct-secret", "repaired": "/spec/output/otlp/path"},
            "warnings": [format!("{WrongOtlpPath}: spec.output.otlp.path is missing; the policy sets `v2/otlp/v1/logs`; see {link}{WrongOtlpPath}.md")],
            "mutated_object": serde_json::from_str::<Value>(&object).unwrap(),
        })
    );
}

#[test]
fn rejects_a_repair_behind_a_key_that_cannot_be_read() {
    let answer = answer(&format!(r#"{SECRET},"\ud800":1"#), "{}");
    assert_eq!(answer["accepted"], false);
    assert!(answer["message"].as_str().unwrap().contains("cannot review this request: "));
}

#[test]
fn rejects_with_every_problem_and_no_object() {
    let answer = answer(r#""endpoint":{"value":"http://loki:3100"},"path":3,"protocol":4"#, "{}");
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .starts_with(&format!("this LogPipeline has 2 problems:\n- {MalformedOutput}: "))
    );
    assert_eq!(answer["audit_annotations"], json!({"destination": "elsewhere", "findings": MalformedOutput.name()}));
    assert_eq!((&answer["accepted"], &answer["mutated_object"]), (&false.into(), &Value::Null));
}

#[test]
fn accepts_at_most_twenty_findings_in_one_answer() {
    let headers = format!(r#""endpoint":{{"value":"http://loki:3100"}},"headers":[{}1]"#, "1,".repeat(500));
    let answer = answer(&headers, r#"{"denialsAsWarnings":true}"#);
    let message = answer["message"].as_str().unwrap();
    assert!(message.starts_with("this LogPipeline has 501 problems:") && message.ends_with("\nand 481 more"));
    assert_eq!((message.matches("\n- ").count(), answer["warnings"].as_array().unwrap().len()), (20, 20));
}

#[test]
fn accepts_exactly_twenty_findings_without_a_word_about_more() {
    let of = |count: usize, settings: &str| {
        let headers = format!(r#""endpoint":{{"value":"http://loki:3100"}},"headers":[{}1]"#, "1,".repeat(count - 1));
        answer(&headers, settings)
    };
    assert!(!of(20, "{}")["message"].as_str().unwrap().contains("more"));
    assert!(of(21, "{}")["message"].as_str().unwrap().ends_with("\nand 1 more"));
    // As warnings they are told like that too.
    let told = |count: usize| {
        of(count, &leveled("", &[(MalformedOutput, Level::Warn)]))["warnings"].as_array().unwrap().clone()
    };
    assert_eq!((told(20).len(), told(21).len()), (20, 21));
    assert_eq!(told(21).last().unwrap(), "and 1 more warning");
    assert_eq!(told(600).last().unwrap(), "and 580 more warnings");
}

#[test]
fn accepts_denials_as_warnings_only_where_the_settings_say_so() {
    let otlp = format!(r#"{SECRET},"protocol":"grpc","path":"x""#);
    assert_eq!(answer(&otlp, "{}")["warnings"], Value::Null);
    let told = answer(&otlp, r#"{"denialsAsWarnings":true}"#);
    let warnings = told["warnings"].as_array().unwrap();
    assert_eq!((&told["accepted"], warnings.len()), (&false.into(), 2));
    assert!(
        warnings[0]
            .as_str()
            .unwrap()
            .starts_with(&format!("{GrpcProtocol}: spec.output.otlp.protocol is `grpc`, expected"))
    );
}

#[test]
fn rejects_softly_what_may_be_somebody_else_s_collector() {
    let otlp = |host: &str| format!(r#""endpoint":{{"value":"http://{host}:9999"}}"#);
    assert_eq!(answer(&otlp("dynakube-telemetry-ingest.dynatrace"), "{}")["accepted"], false);
    let other = answer(&otlp("x-telemetry-ingest.team"), "{}");
    assert_eq!((&other["accepted"], other["warnings"].as_array().unwrap().len()), (&true.into(), 1));
}

#[test]
fn rejects_invalid_settings_and_unreadable_requests() {
    let answer = answer("", r#"{"mod":1}"#);
    assert_eq!(
        answer["message"],
        "kyma-dynatrace-policy cannot review this request: invalid settings: unknown field `mod`, expected one of \
         `mode`, `denialsAsWarnings`, `lookUpSecrets`, `dynatrace`, `metrics`, `rules`; did you mean `mode`?"
    );
    let answer = String::from_utf8(crate::validate(b"").unwrap()).unwrap();
    assert!(answer.contains("cannot review this request: the admission request is empty"));
}

#[test]
fn rejects_settings_that_are_no_json() {
    let text = |settings: &[u8]| String::from_utf8(crate::validate_settings(settings).unwrap()).unwrap();
    assert_eq!(text(b"{}"), r#"{"valid":true,"message":null}"#);
    assert!(text(b"{").contains("invalid settings: the settings are not valid JSON"));
    assert!(text(b"[]").contains("must be an object"));
}

#[test]
fn accepts_an_update_with_fewer_inputs_and_rejects_one_with_more() {
    let spec = |istio: bool, prometheus: bool| {
        let otlp = format!(r#"{SECRET},"protocol":"http","path":"v2/otlp/v1/metrics","temporality":"preserve""#);
        let header = r#""headers":[{"name":"Authorization","prefix":"Api-Token","valueFrom":{"secretKeyRef":{"name":"dynakube","namespace":"dynatrace","key":"dataIngestToken"}}}]"#;
        let input = format!(r#"{{"istio":{{"enabled":{istio}}},"prometheus":{{"enabled":{prometheus}}}}}"#);
        format!(r#"{{"spec":{{"input":{input},"output":{{"otlp":{{{otlp},{header}}}}}}}}}"#)
    };
    let update = |old: String, new: String| {
        let objects = format!(r#""object":{new},"oldObject":{old}"#);
        verdict(&request("UPDATE", GROUP, "MetricPipeline", &objects), "{}")
    };
    let warned = (true, vec![(CumulativeMetrics, Level::Warn)], Vec::new());
    assert_eq!(update(spec(true, true), spec(false, true)), warned);
    assert_eq!(update(spec(true, true), spec(true, true)), warned);
    let denied = (false, vec![(CumulativeMetrics, Level::Deny)], Vec::new());
    assert_eq!(update(spec(true, false), spec(true, true)), denied);
    assert_eq!(update(spec(true, false), spec(false, true)), denied);
}

/// Somebody who looks, and remembers at what.
struct Clerk {
    outcome: Outcome,
    asked: std::cell::RefCell<Vec<Lookup>>,
}

impl LookUp for Clerk {
    fn secret(&self, lookup: &Lookup) -> Outcome {
        self.asked.borrow_mut().push(lookup.clone());
        self.outcome.clone()
    }
}

/// The answer to this request, and what was looked at for it.
fn looked_up(request: &str, settings: &str, outcome: Outcome) -> (Value, Vec<Lookup>) {
    let clerk = Clerk { outcome, asked: std::cell::RefCell::default() };
    let payload = format!(r#"{{"settings":{settings},"request":{{{request}}}}}"#);
    let answer = serde_json::from_slice(&answer_with(payload.as_bytes(), &clerk).unwrap()).unwrap();
    (answer, clerk.asked.into_inner())
}

const LOOK: &str = r#"{"lookUpSecrets":true}"#;

fn in_order() -> String {
    format!(r#"{{"spec":{{"output":{{"otlp":{{{SECRET},"protocol":"http","path":"v2/otlp/v1/traces",{TOKEN}}}}}}}}}"#)
}

#[test]
fn accepts_one_lookup_for_both_keys_of_a_secret() {
    let create = traces("CREATE", &format!(r#""object":{}"#, in_order()));
    let (answer, asked) = looked_up(&create, LOOK, Outcome::Missing);
    let keys = ["apiurl", "dataIngestToken"].map(str::to_owned).to_vec();
    assert_eq!(asked, [Lookup { namespace: "dynatrace".to_owned(), name: "dynakube".to_owned(), keys }]);
    assert_eq!((&answer["accepted"], answer["warnings"].as_array().unwrap().len()), (&true.into(), 2));
    assert_eq!(answer["audit_annotations"]["findings"], SecretNotFound.name());
    let denied = leveled(r#""lookUpSecrets":true,"#, &[(SecretNotFound, Level::Deny)]);
    let (answer, _) = looked_up(&create, &denied, Outcome::Missing);
    assert_eq!(answer["accepted"], false, "who wants it refused gets it refused");
}

#[test]
fn ignores_the_cluster_where_nobody_has_to_look() {
    let object = in_order();
    let grpc = object.replace(r#""protocol":"http""#, r#""protocol":"grpc""#);
    let undeclared = object.replace("dynakube", "other");
    let elsewhere = r#"{"spec":{"output":{"otlp":{"endpoint":{"value":"http://loki:3100"}}}}}"#;
    let off = [SecretNotFound, SecretEndpoint, SecretToken, LookupRefused].map(|id| (id, Level::Off));
    let off = leveled(r#""lookUpSecrets":true,"#, &off);
    let create = |object: &str| traces("CREATE", &format!(r#""object":{object}"#));
    let unchanged = traces("UPDATE", &format!(r#""object":{object},"oldObject":{object}"#));
    let deleted = traces("DELETE", &format!(r#""oldObject":{object}"#));
    for (request, settings) in [
        (create(&object), "{}"),
        (create(&object), off.as_str()),
        (create(&grpc), LOOK),
        (create(&undeclared), LOOK),
        (create(elsewhere), LOOK),
        (unchanged, LOOK),
        (deleted, LOOK),
    ] {
        let (answer, asked) = looked_up(&request, settings, Outcome::Missing);
        assert_eq!(asked, [], "{request} {settings} {answer}");
    }
}

#[test]
fn repairs_are_the_same_whatever_is_seen() {
    let create = traces("CREATE", &format!(r#""object":{{"spec":{{"output":{{"otlp":{{{SECRET}}}}}}}}}"#));
    let repaired = |outcome: Outcome| looked_up(&create, LOOK, outcome).0["mutated_object"].clone();
    let expected = looked_up(&create, "{}", Outcome::Failed).0["mutated_object"].clone();
    assert!(expected["spec"]["output"]["otlp"]["headers"].is_array());
    let there = crate::testing::found(&[("apiurl", "https://x.apps.dynatrace.com/api"), ("dataIngestToken", "")]);
    for outcome in [there, Outcome::Missing, Outcome::Refused(Refusal::Rights), Outcome::Failed] {
        assert_eq!(repaired(outcome), expected);
    }
}

#[test]
fn accepts_a_lookup_that_failed_and_names_it_for_the_operator() {
    let create = traces("CREATE", &format!(r#""object":{}"#, in_order()));
    let (answer, _) = looked_up(&create, LOOK, Outcome::Failed);
    assert_eq!((&answer["accepted"], &answer["warnings"]), (&true.into(), &Value::Null));
    assert_eq!(
        answer["audit_annotations"],
        json!({"destination": "direct-secret", "lookups-failed": "dynatrace/dynakube"})
    );
}

#[test]
fn accepts_an_update_that_spells_a_default_out() {
    let state = |more: &str| {
        format!(r#"{{"spec":{{"output":{{"otlp":{{{SECRET},{TOKEN},"path":"v2/otlp/v1/traces"{more}}}}}}}}}"#)
    };
    let (old, new) = (state(""), state(r#","protocol":"grpc","compression":"gzip""#));
    let update = traces("UPDATE", &format!(r#""object":{new},"oldObject":{old}"#));
    let validate = r#"{"mode":"validate"}"#;
    assert_eq!(verdict(&update, validate), (true, vec![(GrpcProtocol, Level::Warn)], Vec::new()));
    assert!(!verdict(&traces("CREATE", &format!(r#""object":{new}"#)), validate).0);
}

#[test]
fn accepts_with_a_warning_what_a_rule_at_warn_finds_and_would_not_repair() {
    let object = format!(
        r#""object":{{"spec":{{"output":{{"otlp":{{{SECRET},{TOKEN},"path":"v2/otlp/v1/traces","protocol":"grpc"}}}}}}}}"#
    );
    let found = verdict(&traces("CREATE", &object), &leveled("", &[(GrpcProtocol, Level::Warn)]));
    assert_eq!(found, (true, vec![(GrpcProtocol, Level::Warn)], Vec::new()));
}

#[test]
fn a_denial_behind_more_warnings_than_are_told_rejects() {
    let with = |more: &str| {
        let malformed = vec!["3"; 100].join(",");
        let token = TOKEN.trim_start_matches(r#""headers":["#).trim_end_matches(']');
        format!(
            r#"{{"spec":{{"output":{{"otlp":{{{SECRET},"protocol":"http","path":"v2/otlp/v1/traces","headers":[{token},{malformed}{more}]}}}}}}}}"#
        )
    };
    let (old, new) = (with(""), with(&format!(r#",{{"name":"X","value":"{}"}}"#, crate::testing::token())));
    let request = traces("UPDATE", &format!(r#""object":{new},"oldObject":{old}"#));
    assert!(!verdict(&request, "{}").0);
    let payload = format!(r#"{{"request":{{{request}}},"settings":{{}}}}"#);
    let answer: Value = serde_json::from_slice(&answer_with(payload.as_bytes(), &Outcome::Missing).unwrap()).unwrap();
    assert_eq!(answer["accepted"], false, "{answer}");
    assert!(answer["message"].as_str().unwrap().contains(InlineToken.name()), "{answer}");
}
