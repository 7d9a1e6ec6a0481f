//! Each object against its kind's definition.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kyma_dynatrace_apiserver::ApiServer;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::problem::Problem;
use e2e::tree::Object;

/// The CustomResourceDefinitions beside the project.
pub(crate) struct Definitions {
    server: ApiServer,
}

impl Definitions {
    /// The current ones; `None`, said loudly, where there is no test data beside the project.
    pub(crate) fn load() -> Option<Self> {
        let folders = ["telemetry-2026-08", "dynatrace-operator-2026-08", "istio-2026", "kubewarden-2026-05"];
        Self::of(&folders, "")
    }

    /// Those of a Telemetry module before `v1beta1`.
    pub(crate) fn of_older_modules() -> Option<Self> {
        Self::of(&["telemetry-2025-10"], "default-")
    }

    fn of(folders: &[&str], prefix: &str) -> Option<Self> {
        let shared = e2e::shared()?;
        let mut server = ApiServer::default();
        for folder in folders {
            for entry in std::fs::read_dir(shared.join("crds").join(folder)).unwrap().map(Result::unwrap) {
                if entry.file_name().to_string_lossy().starts_with(prefix) {
                    let yaml = std::fs::read_to_string(entry.path()).unwrap();
                    server.define(yaml_serde::from_str(&yaml).unwrap()).unwrap();
                }
            }
        }
        Some(Self { server })
    }

    /// The object as admission gets it.
    pub(crate) fn decode(&self, object: &Value) -> Value {
        self.server.decode(object)
    }

    pub(crate) fn cel_rules(&self, object: &Object) -> usize {
        self.server.cel_rules_for(&object.value)
    }

    /// What the API server would refuse, and what `kubectl apply` would: fields that nobody knows.
    pub(crate) fn check(&self, object: &Object) -> impl Iterator<Item = Problem> {
        let problem = |field: String, message: String| Problem::new(&object.file, field, message);
        let problems: Vec<Problem> =
            if matches!(object.text("/apiVersion"), Some("v1" | "apps/v1" | "rbac.authorization.k8s.io/v1")) {
                core(object).into_iter().map(|(field, message)| problem(field, message)).collect()
            } else if self.server.knows(&object.value) {
                let unknown = self.server.unknown_fields(&object.value).into_iter();
                let unknown = unknown.map(|field| problem(field.to_string(), "unknown field".to_owned()));
                let refused = self.server.refusals(&object.value).into_iter();
                unknown.chain(refused.map(|refusal| problem(refusal.field.to_string(), refusal.message))).collect()
            } else {
                vec![problem("kind".to_owned(), format!("no definition of {}", object.kind()))]
            };
        problems.into_iter()
    }
}

/// Kubernetes' own kinds, read strictly: what the type does not keep is not a field.
fn core(object: &Object) -> Vec<(String, String)> {
    match object.kind().as_str() {
        "Deployment" => strictly::<Deployment>(&object.value),
        "Namespace" => strictly::<Namespace>(&object.value),
        "Role" => strictly::<Role>(&object.value),
        "RoleBinding" => strictly::<RoleBinding>(&object.value),
        "Secret" => strictly::<Secret>(&object.value),
        "ServiceAccount" => strictly::<ServiceAccount>(&object.value),
        "ConfigMap" => strictly::<ConfigMap>(&object.value),
        other => vec![("kind".to_owned(), format!("no type for {other}"))],
    }
}

fn strictly<T: DeserializeOwned + Serialize>(value: &Value) -> Vec<(String, String)> {
    match serde_json::from_value::<T>(value.clone()) {
        Err(error) => vec![(String::new(), error.to_string())],
        Ok(typed) => lost(value, &serde_json::to_value(typed).unwrap(), ""),
    }
}

fn lost(written: &Value, kept: &Value, path: &str) -> Vec<(String, String)> {
    let (Some(written), Some(kept)) = (written.as_object(), kept.as_object()) else { return Vec::new() };
    let dot = if path.is_empty() { "" } else { "." };
    written
        .iter()
        .flat_map(|(name, member)| match kept.get(name) {
            None => vec![(format!("{path}{dot}{name}"), "unknown field".to_owned())],
            Some(kept) => lost(member, kept, &format!("{path}{dot}{name}")),
        })
        .collect()
}
