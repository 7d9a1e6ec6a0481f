#![doc = include_str!("../../docs/rules/wrong-otlp-path.md")]

use crate::destination::{Address, missing_rest, wanted_path};
use crate::pipeline::OTLP;
use crate::rule::{Fault, Repair, Rule, Scope, Subject};
use crate::settings::Level;
use crate::text::{quote, quote_up_to};

/// Why it matters.
const WHY: &str = "Dynatrace takes OTLP there and nowhere else";

/// The rule.
pub static RULE: Rule = Rule {
    id: "wrong-otlp-path",
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "endpoint and path together do not lead to the OTLP API of the pipeline's signal",
    check,
    repair: Some(repair),
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    // A path that is not a string has a finding of its own; nothing can be said about where it leads.
    let Some(path) = subject.output.path.text_or_empty() else { return Vec::new() };
    let address = subject.address();
    let Some(effective) = address.effective_path() else { return Vec::new() };
    let expected = wanted_path(address, subject.destination, subject.signal);
    let found = match (&effective, &expected) {
        (Ok(effective), Ok(expected)) if effective == expected => return Vec::new(),
        (Ok(effective), _) => format!("such that data goes to {}", quote(effective)),
        (Err(error), _) => format!("no valid URL, {error}"),
    };
    let expected = expected.unwrap_or_else(|pattern| pattern);
    vec![Fault {
        field: format!("{OTLP}.{}", if path.is_empty() { "endpoint" } else { "path" }).into(),
        found: found.into(),
        expected: quote_up_to(80, &expected).into(),
        why: WHY.into(),
        fix: fix(subject, address, &expected).into(),
        level: None,
    }]
}

/// A missing path is completed where the endpoint's own path is a beginning of the wanted one.
fn repair(subject: &mut Subject<'_>) -> Vec<Repair> {
    missing_path(subject).into_iter().collect()
}

fn missing_path(subject: &mut Subject<'_>) -> Option<Repair> {
    if subject.output.path.text_or_empty() != Some("") {
        return None;
    }
    let address = subject.address();
    let wanted = wanted_path(address, subject.destination, subject.signal).ok()?;
    if address.effective_path() == Some(Ok(&wanted)) {
        return None;
    }
    let rest = missing_rest(address, subject.destination, subject.signal)?;
    let shown = quote(&rest);
    let fault = Fault {
        field: "spec.output.otlp.path".into(),
        found: "missing".into(),
        expected: shown.clone().into(),
        why: WHY.into(),
        fix: format!("set `path` to {shown}").into(),
        level: None,
    };
    subject.set_path(rest.clone());
    Some(Repair::of_member("path", rest.into(), shown, fault))
}

fn fix(subject: &Subject<'_>, address: &Address, expected: &str) -> String {
    let signal = subject.signal.name();
    match missing_rest(address, subject.destination, subject.signal) {
        Some(rest) => format!("set `path` to {}", quote(&rest)),
        None if expected.starts_with("/e/<id>") => {
            format!(
                "let the endpoint end in `/e/<id>/api`, with your environment's id, and set `path` to `v2/otlp/v1/{signal}`"
            )
        }
        None => format!("let the endpoint end in `/api` and set `path` to `v2/otlp/v1/{signal}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, assert_one, endpoint, faults, repairs};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn found(endpoint_url: &str, path: &str) -> Vec<Fault> {
        let path = if path.is_empty() { String::new() } else { format!(r#","path":"{path}""#) };
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
            assert_one(&faults, "spec.output.otlp.path", &format!("such that data goes to {goes_to}"), expected);
        }
        let faults = found(&format!("{SAAS}/api/v2/otlp/v1/traces"), "");
        let goes_to = "such that data goes to `/api/v2/otlp/v1/traces/v1/traces`";
        assert_one(&faults, "spec.output.otlp.endpoint", goes_to, expected);
    }

    #[test]
    fn rejects_a_managed_endpoint_without_environment_and_says_what_is_missing() {
        let faults = found("https://x.dynatrace-managed.com/api", "v2/otlp/v1/traces");
        let goes_to = "such that data goes to `/api/v2/otlp/v1/traces`";
        assert_one(&faults, "spec.output.otlp.path", goes_to, "`/e/<id>/api/v2/otlp/v1/traces`");
    }

    #[test]
    fn rejects_a_url_that_is_none() {
        let faults = found("https://abc12345.live.dynatrace.com/api\\n", "v2/otlp/v1/traces");
        let found = "no valid URL, it has a control character or newline";
        assert_one(&faults, "spec.output.otlp.path", found, "`/api/v2/otlp/v1/traces`");
    }

    #[test]
    fn rejects_a_wrong_path_behind_a_secret_endpoint_and_gives_the_right_one() {
        let faults = faults(&RULE, Signal::Logs, &format!(r#"{SECRET},"path":"api/v2/otlp/v1/logs""#));
        let goes_to = "such that data goes to `/api/api/v2/otlp/v1/logs`";
        assert_one(&faults, "spec.output.otlp.path", goes_to, "`/api/v2/otlp/v1/logs`");
        assert_eq!(faults[0].fix, "set `path` to `v2/otlp/v1/logs`");
    }

    #[test]
    fn repairs_the_path_behind_any_beginning_of_the_wanted_one() {
        for (url, path) in [
            ("https://abc12345.live.dynatrace.com", "api/v2/otlp/v1/traces"),
            ("https://abc12345.live.dynatrace.com/", "api/v2/otlp/v1/traces"),
            ("https://abc12345.live.dynatrace.com/api/", "v2/otlp/v1/traces"),
            ("https://abc12345.live.dynatrace.com/api/v2/otlp/v1", "traces"),
            ("https://abc12345.live.dynatrace.com/api/v2/otlp?x=y", "v1/traces"),
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
        ] {
            assert_eq!(found(endpoint, path), [], "{endpoint} {path}");
        }
    }

    #[test]
    fn ignores_what_cannot_be_known() {
        assert_eq!(faults(&RULE, Signal::Traces, &format!(r#"{SECRET},"path":3"#)), []);
        assert_eq!(faults(&RULE, Signal::Traces, r#""path":"v2/otlp/v1/metrics""#), [], "no endpoint");
    }
}
