//! What must hold for any input. Each function is the body of a fuzz target in `run/targets`, and panics where something does not
//! hold; `tests/replay.rs` runs them on the corpora without a fuzzer.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a check that panics is a fault that is found"
)]

mod answer;
pub mod pipeline;
pub mod policy;
pub mod urls;
pub mod yaml;

/// A target: its name, which is that of its corpus, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 6] = [
    ("validate", policy::validate),
    ("settings", policy::settings),
    ("pipeline", pipeline::bytes),
    ("urls", urls::urls),
    ("yaml", yaml::yaml),
    ("fix", yaml::fix),
];
