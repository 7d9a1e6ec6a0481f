//! Accepts every request, as the SDK's own examples do.

use kubewarden_policy_sdk::request::ValidationRequest;
use kubewarden_policy_sdk::{accept_request, protocol_version_guest, wapc_guest};

#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    wapc_guest::register_function("validate", validate);
    wapc_guest::register_function("validate_settings", |_| Ok(br#"{"valid":true}"#.to_vec()));
    wapc_guest::register_function("protocol_version", protocol_version_guest);
}

fn validate(payload: &[u8]) -> wapc_guest::CallResult {
    let _request: ValidationRequest<()> = ValidationRequest::new(payload)?;
    accept_request()
}
