//! Accepts every request, as the SDK's own examples do.

use kubewarden_policy_sdk::request::ValidationRequest;
use kubewarden_policy_sdk::settings::Validatable;
use kubewarden_policy_sdk::{accept_request, protocol_version_guest, validate_settings, wapc_guest};
use serde::Deserialize;

/// Settings that read `{}`, as the host sends it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Settings {}

impl Validatable for Settings {
    fn validate(&self) -> Result<(), String> {
        Ok(())
    }
}

#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    wapc_guest::register_function("validate", validate);
    wapc_guest::register_function("validate_settings", validate_settings::<Settings>);
    wapc_guest::register_function("protocol_version", protocol_version_guest);
}

fn validate(payload: &[u8]) -> wapc_guest::CallResult {
    let _request: ValidationRequest<Settings> = ValidationRequest::new(payload)?;
    accept_request()
}
