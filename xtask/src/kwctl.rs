//! A stand-in for the parts of kwctl that `e2e.bats` uses, on the embedded engine: it shows that the suite itself works
//! where there is no kwctl. It is no replacement for running the suite with the real one.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;
use kyma_dynatrace_engine::{Module, Policy, metadata};
use serde_json::Value;

/// What it can do, with kwctl's own arguments.
#[derive(Subcommand)]
pub(crate) enum Kwctl {
    /// Evaluate a request.
    Run {
        /// The request, in JSON.
        #[arg(long)]
        request_path: PathBuf,
        /// The settings.
        #[arg(long)]
        settings_path: PathBuf,
        /// The annotated module.
        wasm: PathBuf,
    },
    /// Print the metadata.
    Inspect {
        /// The format: YAML.
        #[arg(short)]
        output: String,
        /// The annotated module.
        wasm: PathBuf,
    },
}

pub(crate) fn run(command: &Kwctl) -> anyhow::Result<()> {
    let read = |path: &PathBuf| fs::read(path).with_context(|| path.display().to_string());
    match command {
        Kwctl::Run { request_path, settings_path, wasm } => {
            let settings: Value = serde_json::from_slice(&read(settings_path)?)?;
            let policy = Policy::new(Module::load(&read(wasm)?)?, settings, true)?;
            let mut response = serde_json::to_value(policy.admit(&serde_json::from_slice(&read(request_path)?)?))?;
            if let Some(patch) = response.get_mut("patch") {
                *patch = base64(patch.to_string().as_bytes()).into();
            }
            println!("{response}");
        }
        Kwctl::Inspect { output, wasm } => {
            if output != "yaml" {
                bail!("only YAML");
            }
            let wasm = read(wasm)?;
            let metadata: Value = serde_json::from_slice(metadata(&wasm)?.context("the module has no metadata")?)?;
            print!("{}", yaml_serde::to_string(&metadata)?);
        }
    }
    Ok(())
}

/// Base64 with padding, as an AdmissionResponse has it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().chain([0, 0].iter()).take(3).fold(0_usize, |word, byte| word << 8 | usize::from(*byte));
        for place in 0..4 {
            let digit = DIGITS.get(word >> (18 - 6 * place) & 63).copied().map_or('=', char::from);
            text.push(if place <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn pads_as_base64_does() {
        let texts =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("\u{ff}~", "w79+")];
        for (text, wanted) in texts {
            assert_eq!(base64(text.as_bytes()), wanted);
        }
    }
}
