//! A Kubewarden policy that makes sure Kyma telemetry pipelines for Dynatrace arrive there.
//!
//! [`review::review`] is the whole policy: a pure function of an admission request and settings. `kubewarden` registers it
//! with the host, and is left out where the feature `wapc` is off.
//!
//! Layers, lowest first, each importing only from those before it:
//! text, pipeline, settings, destination, lookup, rule, rules, review, report, kubewarden.

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
#[cfg(feature = "wapc")]
pub mod kubewarden;
pub mod lookup;
pub mod pipeline;
pub mod report;
pub mod review;
pub mod rule;
pub mod rules;
pub mod settings;
#[cfg(test)]
mod testing;
pub mod text;

#[cfg(feature = "wapc")]
pub use kubewarden::{review as review_payload, validate, validate_settings};
