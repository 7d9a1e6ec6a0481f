#![doc = include_str!("../../docs/rules/missing-authorization.md")]

use crate::finding::Fault;
use crate::rule::{Rule, Scope, for_lists};
use crate::settings::{DeclaredSecret, Level};
use crate::subject::Subject;
use crate::text::quote;

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-authorization",
    level: Level::Deny,
    scope: Scope::Direct,
    summary: for_lists("no `Authorization` header and no OAuth2: the API answers 401"),
    check,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let authentication = &subject.output.authentication;
    if !subject.output.lacks_authorization() || authentication.oauth2 || authentication.is_malformed {
        return Vec::new();
    }
    match subject.settings.secrets.first() {
        Some(secret) => vec![fault(secret)],
        None => {
            vec![Fault { fix: "add it, with the value from the Secret that holds your ingest token".into(), ..blank() }]
        }
    }
}

/// The fault, with a fix that takes the token from this Secret.
#[must_use]
pub fn fault(secret: &DeclaredSecret) -> Fault {
    let token = quote(&join!(secret.namespace, "/", secret.name));
    Fault {
        fix: join!("add it, with `valueFrom.secretKeyRef` of ", token, ", key ", quote(&secret.token_key)).into(),
        ..blank()
    }
}

fn blank() -> Fault {
    Fault {
        field: "spec.output.otlp.headers".into(),
        found: "without `Authorization`".into(),
        wanted: "one with prefix `Api-Token`".into(),
        why: "without a token Dynatrace answers 401 and nothing arrives".into(),
        fix: String::new().into(),
        level: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SECRET, assert_one, faults, faults_with};
    use crate::subject::Signal;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_an_output_without_the_header() {
        for headers in
            ["", r#","headers":[]"#, r#","headers":[{"name":"X-Auth","value":"a"}],"authentication":{"basic":{}}"#]
        {
            let faults = faults(&RULE, Signal::Logs, &format!("{SECRET}{headers}"));
            assert_one(&faults, "spec.output.otlp.headers", "without `Authorization`", "one with prefix `Api-Token`");
            assert!(faults[0].fix.contains("`dynatrace/dynakube`, key `dataIngestToken`"));
        }
        let otlp = r#""path":"v2/otlp/v1/logs""#;
        let faults = faults_with(&RULE, Signal::Logs, otlp, "{}", r#"{"dynatrace":{"secrets":[]}}"#);
        assert!(faults[0].fix.ends_with("your ingest token"));
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
