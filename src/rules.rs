//! The list of rules. Everything that lists rules is made from it, or tested against it.

use crate::rule::Rule;
use crate::settings::RuleId;

pub mod activegate_ca;
pub mod application_temporality;
pub mod bare_collector_host;
pub mod collector_tls;
pub mod conflicting_authentication;
pub mod cumulative_metrics;
pub mod duplicate_authorization;
pub mod grpc_protocol;
pub mod inline_token;
pub mod invalid_endpoint;
pub mod lookup_refused;
pub mod malformed_output;
pub mod missing_authorization;
pub mod missing_scheme;
pub mod missing_value;
pub mod plaintext_endpoint;
pub mod secret_endpoint;
pub mod secret_not_found;
pub mod secret_token;
pub mod token_to_collector;
pub mod ui_host;
pub mod undocumented_compression;
pub mod unexpected_port;
pub mod unknown_host;
pub mod unverified_tls;
pub mod wrong_authorization_scheme;
pub mod wrong_collector_path;
pub mod wrong_collector_port;
pub mod wrong_otlp_path;
pub mod wrong_secret_key;

/// The rule with an id.
#[must_use]
pub const fn rule(id: RuleId) -> &'static Rule {
    match id {
        RuleId::MalformedOutput => &malformed_output::RULE,
        RuleId::UiHost => &ui_host::RULE,
        RuleId::UnknownHost => &unknown_host::RULE,
        RuleId::InvalidEndpoint => &invalid_endpoint::RULE,
        RuleId::MissingScheme => &missing_scheme::RULE,
        RuleId::PlaintextEndpoint => &plaintext_endpoint::RULE,
        RuleId::UnverifiedTls => &unverified_tls::RULE,
        RuleId::UnexpectedPort => &unexpected_port::RULE,
        RuleId::GrpcProtocol => &grpc_protocol::RULE,
        RuleId::WrongOtlpPath => &wrong_otlp_path::RULE,
        RuleId::WrongSecretKey => &wrong_secret_key::RULE,
        RuleId::MissingValue => &missing_value::RULE,
        RuleId::SecretNotFound => &secret_not_found::RULE,
        RuleId::SecretEndpoint => &secret_endpoint::RULE,
        RuleId::SecretToken => &secret_token::RULE,
        RuleId::LookupRefused => &lookup_refused::RULE,
        RuleId::MissingAuthorization => &missing_authorization::RULE,
        RuleId::DuplicateAuthorization => &duplicate_authorization::RULE,
        RuleId::ConflictingAuthentication => &conflicting_authentication::RULE,
        RuleId::WrongAuthorizationScheme => &wrong_authorization_scheme::RULE,
        RuleId::InlineToken => &inline_token::RULE,
        RuleId::CumulativeMetrics => &cumulative_metrics::RULE,
        RuleId::ApplicationTemporality => &application_temporality::RULE,
        RuleId::UndocumentedCompression => &undocumented_compression::RULE,
        RuleId::ActivegateCa => &activegate_ca::RULE,
        RuleId::WrongCollectorPort => &wrong_collector_port::RULE,
        RuleId::WrongCollectorPath => &wrong_collector_path::RULE,
        RuleId::TokenToCollector => &token_to_collector::RULE,
        RuleId::BareCollectorHost => &bare_collector_host::RULE,
        RuleId::CollectorTls => &collector_tls::RULE,
    }
}

/// All rules, in the order in which findings are reported.
pub const RULES: &[&Rule] = &in_order();

#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it: an index that is none does not compile")]
const fn in_order() -> [&'static Rule; RuleId::ALL.len()] {
    let mut rules = [rule(RuleId::ALL[0]); RuleId::ALL.len()];
    let mut index = 0;
    while index < rules.len() {
        rules[index] = rule(RuleId::ALL[index]);
        index += 1;
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn each_rule_has_its_own_id() {
        assert!(RuleId::ALL.iter().all(|id| rule(*id).id == *id));
    }

    #[test]
    fn repairs_are_made_in_the_order_in_which_they_build_on_each_other() {
        let ids: Vec<RuleId> = RULES.iter().filter(|rule| rule.repair.is_some()).map(|rule| rule.id).collect();
        // A path is completed for `http`, and a prefix is looked at after the header is there.
        use RuleId::{GrpcProtocol, MissingAuthorization, WrongAuthorizationScheme, WrongOtlpPath};
        let order = [GrpcProtocol, WrongOtlpPath, MissingAuthorization, WrongAuthorizationScheme];
        assert_eq!(ids.get(..4), Some(&order[..]));
    }
}
