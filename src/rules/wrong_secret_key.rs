#![doc = include_str!("../../docs/rules/wrong-secret-key.md")]

use crate::pipeline::{FieldPath, Header, SecretKey, Source};
use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId, Settings};
use crate::text::quote;

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::WrongSecretKey,
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "the endpoint takes the key of the token, or the `Authorization` header takes a key that holds no ingest token",
    check,
    repair: None,
};

/// The key of the Operator's own token, which has no ingest scopes.
const OPERATOR_KEY: &str = "apiToken";

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let (output, settings) = (&subject.output, subject.settings);
    let mut faults = Vec::new();
    if let Source::Secret(key) = output.endpoint()
        && let Some(secret) = settings.token_secret(key.namespace, key.name, key.key)
        && secret.endpoint_key != key.key
    {
        faults.push(fault(
            FieldPath::new("spec.output.otlp.endpoint.valueFrom.secretKeyRef.key"),
            key,
            &secret.endpoint_key,
            "this key holds the token, not the URL",
            None,
        ));
    }
    faults.extend(output.authorization().and_then(|header| wrong_token_key(settings, header)));
    faults
}

/// The fault of the `Authorization` header that is sent.
fn wrong_token_key(settings: &Settings, header: &Header<'_>) -> Option<Fault> {
    let Source::Secret(key) = header.source() else { return None };
    let secret = settings.secret(key.namespace, key.name).filter(|secret| secret.token_key != key.key)?;
    let (why, level) = if key.key == secret.endpoint_key {
        ("this key holds the URL, not the token", None)
    } else if key.key == OPERATOR_KEY {
        ("the Dynatrace Operator's own token has no ingest scopes", Some(Level::Warn))
    } else {
        return None;
    };
    Some(fault(header.field("valueFrom.secretKeyRef.key"), key, &secret.token_key, why, level))
}

fn fault(field: FieldPath, found: SecretKey<'_>, expected: &str, why: &'static str, level: Option<Level>) -> Fault {
    Fault {
        field,
        found: ["is ", &quote(found.key)].concat().into(),
        expected: quote(expected).into(),
        why: why.into(),
        fix: ["set `key` to ", &quote(expected)].concat().into(),
        level,
        evidence: Evidence::of(&found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, assert_one, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn header(key: &str) -> String {
        format!(
            r#""headers":[{{"name":"Authorization","prefix":"Api-Token","valueFrom":{{"secretKeyRef":{{"name":"dynakube","namespace":"dynatrace","key":"{key}"}}}}}}]"#
        )
    }

    #[test]
    fn rejects_an_endpoint_out_of_the_token_s_key() {
        let faults = faults(&RULE, Signal::Logs, &SECRET.replace("apiurl", "dataIngestToken"));
        let field = "spec.output.otlp.endpoint.valueFrom.secretKeyRef.key";
        assert_one(&faults, field, "is `dataIngestToken`", "`apiurl`");
    }

    #[test]
    fn rejects_a_token_out_of_the_url_s_key_and_softly_the_operator_s() {
        let field = "spec.output.otlp.headers[0].valueFrom.secretKeyRef.key";
        let url = faults(&RULE, Signal::Logs, &format!("{SECRET},{}", header("apiurl")));
        assert_one(&url, field, "is `apiurl`", "`dataIngestToken`");
        let operator = faults(&RULE, Signal::Logs, &format!("{SECRET},{}", header("apiToken")));
        assert_one(&operator, field, "is `apiToken`", "`dataIngestToken`");
        assert_eq!((url[0].level, operator[0].level), (None, Some(Level::Warn)));
    }

    #[test]
    fn accepts_the_right_keys_and_ones_that_nobody_declared() {
        for key in ["dataIngestToken", "metricsToken"] {
            assert_eq!(faults(&RULE, Signal::Logs, &format!("{SECRET},{}", header(key))), [], "{key}");
        }
    }
}
