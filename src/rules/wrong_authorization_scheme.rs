#![doc = include_str!("../../docs/rules/wrong-authorization-scheme.md")]

use crate::destination::{Destination, Literal, is_below};
use crate::pipeline::{Field, Header, Source};
use crate::rule::{Evidence, Fault, Json, Repair, Rule, Scope, Subject};
use crate::settings::{DeclaredSecret, InjectPrefixFor, Level, RuleId, Settings, TokenScheme};
use crate::text::quote_scheme;

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::WrongAuthorizationScheme,
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "the scheme of the `Authorization` header is not the one that its token needs (`Api-Token`, or `Bearer` for platform tokens)",
    check,
    repair: Some(repair),
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    subject.output.authorization().and_then(|header| check_header(subject, header)).into_iter().collect()
}

fn check_header(subject: &Subject<'_>, header: &Header<'_>) -> Option<Fault> {
    let scheme = header.scheme()?;
    let declared = declared(subject.settings, header);
    let expected = declared.map_or(TokenScheme::ApiToken, |secret| secret.token_scheme);
    if scheme.is_empty() {
        // What is known to be the bare token has been repaired; a literal value is the matter of `inline-token`.
        let is_unsure = matches!(header.source(), Source::Secret(_));
        return is_unsure.then(|| Fault { level: Some(Level::Warn), ..missing_prefix(header, expected) });
    }
    if scheme.eq_ignore_ascii_case(expected.name()) {
        return None;
    }
    let (why, level) = if scheme.eq_ignore_ascii_case("Bearer") {
        bearer(subject, declared)?
    } else if scheme.eq_ignore_ascii_case("Api-Token") {
        ("the settings say that this Secret holds a platform token", Some(Level::Warn))
    } else {
        ("the Dynatrace API answers 401 to a token with this scheme", None)
    };
    Some(Fault {
        found: ["is ", &quote_scheme(scheme)].concat().into(),
        why: why.into(),
        level,
        ..missing_prefix(header, expected)
    })
}

/// What `Bearer`, the scheme of platform tokens, means; `None` where it is in order.
fn bearer(subject: &Subject<'_>, declared: Option<&DeclaredSecret>) -> Option<(&'static str, Option<Level>)> {
    let is_managed = |literal: &Literal| is_below(&literal.host, "dynatrace-managed.com");
    if subject.address().literal().is_some_and(is_managed) {
        Some(("Dynatrace Managed takes no platform tokens", None))
    } else if declared.is_some() {
        Some(("the settings say that this Secret holds an access token", Some(Level::Warn)))
    } else if matches!(subject.destination, Destination::InClusterActiveGate | Destination::Managed) {
        Some(("platform tokens are documented for Dynatrace SaaS only", Some(Level::Warn)))
    } else {
        None
    }
}

/// The declared Secret whose token the header sends.
fn declared<'a>(settings: &'a Settings, header: &Header<'_>) -> Option<&'a DeclaredSecret> {
    let Source::Secret(key) = header.source() else { return None };
    settings.token_secret(key.namespace, key.name, key.key)
}

/// A missing prefix is filled in where the value is known to be the bare token.
fn repair(subject: &mut Subject<'_>) -> Vec<Repair> {
    let settings = subject.settings;
    let Some(header) = subject.output.authorization().filter(|header| header.scheme() == Some("")) else {
        return Vec::new();
    };
    let declared = declared(settings, header);
    let is_any_secret = settings.dynatrace.inject_prefix_for == InjectPrefixFor::AnySecret;
    let is_secret = matches!(header.source(), Source::Secret(_));
    if declared.is_none() && !(is_any_secret && is_secret) {
        return Vec::new();
    }
    let scheme = declared.map_or(TokenScheme::ApiToken, |secret| secret.token_scheme);
    let (index, fault) = (header.index, missing_prefix(header, scheme));
    if let Field::Is(headers) = &mut subject.output.to_mut().headers
        && let Some(header) = headers.kept.iter_mut().find(|header| header.index == index)
    {
        header.prefix = Field::Is(scheme.name().into());
    }
    let shown = ["`", scheme.name(), "`"].concat();
    vec![Repair { place: fault.field.clone(), value: Json::new(&scheme.name()), shown, fault }]
}

/// The fault of a header that takes its value from a Secret and has no prefix.
fn missing_prefix(header: &Header<'_>, expected: TokenScheme) -> Fault {
    Fault {
        field: header.field("prefix"),
        found: "is missing".into(),
        expected: ["`", expected.name(), "`"].concat().into(),
        why: "Dynatrace answers 401 to a token without its scheme".into(),
        fix: format!("set `prefix: {}`, and store the bare token in the Secret", expected.name()).into(),
        level: None,
        evidence: Evidence::of(&header.scheme()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, assert_one, endpoint, faults, faults_with, repairs_with};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn header(prefix: &str, secret: &str, key: &str) -> String {
        format!(
            r#""headers":[{{"name":"Authorization","prefix":"{prefix}","valueFrom":{{"secretKeyRef":{{"name":"{secret}","namespace":"dynatrace","key":"{key}"}}}}}}]"#
        )
    }

    #[test]
    fn rejects_other_schemes() {
        let field = "spec.output.otlp.headers[0].prefix";
        let basic = faults(&RULE, Signal::Logs, &format!("{SECRET},{}", header("Basic", "x", "y")));
        assert_one(&basic, field, "is `Basic`", "`Api-Token`");
        assert_eq!(
            (basic[0].level, &*basic[0].why),
            (None, "the Dynatrace API answers 401 to a token with this scheme")
        );
        let hidden = faults(&RULE, Signal::Logs, &format!("{SECRET},{}", header("Api-Token abcdef", "x", "y")));
        assert_one(&hidden, field, "is (hidden: it is not a plain scheme word)", "`Api-Token`");
    }

    #[test]
    fn rejects_bearer_only_where_no_platform_token_is_taken() {
        let field = "spec.output.otlp.headers[0].prefix";
        let bearer = header("bearer", "platform", "token");
        let level = |otlp: &str| faults(&RULE, Signal::Logs, otlp).first().map(|fault| fault.level);
        let at = |url: &str| level(&format!("{},{bearer}", endpoint(url)));
        assert_eq!(at("https://abc12345.live.dynatrace.com/api/v2/otlp"), None);
        assert_eq!(level(&format!("{SECRET},{bearer}")), None);
        assert_eq!(at("https://x.dynatrace-managed.com/e/abc/api"), Some(None));
        assert_eq!(at("https://ag.corp.example:9999/e/abc/api"), Some(Some(Level::Warn)));
        let declared = format!("{SECRET},{}", header("Bearer", "dynakube", "dataIngestToken"));
        assert_eq!(level(&declared), Some(Some(Level::Warn)));
        let settings =
            r#"{"dynatrace":{"secrets":[{"namespace":"dynatrace","name":"dynakube","tokenScheme":"Bearer"}]}}"#;
        assert_eq!(faults_with(&RULE, Signal::Logs, &declared, "{}", settings), []);
        let api_token = format!("{SECRET},{}", header("Api-Token", "dynakube", "dataIngestToken"));
        let told = faults_with(&RULE, Signal::Logs, &api_token, "{}", settings);
        assert_one(&told, field, "is `Api-Token`", "`Bearer`");
        assert_eq!(told[0].level, Some(Level::Warn));
    }

    #[test]
    fn rejects_a_missing_prefix_softly_where_the_secret_may_hold_it() {
        let faults = faults(&RULE, Signal::Logs, &format!("{SECRET},{}", header("", "other", "token")));
        assert_one(&faults, "spec.output.otlp.headers[0].prefix", "is missing", "`Api-Token`");
        assert_eq!(faults[0].level, Some(Level::Warn));
    }

    #[test]
    fn repairs_prefixes_of_declared_tokens_or_of_every_secret() {
        let otlp = |secret: &str, key: &str, prefix: &str| format!("{SECRET},{}", header(prefix, secret, key));
        let any = r#"{"dynatrace":{"injectPrefixFor":"anySecret"}}"#;
        let repaired = [("headers/0/prefix".to_owned(), "Api-Token".into())];
        assert_eq!(repairs_with(&RULE, Signal::Logs, &otlp("other", "token", ""), any), repaired);
        assert_eq!(repairs_with(&RULE, Signal::Logs, &otlp("other", "token", ""), "{}"), []);
        assert_eq!(repairs_with(&RULE, Signal::Logs, &otlp("dynakube", "dataIngestToken", " "), "{}"), repaired);
        assert_eq!(repairs_with(&RULE, Signal::Logs, &otlp("dynakube", "apiToken", ""), "{}"), []);
        assert_eq!(repairs_with(&RULE, Signal::Logs, &otlp("other", "token", "Bearer"), any), []);
    }

    #[test]
    fn accepts_api_token_in_any_case_and_with_blanks() {
        for prefix in ["Api-Token", "api-token", " Api-Token "] {
            assert_eq!(faults(&RULE, Signal::Logs, &format!("{SECRET},{}", header(prefix, "x", "y"))), []);
        }
    }
}
