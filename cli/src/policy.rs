//! The policy that checks: which module, with which settings.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use kyma_dynatrace_engine::{Module, Policy};
use serde_json::{Value, json};

#[cfg(embedded)]
static EMBEDDED: Option<&[u8]> = Some(include_bytes!(concat!(env!("OUT_DIR"), "/policy.wasm")));
#[cfg(not(embedded))]
static EMBEDDED: Option<&[u8]> = None;

/// Where module and settings come from.
pub(crate) struct Source<'a> {
    /// A module of the user's own; the released one otherwise.
    pub(crate) policy: Option<&'a Path>,
    /// The manifest of the policy that is deployed.
    pub(crate) from: Option<&'a Path>,
    /// A file of settings alone.
    pub(crate) settings: Option<&'a Path>,
}

impl Source<'_> {
    /// Loads the module and puts the settings to it.
    pub(crate) fn load(&self) -> anyhow::Result<Policy> {
        let module = match (self.policy, EMBEDDED) {
            (Some(path), _) => Module::load(&fs::read(path).with_context(|| path.display().to_string())?)?,
            (None, Some(wasm)) => Module::load(wasm)?,
            (None, None) => bail!("this build carries no policy module: name one with --policy"),
        };
        let (settings, is_mutating) = match (self.from, self.settings) {
            (Some(path), _) => deployed(path)?,
            (None, Some(path)) => (read_yaml(path)?, true),
            (None, None) => (json!({}), true),
        };
        Ok(Policy::new(module, settings, is_mutating)?)
    }
}

/// Settings and `mutating` of the ClusterAdmissionPolicy in a manifest.
fn deployed(path: &Path) -> anyhow::Result<(Value, bool)> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut policies = Vec::new();
    for document in crate::document::split(&text) {
        let objects = document.objects().map_err(|(message, _)| anyhow::anyhow!("{}: {message}", path.display()))?;
        policies.extend(objects.into_iter().map(|object| object.value).filter(is_policy));
    }
    ensure!(policies.len() == 1, "{}: want one ClusterAdmissionPolicy, found {}", path.display(), policies.len());
    let policy = policies.pop().unwrap_or_default();
    let settings = policy.pointer("/spec/settings").cloned().unwrap_or(json!({}));
    let is_mutating = policy.pointer("/spec/mutating").and_then(Value::as_bool).unwrap_or(false);
    Ok((settings, is_mutating))
}

fn is_policy(object: &Value) -> bool {
    object.get("kind").and_then(Value::as_str) == Some("ClusterAdmissionPolicy")
}

fn read_yaml(path: &Path) -> anyhow::Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    yaml_serde::from_str(&text).with_context(|| path.display().to_string())
}
