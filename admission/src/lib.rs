//! Admission as policy-server does it, whatever runs the policy: the request that an API server sends for an object, the
//! response that becomes of a policy's answer, Secrets in the place of a cluster, and the policy that they come together in.
//!
//! Layers, lowest first; each imports from those before it alone:
//! error, host, request, response, secrets, policy.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics is a test that fails")
)]

mod error;
mod host;
mod policy;
mod request;
mod response;
mod secrets;

pub use error::{CallError, PolicyError};
pub use host::{Answerer, HostCall};
pub use policy::{Module, Policy, Reviewed};
pub use request::{admission_request, payload};
pub use response::{AdmissionResponse, PolicyResponse, SettingsResponse, Status};
pub use secrets::{NO_CAPABILITY, NO_RESOURCE, Secrets};
