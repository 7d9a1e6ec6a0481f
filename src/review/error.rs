//! Why a request cannot be decided.

/// Why a request cannot be decided, in a sentence that holds nothing of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// It would store an object, and brings none.
    #[error("the admission request has no `object` that is a JSON object")]
    NoObject,
}
