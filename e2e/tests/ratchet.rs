//! What an update is blamed for: what it changes for the worse, and nothing that was there before.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics is a test that fails")]

use e2e::policy;
use kyma_dynatrace_admission::admission_request;
use serde_json::{Value, json};

/// A TracePipeline that works, with these members of the output in the place of its own.
fn traces(members: &Value) -> Value {
    pipeline("TracePipeline", "traces", members, &json!({}))
}

fn pipeline(kind: &str, signal: &str, members: &Value, input: &Value) -> Value {
    let mut otlp = json!({"endpoint": {"value": "https://abc12345.live.dynatrace.com/api"}, "protocol": "http",
        "path": format!("v2/otlp/v1/{signal}"), "headers": [authorization()]});
    for (name, value) in members.as_object().unwrap() {
        otlp[name] = value.clone();
    }
    json!({"apiVersion": "telemetry.kyma-project.io/v1beta1", "kind": kind, "metadata": {"name": "x"},
        "spec": {"input": input, "output": {"otlp": otlp}}})
}

fn authorization() -> Value {
    let reference = json!({"namespace": "dynatrace", "name": "dynakube", "key": "dataIngestToken"});
    json!({"name": "Authorization", "prefix": "Api-Token", "valueFrom": {"secretKeyRef": reference}})
}

/// What becomes of an update under these settings: the verdict, and the rules that speak, in the order in which they do.
fn update_with(settings: &Value, old: &Value, new: &Value) -> (&'static str, String) {
    let response = policy(settings).admit(&admission_request(new, Some(old)));
    let verdict = match (response.allowed, &response.patch) {
        (true, None) => "accepted",
        (true, Some(_)) => "repaired",
        (false, _) => "rejected",
    };
    (verdict, response.audit_annotations.and_then(|all| all.get("findings").cloned()).unwrap_or_default())
}

fn update(old: &Value, new: &Value) -> (&'static str, String) {
    let found = update_with(&json!({}), old, new);
    // The modes agree on what an update is blamed for.
    let validate = update_with(&json!({"mode": "validate"}), old, new);
    assert_eq!(validate.0 == "rejected", found.0 != "accepted", "{old} {new}");
    found
}

fn told(verdict: &'static str, rules: &str) -> (&'static str, String) {
    (verdict, rules.to_owned())
}

#[test]
fn a_value_is_compared_whole_and_not_as_it_is_shown() {
    let path = |end: &str| traces(&json!({"path": format!("{}{end}", "a".repeat(40))}));
    assert_eq!(update(&path("b"), &path("c")), told("rejected", "wrong-otlp-path"), "both are shown as 40 characters");
    let mut same = path("b");
    same["spec"]["output"]["otlp"]["compression"] = "gzip".into();
    assert_eq!(update(&path("b"), &same), told("accepted", "wrong-otlp-path"));
    // What is hidden because it may be a credential is another value all the same.
    let hidden = |text: &str| traces(&json!({"path": format!("api-token/{text}")}));
    assert_eq!(update(&hidden("one"), &hidden("two")), told("rejected", "wrong-otlp-path"));
}

#[test]
fn another_literal_token_is_a_new_one() {
    let token =
        |text: &str| traces(&json!({"headers": [{"name": "Authorization", "prefix": "Api-Token", "value": text}]}));
    assert_eq!(update(&token("one"), &token("two")), told("rejected", "inline-token"));
    let mut same = token("one");
    same["spec"]["output"]["otlp"]["compression"] = "gzip".into();
    assert_eq!(update(&token("one"), &same), told("accepted", "inline-token"));
    let whole = |letter: &str| format!("dt0c01.{}.{}", "A".repeat(24), letter.repeat(64));
    let basic = |letter: &str| {
        let login = json!({"user": {"value": "u"}, "password": {"value": whole(letter)}});
        traces(&json!({"authentication": {"basic": login}}))
    };
    assert_eq!(update(&basic("b"), &basic("c")).0, "rejected");
    assert_eq!(update(&basic("b"), &basic("b")).0, "accepted");
}

#[test]
fn a_header_is_the_same_one_wherever_it_stands() {
    let broken = json!({"name": "X-Team"});
    let with = |headers: Value| traces(&json!({"headers": headers}));
    let old = with(json!([broken, authorization()]));
    let before = with(json!([{"name": "X-New", "value": "a"}, broken, authorization()]));
    assert_eq!(update(&old, &before), told("accepted", "missing-value"));
    let second = with(json!([broken, {"name": "x-team"}, authorization()]));
    assert_eq!(update(&old, &second), told("rejected", "missing-value"), "the second of a name is another one");
    let other = with(json!([{"name": "X-Other"}, authorization()]));
    assert_eq!(update(&old, &other), told("rejected", "missing-value"));
}

#[test]
fn a_rule_about_the_host_looks_at_the_host_and_lets_the_rest_get_better() {
    let at = |url: &str, path: &str| traces(&json!({"endpoint": {"value": url}, "path": path}));
    let old = at("http://abc12345.live.dynatrace.com/api", "v2/otlp/v1/traces");
    let other = at("http://xyz99999.live.dynatrace.com/api", "v2/otlp/v1/traces");
    assert_eq!(update(&old, &other), told("rejected", "plaintext-endpoint"));
    let wrong = at("http://abc12345.live.dynatrace.com/api", "v2/otlp/v1/metrics");
    assert_eq!(update(&wrong, &old), told("accepted", "plaintext-endpoint"), "the path is mended");
    assert_eq!(update(&old, &wrong), told("rejected", "plaintext-endpoint,wrong-otlp-path"));
}

#[test]
fn what_is_switched_on_is_new_and_what_is_switched_off_is_better() {
    let metrics = |runtime: Value| {
        let temporality = json!({"temporality": "preserve"});
        pipeline("MetricPipeline", "metrics", &temporality, &json!({"runtime": runtime}))
    };
    let off = json!({"enabled": false});
    let all = metrics(json!({"enabled": true}));
    let pods = metrics(json!({"enabled": true, "resources": {"container": off, "node": off}}));
    assert_eq!(update(&all, &pods), told("accepted", "cumulative-metrics"));
    assert_eq!(update(&pods, &all), told("rejected", "cumulative-metrics"));
    // An input that is switched off, so that what applications push is told of in its place.
    let none = metrics(json!({"enabled": false}));
    assert_eq!(update(&pods, &none), told("accepted", "application-temporality"));
    // And the conversion to delta is made for a source that is new, but not for those that were there.
    let auto = json!({"metrics": {"deltaConversion": "auto"}});
    assert_eq!(update_with(&auto, &pods, &all).0, "repaired");
    assert_eq!(update_with(&auto, &all, &pods), told("accepted", "cumulative-metrics"));
}

#[test]
fn what_the_stored_pipeline_lacks_is_told_and_not_filled_in() {
    let endpoint =
        json!({"valueFrom": {"secretKeyRef": {"namespace": "dynatrace", "name": "dynakube", "key": "apiurl"}}});
    let with = |members: Value| {
        let mut object = traces(&json!({"endpoint": endpoint}));
        let otlp = object["spec"]["output"]["otlp"].as_object_mut().unwrap();
        for (name, value) in members.as_object().unwrap() {
            if value.is_null() {
                otlp.remove(name);
            } else {
                otlp.insert(name.clone(), value.clone());
            }
        }
        object
    };
    let (old, more) = (with(json!({"path": null})), with(json!({"path": null, "compression": "none"})));
    assert_eq!(update(&old, &more), told("accepted", "wrong-otlp-path"));
    // What the update itself takes away is filled in.
    assert_eq!(update(&with(json!({})), &old).0, "repaired");
    // Of two that are missing, one was there before.
    let mut bare = with(json!({"path": null, "headers": null}));
    assert_eq!(update(&old, &bare).0, "repaired");
    bare["spec"]["output"]["otlp"]["compression"] = "gzip".into();
    assert_eq!(
        update(&with(json!({"path": null, "headers": null})), &bare),
        told("accepted", "wrong-otlp-path,missing-authorization")
    );
    // A prefix at a header that has moved.
    let without = |headers: Value| with(json!({"headers": headers}));
    let mut header = authorization();
    header.as_object_mut().unwrap().remove("prefix");
    let moved = without(json!([{"name": "X", "value": "y"}, header]));
    assert_eq!(update(&without(json!([header])), &moved), told("accepted", "wrong-authorization-scheme"));
}

#[test]
fn a_rejection_tells_what_would_be_filled_in_and_fills_in_nothing() {
    let object = traces(&json!({"protocol": null, "path": "v2/otlp/v1/metrics"}));
    let response = policy(&json!({})).admit(&admission_request(&object, None));
    assert!(!response.allowed && response.patch.is_none());
    let message = response.message();
    assert!(
        message.ends_with("\nonce that is fixed, the policy sets spec.output.otlp.protocol to `http`"),
        "{message}"
    );
}
