//! The policies of the manifests, as they are rendered for a user.

use e2e::tree::{self, Tree};
use serde_json::Value;

/// The manifests, with a user's values.
pub(crate) fn tree() -> Tree {
    Tree::copy("cluster")
}

/// The repairing policy of the manifests.
pub(crate) fn repair() -> Value {
    tree::policies("policy/repair").remove(0)
}

/// Both policies of the manifests.
pub(crate) fn both() -> Vec<Value> {
    [tree::policies("policy/repair"), tree::policies("policy/validate")].concat()
}

/// A policy with other settings.
pub(crate) fn with_settings(mut policy: Value, settings: &Value) -> Value {
    policy["spec"]["settings"] = settings.clone();
    policy
}

/// Both policies, watching and reporting.
pub(crate) fn monitoring() -> Vec<Value> {
    tree::policies("overlays/policy-monitor")
}
