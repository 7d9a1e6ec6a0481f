#![doc = include_str!("../../docs/rules/inline-token.md")]

use crate::pipeline::{FieldPath, Header, Source};
use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};
use crate::text::holds_token;

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::InlineToken,
    level: Level::Deny,
    scope: Scope::Dynatrace,
    summary: "a token stands in the pipeline itself, where anyone who can read it can use it",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let output = &subject.output;
    let mut faults = Vec::new();
    if let Source::Literal(endpoint) = output.endpoint()
        && holds_token(endpoint)
    {
        faults.push(token_in(FieldPath::new("spec.output.otlp.endpoint.value"), endpoint));
    }
    if let Some(path) = output.path.value().filter(|path| holds_token(path)) {
        faults.push(token_in(FieldPath::new("spec.output.otlp.path"), path));
    }
    for header in output.headers() {
        faults.extend(check_header(header));
    }
    let tokens = output.authentication_tokens();
    faults.extend(tokens.map(|(field, digest)| Fault { evidence: Evidence::Value(digest), ..token_in(field, "") }));
    faults
}

fn check_header(header: &Header<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, text) in [("name", &header.name), ("prefix", &header.prefix)] {
        if let Some(text) = text.value().filter(|text| holds_token(text)) {
            faults.push(token_in(header.field(name), text));
        }
    }
    if let Source::Literal(value) = header.source() {
        let fault = || token_in(header.field("value"), value);
        if holds_token(value) {
            faults.push(fault());
        } else if header.is_authorization() {
            faults.push(Fault { found: "is a literal".into(), ..fault() });
        }
    }
    faults
}

/// The fault; nothing of the text goes into it but as its evidence.
fn token_in(field: FieldPath, text: &str) -> Fault {
    Fault {
        field,
        found: "holds a token in clear text".into(),
        expected: "a Secret".into(),
        why: "anyone who can read the pipeline, its backups or its Git history can use the token".into(),
        fix: "revoke the token, store a new one in a Secret, and refer to it with `valueFrom.secretKeyRef`".into(),
        level: None,
        evidence: Evidence::of(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, assert_one, endpoint, faults, token};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_a_literal_authorization_value() {
        let otlp = format!(r#"{SECRET},"headers":[{{"name":"authorization","value":"whatever"}}]"#);
        let faults = faults(&RULE, Signal::Logs, &otlp);
        assert_one(&faults, "spec.output.otlp.headers[0].value", "is a literal", "a Secret");
    }

    #[test]
    fn rejects_tokens_wherever_they_stand_and_shows_none() {
        let token = token();
        let otlp = format!(
            r#"{},"authentication":{{"oauth2":{{"clientSecret":{{"value":"{token}"}}}}}},"path":"v2/otlp/v1/logs?api-token=x","headers":[{{"name":"X","value":"{token}"}},{{"name":"Authorization","prefix":"Api-Token {token}"}}]"#,
            endpoint(&format!("https://{token}@abc12345.live.dynatrace.com/api")),
        );
        let faults = faults(&RULE, Signal::Logs, &otlp);
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str().replace("spec.output.otlp.", "")).collect();
        assert_eq!(
            fields,
            [
                "endpoint.value",
                "path",
                "headers[0].value",
                "headers[1].prefix",
                "authentication.oauth2.clientSecret.value"
            ]
        );
        assert!(!format!("{faults:?}").contains("dt0"));
    }

    #[test]
    fn rejects_tokens_on_the_way_to_the_collector_too() {
        let collector = endpoint("http://dynakube-telemetry-ingest.dynatrace:4318");
        let otlp = format!(r#"{collector},"headers":[{{"name":"Authorization","value":"{}"}}]"#, token());
        assert_eq!(faults(&RULE, Signal::Logs, &otlp).len(), 1);
    }

    #[test]
    fn accepts_values_from_secrets_and_harmless_literals() {
        let otlp = format!(
            r#"{SECRET},"headers":[{{"name":"X-Env","value":"prod"}},{{"name":"Authorization","prefix":"Api-Token","valueFrom":{{"secretKeyRef":{{"name":"n","namespace":"m","key":"k"}}}}}}]"#
        );
        assert_eq!(faults(&RULE, Signal::Logs, &otlp), []);
    }

    #[test]
    fn ignores_other_destinations() {
        let otlp =
            format!(r#"{},"headers":[{{"name":"Authorization","value":"x"}}]"#, endpoint("https://other.example"));
        assert_eq!(faults(&RULE, Signal::Logs, &otlp), []);
    }

    #[test]
    fn accepts_a_login_that_is_no_token_and_tells_each_field_once() {
        let login = |user: &str| {
            format!(
                r#"{SECRET},"authentication":{{"basic":{{"user":{{"value":"{user}"}}}},"oauth2":{{"user":{{"value":"{user}"}}}}}}"#
            )
        };
        assert_eq!(faults(&RULE, Signal::Logs, &login("somebody")), []);
        let both = faults(&RULE, Signal::Logs, &login(&token()));
        assert_eq!(
            both.iter().map(|fault| fault.field.to_string()).collect::<Vec<_>>(),
            ["spec.output.otlp.authentication.basic.user.value", "spec.output.otlp.authentication.oauth2.user.value"]
        );
    }
}
