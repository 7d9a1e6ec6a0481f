#![doc = include_str!("../../docs/rules/secret-endpoint.md")]

use crate::destination::{Address, Destination, Scheme, is_wanted};
use crate::lookup::Value;
use crate::pipeline::FieldPath;
use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};
use crate::text::quote;

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::SecretEndpoint,
    level: Level::Warn,
    scope: Scope::LookedUp,
    summary: "the URL in the Secret is not one that leads to the OTLP API",
    check,
    repair: None,
};

const FIELD: FieldPath = FieldPath::new("spec.output.otlp.endpoint.valueFrom");

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let Some(key) = subject.endpoint_key() else { return Vec::new() };
    let Some(value) = subject.seen.value(key.namespace, key.name, key.key) else { return Vec::new() };
    let Some(secret) = subject.settings.secret(key.namespace, key.name).filter(|secret| secret.endpoint_key == key.key)
    else {
        // What another key ought to hold, the settings do not say.
        return Vec::new();
    };
    let Some(problem) = problem(value, subject) else { return Vec::new() };
    let (found, expected) = problem.texts(&secret.endpoint_path);
    vec![Fault {
        field: FIELD,
        found: found.into(),
        expected: expected.into(),
        why: "the pipeline takes its endpoint from there".into(),
        fix: ["correct ", &key.place()].concat().into(),
        level: None,
        evidence: Evidence::of(&key),
    }]
}

/// What is wrong with a URL; the first that holds.
#[derive(Clone, Copy)]
enum Problem {
    Empty,
    NoText,
    Placeholder,
    Blank,
    Scheme,
    NoUrl,
    UserInterface,
    Path,
}

impl Problem {
    /// What was found and what is expected. The value itself is never in it.
    fn texts(self, path: &str) -> (&'static str, String) {
        let environment = || "the URL of your environment".to_owned();
        match self {
            Self::Empty => ("leads to an empty value", environment()),
            Self::NoText => ("leads to a value that is no text", environment()),
            Self::Placeholder => ("leads to a placeholder", environment()),
            Self::Blank => ("leads to a URL with blanks or newlines", "none".to_owned()),
            Self::Scheme => ("leads to a URL without `https://`", "`https://` in front".to_owned()),
            Self::NoUrl => ("leads to a value that is no URL", environment()),
            Self::UserInterface => ("leads to the UI's host (`.apps.`)", "the API's host (`.live.`)".to_owned()),
            Self::Path => ("leads to a URL with another path", format!("the path {}", quote(path))),
        }
    }
}

fn problem(value: &Value, subject: &Subject<'_>) -> Option<Problem> {
    let Some(text) = value.text() else { return Some(Problem::NoText) };
    if text.trim().is_empty() {
        return Some(Problem::Empty);
    }
    if value.is_placeholder() {
        return Some(Problem::Placeholder);
    }
    if value.has_blank() {
        return Some(Problem::Blank);
    }
    // As it would be judged if it stood in the pipeline.
    let address = Address::of_value(text, &subject.output, subject.signal);
    let literal = address.literal()?;
    if literal.scheme != Scheme::Https {
        return Some(Problem::Scheme);
    }
    if literal.problem.is_some() {
        return Some(Problem::NoUrl);
    }
    let destination = Destination::of_host(&literal.host, subject.settings).unwrap_or(Destination::Secret);
    if destination == Destination::UserInterface {
        return Some(Problem::UserInterface);
    }
    // A path that is not the declared one and works all the same is nobody's problem.
    let posted = address.posted().and_then(Result::ok)?;
    (!is_wanted(&posted.path, destination, subject.signal)).then_some(Problem::Path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, TOKEN, assert_one, faults_seen, found};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn faults(url: &str) -> Vec<Fault> {
        let otlp = format!(r#"{SECRET},"path":"v2/otlp/v1/traces""#);
        faults_seen(&RULE, Signal::Traces, &otlp, found(&[("apiurl", url)]))
    }

    #[test]
    fn accepts_urls_that_lead_to_the_api() {
        for url in [
            "https://abc12345.live.dynatrace.com/api",
            "https://abc12345.live.dynatrace.com/api/",
            "https://dt.example.com/e/some-id/api",
            "HTTPS://activegate.example.com:9999/e/some-id/api",
        ] {
            assert_eq!(faults(url), [], "{url}");
        }
    }

    #[test]
    fn rejects_what_does_not_lead_there() {
        for (url, found, expected) in [
            ("", "leads to an empty value", "the URL of your environment"),
            ("https://<id>.live.dynatrace.com/api", "leads to a placeholder", "the URL of your environment"),
            ("https://x.live.dynatrace.com/api\n", "leads to a URL with blanks or newlines", "none"),
            ("http://x.live.dynatrace.com/api", "leads to a URL without `https://`", "`https://` in front"),
            ("x.live.dynatrace.com/api", "leads to a URL without `https://`", "`https://` in front"),
            ("https://x:y:z/api", "leads to a value that is no URL", "the URL of your environment"),
            ("https://x.apps.dynatrace.com/api", "leads to the UI's host (`.apps.`)", "the API's host (`.live.`)"),
            ("https://x.live.dynatrace.com", "leads to a URL with another path", "the path `/api`"),
            ("https://x.live.dynatrace.com/api/v2/otlp", "leads to a URL with another path", "the path `/api`"),
        ] {
            let faults = faults(url);
            assert_one(&faults, FIELD.as_str(), found, expected);
            assert!(!format!("{faults:?}").contains("x.") || url.is_empty(), "{url}: the value is shown");
        }
    }

    #[test]
    fn rejects_a_value_that_is_no_text() {
        let value = Value::new(vec![0xff, 0xfe]);
        let outcome = crate::lookup::Outcome::Found(vec![("apiurl".to_owned(), value)]);
        let faults = faults_seen(&RULE, Signal::Traces, SECRET, outcome);
        assert_one(&faults, FIELD.as_str(), "leads to a value that is no text", "the URL of your environment");
    }

    #[test]
    fn ignores_keys_that_the_settings_do_not_declare_for_the_url() {
        let otlp = format!("{},{TOKEN}", SECRET.replace("apiurl", "other"));
        assert_eq!(faults_seen(&RULE, Signal::Traces, &otlp, found(&[("other", "nonsense")])), []);
    }
}
