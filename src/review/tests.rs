//! What an update is blamed for, rule by rule and field by field.

use super::{Operation, Request, review};
use crate::lookup::Seen;
use crate::pipeline::GROUP;
use crate::settings::RuleId::{
    InlineToken, MissingAuthorization, MissingValue, UnverifiedTls, WrongAuthorizationScheme, WrongOtlpPath,
};
use crate::settings::{Level, RuleId};
use crate::testing::{SECRET, TOKEN, endpoint, object, settings, token};
use Told::{Deny, Warn};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const SAAS: &str = "https://abc12345.live.dynatrace.com/api";

/// What is said of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Deny(RuleId),
    Warn(RuleId),
    /// What is filled in below `spec.output.otlp`, or would be.
    Set(String),
}

fn set(pointer: &str) -> Told {
    Told::Set(pointer.to_owned())
}

/// What is said of an update of `spec.output.otlp`, in its order.
fn update_with(settings_text: &str, old: &str, new: &str) -> Vec<Told> {
    let pipeline = |otlp: &str| object(&format!(r#"{{"spec":{{"output":{{"otlp":{{{otlp}}}}}}}}}"#));
    let (old, new) = (pipeline(old), pipeline(new));
    let request = Request {
        group: GROUP,
        kind: "TracePipeline",
        operation: Operation::Update,
        is_subresource: false,
        object: Some(&new),
        old_object: Some(&old),
    };
    let verdict = review(&request, &settings(settings_text), Seen::NOTHING).unwrap();
    let told = verdict.findings.iter().map(|finding| {
        let told = if finding.level == Level::Deny { Deny } else { Warn };
        told(finding.rule.id)
    });
    let repairs = verdict.repairs().map(|repaired| {
        let pointer = repaired.repair.place.pointer();
        set(pointer.trim_start_matches("/spec/output/otlp/"))
    });
    told.chain(repairs).collect()
}

fn update(old: &str, new: &str) -> Vec<Told> {
    update_with("{}", old, new)
}

fn header(name: &str, value: &str) -> String {
    format!(r#"{{"name":"{name}","value":"{value}"}}"#)
}

/// A pipeline that works, with these headers beside the token's.
fn with_headers(headers: &[String]) -> String {
    let token = TOKEN.trim_start_matches(r#""headers":["#).trim_end_matches(']');
    let headers = headers.iter().map(|header| format!(",{header}")).collect::<String>();
    format!(r#"{SECRET},"protocol":"http","path":"v2/otlp/v1/traces","headers":[{token}{headers}]"#)
}

#[test]
fn a_repair_that_the_stored_pipeline_needed_is_told_and_not_made() {
    let path = r#""path":"v2/otlp/v1/traces""#;
    let http = r#""protocol":"http""#;
    let old = format!("{SECRET},{TOKEN},{http}");
    assert_eq!(update(&old, &format!(r#"{old},"compression":"none""#)), [Warn(WrongOtlpPath)]);
    // What the update itself takes away is filled in.
    assert_eq!(update(&format!("{old},{path}"), &old), [set("path")]);
    assert_eq!(
        update(&format!("{SECRET},{TOKEN},{path},{http}"), &format!("{SECRET},{TOKEN},{path}")),
        [set("protocol")]
    );
    // Of two that are missing, one was missing before; a repair of another rule is no reason to leave it.
    assert_eq!(update(&old, &format!("{SECRET},{TOKEN}")), [Warn(WrongOtlpPath), set("protocol")]);
    assert_eq!(update(&format!("{SECRET},{TOKEN},{path}"), &format!("{SECRET},{http},{path}")), [set("headers")]);
}

#[test]
fn a_repair_with_another_value_or_at_another_place_is_a_new_one() {
    let at = |url: &str, rest: &str| format!(r#"{},"protocol":"http",{TOKEN}{rest}"#, endpoint(url));
    let (api, other) = (at(SAAS, ""), at("https://abc12345.live.dynatrace.com/api/v2/otlp", ""));
    assert_eq!(update(&api, &format!(r#"{api},"compression":"none""#)), [Warn(WrongOtlpPath)]);
    assert_eq!(update(&api, &other), [], "the URL is complete");
    let other = at("https://abc12345.live.dynatrace.com", "");
    assert_eq!(update(&api, &other), [set("path")], "another value");
    let bare = |more: &str| with_headers(&[]).replace(r#","prefix":"Api-Token""#, "").replace(']', &format!("{more}]"));
    assert_eq!(update(&bare(""), &bare(&format!(",{}", header("X", "y")))), [Warn(WrongAuthorizationScheme)]);
    let second = bare("").replacen(r#""name":"Authorization""#, r#""name":"X-Auth""#, 1);
    assert_eq!(update(&second, &bare("")), [set("headers/0/prefix")]);
}

#[test]
fn a_missing_header_is_the_same_with_and_without_a_list() {
    let output = format!(r#"{SECRET},"protocol":"http","path":"v2/otlp/v1/traces""#);
    let lists = [String::new(), r#","headers":[]"#.to_owned(), format!(r#","headers":[{}]"#, header("X", "y"))];
    for old in &lists {
        for new in &lists {
            let (old, new) = (format!("{output}{old}"), format!(r#"{output}{new},"compression":"none""#));
            assert_eq!(update(&old, &new), [Warn(MissingAuthorization)], "{old} {new}");
        }
    }
}

#[test]
fn a_header_is_known_by_its_name_and_by_what_is_wrong_in_it() {
    let (one, two) = (token(), format!("{}x", token()));
    let old = with_headers(&[header("X", &one), header("x", &two)]);
    let forgiven = |headers: &[String]| update(&old, &with_headers(headers));
    assert_eq!(forgiven(&[header("X", &two)]), [Warn(InlineToken)], "one is taken out");
    assert_eq!(forgiven(&[header("X", "y"), header("X", &two)]), [Warn(InlineToken)], "one is mended");
    assert_eq!(
        forgiven(&[header("A", "b"), header("X", &two), header("X", &one)]),
        [Warn(InlineToken), Warn(InlineToken)]
    );
    assert_eq!(forgiven(&[header("X", &one), header("X", &one)]), [Warn(InlineToken), Deny(InlineToken)]);
    assert_eq!(forgiven(&[header("Y", &one)]), [Deny(InlineToken)]);
    assert_eq!(forgiven(&[header("X", &format!("{one}y"))]), [Deny(InlineToken)]);
    assert_eq!(forgiven(&[r#"{"name":"X"}"#.to_owned()]), [Deny(MissingValue)], "another rule");
    let nameless = [format!(r#"{{"value":"{one}"}}"#)];
    assert_eq!(
        update(&with_headers(&nameless), &with_headers(&[nameless[0].clone(), header("A", "b")])),
        [Warn(InlineToken)]
    );
    assert_eq!(forgiven(&nameless), [Deny(InlineToken)]);
}

#[test]
fn headers_that_are_too_many_to_be_kept_forgive_nothing_when_they_change() {
    let tokens = |count: usize| vec![header("X", &token()); count];
    let told = |new: &[String]| {
        let told = update(&with_headers(&tokens(120)), &with_headers(new));
        (told.iter().filter(|told| **told == Deny(InlineToken)).count(), told.len())
    };
    let mut other = tokens(120);
    other.push(header("A", "b"));
    assert_eq!(told(&other), (0, 100));
    *other.last_mut().unwrap() = header("A", &token());
    assert_eq!(told(&other), (100, 100));
    assert_eq!(told(&tokens(121)), (100, 100));
    assert_eq!(told(&tokens(100)), (0, 100), "some are taken out");
    // What is no header has nothing to do with it.
    let with_path = |headers: &[String]| with_headers(headers).replace("v2/otlp/v1/traces", "x");
    let told = update(&with_path(&tokens(120)), &with_path(&tokens(121)));
    assert_eq!(told.iter().filter(|told| **told == Warn(WrongOtlpPath)).count(), 1);
}

#[test]
fn what_was_only_told_of_where_it_shipped_to_is_rejected_where_it_ships_now() {
    let tls = r#""tls":{"insecureSkipVerify":true}"#;
    let gate = r#""endpoint":{"value":"https://dynakube-activegate.dynatrace/e/abc12345/api"}"#;
    let at = |endpoint: &str| format!(r#"{endpoint},"protocol":"http","path":"v2/otlp/v1/traces",{TOKEN},{tls}"#);
    let (gate, saas) = (at(gate), at(&endpoint(SAAS)));
    assert!(update(&gate, &saas).contains(&Deny(UnverifiedTls)));
    assert!(update(&saas, &gate).contains(&Warn(UnverifiedTls)));
    assert_eq!(update(&saas, &format!(r#"{saas},"compression":"none""#)), [Warn(UnverifiedTls)]);
    // Where the settings reject both, it is the same.
    let both = update_with(&format!(r#"{{"rules":{{"{UnverifiedTls}":"deny"}}}}"#), &gate, &saas);
    assert!(both.contains(&Warn(UnverifiedTls)), "{both:?}");
}
