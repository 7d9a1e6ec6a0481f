//! Runs a Kubewarden policy module as policy-server does, on the crates that policy-server is built on.
//!
//! A [`Module`] is compiled once; each call gets a fresh instance, as in the cluster, so that nothing is carried from
//! one request to the next. A [`Policy`] is a module with settings and the `mutating` flag of a
//! ClusterAdmissionPolicy; it turns an admission request into the response that the API server would get.
//!
//! Host capabilities other than logging are refused, unless somebody is given to answer them ([`Answerer`](kyma_dynatrace_admission::Answerer)).

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        reason = "a test that panics is a test that fails"
    )
)]

mod error;
mod inspect;
mod module;

pub use error::LoadError;
pub use inspect::{METADATA_SECTION, imports, metadata};
pub use module::{Instance, Module, precompile};

/// A policy that this engine runs.
pub type Policy = kyma_dynatrace_admission::Policy<Module>;
