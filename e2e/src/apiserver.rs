//! An API server without a cluster: what happens to a pipeline before and after admission.
//!
//! Before: fields that the CustomResourceDefinition does not know are dropped, its defaults are filled in. After: the
//! Telemetry module's own webhook fills in `protocol: grpc`, then the object has to pass the schema and its CEL rules.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube_cel::{CompiledSchema, Validator, apply_defaults, compile_schema};
use serde_json::{Value, json};

/// The pipelines' CustomResourceDefinitions of one time and channel.
pub struct World {
    /// Folder and channel, for messages.
    pub name: String,
    /// Schemas by kind, then version.
    schemas: BTreeMap<String, BTreeMap<String, Schema>>,
}

struct Schema {
    text: Value,
    cel: CompiledSchema,
    json_schema: jsonschema::Validator,
}

impl World {
    /// Reads the definitions in a folder whose file names begin with `prefix`.
    #[must_use]
    pub fn load(folder: &Path, prefix: &str) -> Self {
        let mut schemas: BTreeMap<String, BTreeMap<String, Schema>> = BTreeMap::new();
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            let is_wanted = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix));
            if is_wanted {
                let yaml = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let definition =
                    yaml_serde::from_str(&yaml).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let (kind, versions) = Schema::read(definition);
                schemas.insert(kind, versions);
            }
        }
        assert_eq!(schemas.len(), 3, "three kinds in {}", folder.display());
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self { name: format!("{name} {prefix}").trim().to_owned(), schemas }
    }

    /// The schema for an object, and the version that it is served in: another one than the object's where a user could
    /// not have written that. The fields that matter here have the same names in all versions.
    fn schema(&self, object: &Value) -> (&str, &Schema) {
        let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let versions = self.schemas.get(text("kind")).unwrap_or_else(|| panic!("no definition of {}", text("kind")));
        let version = text("apiVersion").rsplit('/').next().unwrap_or_default();
        let served = versions.get_key_value(version).or_else(|| versions.last_key_value());
        let (version, schema) = served.unwrap_or_else(|| panic!("no served version of {}", text("kind")));
        (version, schema)
    }

    /// The object as admission gets it: unknown fields dropped, defaults filled in.
    #[must_use]
    pub fn decode(&self, object: &Value) -> Value {
        let (version, schema) = self.schema(object);
        let mut pruned = object.clone();
        if let Some(members) = pruned.as_object_mut() {
            members.insert("apiVersion".to_owned(), format!("telemetry.kyma-project.io/{version}").into());
        }
        prune(&schema.text, &mut pruned, true);
        apply_defaults(&schema.text, &pruned)
    }

    /// Why the API server would refuse the object after admission; empty where it would not.
    #[must_use]
    pub fn errors(&self, object: &Value) -> Vec<String> {
        let mut object = self.decode(object);
        fill_in(&mut object);
        let (_, schema) = self.schema(&object);
        let object = self.decode(&object);
        let mut errors: Vec<String> = schema
            .json_schema
            .iter_errors(&object)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        if let Err(found) = Validator::new().validate_compiled(&schema.cel, &object, None) {
            errors.extend(found.iter().map(|error| format!("{}: {}", error.field_path, error.message)));
        }
        errors
    }

    /// The number of CEL rules in all schemas.
    #[must_use]
    pub fn cel_rules(&self) -> usize {
        self.schemas.values().flatten().map(|(_, schema)| count_rules(&schema.text)).sum()
    }
}

impl Schema {
    fn read(definition: CustomResourceDefinition) -> (String, BTreeMap<String, Self>) {
        let served = definition.spec.versions.into_iter().filter(|version| version.served);
        let versions = served.filter_map(|version| {
            let schema = version.schema?.open_api_v3_schema?;
            Some((version.name, Self::new(serde_json::to_value(schema).ok()?)))
        });
        (definition.spec.names.kind, versions.collect())
    }

    fn new(text: Value) -> Self {
        let cel = compile_schema(&text);
        assert!(!cel.has_errors(), "a CEL rule does not compile: {:?}", cel.compilation_errors());
        let json_schema = jsonschema::draft4::new(&text).unwrap_or_else(|error| panic!("{error}"));
        Self { text, cel, json_schema }
    }
}

/// Fills in what the Telemetry module's own webhook does, as far as CEL rules look at it.
fn fill_in(object: &mut Value) {
    let is_alpha =
        object.get("apiVersion").and_then(Value::as_str).is_some_and(|version| version.ends_with("v1alpha1"));
    let is_log = object.get("kind").is_some_and(|kind| kind == "LogPipeline");
    if let Some(Value::Object(otlp)) = object.pointer_mut("/spec/output/otlp")
        && otlp.get("protocol").is_none_or(|protocol| protocol == "")
    {
        otlp.insert("protocol".to_owned(), "grpc".into());
    }
    if let Some(Value::Object(spec)) = object.get_mut("spec").filter(|_| is_log) {
        let input = if is_alpha { "application" } else { "runtime" };
        spec.entry("input").or_insert(json!({input: {"enabled": true}}));
    }
}

/// Drops fields that a structural schema does not know.
fn prune(schema: &Value, value: &mut Value, is_root: bool) {
    if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true)) {
        return;
    }
    match value {
        Value::Object(members) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let additional = schema.get("additionalProperties").filter(|schema| schema.is_object());
            if properties.is_none() && additional.is_none() {
                return;
            }
            let is_known = |name: &str| properties.is_some_and(|known| known.contains_key(name));
            members.retain(|name, _| is_known(name) || additional.is_some() || (is_root && name == "metadata"));
            for (name, member) in members.iter_mut() {
                if let Some(schema) = properties.and_then(|known| known.get(name)).or(additional) {
                    prune(schema, member, false);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                items.iter_mut().for_each(|item| prune(schema, item, false));
            }
        }
        _ => {}
    }
}

fn count_rules(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => {
            let own = members.get("x-kubernetes-validations").and_then(Value::as_array).map_or(0, Vec::len);
            own + members.values().map(count_rules).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(count_rules).sum(),
        _ => 0,
    }
}
