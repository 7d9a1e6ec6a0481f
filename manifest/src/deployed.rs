//! A policy as it is deployed: what a ClusterAdmissionPolicy says of settings, of mutating and of the requests it gets.

use serde_json::{Value, json};

use crate::document::split;
use crate::error::{DeployedError, YamlError};
use crate::yaml;

/// What the cluster gives a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    /// Its settings.
    pub settings: Value,
    /// Whether it may change what it is sent.
    pub is_mutating: bool,
    /// The webhook rules; `None` for those of the policy's own metadata, which are all pipelines.
    pub rules: Option<Vec<Value>>,
}

impl Default for Deployed {
    fn default() -> Self {
        Self { settings: json!({}), is_mutating: true, rules: None }
    }
}

impl Deployed {
    /// Reads the manifest of the one ClusterAdmissionPolicy in a text.
    ///
    /// # Errors
    /// What is wrong with the YAML, or how many there are.
    pub fn of_manifest(text: &str) -> Result<Self, DeployedError> {
        let mut policies = policies(text)?;
        match (policies.pop(), policies.len()) {
            (Some(policy), 0) => Ok(Self::of_policy(&policy)),
            (None, _) => Err(DeployedError::Count(0)),
            (_, others) => Err(DeployedError::Count(others + 1)),
        }
    }

    /// Reads settings alone.
    ///
    /// # Errors
    /// What is wrong with the YAML.
    pub fn of_settings(text: &str) -> Result<Self, DeployedError> {
        let settings = yaml::read(text)?.value;
        // As the policy takes it.
        let settings = if settings.is_null() { json!({}) } else { settings };
        Ok(Self { settings, ..Self::default() })
    }

    /// Reads whichever of the two it is.
    ///
    /// # Errors
    /// As for the two.
    pub fn of_either(text: &str) -> Result<Self, DeployedError> {
        match policies(text) {
            Ok(policies) if policies.is_empty() => Self::of_settings(text),
            _ => Self::of_manifest(text),
        }
    }

    fn of_policy(policy: &Value) -> Self {
        let settings = policy.pointer("/spec/settings").filter(|settings| !settings.is_null());
        Self {
            settings: settings.cloned().unwrap_or(json!({})),
            is_mutating: policy.pointer("/spec/mutating").and_then(Value::as_bool).unwrap_or(false),
            rules: policy.pointer("/spec/rules").and_then(Value::as_array).cloned(),
        }
    }

    /// The settings with other values for some of them.
    #[must_use]
    pub fn settings_with(&self, members: &[(&str, Value)]) -> Value {
        let mut settings = self.settings.clone();
        // Settings that are no mapping stay what they are: the policy says so.
        if let Some(settings) = settings.as_object_mut() {
            settings.extend(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        settings
    }

    /// The settings of the policy that finds the repairs, whatever the mode. What is looked up changes no repair.
    #[must_use]
    pub fn repairing_settings(&self) -> Value {
        self.settings_with(&[("mode", "repair".into()), ("lookUpSecrets", false.into())])
    }

    /// Whether the API server would send a request for such an object to the policy.
    #[must_use]
    pub fn is_sent(&self, object: &Value, operation: &str) -> bool {
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

/// The ClusterAdmissionPolicies in a text.
fn policies(text: &str) -> Result<Vec<Value>, YamlError> {
    let mut policies = Vec::new();
    for document in split(text) {
        let objects = document.objects()?.objects;
        policies.extend(objects.into_iter().map(|object| object.value).filter(is_policy));
    }
    Ok(policies)
}

fn is_policy(object: &Value) -> bool {
    object.get("kind").and_then(Value::as_str) == Some("ClusterAdmissionPolicy")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

    use super::*;

    const POLICY: &str = "kind: ClusterAdmissionPolicy\nspec: {mutating: false, settings: {mode: validate}}\n";

    #[test]
    fn accepts_settings_alone_or_the_one_policy_among_others() {
        let of_settings = Deployed::of_either("mode: validate\n").unwrap();
        assert_eq!(of_settings, Deployed { settings: json!({"mode": "validate"}), ..Deployed::default() });
        let of_policy = Deployed::of_either(&format!("kind: PolicyServer\n---\n{POLICY}")).unwrap();
        assert_eq!(of_policy, Deployed { is_mutating: false, ..of_settings });
        assert_eq!(Deployed::of_either("# nothing\n").unwrap(), Deployed::default());
    }

    #[test]
    fn rejects_two_policies_and_what_is_no_yaml() {
        let two = Deployed::of_either(&format!("{POLICY}---\n{POLICY}")).unwrap_err();
        assert_eq!(two.to_string(), "expected one ClusterAdmissionPolicy, found 2");
        assert!(Deployed::of_either("mode: [").unwrap_err().to_string().starts_with("not valid YAML"));
        assert!(Deployed::of_manifest("mode: validate").unwrap_err().to_string().ends_with("found 0"));
    }

    #[test]
    fn accepts_what_the_webhook_s_rules_name() {
        let object = json!({"apiVersion": "telemetry.kyma-project.io/v1beta1", "kind": "TracePipeline"});
        let is_sent = |groups: &str, versions: &str, resources: &str, operations: &str| {
            let rule = json!({"apiGroups": [groups], "apiVersions": [versions], "resources": ["x", resources], "operations": [operations]});
            Deployed { rules: Some(vec![json!({}), rule]), ..Deployed::default() }.is_sent(&object, "CREATE")
        };
        let group = "telemetry.kyma-project.io";
        assert!(is_sent(group, "v1beta1", "tracepipelines", "CREATE"));
        assert!(is_sent("*", "*", "*", "*") && is_sent(group, "*", "*/*", "*"));
        for (groups, versions, resources, operations) in [
            ("x", "v1beta1", "tracepipelines", "CREATE"),
            (group, "v1", "tracepipelines", "CREATE"),
            (group, "v1beta1", "metricpipelines", "CREATE"),
            (group, "v1beta1", "tracepipelines", "UPDATE"),
            ("*/*", "*", "*", "*"),
            (group, "*", "*", "*/*"),
        ] {
            assert!(!is_sent(groups, versions, resources, operations), "{groups} {versions} {resources} {operations}");
        }
    }
}
