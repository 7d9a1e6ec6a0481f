//! One version's structural schema: what it prunes, what it defaults, what it refuses.

use kube_cel::{CompiledSchema, compile_schema};
use kyma_dynatrace_policy::pipeline::FieldPath;
use serde_json::Value;

pub(crate) struct Schema {
    pub(crate) text: Value,
    pub(crate) cel: CompiledSchema,
    /// Whether the status is a resource of its own, so that the main one's requests cannot set it.
    pub(crate) has_status: bool,
    pub(crate) json_schema: jsonschema::Validator,
}

impl Schema {
    pub(crate) fn new(text: Value, has_status: bool) -> Result<Self, String> {
        let cel = compile_schema(&text);
        if cel.has_errors() {
            return Err(format!("a CEL rule does not compile: {:?}", cel.compilation_errors()));
        }
        let json_schema = jsonschema::draft4::new(&text).map_err(|error| error.to_string())?;
        Ok(Self { text, cel, has_status, json_schema })
    }
}

/// Drops fields that a structural schema does not know, and notes their paths.
pub(crate) fn prune(schema: &Value, value: &mut Value, path: &FieldPath, unknown: &mut Vec<FieldPath>) {
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
            let is_known = |name: &str| {
                let is_listed = properties.is_some_and(|known| known.contains_key(name));
                // Every object has these, listed or not.
                let is_of_all = *path == FieldPath::ROOT && ["apiVersion", "kind", "metadata"].contains(&name);
                is_listed || additional.is_some() || is_of_all
            };
            unknown.extend(members.keys().filter(|name| !is_known(name)).map(|name| path.member(name)));
            // The API server drops nulls too, of fields that are not nullable.
            let is_nullable = |name: &str| {
                properties.and_then(|known| known.get(name)).or(additional).and_then(|schema| schema.get("nullable"))
                    == Some(&Value::Bool(true))
            };
            members.retain(|name, value| is_known(name) && (!value.is_null() || is_nullable(name)));
            for (name, member) in members.iter_mut() {
                if let Some(schema) = properties.and_then(|known| known.get(name)).or(additional) {
                    prune(schema, member, &path.member(name), unknown);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (index, item) in items.iter_mut().enumerate() {
                    prune(schema, item, &path.index(index), unknown);
                }
            }
        }
        _ => {}
    }
}

pub(crate) fn rules_at(schema: &Value, value: &Value) -> usize {
    let own = schema.get("x-kubernetes-validations").and_then(Value::as_array).map_or(0, Vec::len);
    let below: usize = match value {
        Value::Object(members) => members
            .iter()
            .filter_map(|(name, member)| {
                let listed = schema.get("properties").and_then(|known| known.get(name));
                Some(rules_at(listed.or_else(|| schema.get("additionalProperties"))?, member))
            })
            .sum(),
        Value::Array(items) => {
            schema.get("items").map_or(0, |schema| items.iter().map(|item| rules_at(schema, item)).sum())
        }
        _ => 0,
    };
    own + below
}

/// Structural schemas have no rules in `allOf` and its like, the only lists of schemas.
pub(crate) fn count_rules(schema: &Value) -> usize {
    let Some(members) = schema.as_object() else { return 0 };
    let own = members.get("x-kubernetes-validations").and_then(Value::as_array).map_or(0, Vec::len);
    own + members.values().map(count_rules).sum::<usize>()
}
