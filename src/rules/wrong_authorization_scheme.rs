#![doc = include_str!("../../docs/rules/wrong-authorization-scheme.md")]

use crate::destination::Destination;
use crate::pipeline::{Field, Header, Source};
use crate::rule::{Fault, Repair, Rule, Scope, Subject};
use crate::settings::{InjectPrefixFor, Level, Settings};
use crate::text::quote_scheme;

/// The rule.
pub static RULE: Rule = Rule {
    id: "wrong-authorization-scheme",
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "the `Authorization` header has another scheme than `Api-Token`",
    check,
    repair: Some(repair),
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    subject.output.authorizations().filter_map(|header| check_header(subject, header)).collect()
}

fn check_header(subject: &Subject<'_>, header: &Header<'_>) -> Option<Fault> {
    let scheme = header.scheme()?;
    if scheme.is_empty() {
        // With `anySecret` this has been repaired; a literal value is the matter of `inline-token`.
        let is_unsure = subject.settings.dynatrace.inject_prefix_for == InjectPrefixFor::DeclaredSecrets
            && matches!(header.source(), Source::Secret(_));
        return is_unsure.then(|| Fault { level: Some(Level::Warn), ..missing_prefix(header) });
    }
    if scheme.eq_ignore_ascii_case("api-token") {
        return None;
    }
    let may_be_platform_token = scheme.eq_ignore_ascii_case("bearer")
        && subject.destination == Destination::Saas
        && !is_declared_token(subject, header);
    Some(Fault {
        field: header.field("prefix").into(),
        found: quote_scheme(scheme).into(),
        expected: "`Api-Token`".into(),
        why: if may_be_platform_token {
            "`Bearer` takes a platform token, and only on SaaS; the API answers 401 to any other".into()
        } else {
            "the API answers 401 to an ingest token with another scheme".into()
        },
        fix: "set `prefix: Api-Token`".into(),
        level: may_be_platform_token.then_some(Level::Warn),
    })
}

/// Whether the value is a declared Secret's ingest token, which is no platform token.
fn is_declared_token(subject: &Subject<'_>, header: &Header<'_>) -> bool {
    let Source::Secret(key) = header.source() else { return false };
    subject.settings.secret(key.namespace, key.name).is_some_and(|secret| secret.token_key == key.key)
}

/// A missing prefix is filled in where the value is known to be the bare token.
fn repair(subject: &mut Subject<'_>) -> Vec<Repair> {
    let settings = subject.settings;
    let lacks_prefix = |header: &&Header<'_>| header.scheme() == Some("") && is_bare_token(settings, header);
    let bare: Vec<usize> = subject.output.authorizations().filter(lacks_prefix).map(|header| header.index).collect();
    if bare.is_empty() {
        return Vec::new();
    }
    let Field::Is(headers) = &mut subject.output.to_mut().headers else { return Vec::new() };
    let mut repairs = Vec::new();
    for header in headers.kept.iter_mut().filter(|header| bare.contains(&header.index)) {
        let place = format!("headers/{}/prefix", header.index);
        let fault = missing_prefix(header);
        repairs.push(Repair::of_member(&place, "Api-Token".into(), "`Api-Token`".to_owned(), fault));
        header.prefix = Field::Is("Api-Token".into());
    }
    repairs
}

/// Whether a header takes its value from a Secret that holds the bare token, as far as the settings say.
fn is_bare_token(settings: &Settings, header: &Header<'_>) -> bool {
    let Source::Secret(key) = header.source() else { return false };
    settings.dynatrace.inject_prefix_for == InjectPrefixFor::AnySecret
        || settings.secret(key.namespace, key.name).is_some()
}

/// The fault of a header that takes its value from a Secret and has no prefix.
fn missing_prefix(header: &Header<'_>) -> Fault {
    Fault {
        field: header.field("prefix").into(),
        found: "missing".into(),
        expected: "`Api-Token`".into(),
        why: "the API answers 401 to a token without its scheme".into(),
        fix: "set `prefix: Api-Token`, and let the Secret hold the bare token".into(),
        level: None,
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
        assert_one(&basic, field, "`Basic`", "`Api-Token`");
        assert_eq!(basic[0].level, None);
        let hidden = faults(&RULE, Signal::Logs, &format!("{SECRET},{}", header("Api-Token abcdef", "x", "y")));
        assert_one(&hidden, field, "(hidden: it is not a plain scheme word)", "`Api-Token`");
    }

    #[test]
    fn rejects_bearer_but_warns_where_it_may_be_a_platform_token() {
        let saas = endpoint("https://abc12345.live.dynatrace.com/api/v2/otlp");
        let level = |otlp: String| faults(&RULE, Signal::Logs, &otlp)[0].level;
        assert_eq!(level(format!("{saas},{}", header("bearer", "platform", "token"))), Some(Level::Warn));
        assert_eq!(level(format!("{saas},{}", header("Bearer", "dynakube", "dataIngestToken"))), None);
        assert_eq!(level(format!("{SECRET},{}", header("Bearer", "platform", "token"))), None);
    }

    #[test]
    fn rejects_a_missing_prefix_softly_where_the_secret_may_hold_it() {
        let otlp = format!("{SECRET},{}", header("", "other", "token"));
        let settings = r#"{"dynatrace":{"injectPrefixFor":"declaredSecrets"}}"#;
        let faults = faults_with(&RULE, Signal::Logs, &otlp, "{}", settings);
        assert_one(&faults, "spec.output.otlp.headers[0].prefix", "missing", "`Api-Token`");
        assert_eq!(faults[0].level, Some(Level::Warn));
    }

    #[test]
    fn repairs_prefixes_of_every_secret_or_of_declared_ones() {
        let otlp = |secret: &str, prefix: &str| format!("{SECRET},{}", header(prefix, secret, "token"));
        let declared = r#"{"dynatrace":{"injectPrefixFor":"declaredSecrets"}}"#;
        let repaired = [("headers/0/prefix".to_owned(), "Api-Token".into())];
        assert_eq!(repairs_with(&RULE, Signal::Logs, &otlp("other", ""), "{}"), repaired);
        assert_eq!(repairs_with(&RULE, Signal::Logs, &otlp("other", ""), declared), []);
        assert_eq!(repairs_with(&RULE, Signal::Logs, &otlp("dynakube", " "), declared), repaired);
        assert_eq!(repairs_with(&RULE, Signal::Logs, &otlp("other", "Bearer"), "{}"), []);
    }

    #[test]
    fn accepts_api_token_in_any_case_and_with_blanks() {
        for prefix in ["Api-Token", "api-token", " Api-Token "] {
            assert_eq!(faults(&RULE, Signal::Logs, &format!("{SECRET},{}", header(prefix, "x", "y"))), []);
        }
    }
}
