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

/// All rules, in the order in which findings are reported.
pub const RULES: &[&Rule] = &[
    &malformed_output::RULE,
    &ui_host::RULE,
    &unknown_host::RULE,
    &invalid_endpoint::RULE,
    &missing_scheme::RULE,
    &plaintext_endpoint::RULE,
    &unverified_tls::RULE,
    &unexpected_port::RULE,
    &grpc_protocol::RULE,
    &wrong_otlp_path::RULE,
    &wrong_secret_key::RULE,
    &missing_value::RULE,
    &secret_not_found::RULE,
    &secret_endpoint::RULE,
    &secret_token::RULE,
    &lookup_refused::RULE,
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

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_settings_know_every_rule() {
        let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(ids, crate::settings::RULE_IDS);
    }

    #[test]
    fn repairs_are_made_in_the_order_in_which_they_build_on_each_other() {
        let ids: Vec<&str> = RULES.iter().filter(|rule| rule.repair.is_some()).map(|rule| rule.id).collect();
        // A path is completed for `http`, and a prefix is looked at after the header is there.
        let order = ["grpc-protocol", "wrong-otlp-path", "missing-authorization", "wrong-authorization-scheme"];
        assert_eq!(ids.get(..4), Some(&order[..]));
    }
}
