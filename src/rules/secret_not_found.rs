#![doc = include_str!("../../docs/rules/secret-not-found.md")]

use crate::lookup::Outcome;
use crate::pipeline::{FieldPath, SecretKey};
use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};
use crate::text::quote;

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::SecretNotFound,
    level: Level::Warn,
    scope: Scope::LookedUp,
    summary: "the Secret that the pipeline names is not there, or lacks the key",
    check,
    repair: None,
};

const ENDPOINT: FieldPath = FieldPath::new("spec.output.otlp.endpoint.valueFrom");

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let endpoint = subject.endpoint_key().map(|key| (ENDPOINT, key));
    let header = subject.output.authorization();
    let token = header.zip(subject.token_key()).map(|(header, key)| (header.field("valueFrom"), key));
    endpoint.into_iter().chain(token).filter_map(|(field, key)| fault(subject, field, &key)).collect()
}

fn fault(subject: &Subject<'_>, field: FieldPath, key: &SecretKey<'_>) -> Option<Fault> {
    let secret = key.secret();
    let (found, expected, fix) = match subject.seen.outcome(key.namespace, key.name)? {
        Outcome::Missing => (
            "names a missing Secret",
            format!("{secret} to exist"),
            format!("create the Secret {secret}, or name another one"),
        ),
        Outcome::Found(values) if !values.iter().any(|(name, _)| name == key.key) => (
            "names a missing key",
            format!("{} in {secret}", quote(key.key)),
            format!("add {}, or name another key", key.place()),
        ),
        Outcome::Found(_) | Outcome::Refused(_) | Outcome::Failed => return None,
    };
    Some(Fault {
        field,
        found: found.into(),
        expected: expected.into(),
        why: "the pipeline sends nothing until it is there".into(),
        fix: fix.into(),
        level: None,
        evidence: Evidence::of(key),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{SECRET, TOKEN, assert_one, faults_seen, found};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn faults(outcome: Outcome) -> Vec<Fault> {
        faults_seen(&RULE, Signal::Traces, &format!("{SECRET},{TOKEN}"), outcome)
    }

    #[test]
    fn rejects_a_secret_that_is_not_there() {
        let faults = faults(Outcome::Missing);
        assert_eq!(faults.len(), 2, "the endpoint and the header");
        let header = "spec.output.otlp.headers[0].valueFrom";
        let found = "names a missing Secret";
        assert_one(&faults[..1], ENDPOINT.as_str(), found, "`dynatrace/dynakube` to exist");
        assert_one(&faults[1..], header, found, "`dynatrace/dynakube` to exist");
    }

    #[test]
    fn rejects_a_key_that_is_not_there() {
        let faults = faults(found(&[("apiurl", "https://x/api")]));
        let header = "spec.output.otlp.headers[0].valueFrom";
        let expected = "`dataIngestToken` in `dynatrace/dynakube`";
        assert_one(&faults, header, "names a missing key", expected);
    }

    #[test]
    fn accepts_what_is_there_and_what_nobody_could_look_at() {
        let there = found(&[("apiurl", ""), ("dataIngestToken", "")]);
        let refused = Outcome::Refused(crate::lookup::Refusal::Rights);
        for outcome in [there, refused, Outcome::Failed] {
            assert_eq!(faults(outcome), []);
        }
    }

    #[test]
    fn ignores_secrets_that_nobody_declared() {
        let other = format!("{},{TOKEN}", SECRET.replace("dynakube", "other"));
        assert_eq!(
            faults_seen(&RULE, Signal::Traces, &other, Outcome::Missing).len(),
            1,
            "the header's Secret is declared"
        );
    }
}
