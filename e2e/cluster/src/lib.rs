//! The policy behind a real API server, without a cluster.
//!
//! etcd and kube-apiserver run on loopback, unmodified. The module answers behind the webhook configurations that the
//! Kubewarden controller would make, and the Telemetry module's own webhook after it, at the place that its name gives
//! it. No node runs, and no controller: nothing here depends on them.
//!
//! From below: `process`, `certificates`, `client` and `kubectl` know nothing of pipelines; `control_plane` is made of
//! them; `review`, `conversion` and `server` answer what an API server asks; `lookups` looks at Secrets for it; `webhooks` tells it whom to ask; `cluster`
//! puts all together.

#![allow(clippy::panic, reason = "this crate is for tests alone, and a test that panics is a test that fails")]

mod certificates;
mod client;
mod cluster;
mod control_plane;
mod conversion;
mod kubectl;
mod lookups;
mod policy_server;
mod process;
mod review;
mod server;
pub mod webhooks;

pub use client::{Answer, Client};
pub use cluster::Cluster;
pub use control_plane::binaries;
pub use kubectl::{Kubectl, Output};
