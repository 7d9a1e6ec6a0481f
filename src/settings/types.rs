//! The settings' types, from which the JSON Schema, the form for Rancher and the README's table are made too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pipeline::Input;

/// Settings of kyma-dynatrace-policy. All optional.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase", expecting = "an object")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Settings {
    /// `repair` fills in what is missing and warns; `validate` rejects instead, and never changes an object.
    pub mode: Mode,
    /// Where Dynatrace is.
    pub dynatrace: Dynatrace,
    /// How metrics are treated.
    pub metrics: Metrics,
    /// What a finding of a rule does: `deny`, `warn` or `off`. A rule that is off repairs nothing.
    pub rules: BTreeMap<String, Level>,
}

/// What to do with a pipeline that lacks something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[allow(missing_docs, reason = "a description of its own would be another schema")]
pub enum Mode {
    // Fill it in, and tell.
    #[default]
    Repair,
    // Refuse it.
    Validate,
}

/// What is known of Dynatrace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase", expecting = "an object")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub struct Dynatrace {
    /// Secrets that hold a Dynatrace API URL ending in `/api` and an ingest token.
    pub secrets: Vec<DeclaredSecret>,
    /// Globs (`*`, `?`) of hosts that are Managed clusters or ActiveGates.
    #[cfg_attr(feature = "schema", schemars(inner(length(min = 1))))]
    pub hosts: Vec<String>,
    /// Names of the Services of your Dynatrace Collectors, if they do not end in `-telemetry-ingest`.
    #[cfg_attr(feature = "schema", schemars(inner(length(min = 1))))]
    pub collector_services: Vec<String>,
    /// Which `Authorization` headers get a missing `Api-Token`: `anySecret`, those that take their value from any
    /// Secret; `declaredSecrets`, only from one in `dynatrace.secrets`, others get a warning.
    pub inject_prefix_for: InjectPrefixFor,
}

// A Secret that holds a Dynatrace API URL ending in `/api` and an ingest token. (No doc comment: it would be in the schema.)
#[allow(missing_docs, reason = "said above")]
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "an object")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub struct DeclaredSecret {
    /// Namespace of the Secret.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub namespace: String,
    /// Name of the Secret.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub name: String,
    /// Key of the API URL.
    #[serde(default = "endpoint_key")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub endpoint_key: String,
    /// Key of the ingest token.
    #[serde(default = "token_key")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub token_key: String,
}

fn endpoint_key() -> String {
    "apiurl".to_owned()
}

fn token_key() -> String {
    "dataIngestToken".to_owned()
}

impl Default for Dynatrace {
    fn default() -> Self {
        Self {
            secrets: vec![DeclaredSecret {
                namespace: "dynatrace".to_owned(),
                name: "dynakube".to_owned(),
                endpoint_key: endpoint_key(),
                token_key: token_key(),
            }],
            hosts: Vec::new(),
            collector_services: Vec::new(),
            inject_prefix_for: InjectPrefixFor::default(),
        }
    }
}

/// Which `Authorization` headers without a prefix get `Api-Token`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[allow(missing_docs, reason = "a description of its own would be another schema")]
pub enum InjectPrefixFor {
    // Those that take their value from any Secret.
    #[default]
    AnySecret,
    // Those that take it from a declared one, whose content is known to be the bare token.
    DeclaredSecrets,
}

/// How metrics are treated.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase", expecting = "an object")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub struct Metrics {
    /// Inputs that produce cumulative metrics.
    pub cumulative_inputs: Vec<Input>,
    /// Sets `temporality: delta` on direct MetricPipelines: `auto` where the submitted object has the field (Telemetry
    /// module 1.64 and later), `always`, or `off`.
    pub delta_conversion: DeltaConversion,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { cumulative_inputs: Input::ALL.to_vec(), delta_conversion: DeltaConversion::default() }
    }
}

/// Whether the policy sets `temporality: delta` on direct MetricPipelines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[allow(missing_docs, reason = "a description of its own would be another schema")]
pub enum DeltaConversion {
    // Never: the user decides.
    #[default]
    Off,
    // Where the submitted output has the field, so that the cluster's CRD is known to have it.
    Auto,
    // Always.
    Always,
}

/// What a finding of a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[allow(missing_docs, reason = "a description of its own would be another schema")]
pub enum Level {
    // The request is rejected.
    Deny,
    // The user is warned.
    Warn,
    // Nothing: the rule and its repair are not applied.
    Off,
}

impl Level {
    /// The level as the settings write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
            Self::Off => "off",
        }
    }
}

impl Settings {
    /// The level that `rules.<id>` sets for a rule, if any.
    #[must_use]
    pub fn level(&self, id: &str) -> Option<Level> {
        self.rules.get(id).copied()
    }

    /// The declared Secret of this namespace and name.
    #[must_use]
    pub fn secret(&self, namespace: &str, name: &str) -> Option<&DeclaredSecret> {
        self.dynatrace.secrets.iter().find(|secret| secret.namespace == namespace && secret.name == name)
    }
}
