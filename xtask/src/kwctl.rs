//! A stand-in for the parts of kwctl that `e2e.bats` uses, on the embedded engine: it shows that the suite itself works
//! where there is no kwctl. It is no replacement for running the suite with the real one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use json_patch::Patch;
use kyma_dynatrace_engine::{Module, Policy, metadata};
use serde_json::Value;

use crate::replay::{Allowed, Replay};

/// What it can do, with kwctl's own arguments.
#[derive(Subcommand)]
pub(crate) enum Kwctl {
    /// Evaluate a request.
    Run(Run),
    /// Print the metadata.
    Inspect {
        /// The format: YAML.
        #[arg(short)]
        output: String,
        /// The annotated module.
        wasm: PathBuf,
    },
}

/// What `kwctl run` is told.
#[derive(clap::Args)]
pub(crate) struct Run {
    /// The request, in JSON.
    #[arg(long)]
    request_path: PathBuf,
    /// The settings.
    #[arg(long)]
    settings_path: PathBuf,
    /// Whether the policy may read what its metadata lists.
    #[arg(long)]
    allow_context_aware: bool,
    /// The host capabilities that it may use.
    #[arg(long, default_value = "*")]
    allowed_host_capabilities: Vec<String>,
    /// The answers to its host calls.
    #[arg(long)]
    replay_host_capabilities_interactions: Option<PathBuf>,
    /// The annotated module.
    wasm: PathBuf,
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| path.display().to_string())
}

pub(crate) fn run(command: &Kwctl) -> anyhow::Result<()> {
    match command {
        Kwctl::Run(arguments) => evaluate(arguments)?,
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

fn evaluate(arguments: &Run) -> anyhow::Result<()> {
    let settings: Value = serde_json::from_slice(&read(&arguments.settings_path)?)?;
    let replay = arguments.replay_host_capabilities_interactions.as_deref().map(Replay::read).transpose()?;
    let replay = replay.unwrap_or_default();
    let allowed = Allowed {
        is_context_aware: arguments.allow_context_aware,
        capabilities: arguments.allowed_host_capabilities.clone(),
    };
    let policy = Policy::new(Module::load(&read(&arguments.wasm)?)?, settings, true)?;
    let request: Value = serde_json::from_slice(&read(&arguments.request_path)?)?;
    let mut response = policy.answered_by(replay.answerer(allowed)).admit(&request);
    if let Some(patch) = &mut response.patch {
        *patch = sorted_patch(&request, patch)?;
    }
    let mut response = serde_json::to_value(response)?;
    if let Some(patch) = response.get_mut("patch") {
        *patch = STANDARD.encode(patch.to_string()).into();
    }
    println!("{response}");
    if replay.is_left() {
        eprintln!("WARN Some of the recorded exchanges have not been replayed");
    }
    Ok(())
}

/// The same patch in the order in which kwctl makes it: its JSON maps are sorted.
fn sorted_patch(request: &Value, patch: &Patch) -> anyhow::Result<Patch> {
    let mut object = request.get("object").cloned().unwrap_or_default();
    let mut patched = object.clone();
    json_patch::patch(&mut patched, patch)?;
    object.sort_all_objects();
    patched.sort_all_objects();
    Ok(json_patch::diff(&object, &patched))
}
