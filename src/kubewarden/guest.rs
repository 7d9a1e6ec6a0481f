//! The functions that the host calls, registered as every Kubewarden policy does.

use kubewarden_policy_sdk::protocol_version_guest;
use kubewarden_policy_sdk::settings::SettingsValidationResponse;
use kubewarden_policy_sdk::wapc_guest::{CallResult, register_function};

use super::host::Host;
use super::response::{answer, answer_review};
use crate::settings::{Settings, SettingsError, SettingsErrors};

/// Called by the host once for each instance.
#[expect(unsafe_code, reason = "the host finds the function by this symbol")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    register_function("validate", validate);
    register_function("review", review);
    register_function("validate_settings", validate_settings);
    register_function("protocol_version", protocol_version_guest);
}

/// Reviews an admission request: the payload is `{"request": AdmissionRequest, "settings": {...}}`.
///
/// # Errors
/// None that a request could cause: what cannot be read is rejected in the response.
pub fn validate(payload: &[u8]) -> CallResult {
    Ok(answer(payload, &Host)?)
}

/// Reviews a request as [`validate`] does, and tells all of it as data ([`crate::report::Answer`]): for tools that show it to
/// people. Kubewarden does not call it.
///
/// # Errors
/// As for [`validate`].
pub fn review(payload: &[u8]) -> CallResult {
    Ok(answer_review(payload, &Host)?)
}

/// Says whether settings are valid, and all that is wrong with them if not.
///
/// # Errors
/// None that settings could cause. (The SDK's function of this name fails with the whole payload in its error.)
pub fn validate_settings(payload: &[u8]) -> CallResult {
    let value = std::str::from_utf8(payload).ok().and_then(|text| serde_json::from_str(text).ok());
    let unreadable = || Err(SettingsErrors(vec![SettingsError::Unreadable]));
    let message =
        value.map_or_else(unreadable, Settings::read).err().map(|errors| format!("invalid settings: {errors}"));
    Ok(serde_json::to_vec(&SettingsValidationResponse { valid: message.is_none(), message })?)
}
