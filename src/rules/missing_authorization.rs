#![doc = include_str!("../../docs/rules/missing-authorization.md")]

use serde::Serialize;

use crate::pipeline::{Field, FieldPath, Header, Source};
use crate::rule::{Evidence, Fault, Json, Repair, Rule, Scope, Subject};
use crate::settings::{DeclaredSecret, Level, RuleId};
use crate::text::quote;

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::MissingAuthorization,
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "no `Authorization` header and no OAuth2: the API answers 401",
    check,
    repair: Some(repair),
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let output = &subject.output;
    if !output.lacks_authorization() || output.has_oauth2() || output.authentication.is_malformed() {
        return Vec::new();
    }
    match subject.settings.dynatrace.secrets.first() {
        Some(secret) => vec![fault(secret)],
        None => vec![Fault {
            fix: "add an `Authorization` header with `prefix: Api-Token` and the Secret that holds your ingest token"
                .into(),
            ..blank("Api-Token")
        }],
    }
}

/// Adds the header with the token of the declared Secret that the endpoint comes from.
fn repair(subject: &mut Subject<'_>) -> Vec<Repair> {
    added_header(subject).into_iter().collect()
}

fn added_header(subject: &mut Subject<'_>) -> Option<Repair> {
    let Source::Secret(key) = subject.output.endpoint() else { return None };
    let secret = subject.settings.endpoint_secret(key.namespace, key.name, key.key)?;
    if !subject.output.lacks_authorization() || !subject.output.authentication.is_absent() {
        return None;
    }
    let mut headers = subject.output.headers.value().cloned();
    let DeclaredSecret { namespace, name, token_key, token_scheme, .. } = secret;
    let scheme = token_scheme.name();
    let header = AddedHeader::new(scheme, namespace, name, token_key);
    let fault = fault(secret);
    let (place, value) = match &headers {
        Some(_) => (fault.field.end(), Json::new(&header)),
        None => (fault.field.clone(), Json::new(&[header])),
    };
    headers.get_or_insert_default().add(Header::authorization(scheme, namespace, name, token_key));
    subject.output.to_mut().headers = headers.map_or(Field::Absent, Field::Is);
    let shown = format!("a token of {}", quote(&format!("{namespace}/{name}")));
    Some(Repair { place, value, shown, fault })
}

/// The header as the object gets it.
#[derive(Serialize)]
struct AddedHeader<'a> {
    name: &'static str,
    prefix: &'a str,
    #[serde(rename = "valueFrom")]
    value_from: ValueFrom<'a>,
}

#[derive(Serialize)]
struct ValueFrom<'a> {
    #[serde(rename = "secretKeyRef")]
    secret_key_ref: SecretKeyRef<'a>,
}

#[derive(Serialize)]
struct SecretKeyRef<'a> {
    namespace: &'a str,
    name: &'a str,
    key: &'a str,
}

impl<'a> AddedHeader<'a> {
    fn new(prefix: &'a str, namespace: &'a str, name: &'a str, key: &'a str) -> Self {
        let secret_key_ref = SecretKeyRef { namespace, name, key };
        Self { name: "Authorization", prefix, value_from: ValueFrom { secret_key_ref } }
    }
}

/// The fault, with a fix that takes the token from this Secret.
fn fault(secret: &DeclaredSecret) -> Fault {
    let name = quote(&format!("{}/{}", secret.namespace, secret.name));
    let (key, scheme) = (quote(&secret.token_key), secret.token_scheme.name());
    let fix = format!("add an `Authorization` header with `prefix: {scheme}` and the key {key} of the Secret {name}");
    Fault { fix: fix.into(), ..blank(scheme) }
}

fn blank(scheme: &str) -> Fault {
    Fault {
        field: FieldPath::new("spec.output.otlp.headers"),
        found: "has no `Authorization`".into(),
        expected: format!("a header with the prefix `{scheme}`").into(),
        why: "Dynatrace answers 401 to a request without a token".into(),
        fix: String::new().into(),
        level: None,
        evidence: Evidence::Presence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, assert_one, faults, faults_with, repairs};
    use serde_json::json;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_an_output_without_the_header() {
        for headers in
            ["", r#","headers":[]"#, r#","headers":[{"name":"X-Auth","value":"a"}],"authentication":{"basic":{}}"#]
        {
            let faults = faults(&RULE, Signal::Logs, &format!("{SECRET}{headers}"));
            assert_one(
                &faults,
                "spec.output.otlp.headers",
                "has no `Authorization`",
                "a header with the prefix `Api-Token`",
            );
            assert!(faults[0].fix.contains("the key `dataIngestToken` of the Secret `dynatrace/dynakube`"));
        }
        let otlp = r#""path":"v2/otlp/v1/logs""#;
        let faults = faults_with(&RULE, Signal::Logs, otlp, "{}", r#"{"dynatrace":{"secrets":[]}}"#);
        assert!(faults[0].fix.ends_with("your ingest token"));
    }

    #[test]
    fn repairs_with_the_token_of_the_endpoint_s_secret() {
        let reference = json!({"namespace": "dynatrace", "name": "dynakube", "key": "dataIngestToken"});
        let header = json!({"name": "Authorization", "prefix": "Api-Token", "valueFrom": {"secretKeyRef": reference}});
        for (headers, place, value) in [
            ("", "headers", json!([header])),
            (r#","headers":null"#, "headers", json!([header])),
            (r#","headers":[]"#, "headers/-", header.clone()),
            (r#","headers":[{"name":"X","value":"y"}]"#, "headers/-", header.clone()),
        ] {
            let repaired = repairs(&RULE, Signal::Logs, &format!("{SECRET}{headers}"));
            assert_eq!(repaired, [(place.to_owned(), value)]);
        }
        let bearer =
            r#"{"dynatrace":{"secrets":[{"namespace":"dynatrace","name":"dynakube","tokenScheme":"Bearer"}]}}"#;
        let repaired = crate::testing::repairs_with(&RULE, Signal::Logs, SECRET, bearer);
        assert_eq!(repaired[0].1.pointer("/0/prefix"), Some(&json!("Bearer")));
        let other_key = SECRET.replace("apiurl", "collectorUrl");
        assert_eq!(repairs(&RULE, Signal::Logs, &format!(r#"{other_key},"path":"v2/otlp/v1/logs""#)), []);
        for otlp in [format!(r#"{SECRET},"authentication":{{}}"#), r#""path":"v2/otlp/v1/logs""#.to_owned()] {
            assert_eq!(repairs(&RULE, Signal::Logs, &otlp), []);
        }
    }

    #[test]
    fn accepts_the_header_in_any_case_or_oauth2() {
        for more in [r#""headers":[{"name":"AUTHORIZATION","value":"a"}]"#, r#""authentication":{"oauth2":{}}"#] {
            assert_eq!(faults(&RULE, Signal::Logs, &format!("{SECRET},{more}")), []);
        }
    }

    #[test]
    fn ignores_headers_that_are_malformed() {
        for more in [r#""headers":{}"#, r#""headers":[{"name":3}]"#, r#""authentication":3"#] {
            assert_eq!(faults(&RULE, Signal::Logs, &format!("{SECRET},{more}")), []);
        }
    }
}
