//! Writes a policy's metadata into its module, as `kwctl annotate` does, so that nobody needs kwctl to build it.
//!
//! kwctl adds a custom section `io.kubewarden.metadata` with the metadata as compact JSON, after asking the module for
//! its protocol version and adding two annotations: its own version and the README. So do we, with our own name in the
//! place of kwctl's version. Unlike kwctl we replace a section that is there, so that annotating twice is harmless.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use kyma_dynatrace_engine::{METADATA_SECTION, Module, imports};
use wasm_encoder::{CustomSection, RawSection};
use wasmparser::{Parser, Payload};

use crate::metadata::Metadata;

const TOOL: &str = concat!("none: annotated by kyma-dynatrace-policy ", env!("CARGO_PKG_VERSION"), " xtask");

/// Annotates a module file.
pub(crate) fn run(metadata: &Path, readme: &Path, output: &Path, wasm: &Path) -> anyhow::Result<()> {
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let metadata = Metadata::read(&read(metadata)?)?;
    let readme = read(readme)?;
    let module = fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let section = section(metadata, readme, &module)?;
    let annotated = with_section(&module, &section)?;
    fs::write(output, &annotated).with_context(|| format!("cannot write {}", output.display()))?;
    println!("{}: {} bytes; {}: {} bytes", wasm.display(), module.len(), output.display(), annotated.len());
    Ok(())
}

/// All that the module may import: waPC's functions to take a request and answer it, and those to ask the host.
const IMPORTS: [&str; 8] = [
    "__guest_request",
    "__guest_response",
    "__guest_error",
    "__host_call",
    "__host_response_len",
    "__host_response",
    "__host_error_len",
    "__host_error",
];

/// Fails where a module file imports anything else than the waPC functions that it is known to need.
pub(crate) fn check_imports(wasm: &Path) -> anyhow::Result<()> {
    let module = fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let imports = imports(&module)?;
    for (module, name) in &imports {
        if module != "wapc" || !IMPORTS.contains(&name.as_str()) {
            bail!("{} imports {module}.{name}, which it is not known to need", wasm.display());
        }
    }
    println!("{}: {} imports, all of waPC", wasm.display(), imports.len());
    Ok(())
}

/// The content of the metadata section.
fn section(mut metadata: Metadata, readme: String, module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let version =
        Module::load(module)?.call("protocol_version", b"").context("the module gives no protocol version")?;
    metadata.protocol_version = Some(serde_json::from_slice(&version).context("the protocol version is no string")?);
    metadata.annotations.insert("io.kubewarden.kwctl".to_owned(), TOOL.to_owned());
    metadata.annotations.insert("io.kubewarden.policy.usage".to_owned(), readme);
    Ok(serde_json::to_vec(&metadata)?)
}

/// The module with its metadata section added, or replaced.
fn with_section(module: &[u8], content: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut annotated = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        if matches!(&payload, Payload::CustomSection(section) if section.name() == METADATA_SECTION) {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            let data = module.get(range).context("a section lies outside of the module")?;
            annotated.section(&RawSection { id, data });
        }
    }
    annotated.section(&CustomSection { name: METADATA_SECTION.into(), data: content.into() });
    Ok(annotated.finish())
}

/// Compiles the module ahead of time.
pub(crate) fn precompile(wasm: &Path, target: &str, output: &Path) -> anyhow::Result<()> {
    let module = fs::read(wasm).with_context(|| wasm.display().to_string())?;
    let precompiled = kyma_dynatrace_engine::precompile(&module, target)?;
    fs::write(output, &precompiled).with_context(|| output.display().to_string())?;
    println!("{}: {} bytes for {target}", output.display(), precompiled.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

    use super::*;
    use kyma_dynatrace_engine::metadata;

    #[test]
    fn adds_the_section_once_and_keeps_the_others() {
        let plain = wasm_encoder::Module::new().finish();
        let once = with_section(&plain, b"{}").unwrap();
        assert_eq!(metadata(&once).unwrap(), Some(&b"{}"[..]));
        assert!(once.starts_with(&plain));
        let twice = with_section(&once, b"[]").unwrap();
        assert_eq!(metadata(&twice).unwrap(), Some(&b"[]"[..]));
        assert_eq!(once.len(), twice.len());
    }
}
