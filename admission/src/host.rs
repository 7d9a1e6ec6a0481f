//! What a module asks its host.

use std::sync::Arc;

/// What a module asks its host, beside logging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostCall<'a> {
    /// Whose calls these are: `kubewarden`.
    pub binding: &'a str,
    /// The group of host capabilities, for example `kubernetes`.
    pub namespace: &'a str,
    /// The host capability, for example `get_resource`.
    pub operation: &'a str,
    /// What is asked, in JSON.
    pub payload: &'a [u8],
}

/// Who answers the host calls of a module: bytes, or the host's error text. As long as it takes to answer, nothing else of the
/// request happens; the deadline passes all the same.
pub type Answerer = Arc<dyn Fn(&HostCall<'_>) -> Result<Vec<u8>, String> + Send + Sync>;
