#![doc = include_str!("../../docs/rules/ui-host.md")]

use crate::destination::Destination;
use crate::pipeline::FieldPath;
use crate::rule::{Fault, Rule, Scope, Subject};
use crate::settings::{Level, RuleId};

/// The rule.
pub static RULE: Rule = Rule {
    id: RuleId::UiHost,
    level: Level::Deny,
    scope: Scope::Direct,
    summary: "the endpoint is the host of the Dynatrace user interface (`.apps.`), not of the API",
    check,
    repair: None,
};

fn check(subject: &Subject<'_>) -> Vec<Fault> {
    let address = subject.address();
    let Some(literal) = address.literal().filter(|_| subject.destination == Destination::UserInterface) else {
        return Vec::new();
    };
    let api_host = api_host(&literal.host);
    vec![Fault {
        field: FieldPath::new("spec.output.otlp.endpoint.value"),
        found: ["has the host ", &literal.shown_host()].concat().into(),
        expected: format!("the host {}", literal.shown(&api_host)).into(),
        why: "this host serves the user interface, which answers OTLP requests with 404".into(),
        fix: format!("change the host of the endpoint to {}", literal.shown(&api_host)).into(),
        level: None,
        evidence: subject.at_host(""),
    }]
}

/// The API host beside a user-interface host: `x.apps.S` is `x.live.S`, `x.sprint.apps.S` is `x.sprint.S`
/// (Dynatrace Operator, `pkg/util/dtapiurl`).
fn api_host(host: &str) -> String {
    let (environment, domain) = host.split_once(".apps.").unwrap_or((host, ""));
    let stage = if environment.contains('.') { "" } else { ".live" };
    format!("{environment}{stage}.{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    use crate::testing::{assert_one, endpoint, faults};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_each_stage_and_names_its_api_host() {
        for (host, api) in [
            ("abc12345.apps.dynatrace.com", "abc12345.live.dynatrace.com"),
            ("abc12345.sprint.apps.dynatracelabs.com", "abc12345.sprint.dynatracelabs.com"),
            ("abc12345.dev.apps.dynatracelabs.com", "abc12345.dev.dynatracelabs.com"),
        ] {
            let faults = faults(&RULE, Signal::Traces, &endpoint(&format!("https://{host}/api")));
            assert_one(
                &faults,
                "spec.output.otlp.endpoint.value",
                &format!("has the host `{host}`"),
                &format!("the host `{api}`"),
            );
        }
    }

    #[test]
    fn accepts_the_api_host() {
        assert_eq!(faults(&RULE, Signal::Traces, &endpoint("https://abc12345.live.dynatrace.com/api")), []);
    }

    #[test]
    fn ignores_other_domains_with_apps_in_them() {
        assert_eq!(faults(&RULE, Signal::Traces, &endpoint("https://x.apps.example.com/api/v2/otlp")), []);
    }
}
