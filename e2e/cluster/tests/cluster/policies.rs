//! The policies of the manifests, as they are rendered for a user.

use e2e::tree::Tree;
use serde_json::{Value, json};

/// The manifests, with a user's values.
pub(crate) fn tree() -> Tree {
    Tree::copy("cluster")
}

/// The ClusterAdmissionPolicies in a folder of the manifests, rendered.
pub(crate) fn rendered(folder: &str) -> Vec<Value> {
    let tree = tree();
    let target = tree.targets().into_iter().find(|target| target.name == folder);
    let target = target.unwrap_or_else(|| panic!("no target {folder}"));
    let objects = tree.render(&target).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let policies: Vec<Value> = objects
        .into_iter()
        .filter(|object| object.kind() == "ClusterAdmissionPolicy")
        .map(|object| object.value)
        .collect();
    assert!(!policies.is_empty(), "no policy in {folder}");
    policies
}

/// The repairing policy of the manifests.
pub(crate) fn repair() -> Value {
    rendered("policy/repair").remove(0)
}

/// Both policies of the manifests.
pub(crate) fn both() -> Vec<Value> {
    [rendered("policy/repair"), rendered("policy/validate")].concat()
}

/// A policy with other settings.
pub(crate) fn with_settings(mut policy: Value, settings: &Value) -> Value {
    policy["spec"]["settings"] = settings.clone();
    policy
}

/// A policy in monitor mode, as `policy/monitor` sets it.
pub(crate) fn monitoring(mut policy: Value) -> Value {
    policy["spec"]["mode"] = "monitor".into();
    policy["spec"]["settings"]["denialsAsWarnings"] = json!(true);
    policy
}
