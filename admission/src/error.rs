//! What can go wrong between a host and a policy, by who has to act on it. No text here quotes a request or settings.

/// A call into a module that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The module trapped, or returned an error of its own.
    #[error("internal server error: Guest call failure: {0}")]
    Guest(String),
    /// The module ran longer than it may.
    #[error("Policy execution interrupted because it exceeded the allowed execution time")]
    Timeout,
    /// The module's answer has not the shape that Kubewarden asks for.
    #[error("internal server error: the policy's answer cannot be read: {0}")]
    Answer(String),
}

/// A policy that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The policy says that its settings are invalid, and why.
    #[error("Provided settings are not valid: {0}")]
    Settings(String),
    /// The module is older than the function `review`.
    #[error("the policy module has no function `review`: use the module of kyma-dynatrace-policy 0.3.0 or later")]
    NoReview,
    /// The policy gave no answer.
    #[error(transparent)]
    Call(#[from] CallError),
}
