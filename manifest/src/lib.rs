//! Manifests as people write them. Layers, lowest first; each imports from those before it alone:
//! error, yaml, places, document, deployed, finding, fix, check.
//!
//! - [`error`]: what can go wrong, an enum for each layer
//! - [`yaml`]: one document as `kubectl` reads it, made into JSON
//! - [`places`]: where in the text a field stands
//! - [`document`]: the documents of an input, and the pipelines in them
//! - [`deployed`]: what a ClusterAdmissionPolicy gives the policy
//! - [`finding`]: what the policy found, as its report says it, at its place
//! - [`fix`]: the policy's repairs, written into the text
//! - [`check`]: a document put to the policy, whatever runs it
//!
//! There is no engine and no file in it, so that it compiles to WebAssembly too.

pub mod check;
pub mod deployed;
pub mod document;
pub mod error;
pub mod finding;
pub mod fix;
pub mod places;
pub mod yaml;
