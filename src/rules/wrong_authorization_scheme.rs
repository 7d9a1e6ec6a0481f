#![doc = include_str!("../../docs/rules/wrong-authorization-scheme.md")]

use crate::destination::Destination;
use crate::finding::Fault;
use crate::output::{Header, Source};
use crate::rule::{Rule, Scope, for_lists};
use crate::settings::{InjectPrefixFor, Level};
use crate::subject::Subject;
use crate::text::quote_scheme;

/// The rule.
pub static RULE: Rule = Rule {
    id: "wrong-authorization-scheme",
    level: Level::Deny,
    scope: Scope::Direct,
    summary: for_lists("the `Authorization` header has another scheme than `Api-Token`"),
    check,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    subject.output.authorizations().filter_map(|header| check_header(subject, header)).collect()
}

fn check_header(subject: &Subject<'_>, header: &Header<'_>) -> Option<Fault> {
    let scheme = header.scheme()?;
    if scheme.is_empty() {
        // With `anySecret` this has been repaired; a literal value is the matter of `inline-token`.
        let is_unsure = subject.settings.inject_prefix_for == InjectPrefixFor::DeclaredSecrets
            && matches!(&header.value, Source::Secret(_));
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
        wanted: "`Api-Token`".into(),
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
    let Source::Secret(key) = &header.value else { return false };
    subject.settings.secret(&key.namespace, &key.name).is_some_and(|secret| secret.token_key == key.key)
}

/// The fault of a header that takes its value from a Secret and has no prefix.
#[must_use]
pub fn missing_prefix(header: &Header<'_>) -> Fault {
    Fault {
        field: header.field("prefix").into(),
        found: "missing".into(),
        wanted: "`Api-Token`".into(),
        why: "the API answers 401 to a token without its scheme".into(),
        fix: "set `prefix: Api-Token`, and let the Secret hold the bare token".into(),
        level: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SECRET, assert_one, endpoint, faults, faults_with};
    use crate::subject::Signal;
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
    fn accepts_api_token_in_any_case_and_with_blanks() {
        for prefix in ["Api-Token", "api-token", " Api-Token "] {
            assert_eq!(faults(&RULE, Signal::Logs, &format!("{SECRET},{}", header(prefix, "x", "y"))), []);
        }
    }
}
