//! What a module says of itself without being run.

use wasmparser::{Parser, Payload};

use crate::error::LoadError;

/// Name of the custom section in which `kwctl annotate` keeps a policy's metadata, as JSON.
pub const METADATA_SECTION: &str = "io.kubewarden.metadata";

/// The module and name of everything that a wasm module imports.
///
/// # Errors
/// [`LoadError::Invalid`] where the bytes are no module.
pub fn imports(wasm: &[u8]) -> Result<Vec<(String, String)>, LoadError> {
    let mut imports = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ImportSection(section) = payload.map_err(invalid)? {
            for import in section.into_imports() {
                let import = import.map_err(invalid)?;
                imports.push((import.module.to_owned(), import.name.to_owned()));
            }
        }
    }
    Ok(imports)
}

/// The content of the module's metadata section; `None` where it has none. The first of several counts.
///
/// # Errors
/// [`LoadError::Invalid`] where the bytes are no module.
pub fn metadata(wasm: &[u8]) -> Result<Option<&[u8]>, LoadError> {
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CustomSection(section) = payload.map_err(invalid)?
            && section.name() == METADATA_SECTION
        {
            return Ok(Some(section.data()));
        }
    }
    Ok(None)
}

fn invalid(error: wasmparser::BinaryReaderError) -> LoadError {
    LoadError::Invalid(error.to_string())
}
