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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_a_module_imports_and_keeps() {
        let wasm = br#"(module
            (import "wapc" "__console_log" (func (param i32 i32)))
            (import "env" "memory" (memory 1))
            (@custom "other" "no")
            (@custom "io.kubewarden.metadata" "first")
            (@custom "io.kubewarden.metadata" "second"))"#;
        let wasm = wat::parse_bytes(wasm).unwrap();
        let expected = [("wapc", "__console_log"), ("env", "memory")];
        assert_eq!(imports(&wasm).unwrap(), expected.map(|(module, name)| (module.to_owned(), name.to_owned())));
        assert_eq!(metadata(&wasm).unwrap(), Some(b"first".as_slice()));
        assert_eq!(metadata(&wat::parse_bytes(b"(module)").unwrap()).unwrap(), None);
        assert!(imports(b"nonsense").is_err() && metadata(b"nonsense").is_err());
    }
}
