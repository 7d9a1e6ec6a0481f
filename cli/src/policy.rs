//! The policy that checks: which module, with which settings.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use kyma_dynatrace_engine::{Module, Policy};
use kyma_dynatrace_manifest::{document, yaml};
use serde_json::{Value, json};

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

/// The policy as deployed, and what goes with it.
pub(crate) struct Deployed {
    /// Gives the verdict.
    pub(crate) policy: Policy,
    /// The same in `repair` mode, for the repairs that `--fix` writes.
    pub(crate) repairer: Policy,
    /// The webhook rules of the manifest; `None` for those of the policy's own metadata, which are all pipelines.
    rules: Option<Vec<Value>>,
}

impl Deployed {
    /// Whether the API server would send a request for such an object to the policy.
    pub(crate) fn is_sent(&self, object: &Value, operation: &str) -> bool {
        let Some(rules) = &self.rules else { return true };
        let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
        let resource = format!("{}s", text("kind").to_lowercase());
        let parts =
            [("apiGroups", group), ("apiVersions", version), ("resources", &resource), ("operations", operation)];
        rules.iter().any(|rule| {
            parts.iter().all(|(list, wanted)| {
                let names = rule.get(*list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
                names.into_iter().any(|name| name == "*" || name == *wanted || (*list == "resources" && name == "*/*"))
            })
        })
    }
}

impl Source<'_> {
    /// Loads the module and puts the settings to it.
    pub(crate) fn load(&self) -> anyhow::Result<Deployed> {
        let module = match (self.policy, EMBEDDED) {
            (Some(path), _) => Module::load(&fs::read(path).with_context(|| path.display().to_string())?)?,
            (None, Some(wasm)) => embedded(wasm)?,
            (None, None) => bail!("this build carries no policy module: name one with --policy"),
        };
        let (settings, is_mutating, rules) = match (self.from, self.settings) {
            (Some(path), _) => deployed(path)?,
            (None, Some(path)) => (read_yaml(path)?, true, None),
            (None, None) => (json!({}), true, None),
        };
        // As the policy takes it.
        let settings = if settings.is_null() { json!({}) } else { settings };
        let with = |members: &[(&str, Value)]| {
            let mut settings = settings.clone();
            if let Some(settings) = settings.as_object_mut() {
                settings.extend(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            }
            settings
        };
        let looking = if self.looks_up { with(&[("lookUpSecrets", true.into())]) } else { settings.clone() };
        let policy = Policy::new(module.clone(), looking, is_mutating)?;
        // What is looked up changes no repair.
        let repairing = with(&[("mode", "repair".into()), ("lookUpSecrets", false.into())]);
        Ok(Deployed { policy, repairer: Policy::new(module, repairing, true)?, rules })
    }
}

/// Settings, `mutating` and rules of the ClusterAdmissionPolicy in a manifest.
fn deployed(path: &Path) -> anyhow::Result<(Value, bool, Option<Vec<Value>>)> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut policies = Vec::new();
    for document in document::split(&text) {
        let objects = document.objects().map_err(|(message, _)| anyhow::anyhow!("{}: {message}", path.display()))?;
        policies.extend(objects.objects.into_iter().map(|object| object.value).filter(is_policy));
    }
    ensure!(policies.len() == 1, "{}: expected one ClusterAdmissionPolicy, found {}", path.display(), policies.len());
    let policy = policies.pop().unwrap_or_default();
    let settings = policy.pointer("/spec/settings").cloned().unwrap_or(json!({}));
    let is_mutating = policy.pointer("/spec/mutating").and_then(Value::as_bool).unwrap_or(false);
    let rules = policy.pointer("/spec/rules").and_then(Value::as_array).cloned();
    Ok((settings, is_mutating, rules))
}

fn is_policy(object: &Value) -> bool {
    object.get("kind").and_then(Value::as_str) == Some("ClusterAdmissionPolicy")
}

fn read_yaml(path: &Path) -> anyhow::Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let reading = yaml::read(&text).map_err(|(message, _)| anyhow::anyhow!("{}: {message}", path.display()))?;
    Ok(reading.value)
}
