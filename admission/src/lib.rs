//! Admission as policy-server does it, without what runs the policy: the request that an API server sends for an object, the
//! response that becomes of a policy's answer, and Secrets in the place of a cluster.
//!
//! Layers, lowest first; each imports from those before it alone:
//! host, request, response, secrets.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics is a test that fails")
)]

mod host;
mod request;
mod response;
mod secrets;

pub use host::{Answerer, HostCall};
pub use request::{admission_request, payload};
pub use response::{AdmissionResponse, PolicyResponse, SettingsResponse, Status};
pub use secrets::{NO_CAPABILITY, NO_RESOURCE, Secrets};
