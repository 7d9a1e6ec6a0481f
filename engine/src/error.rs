//! What can go wrong, by who has to act on it. No text here quotes a request or settings.

/// A module that cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Not WebAssembly, or damaged.
    #[error("not a valid WebAssembly module: {0}")]
    Invalid(String),
    /// WebAssembly that asks for functions the host does not have.
    #[error("the module cannot be linked to a waPC host: {0}")]
    Unlinkable(String),
    /// The wasm engine could not be set up.
    #[error("the WebAssembly engine cannot start: {0}")]
    Engine(String),
}

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

/// Settings that the policy does not accept, or cannot judge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The policy says that they are invalid, and why.
    #[error("Provided settings are not valid: {0}")]
    Invalid(String),
    /// The policy gave no answer.
    #[error(transparent)]
    Call(#[from] CallError),
}
