#![doc = include_str!("../../docs/rules/secret-token.md")]

use crate::lookup::Value;
use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId, TokenScheme};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::SecretToken,
    level: Level::Warn,
    scope: Scope::LookedUp,
    summary: "the token in the Secret is not one that the API takes as it is sent",
    check,
    repair: None,
};

/// How platform tokens begin (Dynatrace documentation, "Token prefixes"; Dynatrace Operator, `dttoken`).
const PLATFORM: &str = "dt0s16.";
/// How access tokens begin.
const ACCESS: &str = "dt0c01.";

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let Some(header) = subject.output.authorization() else { return Vec::new() };
    let Some(key) = subject.token_key() else { return Vec::new() };
    let Some(value) = subject.seen.value(key.namespace, key.name, key.key) else { return Vec::new() };
    let has_prefix = header.prefix.text_or_empty().is_some_and(|prefix| !prefix.trim().is_empty());
    let secret = subject.settings.token_secret(key.namespace, key.name, key.key);
    let Some(problem) = problem(value, has_prefix, secret.map(|secret| secret.token_scheme)) else { return Vec::new() };
    vec![Fault {
        field: header.field("valueFrom"),
        found: problem.found.into(),
        expected: problem.expected.into(),
        why: "the API answers 401".into(),
        fix: ["correct ", &key.place(), problem.or].concat().into(),
        level: None,
        evidence: Evidence::of(&key),
    }]
}

/// What is wrong with a token. The value itself is never in it.
struct Problem {
    found: &'static str,
    expected: &'static str,
    /// What else than another value helps.
    or: &'static str,
}

/// The first thing that is wrong.
fn problem(value: &Value, has_prefix: bool, scheme: Option<TokenScheme>) -> Option<Problem> {
    let bare = |found| Some(Problem { found, expected: "the bare token", or: "" });
    let Some(text) = value.text() else { return bare("leads to a value that is no text") };
    if text.trim().is_empty() {
        return bare("leads to an empty value");
    }
    if value.is_placeholder() {
        return bare("leads to a placeholder");
    }
    let token = match scheme_in(text) {
        Some(_) if has_prefix => return bare("leads to a token behind a scheme"),
        Some(token) => token,
        None => text,
    };
    if token.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Some(Problem { found: "leads to a token with blanks or newlines", expected: "none", or: "" });
    }
    match scheme? {
        TokenScheme::ApiToken if token.starts_with(PLATFORM) => Some(Problem {
            found: "leads to a platform token",
            expected: "an access token",
            or: ", or set its `tokenScheme: Bearer` in the policy's settings",
        }),
        TokenScheme::Bearer if token.starts_with(ACCESS) => Some(Problem {
            found: "leads to an access token",
            expected: "a platform token",
            or: ", or set its `tokenScheme: Api-Token` in the policy's settings",
        }),
        TokenScheme::ApiToken | TokenScheme::Bearer => None,
    }
}

/// What stands behind a scheme and one blank.
fn scheme_in(text: &str) -> Option<&str> {
    let (scheme, token) = text.split_once(' ')?;
    [TokenScheme::ApiToken, TokenScheme::Bearer]
        .iter()
        .any(|known| known.name().eq_ignore_ascii_case(scheme))
        .then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, TOKEN, assert_one, faults_seen, faults_seen_with, found, token};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const FIELD: &str = "spec.output.otlp.headers[0].valueFrom";

    fn faults(value: &str) -> Vec<Fault> {
        faults_seen(&RULE, Signal::Traces, &format!("{SECRET},{TOKEN}"), found(&[("dataIngestToken", value)]))
    }

    #[test]
    fn accepts_tokens_of_any_form() {
        for value in [token().as_str(), "an-old-token", "x"] {
            assert_eq!(faults(value), []);
        }
        let bearer =
            r#"{"dynatrace":{"secrets":[{"namespace":"dynatrace","name":"dynakube","tokenScheme":"Bearer"}]}}"#;
        let otlp = format!("{SECRET},{}", TOKEN.replace("Api-Token", "Bearer"));
        let seen = |value: &str| found(&[("dataIngestToken", value)]);
        assert_eq!(faults_seen_with(&RULE, Signal::Traces, &otlp, bearer, seen("dt0s16.A.B")), []);
        let faults = faults_seen_with(&RULE, Signal::Traces, &otlp, bearer, seen("dt0c01.A.B"));
        assert_one(&faults, FIELD, "leads to an access token", "a platform token");
    }

    #[test]
    fn accepts_a_scheme_in_the_value_where_the_header_has_none() {
        let otlp = format!("{SECRET},{}", TOKEN.replace(r#""prefix":"Api-Token","#, ""));
        let seen = |value: &str| found(&[("dataIngestToken", value)]);
        assert_eq!(faults_seen(&RULE, Signal::Traces, &otlp, seen("Api-Token dt0c01.A.B")), []);
        let faults = faults_seen(&RULE, Signal::Traces, &otlp, seen("Api-Token dt0c01.A.B\n"));
        assert_one(&faults, FIELD, "leads to a token with blanks or newlines", "none");
    }

    #[test]
    fn rejects_what_the_api_does_not_take() {
        for (value, found, expected) in [
            ("", "leads to an empty value", "the bare token"),
            (" \n", "leads to an empty value", "the bare token"),
            ("<token>", "leads to a placeholder", "the bare token"),
            ("changeme", "leads to a placeholder", "the bare token"),
            ("geheim\n", "leads to a token with blanks or newlines", "none"),
            (" geheim", "leads to a token with blanks or newlines", "none"),
            ("api-token geheim", "leads to a token behind a scheme", "the bare token"),
            ("Bearer geheim", "leads to a token behind a scheme", "the bare token"),
            ("dt0s16.geheim", "leads to a platform token", "an access token"),
        ] {
            let faults = faults(value);
            assert_one(&faults, FIELD, found, expected);
            assert!(!format!("{faults:?}").contains("geheim"), "the value is shown");
        }
    }
}
