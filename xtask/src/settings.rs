//! What is made from the settings' types: the JSON Schema, the form for Rancher and the README's table.

use std::fmt::Write as _;

use kyma_dynatrace_policy::report::Answer;
use kyma_dynatrace_policy::rules::RULES;
use kyma_dynatrace_policy::settings::Settings;
use schemars::schema_for;
use serde_json::{Map, Value, json};

/// The JSON Schema of the settings.
pub(crate) fn schema() -> Value {
    let mut schema = schema_for!(Settings).to_value();
    let rules: Map<String, Value> = RULES
        .iter()
        .map(|rule| {
            let property =
                json!({"description": rule.summary, "enum": ["deny", "warn", "off"], "default": rule.level.name()});
            (rule.id.name().to_owned(), property)
        })
        .collect();
    if let Some(Value::Object(property)) = schema.pointer_mut("/properties/rules") {
        property.insert("type".to_owned(), "object".into());
        property.insert("additionalProperties".to_owned(), false.into());
        property.insert("properties".to_owned(), rules.into());
    }
    schema
}

/// The JSON Schema of what the module's function `review` answers.
pub(crate) fn review_schema() -> Value {
    let mut schema = schema_for!(Answer<'static, Value>).to_value();
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".to_owned(), "Answer of the policy module's function `review`".into());
        members.insert(
            "$id".to_owned(),
            concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/review.schema.json").into(),
        );
    }
    schema
}

/// A setting: its path, and its schema.
pub(crate) struct Setting {
    /// For example `dynatrace.hosts`.
    pub(crate) path: String,
    /// What the schema says of it.
    pub(crate) schema: Value,
}

impl Setting {
    fn description(&self) -> &str {
        self.schema.get("description").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Every setting, in the schema's order; of the rules, each.
pub(crate) fn settings() -> Vec<Setting> {
    fn walk(schema: &Value, path: &str, found: &mut Vec<Setting>) {
        for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if schema.get("properties").is_some() {
                walk(schema, &path, found);
            } else {
                found.push(Setting { path, schema: schema.clone() });
            }
        }
    }
    let mut found = Vec::new();
    walk(&schema(), "", &mut found);
    found
}

/// The README's table; the rules share a row.
pub(crate) fn table() -> String {
    let mut table = "| setting | default | what it does |\n|---|---|---|\n".to_owned();
    for setting in settings().iter().filter(|setting| !setting.path.starts_with("rules.")) {
        let default = setting.schema.get("default").cloned().unwrap_or_default();
        let (path, what) = (&setting.path, setting.description().replace('\n', " "));
        let (default, what) = match path.as_str() {
            "dynatrace.secrets" => (
                "Secret `dynakube` in `dynatrace`".to_owned(),
                format!(
                    "{what} Each has `namespace`, `name`, `endpointKey` (`apiurl`), `tokenKey` (`dataIngestToken`), \
                     `endpointPath` (`/api`), `tokenScheme` (`Api-Token`, or `Bearer` for a platform token)"
                ),
            ),
            _ => (format!("`{}`", shown(&default)), what),
        };
        let _ = writeln!(table, "| `{path}` | {default} | {} |", what.trim_end_matches('.'));
    }
    let _ = writeln!(
        table,
        "| `rules.<rule id>` | the rule's own | `deny`, `warn` or `off`; a rule that is off repairs nothing |"
    );
    table
}

/// A default as YAML writes it in one line.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// The form for Rancher's user interface. Lists of objects have no widget there that works everywhere, so the Secret's
/// fields are those of the first in the list.
pub(crate) fn questions() -> Value {
    let title = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
    let mut questions = vec![json!({
        "variable": "description", "type": "string", "label": "Description", "required": false, "hide_input": true,
        "default": "", "group": "Settings",
        "description": "Validates and repairs Kyma telemetry pipelines so that their data reaches Dynatrace. Every setting has a default.",
    })];
    for setting in settings() {
        let text = |name: &str| setting.schema.get(name).cloned().unwrap_or_default();
        let group = if setting.path.starts_with("rules.") { "Rules" } else { "Settings" };
        let mut question = json!({
            "variable": setting.path, "label": title(&setting.path), "group": group, "required": false,
            "tooltip": setting.description().replace('\n', " "), "default": text("default"),
        });
        let widget = if setting.path == "dynatrace.secrets" {
            json!({"type": "sequence[", "sequence_questions": secret_questions(&setting.schema)})
        } else if let Some(options) = setting.schema.get("enum") {
            json!({"type": "enum", "options": options})
        } else {
            json!({"type": "array["})
        };
        if let (Value::Object(question), Value::Object(widget)) = (&mut question, widget) {
            question.extend(widget);
        }
        questions.push(question);
    }
    json!({"questions": questions})
}

fn secret_questions(schema: &Value) -> Value {
    let properties = schema.pointer("/items/properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let required = schema.pointer("/items/required").and_then(Value::as_array).cloned().unwrap_or_default();
    let question = |(name, schema): (&String, &Value)| {
        json!({
            "variable": name, "label": name, "type": "string", "group": "Settings",
            "required": required.contains(&json!(name)),
            "tooltip": schema.get("description").cloned().unwrap_or_default(),
            "default": schema.get("default").cloned().unwrap_or_else(|| "".into()),
        })
    };
    properties.iter().map(question).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics is a test that fails")]

    use kyma_dynatrace_policy::validate_settings;

    use super::*;

    fn policy_accepts(settings: &Value) -> bool {
        let answer = validate_settings(settings.to_string().as_bytes()).unwrap();
        serde_json::from_slice::<Value>(&answer).unwrap()["valid"] == true
    }

    fn schema_accepts(settings: &Value) -> bool {
        jsonschema::validator_for(&schema()).unwrap().is_valid(settings)
    }

    /// `{a: {b: value}}` of the path `a.b`.
    fn at(path: &str, value: Value) -> Value {
        path.rsplit('.').fold(value, |value, name| json!({name: value}))
    }

    #[test]
    fn accepts_the_defaults_written_out() {
        let defaults = serde_json::to_value(Settings::default()).unwrap();
        assert!(policy_accepts(&defaults) && schema_accepts(&defaults), "{defaults}");
        assert!(policy_accepts(&json!({})) && schema_accepts(&json!({})));
    }

    #[test]
    fn accepts_and_rejects_each_setting_as_the_policy_does() {
        let values = [
            json!(null),
            json!(true),
            json!(3),
            json!(""),
            json!("x"),
            json!([]),
            json!({}),
            json!([""]),
            json!(["istio"]),
            json!(["a.example.com"]),
            json!([{}]),
            json!([{"namespace": "a", "name": "b"}]),
            json!([{"namespace": "a"}]),
            json!([{"namespace": "a", "name": "b", "tokenKey": "c", "endpointKey": "d"}]),
            json!("off"),
            json!([{"namespace": "a", "name": "b", "key": "c"}]),
            json!("validate"),
            json!("always"),
            json!("deny"),
        ];
        let mut count = 0;
        for setting in settings() {
            let options = setting.schema.get("enum").and_then(Value::as_array).cloned().unwrap_or_default();
            for value in values.iter().chain(&options) {
                let settings = at(&setting.path, value.clone());
                // The policy takes null for absent; `kubectl` would have dropped it.
                let accepted = policy_accepts(&settings);
                // A glob or a name of a Service may be refused for what it says, which a schema does not look at.
                let is_text = setting.path.ends_with("hosts") || setting.path.ends_with("collectorServices");
                if value.is_null() || (is_text && value.is_array() && !accepted) {
                    continue;
                }
                assert_eq!(accepted, schema_accepts(&settings), "{settings}");
                count += 1;
            }
        }
        assert!(count > 400, "{count}");
    }

    #[test]
    fn rejects_unknown_keys_at_every_level_as_the_policy_does() {
        for path in ["x", "dynatrace.x", "metrics.x", "rules.x"] {
            let settings = at(path, json!("y"));
            assert!(!policy_accepts(&settings) && !schema_accepts(&settings), "{path}");
        }
    }

    /// Settings of releases: what was accepted once is accepted for good.
    #[test]
    fn accepts_settings_of_older_releases() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/settings");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let settings: Value = yaml_serde::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert!(policy_accepts(&settings) && schema_accepts(&settings), "{}", path.display());
            count += 1;
        }
        assert!(count >= 2);
    }

    #[test]
    fn the_form_asks_for_every_setting() {
        let questions = questions();
        let asked: Vec<&str> = questions["questions"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|question| question["variable"].as_str())
            .filter(|variable| *variable != "description")
            .collect();
        let known: Vec<String> = settings().into_iter().map(|setting| setting.path).collect();
        assert_eq!(asked, known);
        assert!(settings().iter().all(|setting| !setting.description().is_empty()));
    }
}
