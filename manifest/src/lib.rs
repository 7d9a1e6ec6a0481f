//! Manifests as people write them. Layers, lowest first; each imports from those before it alone:
//! yaml, places, document, finding, fix.
//!
//! - [`yaml`]: one document as `kubectl` reads it, made into JSON
//! - [`places`]: where in the text a field stands
//! - [`document`]: the documents of an input, and the pipelines in them
//! - [`finding`]: what the policy found, read from its response, at its place
//! - [`fix`]: the policy's repairs, written into the text
//!
//! There is no engine and no file in it, so that it compiles to WebAssembly too.

pub mod document;
pub mod finding;
pub mod fix;
pub mod places;
pub mod yaml;
