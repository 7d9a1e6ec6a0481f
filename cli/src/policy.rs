//! The policy that checks: which module, with which settings.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use kyma_dynatrace_engine::{Module, Policy};
use kyma_dynatrace_manifest::deployed::Deployed;
use kyma_dynatrace_manifest::error::DeployedError;
use serde_json::Value;

#[cfg(embedded)]
static EMBEDDED: Option<&[u8]> = Some(include_bytes!(concat!(env!("OUT_DIR"), "/policy.wasm")));
#[cfg(not(embedded))]
static EMBEDDED: Option<&[u8]> = None;

/// The same module, compiled ahead of time.
#[cfg(precompiled)]
static PRECOMPILED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/policy.cwasm"));

/// The module that is built in. What was compiled ahead is for this version of the engine and this family of processors; if
/// the engine finds that it is not, the module is compiled.
fn embedded(wasm: &[u8]) -> anyhow::Result<Module> {
    #[cfg(precompiled)]
    #[allow(unsafe_code, reason = "the build has put there what `xtask precompile` made of this module")]
    // SAFETY: `make kyma-dynatrace` makes the bytes, and nobody else can put them into this binary.
    if let Ok(module) = unsafe { Module::load_precompiled(PRECOMPILED) } {
        return Ok(module);
    }
    Ok(Module::load(wasm)?)
}

/// Where module and settings come from.
pub(crate) struct Source<'a> {
    /// A module of the user's own; the released one otherwise.
    pub(crate) policy: Option<&'a Path>,
    /// The manifest of the policy that is deployed.
    pub(crate) from: Option<&'a Path>,
    /// A file of settings alone.
    pub(crate) settings: Option<&'a Path>,
    /// Whether there are Secrets to look at, so that the policy looks whatever the settings say.
    pub(crate) looks_up: bool,
}

/// The policy as it is deployed, ready to be asked.
pub(crate) struct Policies {
    /// Gives the verdict.
    pub(crate) policy: Policy,
    /// The same in `repair` mode, for the repairs that `--fix` writes.
    pub(crate) repairer: Policy,
    /// What the cluster gives it.
    pub(crate) deployed: Deployed,
}

impl Source<'_> {
    /// Loads the module and puts the settings to it.
    pub(crate) fn load(&self) -> anyhow::Result<Policies> {
        let module = match (self.policy, EMBEDDED) {
            (Some(path), _) => Module::load(&fs::read(path).with_context(|| path.display().to_string())?)?,
            (None, Some(wasm)) => embedded(wasm)?,
            (None, None) => bail!("this build carries no policy module: name one with --policy"),
        };
        let deployed = match (self.from, self.settings) {
            (Some(path), _) => read(path, Deployed::of_manifest)?,
            (None, Some(path)) => read(path, Deployed::of_settings)?,
            (None, None) => Deployed::default(),
        };
        let looks_up: &[(&str, Value)] = if self.looks_up { &[("lookUpSecrets", Value::Bool(true))] } else { &[] };
        let policy = Policy::reviewing(module.clone(), deployed.settings_with(looks_up), deployed.is_mutating)?;
        let repairer = Policy::new(module, deployed.repairing_settings(), true)?;
        Ok(Policies { policy, repairer, deployed })
    }
}

/// Reads a file, and says which one where something is wrong with it.
fn read(path: &Path, of: fn(&str) -> Result<Deployed, DeployedError>) -> anyhow::Result<Deployed> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    of(&text).with_context(|| path.display().to_string())
}
