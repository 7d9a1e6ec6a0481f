//! What the policy costs: counted where it can be counted, timed where it cannot.

pub mod counter;
pub mod figures;
#[cfg(feature = "peers")]
pub mod peers;
pub mod requests;
pub mod timing;

use std::path::{Path, PathBuf};

/// The project's folder.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// A module that `make` has built: `policy.wasm`, or the floor.
///
/// # Errors
/// Where it is not there.
pub fn module(name: &str) -> Result<Vec<u8>, String> {
    std::fs::read(root().join(name)).map_err(|error| format!("{name}: {error}; run `make {name}` first"))
}

/// Our policy, before annotation.
pub const POLICY: &str = "policy.wasm";

/// The policy that does nothing but accept.
pub const ACCEPTING: &str = "target/floor-accepting.wasm";

/// The policy that does nothing but add a member to the object.
pub const MUTATING: &str = "target/floor-mutating.wasm";
