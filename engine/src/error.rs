//! Why a module cannot be used.

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
