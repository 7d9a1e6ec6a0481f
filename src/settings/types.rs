//! The settings' types, from which the JSON Schema, the form for Rancher and the README's table are made too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rule_id::RuleId;
use crate::pipeline::Input;

/// Settings of kyma-dynatrace-policy. All optional.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase", expecting = "an object")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Settings {
    /// `repair` fills in what is missing and warns; `validate` rejects instead, and never changes an object.
    pub mode: Mode,
    /// Gives what would be rejected as warnings too, for policies in monitor mode: there Kubewarden drops the message of a
    /// rejection, and keeps warnings.
    pub denials_as_warnings: bool,
    /// Looks at the Secrets in `dynatrace.secrets` that a pipeline names, and warns of what is wrong there. Needs rights in the
    /// cluster.
    pub look_up_secrets: bool,
    /// Where Dynatrace is.
    pub dynatrace: Dynatrace,
    /// How metrics are treated.
    pub metrics: Metrics,
    /// What a finding of a rule does: `deny`, `warn` or `off`. A rule that is off repairs nothing.
    pub rules: BTreeMap<RuleId, Level>,
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
    /// Secrets that hold a Dynatrace API URL and an ingest token.
    pub secrets: Vec<DeclaredSecret>,
    /// Globs (`*`, `?`) of hosts that are Managed clusters or ActiveGates.
    #[cfg_attr(feature = "schema", schemars(inner(length(min = 1))))]
    pub hosts: Vec<String>,
    /// Names of the Services of your Dynatrace Collectors, if they do not end in `-telemetry-ingest`.
    #[cfg_attr(feature = "schema", schemars(inner(length(min = 1))))]
    pub collector_services: Vec<String>,
    /// Which `Authorization` headers get a missing prefix: `declaredSecrets`, those that take their value from the
    /// `tokenKey` of one in `dynatrace.secrets`, others get a warning; `anySecret`, those that take it from any Secret.
    pub inject_prefix_for: InjectPrefixFor,
}

// A Secret that holds a Dynatrace API URL and an ingest token. (No doc comment: it would be in the schema.)
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
    /// Path of the stored URL: `/api`, `/api/v2/otlp`, `/`, or `/e/<id>/api`.
    #[serde(default = "endpoint_path")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub endpoint_path: String,
    /// Scheme of the stored token: `Api-Token`, or `Bearer` for a platform token.
    #[serde(default)]
    pub token_scheme: TokenScheme,
}

/// The scheme of an `Authorization` header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[allow(missing_docs, reason = "a description of its own would be another schema")]
pub enum TokenScheme {
    #[default]
    #[serde(rename = "Api-Token")]
    ApiToken,
    Bearer,
}

impl TokenScheme {
    /// The scheme as the header writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ApiToken => "Api-Token",
            Self::Bearer => "Bearer",
        }
    }
}

fn endpoint_path() -> String {
    "/api".to_owned()
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
                endpoint_path: endpoint_path(),
                token_scheme: TokenScheme::default(),
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
    // Those that take it from a declared Secret, whose content is known to be the bare token.
    #[default]
    DeclaredSecrets,
    // Those that take their value from any Secret.
    AnySecret,
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
    pub fn level(&self, id: RuleId) -> Option<Level> {
        self.rules.get(&id).copied()
    }

    /// The declared Secret of this namespace and name.
    #[must_use]
    pub fn secret(&self, namespace: &str, name: &str) -> Option<&DeclaredSecret> {
        self.dynatrace.secrets.iter().find(|secret| secret.namespace == namespace && secret.name == name)
    }

    /// The declared Secret whose API URL is at this key.
    #[must_use]
    pub fn endpoint_secret(&self, namespace: &str, name: &str, key: &str) -> Option<&DeclaredSecret> {
        self.secret(namespace, name).filter(|secret| secret.endpoint_key == key)
    }

    /// The declared Secret whose ingest token is at this key.
    #[must_use]
    pub fn token_secret(&self, namespace: &str, name: &str, key: &str) -> Option<&DeclaredSecret> {
        self.secret(namespace, name).filter(|secret| secret.token_key == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn accepts_its_own_names_for_levels() {
        for level in [Level::Deny, Level::Warn, Level::Off] {
            let text = serde_json::Value::from(level.name());
            assert_eq!(serde_json::from_value::<Level>(text).unwrap(), level);
        }
    }
}
