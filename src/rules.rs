//! The list of rules. Everything that lists rules is made from it, or tested against it.

use crate::rule::Rule;

pub mod activegate_ca;
pub mod application_temporality;
pub mod bare_collector_host;
pub mod collector_tls;
pub mod conflicting_authentication;
pub mod cumulative_metrics;
pub mod duplicate_authorization;
pub mod grpc_protocol;
pub mod inline_token;
pub mod malformed_output;
pub mod missing_authorization;
pub mod missing_scheme;
pub mod plaintext_endpoint;
pub mod token_to_collector;
pub mod ui_host;
pub mod undocumented_compression;
pub mod unknown_host;
pub mod unverified_tls;
pub mod wrong_authorization_scheme;
pub mod wrong_collector_path;
pub mod wrong_collector_port;
pub mod wrong_otlp_path;

/// All rules, in the order in which findings are reported.
pub const RULES: &[&Rule] = &[
    &malformed_output::RULE,
    &ui_host::RULE,
    &unknown_host::RULE,
    &missing_scheme::RULE,
    &plaintext_endpoint::RULE,
    &unverified_tls::RULE,
    &grpc_protocol::RULE,
    &wrong_otlp_path::RULE,
    &missing_authorization::RULE,
    &duplicate_authorization::RULE,
    &conflicting_authentication::RULE,
    &wrong_authorization_scheme::RULE,
    &inline_token::RULE,
    &cumulative_metrics::RULE,
    &application_temporality::RULE,
    &undocumented_compression::RULE,
    &activegate_ca::RULE,
    &wrong_collector_port::RULE,
    &wrong_collector_path::RULE,
    &token_to_collector::RULE,
    &bare_collector_host::RULE,
    &collector_tls::RULE,
];

/// The position of a rule in [`RULES`], which is its order in reports and its place in the settings.
#[must_use]
pub fn position(rule: &Rule) -> usize {
    RULES.iter().position(|listed| std::ptr::eq(*listed, rule)).unwrap_or(RULES.len())
}

#[cfg(test)]
pub(crate) mod testing {
    //! What the rules' tests share: a pipeline out of a few words, and the faults of one rule.

    use super::Rule;
    use crate::finding::Fault;
    use crate::json::parse;
    use crate::settings::Settings;
    use crate::subject::{Signal, Subject};

    /// An endpoint out of the declared Secret.
    pub(crate) const SECRET: &str =
        r#""endpoint":{"valueFrom":{"secretKeyRef":{"name":"dynakube","namespace":"dynatrace","key":"apiurl"}}}"#;

    /// A text in the form of a token, of nobody.
    pub(crate) fn token() -> String {
        format!("dt0c01.{}.{}", "A1".repeat(12), "b2".repeat(32))
    }

    /// A literal endpoint.
    pub(crate) fn endpoint(url: &str) -> String {
        format!(r#""endpoint":{{"value":"{url}"}}"#)
    }

    /// The faults that a rule finds in `spec.output.otlp` with these members, under these settings.
    pub(crate) fn faults_with(rule: &Rule, signal: Signal, otlp: &str, input: &str, settings: &str) -> Vec<Fault> {
        let settings = Settings::read(Some(parse(settings))).unwrap();
        let otlp = format!("{{{otlp}}}");
        let subject = Subject::read(signal, parse(&otlp), Some(parse(input)), &settings).unwrap();
        if rule.scope.holds(&subject) { (rule.check)(&subject) } else { Vec::new() }
    }

    /// The same with default settings and no inputs.
    pub(crate) fn faults(rule: &Rule, signal: Signal, otlp: &str) -> Vec<Fault> {
        faults_with(rule, signal, otlp, "{}", "{}")
    }

    /// Asserts one fault, and its field, what was found and what is wanted.
    #[track_caller]
    pub(crate) fn assert_one(faults: &[Fault], field: &str, found: &str, wanted: &str) {
        let texts: Vec<_> = faults.iter().map(|f| (f.field.as_ref(), f.found.as_ref(), f.wanted.as_ref())).collect();
        assert_eq!(texts, [(field, found, wanted)]);
    }
}
