//! An API server without a cluster: what happens to a pipeline before and after admission.
//!
//! Before: fields that the CustomResourceDefinition does not know are dropped, its defaults are filled in. After: the
//! Telemetry module's own webhook fills in its defaults, then the object has to pass the schema and its CEL rules.

mod module;
mod schema;

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube_cel::{Validator, apply_defaults};
use kyma_dynatrace_policy::pipeline::FieldPath;
use serde_json::Value;

pub use module::{SYSTEM_NAMESPACES, fill_in};
use schema::{Schema, count_rules, prune, rules_at};

/// CustomResourceDefinitions that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// Not YAML, or not what a definition looks like.
    #[error("not a CustomResourceDefinition: {0}")]
    Unreadable(String),
    /// A schema or a CEL rule in it that cannot be compiled.
    #[error("the schema of {kind} cannot be used: {reason}")]
    Schema {
        /// The kind defined.
        kind: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why the API server would refuse an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The field's path, for example `spec.output.otlp`; empty for the object itself.
    pub field: FieldPath,
    /// What is wrong with it.
    pub message: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// An API server with some CustomResourceDefinitions.
#[derive(Default)]
pub struct ApiServer {
    /// Group and schemas by kind, then version.
    kinds: BTreeMap<String, Kind>,
}

struct Kind {
    group: String,
    versions: BTreeMap<String, Schema>,
}

impl ApiServer {
    /// Takes in a definition, or a `List` of them as `kubectl get crd -o yaml` prints; other objects are passed over.
    ///
    /// # Errors
    /// Where a definition or its schema cannot be read. The text says which.
    pub fn define(&mut self, object: Value) -> Result<(), DefinitionError> {
        let is_definition = object.get("kind").and_then(Value::as_str) == Some("CustomResourceDefinition");
        if is_definition {
            let definition: CustomResourceDefinition =
                serde_json::from_value(object).map_err(|error| DefinitionError::Unreadable(error.to_string()))?;
            return self.add(definition);
        }
        match object {
            Value::Object(mut members) => match members.remove("items") {
                Some(Value::Array(items)) => items.into_iter().try_for_each(|item| self.define(item)),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn add(&mut self, definition: CustomResourceDefinition) -> Result<(), DefinitionError> {
        let kind = definition.spec.names.kind;
        let mut versions = BTreeMap::new();
        for version in definition.spec.versions.into_iter().filter(|version| version.served) {
            let has_status = version.subresources.is_some_and(|subresources| subresources.status.is_some());
            let Some(schema) = version.schema.and_then(|schema| schema.open_api_v3_schema) else { continue };
            let text = serde_json::to_value(schema).map_err(|error| DefinitionError::Unreadable(error.to_string()))?;
            let schema = Schema::new(text, has_status)
                .map_err(|reason| DefinitionError::Schema { kind: kind.clone(), reason })?;
            versions.insert(version.name, schema);
        }
        self.kinds.insert(kind, Kind { group: definition.spec.group, versions });
        Ok(())
    }

    /// Whether an object's kind is defined.
    #[must_use]
    pub fn knows(&self, object: &Value) -> bool {
        self.schema(object).is_some()
    }

    /// The number of kinds defined.
    #[must_use]
    pub fn kinds(&self) -> usize {
        self.kinds.len()
    }

    /// The number of CEL rules in all schemas.
    #[must_use]
    pub fn cel_rules(&self) -> usize {
        self.kinds.values().flat_map(|kind| kind.versions.values()).map(|schema| count_rules(&schema.text)).sum()
    }

    /// The number of CEL rules that the API server evaluates for an object: those of the places that it fills.
    #[must_use]
    pub fn cel_rules_for(&self, object: &Value) -> usize {
        self.schema(object).map_or(0, |(_, schema)| rules_at(&schema.text, object))
    }

    /// The schema for an object, and the `apiVersion` that it is served in: another one than the object's where that is
    /// not served, as after conversion. (The fields that matter here have the same names in all versions.)
    fn schema(&self, object: &Value) -> Option<(String, &Schema)> {
        let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let kind = self.kinds.get(text("kind"))?;
        let (group, version) = text("apiVersion").split_once('/')?;
        if group != kind.group {
            return None;
        }
        let (version, schema) = kind.versions.get_key_value(version).or_else(|| kind.versions.last_key_value())?;
        Some((format!("{group}/{version}"), schema))
    }

    /// The object as admission gets it: unknown fields dropped, defaults filled in. Unchanged where its kind is unknown.
    #[must_use]
    pub fn decode(&self, object: &Value) -> Value {
        let Some((api_version, schema)) = self.schema(object) else { return object.clone() };
        let mut pruned = object.clone();
        if let Some(members) = pruned.as_object_mut() {
            members.insert("apiVersion".to_owned(), api_version.into());
        }
        prune(&schema.text, &mut pruned, &FieldPath::ROOT, &mut Vec::new());
        apply_defaults(&schema.text, &pruned)
    }

    /// The paths of the fields that the object's definition does not know; `kubectl apply` refuses them.
    #[must_use]
    pub fn unknown_fields(&self, object: &Value) -> Vec<FieldPath> {
        let mut unknown = Vec::new();
        if let Some((_, schema)) = self.schema(object) {
            prune(&schema.text, &mut object.clone(), &FieldPath::ROOT, &mut unknown);
        }
        unknown
    }

    /// The object as it would be stored, whether or not it may be: decoded, with the defaults of the Telemetry module's own
    /// webhook, and without a status, which has a resource of its own.
    #[must_use]
    pub fn stored(&self, object: &Value) -> Value {
        let mut object = self.decode(object);
        fill_in(&mut object);
        let mut object = self.decode(&object);
        let has_status = self.schema(&object).is_some_and(|(_, schema)| schema.has_status);
        if let Some(members) = object.as_object_mut().filter(|_| has_status) {
            members.remove("status");
        }
        object
    }

    /// Why the API server would refuse the object after admission; empty where it would not, or does not know its kind.
    #[must_use]
    pub fn refusals(&self, object: &Value) -> Vec<Refusal> {
        let object = self.stored(object);
        let Some((_, schema)) = self.schema(&object) else { return Vec::new() };
        let errors = schema.json_schema.iter_errors(&object);
        let mut refusals: Vec<Refusal> = errors
            .map(|error| Refusal {
                field: FieldPath::from_pointer(error.instance_path().as_str()),
                // The value itself may be a token.
                message: error.masked().to_string(),
            })
            .collect();
        if !refusals.is_empty() {
            // Nor does the API server look at rules then: they may trust the schema.
            return refusals;
        }
        if let Err(found) = Validator::new().validate_compiled(&schema.cel, &object, None) {
            refusals.extend(
                found
                    .iter()
                    .map(|error| Refusal { field: error.field_path.clone().into(), message: error.message.clone() }),
            );
        }
        refusals
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

    use serde_json::json;

    use super::*;

    fn server() -> ApiServer {
        let mut server = ApiServer::default();
        let schema = json!({"type": "object", "properties": {
            "apiVersion": {"type": "string"}, "kind": {"type": "string"},
            "spec": {"type": "object", "required": ["size"], "properties": {
                "size": {"type": "integer"},
                "mode": {"type": "string", "default": "plain"},
                "items": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}},
                    "x-kubernetes-validations": [{"rule": "self.name != 'lid'", "message": "a lid is no item"}]}},
            }, "x-kubernetes-validations": [{"rule": "self.mode != 'big' || self.size > 1", "message": "big is more than one"}]},
            "status": {"type": "object", "required": ["reason"], "properties": {"reason": {"type": "string"}}},
        }});
        let definition = |kind: &str| {
            json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "x"},
                "spec": {"group": "example.com", "scope": "Cluster", "names": {"kind": kind, "plural": "x"},
                    "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
                        "subresources": {"status": {}}}]},
            })
        };
        server
            .define(json!({"kind": "List", "items": [definition("Box"), {"kind": "ConfigMap"}, definition("Crate")]}))
            .unwrap();
        server
    }

    fn object(spec: Value) -> Value {
        json!({"apiVersion": "example.com/v1", "kind": "Box", "metadata": {"name": "x"}, "spec": spec})
    }

    #[test]
    fn accepts_definitions_in_a_list() {
        assert_eq!((server().kinds(), server().cel_rules()), (2, 4));
        assert_eq!(server().cel_rules_for(&object(json!({"size": 1, "items": []}))), 1);
        assert_eq!(server().cel_rules_for(&object(json!({"size": 1, "items": [{}, {}]}))), 3);
        assert_eq!(server().cel_rules_for(&json!({"apiVersion": "example.com/v1", "kind": "Box"})), 0);
        assert!(server().knows(&object(json!({}))));
        assert!(!server().knows(&json!({"apiVersion": "other.com/v1", "kind": "Box"})));
        let wrong = json!({"kind": "CustomResourceDefinition", "spec": 3});
        assert!(ApiServer::default().define(wrong).is_err());
    }

    #[test]
    fn decodes_as_an_api_server_does() {
        let mut written = object(json!({"size": 1, "unknown": 1, "kind": 3, "items": [{"name": "a", "other": 2}]}));
        written.as_object_mut().unwrap().insert("other".to_owned(), json!(4));
        let decoded = server().decode(&written);
        assert_eq!(decoded, object(json!({"size": 1, "items": [{"name": "a"}], "mode": "plain"})));
        let mut unknown = server().unknown_fields(&written);
        unknown.sort();
        assert_eq!(unknown, ["other", "spec.items[0].other", "spec.kind", "spec.unknown"].map(FieldPath::new));
    }

    #[test]
    fn decodes_nulls_as_absent() {
        let decoded = server().decode(&object(json!({"size": 1, "mode": null, "items": null})));
        assert_eq!(decoded, object(json!({"size": 1, "mode": "plain"})));
    }

    #[test]
    fn does_not_look_at_a_status_which_has_a_resource_of_its_own() {
        let mut written = object(json!({"size": 1}));
        written.as_object_mut().unwrap().insert("status".to_owned(), json!({}));
        assert_eq!(server().refusals(&written), []);
        assert_eq!(server().decode(&written).get("status"), Some(&json!({})), "admission still sees it");
        assert_eq!(server().stored(&written).get("status"), None);
    }

    #[test]
    fn refuses_by_schema_and_by_rule_and_shows_no_value() {
        let refused = |spec| server().refusals(&object(spec)).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(refused(json!({"size": 1})), [""; 0]);
        assert_eq!(refused(json!({"size": 1, "mode": "big"})), ["spec: big is more than one"]);
        assert_eq!(
            refused(json!({"size": 1, "items": [{"name": "a"}, {"name": "lid"}]})),
            ["spec.items[1]: a lid is no item"]
        );
        assert!(refused(json!({})).join("").contains("\"size\" is a required property"));
        let wrong = refused(json!({"size": "hunter2"})).join("");
        assert!(wrong.starts_with("spec.size: ") && !wrong.contains("hunter2"), "{wrong}");
    }
}
