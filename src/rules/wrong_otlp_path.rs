#![doc = include_str!("../../docs/rules/wrong-otlp-path.md")]

use crate::destination::{Address, Posted, clean_segments, is_end_of_wanted, is_wanted, missing_rest, wanted_path};
use crate::pipeline::FieldPath;
use crate::rule::{Evidence, Fault, Json, Repair, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};
use crate::text::{quote, quote_up_to};

/// Why it matters.
const WHY: &str = "Dynatrace takes this signal at no other path";

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::WrongOtlpPath,
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "endpoint and path together do not lead to the OTLP API of the pipeline's signal",
    check,
    repair: Some(repair),
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let output = &subject.output;
    // A path that is not a string has a finding of its own; nothing can be said about where it leads.
    let Some(path) = output.path.text_or_empty() else { return Vec::new() };
    let is_http = output.protocol.is("http") || (output.protocol.is("grpc") && subject.denies(RuleId::GrpcProtocol));
    if !is_http {
        return Vec::new();
    }
    let address = subject.address();
    let found = match address.posted() {
        Some(Ok(posted)) => wrong_path(subject, posted),
        Some(Err(error)) => Some(format!("is no valid path: {error}")),
        None => wrong_end(subject, path),
    };
    // An endpoint that is no URL has a finding of its own.
    let Some(found) = found.filter(|_| !address.is_invalid()) else { return Vec::new() };
    let expected = wanted_path(address, subject.destination, subject.signal);
    vec![Fault {
        field: FieldPath::new(if path.is_empty() { "spec.output.otlp.endpoint" } else { "spec.output.otlp.path" }),
        found: found.into(),
        expected: quote_up_to(80, &expected).into(),
        why: WHY.into(),
        fix: fix(subject, address, &expected).into(),
        level: None,
        evidence: subject.effective_path(),
    }]
}

/// Where the base is known: the whole path has to be one that the API takes.
fn wrong_path(subject: &Subject<'_>, posted: &Posted) -> Option<String> {
    if is_wanted(&posted.path, subject.destination, subject.signal) {
        return None;
    }
    let shown = subject.address().literal().map_or_else(|| quote(&posted.wire), |literal| literal.shown(&posted.wire));
    Some(format!("resolves to {shown}"))
}

/// Where nobody knows the base: a path is wrong that no base could complete. One that climbs (`..`) says nothing.
fn wrong_end(subject: &Subject<'_>, path: &str) -> Option<String> {
    let segments = clean_segments(path).filter(|segments| !segments.is_empty())?;
    let is_wrong = !is_end_of_wanted(&segments, subject.signal);
    is_wrong.then(|| ["is ", &quote(path)].concat())
}

/// A missing path is completed where the endpoint's own path is a beginning of the wanted one.
fn repair(subject: &mut Subject<'_>) -> Vec<Repair> {
    missing_path(subject).into_iter().collect()
}

fn missing_path(subject: &mut Subject<'_>) -> Option<Repair> {
    let output = &subject.output;
    if output.path.text_or_empty() != Some("") || !output.protocol.is("http") {
        return None;
    }
    let address = subject.address();
    if address.is_invalid() {
        return None;
    }
    let rest = missing_rest(address, subject.destination, subject.signal)?;
    let shown = quote_up_to(80, &rest);
    let fault = Fault {
        field: FieldPath::new("spec.output.otlp.path"),
        found: "is missing".into(),
        expected: shown.clone().into(),
        why: WHY.into(),
        fix: format!("set `path` to {shown}").into(),
        level: None,
        evidence: Evidence::Presence,
    };
    subject.set_path(rest.clone());
    Some(Repair { place: fault.field.clone(), value: Json::new(&rest), shown, fault })
}

fn fix(subject: &Subject<'_>, address: &Address, expected: &str) -> String {
    let signal = subject.signal.name();
    match missing_rest(address, subject.destination, subject.signal) {
        Some(rest) => format!("set `path` to {}", quote_up_to(80, &rest)),
        None if address.base().is_some_and(|base| base.ends_with(&["api", "v2", "otlp"].map(str::to_owned))) => {
            "remove `path`".to_owned()
        }
        None if expected.starts_with("/e/<id>") => format!(
            "end the endpoint with `/e/<id>/api`, with the id of your environment, and set `path` to `v2/otlp/v1/{signal}`"
        ),
        None if address.base().is_none() => {
            format!("set `path` to `v2/otlp/v1/{signal}`, behind a URL that ends with `/api`")
        }
        None => format!("end the endpoint with `/api`, and set `path` to `v2/otlp/v1/{signal}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, assert_one, endpoint, faults, faults_with, repairs};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn found(endpoint_url: &str, path: &str) -> Vec<Fault> {
        let path = if path.is_empty() { String::new() } else { format!(r#","path":"{path}""#) };
        let path = format!(r#"{path},"protocol":"http""#);
        faults(&RULE, Signal::Traces, &format!("{}{path}", endpoint(endpoint_url)))
    }

    #[test]
    fn rejects_each_of_the_usual_mistakes() {
        const SAAS: &str = "https://abc12345.live.dynatrace.com";
        let expected = "`/api/v2/otlp/v1/traces`";
        for (base, path, goes_to) in [
            ("", "v2/otlp/v1/traces", "`/v2/otlp/v1/traces`"),
            ("/api", "api/v2/otlp/v1/traces", "`/api/api/v2/otlp/v1/traces`"),
            ("/api/v2/otlp", "v2/otlp/v1/traces", "`/api/v2/otlp/v2/otlp/v1/traces`"),
            ("/api", "v2/otlp", "`/api/v2/otlp`"),
            ("/api", "v2/otlp/v1/metrics", "`/api/v2/otlp/v1/metrics`"),
        ] {
            let faults = found(&format!("{SAAS}{base}"), path);
            assert_one(&faults, "spec.output.otlp.path", &format!("resolves to {goes_to}"), expected);
        }
        let faults = found(&format!("{SAAS}/api/v2/otlp/v1/traces"), "");
        let goes_to = "resolves to `/api/v2/otlp/v1/traces/v1/traces`";
        assert_one(&faults, "spec.output.otlp.endpoint", goes_to, expected);
    }

    #[test]
    fn rejects_a_managed_endpoint_without_environment_and_says_what_is_missing() {
        let faults = found("https://x.dynatrace-managed.com/api", "v2/otlp/v1/traces");
        let goes_to = "resolves to `/api/v2/otlp/v1/traces`";
        assert_one(&faults, "spec.output.otlp.path", goes_to, "`/e/<id>/api/v2/otlp/v1/traces`");
    }

    #[test]
    fn rejects_to_show_any_piece_of_an_endpoint_with_a_user_part() {
        for url in [
            "https://user:12/e/S3cret@abc12345.live.dynatrace.com/api",
            "https://user:S3cret@dt.corp.example/e/S3cret/api",
        ] {
            let faults = found(url, "v2/otlp/v1/metrics");
            assert!(faults.len() == 1 && !format!("{faults:?}").contains("S3cret"), "{faults:?}");
        }
    }

    #[test]
    fn rejects_a_path_that_is_no_url() {
        let faults = found("https://abc12345.live.dynatrace.com/api", "v2/otlp/v1/traces%zz");
        let found = "is no valid path: it has a `%` without two hex digits";
        assert_one(&faults, "spec.output.otlp.path", found, "`/api/v2/otlp/v1/traces`");
    }

    #[test]
    fn rejects_a_wrong_path_behind_a_declared_secret_and_gives_the_right_one() {
        let faults =
            faults(&RULE, Signal::Logs, &format!(r#"{SECRET},"protocol":"http","path":"api/v2/otlp/v1/logs""#));
        let goes_to = "resolves to `/api/api/v2/otlp/v1/logs`";
        assert_one(&faults, "spec.output.otlp.path", goes_to, "`/api/v2/otlp/v1/logs`");
        assert_eq!(faults[0].fix, "set `path` to `v2/otlp/v1/logs`");
    }

    #[test]
    fn rejects_behind_an_unknown_base_only_what_no_base_can_complete() {
        let undeclared = r#""endpoint":{"valueFrom":{"secretKeyRef":{"name":"x","namespace":"y","key":"z"}}},"protocol":"http","headers":[{"name":"Authorization","prefix":"Api-Token","valueFrom":{"secretKeyRef":{"name":"x","namespace":"y","key":"t"}}}]"#;
        let check = |path: &str| faults(&RULE, Signal::Traces, &format!(r#"{undeclared},"path":"{path}""#)).len();
        for path in ["", "v2/otlp/v1/traces", "api/v2/otlp/v1/traces", "v1/traces", "e/x/api/v2/otlp/v1/traces", "../x"]
        {
            assert_eq!(check(path), 0, "{path}");
        }
        for path in ["v2/otlp", "v2/otlp/v1/metrics", "v1/traces/v1/traces", "api"] {
            assert_eq!(check(path), 1, "{path}");
        }
    }

    #[test]
    fn ignores_what_goes_over_grpc_unless_that_is_refused() {
        let otlp = format!(r#"{SECRET},"protocol":"grpc""#);
        assert_eq!(faults(&RULE, Signal::Traces, &otlp).len(), 1);
        let settings = r#"{"rules":{"grpc-protocol":"warn"}}"#;
        assert_eq!(faults_with(&RULE, Signal::Traces, &otlp, "{}", settings), []);
        assert_eq!(faults(&RULE, Signal::Traces, SECRET), []);
    }

    #[test]
    fn repairs_the_path_behind_any_beginning_of_the_wanted_one() {
        for (url, path) in [
            ("https://abc12345.live.dynatrace.com", "api/v2/otlp/v1/traces"),
            ("https://abc12345.live.dynatrace.com/", "api/v2/otlp/v1/traces"),
            ("https://abc12345.live.dynatrace.com/api/", "v2/otlp/v1/traces"),
            ("https://abc12345.live.dynatrace.com/api/v2/otlp/v1", "traces"),
            ("https://abc12345.live.dynatrace.com//api", "v2/otlp/v1/traces"),
            ("https://abc12345.live.dynatrace.com/e/abc/api", "v2/otlp/v1/traces"),
            ("https://x.dynatrace-managed.com/e/abc", "api/v2/otlp/v1/traces"),
            ("https://dynakube-activegate.dynatrace/e/abc/api", "v2/otlp/v1/traces"),
        ] {
            let otlp = format!(r#"{},"protocol":"http","path":null"#, endpoint(url));
            assert_eq!(repairs(&RULE, Signal::Traces, &otlp), [("path".to_owned(), path.into())]);
        }
    }

    #[test]
    fn ignores_paths_it_cannot_complete() {
        for url in [
            "https://abc12345.live.dynatrace.com/api/v2/otlp",
            "https://abc12345.live.dynatrace.com/api/v2/otlp/",
            "https://abc12345.live.dynatrace.com/API",
            "https://abc12345.live.dynatrace.com/api/v2/otlp/v1/traces",
            "https://x.dynatrace-managed.com",
            "https://x.dynatrace-managed.com/e",
            "https://abc12345.live.dynatrace.com/api%zz",
        ] {
            let otlp = format!(r#"{},"protocol":"http""#, endpoint(url));
            assert_eq!(repairs(&RULE, Signal::Traces, &otlp), [], "{url}");
        }
    }

    #[test]
    fn accepts_every_way_to_write_the_right_path() {
        for (endpoint, path) in [
            ("https://abc12345.live.dynatrace.com/api", "v2/otlp/v1/traces"),
            ("https://abc12345.live.dynatrace.com/api/", "/v2/otlp/v1/traces/"),
            ("https://abc12345.live.dynatrace.com/api/v2/otlp", ""),
            ("https://abc12345.live.dynatrace.com", "api/v2/otlp/v1/traces"),
            ("https://dt.corp.example/e/6f2b-uuid/api", "v2/otlp/v1/traces"),
            ("https://ag.corp.example:9999/e/abc12345/api/v2/otlp", ""),
            ("https://abc12345.live.dynatrace.com//api", "v2/otlp/v1/traces"),
            ("https://abc12345.live.dynatrace.com/e/abc12345/api", "v2/otlp/v1/traces"),
            ("https://dt.corp/%65/ID/api/v2/otlp", ""),
        ] {
            assert_eq!(found(endpoint, path), [], "{endpoint} {path}");
        }
    }

    #[test]
    fn ignores_what_cannot_be_known() {
        assert_eq!(faults(&RULE, Signal::Traces, &format!(r#"{SECRET},"protocol":"http","path":3"#)), []);
    }

    #[test]
    fn rejects_with_a_fix_for_each_kind_of_endpoint() {
        const SAAS: &str = "https://abc12345.live.dynatrace.com";
        let fix = |endpoint_url: &str, path: &str| found(endpoint_url, path)[0].fix.clone();
        assert_eq!(fix(&format!("{SAAS}/api"), "x"), "set `path` to `v2/otlp/v1/traces`");
        assert_eq!(fix(&format!("{SAAS}/api/v2/otlp"), "x"), "remove `path`");
        let elsewhere = "end the endpoint with `/api`, and set `path` to `v2/otlp/v1/traces`";
        assert_eq!(fix(&format!("{SAAS}/x"), "y"), elsewhere);
        let managed = fix("https://x.dynatrace-managed.com/api", "x");
        assert!(
            managed.starts_with("end the endpoint with `/e/<id>/api`, with the id of your environment"),
            "{managed}"
        );
        let undeclared = r#""endpoint":{"valueFrom":{"secretKeyRef":{"name":"x","namespace":"y","key":"z"}}},"protocol":"http","headers":[{"name":"Authorization","prefix":"Api-Token","valueFrom":{"secretKeyRef":{"name":"x","namespace":"y","key":"t"}}}],"path":"api""#;
        let unknown = faults(&RULE, Signal::Traces, undeclared)[0].fix.clone();
        assert_eq!(unknown, "set `path` to `v2/otlp/v1/traces`, behind a URL that ends with `/api`");
    }

    #[test]
    fn ignores_endpoints_that_another_rule_refuses() {
        assert_eq!(found("https://abc12345.live.dynatrace.com:0/api", "x"), []);
        assert_eq!(found("https://abc12345.live.dynatrace.com:1/api", "x").len(), 1);
    }
}
