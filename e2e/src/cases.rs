//! The cases of `cases.yaml`.

use std::fs;

use kyma_dynatrace_admission::admission_request;
use serde::Deserialize;
use serde_json::Value;

use crate::root;

/// A request, and what is decided.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// For readers of the table.
    #[serde(default)]
    pub about: String,
    /// The file in `examples/`, or
    pub example: Option<String>,
    /// the object itself.
    pub object: Option<Value>,
    /// What an UPDATE changes in the object that is stored, as a JSON patch.
    #[serde(default)]
    pub update: Option<json_patch::Patch>,
    /// `CREATE`, or `DELETE`; an update says so itself.
    #[serde(default = "create")]
    pub operation: String,
    /// The policy's settings; null for the default ones.
    #[serde(default)]
    pub settings: Value,
    /// `accepted`, `repaired` or `rejected`.
    pub verdict: String,
    /// The rules in the audit annotation.
    #[serde(default)]
    pub findings: Vec<String>,
}

fn create() -> String {
    "CREATE".to_owned()
}

impl Case {
    /// The object, or what is stored before an update.
    #[must_use]
    pub fn object(&self) -> Value {
        match (&self.example, &self.object) {
            (Some(example), None) => {
                let path = root().join("examples").join(format!("{example}.yaml"));
                yaml_serde::from_str(&fs::read_to_string(path).unwrap()).unwrap()
            }
            (None, Some(object)) => object.clone(),
            _ => panic!("{}: either an example or an object", self.name),
        }
    }

    /// The request that the API server sends.
    #[must_use]
    pub fn request(&self) -> Value {
        let old = self.object();
        let mut object = old.clone();
        if let Some(update) = &self.update {
            json_patch::patch(&mut object, &update.0).unwrap();
        }
        let mut request = admission_request(&object, self.update.is_some().then_some(&old));
        if self.operation == "DELETE" {
            request["operation"] = "DELETE".into();
            request["oldObject"] = request["object"].take();
        }
        request
    }
}

/// All cases, in their order.
#[must_use]
pub fn all() -> Vec<Case> {
    yaml_serde::from_str(include_str!("../cases.yaml")).unwrap()
}
