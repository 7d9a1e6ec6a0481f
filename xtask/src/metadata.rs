//! `policy-metadata.yml`, read strictly: Kubewarden ignores keys that it does not know, and we do not want any.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

/// A policy's metadata, in the order in which `kwctl` writes it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Metadata {
    /// Written by `annotate`, from what the module says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) protocol_version: Option<String>,
    /// The requests that are sent to the policy.
    pub(crate) rules: Vec<Rule>,
    /// Title, texts and addresses.
    pub(crate) annotations: BTreeMap<String, String>,
    /// Whether the policy changes objects.
    pub(crate) mutating: bool,
    /// Whether the audit scanner sends stored objects.
    pub(crate) background_audit: bool,
    /// How the module is run.
    #[serde(default = "wapc")]
    pub(crate) execution_mode: String,
    /// What is reviewed: Kubernetes requests.
    #[serde(default = "kubernetes")]
    pub(crate) policy_type: String,
    /// Cluster objects that the policy may read.
    #[serde(default)]
    pub(crate) context_aware_resources: BTreeSet<Resource>,
    /// What the policy may ask of its host besides logging.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host_capabilities: Option<BTreeSet<String>>,
    /// The oldest Kubewarden that runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) minimum_kubewarden_version: Option<String>,
}

/// A kind of cluster objects.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Resource {
    /// Its API version.
    pub(crate) api_version: String,
    /// Its kind.
    pub(crate) kind: String,
}

/// A rule of an admission webhook.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Rule {
    /// API groups.
    pub(crate) api_groups: Vec<String>,
    /// API versions.
    pub(crate) api_versions: Vec<String>,
    /// Resources, in the plural.
    pub(crate) resources: Vec<String>,
    /// Operations.
    pub(crate) operations: Vec<String>,
}

fn wapc() -> String {
    "kubewarden-wapc".to_owned()
}

fn kubernetes() -> String {
    "kubernetes".to_owned()
}

impl Metadata {
    /// Reads and checks the metadata.
    pub(crate) fn read(yaml: &str) -> anyhow::Result<Self> {
        let metadata: Self = yaml_serde::from_str(yaml).context("the metadata is not what Kubewarden reads")?;
        ensure!(metadata.protocol_version.is_none(), "protocolVersion is written by annotate, not by hand");
        for rule in &metadata.rules {
            for list in [&rule.api_groups, &rule.api_versions, &rule.resources, &rule.operations] {
                ensure!(!list.is_empty(), "a rule has an empty list");
            }
        }
        let version = metadata.annotations.get("io.kubewarden.policy.version").map(String::as_str);
        let crate_version = env!("CARGO_PKG_VERSION");
        ensure!(
            version == Some(crate_version),
            "io.kubewarden.policy.version is {version:?}, but Cargo.toml says {crate_version}"
        );
        Ok(metadata)
    }
}
