#![doc = include_str!("../../docs/rules/lookup-refused.md")]

use crate::lookup::{Outcome, Refusal};
use crate::pipeline::FieldPath;
use crate::rule::{Evidence, Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};
use crate::text::quote;

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::LookupRefused,
    level: Level::Warn,
    scope: Scope::LookedUp,
    summary: "Kubewarden or the cluster does not let the policy look at the Secret",
    check,
    repair: None,
};

/// One line for each thing that is missing: it is the operator's business, not the user's.
fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for (lookup, outcome) in subject.seen.all() {
        if let Outcome::Refused(refusal) = outcome {
            let fault = fault(*refusal, &lookup.secret());
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
    }
    faults
}

fn fault(refusal: Refusal, secret: &str) -> Fault {
    let (expected, fix) = match refusal {
        Refusal::Resource => (
            "v1 Secret in the policy's `contextAwareResources`".to_owned(),
            "add `{apiVersion: v1, kind: Secret}` to the policy's `contextAwareResources`".to_owned(),
        ),
        Refusal::Capability => (
            "the host capability `kubernetes/get_resource`".to_owned(),
            "grant the host capability `kubernetes/get_resource` to the policy".to_owned(),
        ),
        Refusal::Rights => (
            format!("a Role to get the Secret {}", quote(secret)),
            format!("let the policy server's service account get the Secret {}", quote(secret)),
        ),
    };
    Fault {
        field: FieldPath::new("lookUpSecrets"),
        found: "is refused".into(),
        expected: expected.into(),
        why: "the policy judges without the Secret".into(),
        fix: fix.into(),
        level: None,
        evidence: Evidence::Presence,
    }
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
    fn rejects_each_refusal_once_and_says_what_is_missing() {
        for (refusal, expected) in [
            (Refusal::Resource, "v1 Secret in the policy's `contextAwareResources`"),
            (Refusal::Capability, "the host capability `kubernetes/get_resource`"),
            (Refusal::Rights, "a Role to get the Secret `dynatrace/dynakube`"),
        ] {
            let field = "lookUpSecrets";
            assert_one(&faults(Outcome::Refused(refusal)), field, "is refused", expected);
        }
    }

    #[test]
    fn accepts_every_other_outcome() {
        for outcome in [Outcome::Missing, Outcome::Failed, found(&[])] {
            assert_eq!(faults(outcome), []);
        }
    }
}
