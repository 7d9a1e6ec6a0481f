#![doc = include_str!("../../docs/rules/secret-token.md")]

use crate::lookup::Value;
use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::{Level, TokenScheme};
use crate::text::quote;

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-token",
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

const PLATFORM_FOUND: &str = "leads to a platform token";
const ACCESS_FOUND: &str = "leads to an access token";

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let Some(header) = subject.output.authorization() else { return Vec::new() };
    let Some(key) = subject.token_key() else { return Vec::new() };
    let Some(value) = subject.seen.value(key.namespace, key.name, key.key) else { return Vec::new() };
    let has_prefix = header.prefix.text_or_empty().is_some_and(|prefix| !prefix.trim().is_empty());
    let secret = subject.settings.token_secret(key.namespace, key.name, key.key);
    problem(value, has_prefix, secret.map(|secret| secret.token_scheme))
        .map(|(found, expected)| {
            let place =
                format!("key {} of the Secret {}", quote(key.key), quote(&[key.namespace, "/", key.name].concat()));
            Fault {
                field: header.field("valueFrom").into(),
                found: found.into(),
                expected: expected.into(),
                why: "the API answers 401".into(),
                fix: match found {
                    PLATFORM_FOUND => {
                        format!("correct {place}, or set its `tokenScheme: Bearer` in the policy's settings")
                    }
                    ACCESS_FOUND => {
                        format!("correct {place}, or set its `tokenScheme: Api-Token` in the policy's settings")
                    }
                    _ => format!("correct {place}"),
                }
                .into(),
                level: None,
            }
        })
        .into_iter()
        .collect()
}

/// What is wrong with a token, and what is expected; the first that holds. The value itself is never in it.
fn problem(value: &Value, has_prefix: bool, scheme: Option<TokenScheme>) -> Option<(&'static str, &'static str)> {
    const BARE: &str = "the bare token";
    let Some(text) = value.text() else { return Some(("leads to a value that is no text", BARE)) };
    if text.trim().is_empty() {
        return Some(("leads to an empty value", BARE));
    }
    if value.is_placeholder() {
        return Some(("leads to a placeholder", BARE));
    }
    let token = match scheme_in(text) {
        Some(_) if has_prefix => return Some(("leads to a token behind a scheme", BARE)),
        Some(token) => token,
        None => text,
    };
    if Value::new(token.as_bytes().to_vec()).has_blank() {
        return Some(("leads to a token with blanks or newlines", "none"));
    }
    match scheme? {
        TokenScheme::ApiToken if token.starts_with(PLATFORM) => Some((PLATFORM_FOUND, "an access token")),
        TokenScheme::Bearer if token.starts_with(ACCESS) => Some((ACCESS_FOUND, "a platform token")),
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
