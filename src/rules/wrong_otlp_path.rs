#![doc = include_str!("../../docs/rules/wrong-otlp-path.md")]

use crate::address::{Address, missing_rest, wanted_path};
use crate::finding::Fault;
use crate::output::OTLP;
use crate::rule::{Rule, Scope, for_lists};
use crate::settings::Level;
use crate::subject::Subject;
use crate::text::quote;

/// Why it matters, also for the repair of a missing path.
pub const WHY: &str = "Dynatrace takes OTLP there and nowhere else";

/// The rule.
pub static RULE: Rule = Rule {
    id: "wrong-otlp-path",
    level: Level::Deny,
    scope: Scope::Direct,
    summary: for_lists("endpoint and path together do not lead to the OTLP API of the pipeline's signal"),
    check,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    // A path that is not a string has a finding of its own; nothing can be said about where it leads.
    let Some(path) = subject.output.path.text_or_empty() else { return Vec::new() };
    let address = subject.address();
    let Some(effective) = address.effective_path() else { return Vec::new() };
    let wanted = wanted_path(address, subject.destination, subject.signal);
    let found = match (&effective, &wanted) {
        (Ok(effective), Ok(wanted)) if effective == wanted => return Vec::new(),
        (Ok(effective), _) => join!("such that data goes to ", quote(effective)),
        (Err(error), _) => format!("no valid URL, {error}"),
    };
    let wanted = wanted.unwrap_or_else(|pattern| pattern);
    vec![Fault {
        field: join!(OTLP, ".", if path.is_empty() { "endpoint" } else { "path" }).into(),
        found: found.into(),
        wanted: quote_whole(&wanted).into(),
        why: WHY.into(),
        fix: fix(subject, address, &wanted).into(),
        level: None,
    }]
}

fn fix(subject: &Subject<'_>, address: &Address, wanted: &str) -> String {
    let signal = subject.signal.name();
    match missing_rest(address, subject.destination, subject.signal) {
        Some(rest) => join!("set `path` to ", quote(&rest)),
        None if wanted.starts_with("/e/<id>") => {
            join!(
                "let the endpoint end in `/e/<id>/api`, with your environment's id, and set `path` to `v2/otlp/v1/",
                signal,
                "`"
            )
        }
        None => join!("let the endpoint end in `/api` and set `path` to `v2/otlp/v1/", signal, "`"),
    }
}

/// A wanted path in backticks: of our own making but for the environment's id, and no use cut short.
fn quote_whole(wanted: &str) -> String {
    if wanted.len() > 80 || quote(wanted).starts_with('(') { quote(wanted) } else { join!("`", wanted, "`") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SECRET, assert_one, endpoint, faults};
    use crate::subject::Signal;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn found(endpoint_url: &str, path: &str) -> Vec<Fault> {
        let path = if path.is_empty() { String::new() } else { format!(r#","path":"{path}""#) };
        faults(&RULE, Signal::Traces, &format!("{}{path}", endpoint(endpoint_url)))
    }

    #[test]
    fn rejects_each_of_the_usual_mistakes() {
        const SAAS: &str = "https://abc12345.live.dynatrace.com";
        let wanted = "`/api/v2/otlp/v1/traces`";
        for (base, path, goes_to) in [
            ("", "v2/otlp/v1/traces", "`/v2/otlp/v1/traces`"),
            ("/api", "api/v2/otlp/v1/traces", "`/api/api/v2/otlp/v1/traces`"),
            ("/api/v2/otlp", "v2/otlp/v1/traces", "`/api/v2/otlp/v2/otlp/v1/traces`"),
            ("/api", "v2/otlp", "`/api/v2/otlp`"),
            ("/api", "v2/otlp/v1/metrics", "`/api/v2/otlp/v1/metrics`"),
        ] {
            let faults = found(&format!("{SAAS}{base}"), path);
            assert_one(&faults, "spec.output.otlp.path", &format!("such that data goes to {goes_to}"), wanted);
        }
        let faults = found(&format!("{SAAS}/api/v2/otlp/v1/traces"), "");
        let goes_to = "such that data goes to `/api/v2/otlp/v1/traces/v1/traces`";
        assert_one(&faults, "spec.output.otlp.endpoint", goes_to, wanted);
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
