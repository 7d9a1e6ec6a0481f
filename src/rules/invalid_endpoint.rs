#![doc = include_str!("../../docs/rules/invalid-endpoint.md")]

use crate::destination::{Problem, UrlError};
use crate::pipeline::FieldPath;
use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::InvalidEndpoint,
    level: Level::Deny,
    scope: Scope::Dynatrace,
    summary: "the endpoint is no URL that the Telemetry module can use",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let Some(problem) = subject.address().literal().and_then(|literal| literal.problem) else { return Vec::new() };
    let (found, expected, fix) = match problem {
        Problem::Blank => ("begins or ends with a blank", "no blanks", "remove the blanks around the endpoint"),
        Problem::TwoSchemes => ("has two schemes", "one scheme", "remove the first of the two schemes"),
        Problem::Port => ("has an invalid port", "a port from 1 to 65535", "correct the port of the endpoint"),
        Problem::Length => ("is too long", "at most 128 KiB", "write the URL of the API as the endpoint"),
        Problem::Url(UrlError::ControlCharacter) => {
            ("has a newline or another control character", "none", "remove the control characters")
        }
        Problem::Url(UrlError::Scheme) => ("has an invalid scheme", "`https://`", "correct the scheme of the endpoint"),
        Problem::Url(UrlError::Host) => {
            ("has an invalid host or port", "`<host>` or `<host>:<port>`", "correct host and port of the endpoint")
        }
        Problem::Url(UrlError::UserInfo) => ("has an invalid user part", "none", "remove the part before the `@`"),
        Problem::Url(UrlError::Escape) => {
            ("has a `%` without two hex digits", "a valid URL", "write `%25` for a percent sign")
        }
    };
    vec![Fault {
        field: FieldPath::new("spec.output.otlp.endpoint.value"),
        found: found.into(),
        expected: expected.into(),
        why: "the Telemetry module cannot use it as a URL, and sends nothing".into(),
        fix: fix.into(),
        level: None,
        evidence: Evidence::of(&subject.output.endpoint()),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{endpoint, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_what_is_no_url_and_says_why() {
        for (url, found) in [
            (" https://abc12345.live.dynatrace.com/api", "begins or ends with a blank"),
            ("https://abc12345.live.dynatrace.com/api\\n", "begins or ends with a blank"),
            ("https://abc12345.live.dynatrace.com/a\\npi", "has a newline or another control character"),
            ("https://https://abc12345.live.dynatrace.com", "has two schemes"),
            ("https://abc12345.live.dynatrace.com:443:443", "has an invalid host or port"),
            ("https://abc12345.live.dynatrace.com:99999", "has an invalid port"),
            ("https://abc12345.live.dynatrace.com/%zz", "has a `%` without two hex digits"),
            ("http://dynakube-telemetry-ingest.dynatrace:port", "has an invalid host or port"),
        ] {
            let faults = faults(&RULE, Signal::Logs, &endpoint(url));
            assert_eq!(faults.iter().map(|fault| &*fault.found).collect::<Vec<_>>(), [found], "{url}");
        }
        let long = format!("https://abc12345.live.dynatrace.com/{}", "a".repeat(200_000));
        assert_eq!(faults(&RULE, Signal::Logs, &endpoint(&long))[0].found, "is too long");
    }

    #[test]
    fn accepts_what_the_module_can_use() {
        for url in
            ["https://abc12345.live.dynatrace.com:443//api", "abc12345.live.dynatrace.com", "https://[::1]:9/e/x/api"]
        {
            assert_eq!(faults(&RULE, Signal::Logs, &endpoint(url)), []);
        }
    }

    #[test]
    fn ignores_other_destinations() {
        assert_eq!(faults(&RULE, Signal::Logs, &endpoint(" http://loki.logs:3100")), []);
    }
}
