//! A Kubewarden policy that makes sure Kyma telemetry pipelines for Dynatrace arrive there.
//!
//! [`review::review`] is the whole policy: a pure function of an admission request and settings. Here it is registered
//! with the host.
//!
//! Layers, lowest first, each importing only from those before it:
//! text, pipeline, settings, destination, lookup, rule, rules, review, kubewarden.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        reason = "a test that panics is a test that fails"
    )
)]

pub mod destination;
pub mod kubewarden;
pub mod lookup;
pub mod pipeline;
pub mod review;
pub mod rule;
pub mod rules;
pub mod settings;
#[cfg(test)]
mod testing;
pub mod text;

use kubewarden_policy_sdk::protocol_version_guest;
use kubewarden_policy_sdk::settings::SettingsValidationResponse;
use kubewarden_policy_sdk::wapc_guest::{CallResult, register_function};
use settings::Settings;

/// Called by the host once for each instance.
#[expect(unsafe_code, reason = "the host finds the function by this symbol")]
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("validate", validate);
    register_function("validate_settings", validate_settings);
    register_function("protocol_version", protocol_version_guest);
}

/// Reviews an admission request: the payload is `{"request": AdmissionRequest, "settings": {...}}`.
///
/// # Errors
/// None that a request could cause: what cannot be read is rejected in the response.
pub fn validate(payload: &[u8]) -> CallResult {
    Ok(kubewarden::answer(payload, &kubewarden::Host)?)
}

/// Says whether settings are valid, and all that is wrong with them if not.
///
/// # Errors
/// None that settings could cause. (The SDK's function of this name fails with the whole payload in its error.)
pub fn validate_settings(payload: &[u8]) -> CallResult {
    let value = std::str::from_utf8(payload).ok().and_then(|text| serde_json::from_str(text).ok());
    let read = value
        .map_or_else(|| Err(vec!["the settings are not valid JSON, or nested too deep".to_owned()]), Settings::read);
    let message = read.err().map(|errors| format!("invalid settings: {}", errors.join("; ")));
    Ok(serde_json::to_vec(&SettingsValidationResponse { valid: message.is_none(), message })?)
}
