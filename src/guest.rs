//! The only file that knows waPC: registers the three functions that a Kubewarden host calls.

use kubewarden_policy_sdk::{protocol_version_guest, wapc_guest};

/// Called by the host once for each instance, before anything else.
#[expect(unsafe_code, reason = "waPC finds its entry point by this symbol")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    wapc_guest::register_function("validate", validate);
    wapc_guest::register_function("validate_settings", validate_settings);
    wapc_guest::register_function("protocol_version", protocol_version_guest);
}

fn validate(payload: &[u8]) -> wapc_guest::CallResult {
    Ok(crate::protocol::validate(payload))
}

fn validate_settings(payload: &[u8]) -> wapc_guest::CallResult {
    Ok(crate::protocol::validate_settings(payload))
}
