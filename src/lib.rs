//! A Kubewarden policy that makes sure Kyma telemetry pipelines for Dynatrace arrive there.
//!
//! [`review::review`] is the whole policy: a pure function of an admission request and settings. [`protocol`] puts
//! Kubewarden's JSON around it, and `guest`, compiled for wasm only, registers that with the host.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        reason = "a test that panics is a test that fails"
    )
)]

/// Texts put together. `format!` would do as well, at twice the instructions: nothing here is a number to be printed.
macro_rules! join {
    ($($part:expr),+ $(,)?) => { [$(AsRef::<str>::as_ref(&$part)),+].concat() };
}

pub mod address;
pub mod destination;
pub mod finding;
pub mod json;
pub mod output;
pub mod protocol;
pub mod ratchet;
pub mod repair;
pub mod request;
pub mod review;
pub mod rule;
pub mod rules;
mod scan;
pub mod settings;
pub mod splice;
pub mod subject;
pub mod text;
pub mod url;

// Not in the wasm tests: their runner has no waPC host to import from.
#[cfg(all(target_family = "wasm", not(test)))]
mod guest;
