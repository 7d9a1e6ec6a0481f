//! The Monaco project: files that are named are there, references resolve, and values have the fields that Dynatrace
//! requires. The schemas beside this file hold those, by the settings schema's name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::problem::Problem;
use e2e::tree::Tree;

const MANIFESTS: [&str; 2] = ["manifest.yaml", "manifest-platform.yaml"];
const DELETIONS: [&str; 2] = ["delete.yaml", "delete-platform.yaml"];
/// Objects of which an environment always has one, so that there is nothing to delete.
const SINGLETONS: [&str; 2] = ["builtin:opentelemetry-metrics", "builtin:cloud.kubernetes.monitoring"];
/// The dimension that tells one cluster from another.
const CLUSTER: &str = "k8s.cluster.name";

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Manifest {
    manifest_version: String,
    projects: Vec<Project>,
    environment_groups: Vec<Value>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Project {
    name: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    configs: Vec<Entry>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    r#type: Value,
    config: Config,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    name: String,
    template: String,
    #[serde(default)]
    parameters: BTreeMap<String, Value>,
}

/// A config of the projects, with its template's text.
struct Found {
    project: String,
    file: String,
    template_file: String,
    entry: Entry,
    template: String,
}

impl Found {
    /// The name of the settings schema, or of the API.
    fn kind(&self) -> &str {
        let of = &self.entry.r#type;
        of.pointer("/settings/schema")
            .or(of.get("api"))
            .or(of.pointer("/document/kind"))
            .and_then(Value::as_str)
            .unwrap_or("")
    }
}

/// What is wrong with the project.
pub(crate) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut all = Vec::new();
    for manifest in MANIFESTS {
        let file = format!("tenant/monaco/{manifest}");
        match yaml_serde::from_str::<Manifest>(&tree.read(&file)) {
            Ok(manifest) => {
                assert!(manifest.manifest_version == "1.0" && !manifest.environment_groups.is_empty(), "{file}");
                for project in manifest.projects {
                    read_project(tree, &project.name, &mut all, &mut problems);
                }
            }
            Err(error) => problems.push(Problem::new(file, "", error.to_string())),
        }
    }
    for found in &all {
        problems.extend(parameters(found, &all));
        problems.extend(value(found));
    }
    problems.extend(events_match_the_profile(&all));
    problems.extend(deleted(tree, &all));
    problems
}

fn read_project(tree: &Tree, project: &str, all: &mut Vec<Found>, problems: &mut Vec<Problem>) {
    let folder = format!("tenant/monaco/{project}/");
    let files: Vec<String> = tree.files().into_iter().filter(|file| file.starts_with(&folder)).collect();
    let mut named = BTreeSet::new();
    for file in files.iter().filter(|file| file.ends_with(".yaml")) {
        let configs = match yaml_serde::from_str::<File>(&tree.read(file)) {
            Ok(file) => file.configs,
            Err(error) => {
                problems.push(Problem::new(file, "", error.to_string()));
                continue;
            }
        };
        for entry in configs {
            let template_file = format!("{}/{}", file.rsplit_once('/').unwrap().0, entry.config.template);
            if files.contains(&template_file) {
                named.insert(template_file.clone());
                let template = tree.read(&template_file);
                let project = project.to_owned();
                all.push(Found { project, file: file.clone(), template_file, entry, template });
            } else {
                let message = format!("there is no {template_file}");
                problems.push(Problem::new(file, format!("configs.{}.config.template", entry.id), message));
            }
        }
    }
    for file in files.iter().filter(|file| file.ends_with(".json") && !named.contains(*file)) {
        problems.push(Problem::new(file, "", "no config uses this template"));
    }
}

/// The names of `{{ .name }}` in a template.
fn holes(template: &str) -> BTreeSet<&str> {
    let inner = template.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
    inner.filter_map(|(inner, _)| inner.trim().strip_prefix('.')).collect()
}

fn parameters(found: &Found, all: &[Found]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let holes = holes(&found.template);
    let parameters = &found.entry.config.parameters;
    for hole in holes.iter().filter(|hole| **hole != "name" && !parameters.contains_key(**hole)) {
        problems.push(Problem::new(&found.template_file, *hole, "no parameter fills this in"));
    }
    for (name, parameter) in parameters {
        let field = format!("configs.{}.config.parameters.{name}", found.entry.id);
        let problem = |message: &str| Problem::new(&found.file, field.clone(), message);
        if !holes.contains(name.as_str()) {
            problems.push(problem("the template does not use it"));
        }
        match parameter["type"].as_str() {
            Some("environment") if parameter["name"].as_str().is_some_and(|name| !name.is_empty()) => {}
            Some("reference") => {
                let same = |other: &&Found| {
                    parameter["configId"] == other.entry.id
                        && parameter["configType"] == other.kind()
                        && parameter["project"] == other.project
                };
                if all.iter().filter(same).count() != 1 || parameter["property"] != "id" {
                    problems.push(problem("refers to no config"));
                }
            }
            _ => problems.push(problem("neither a variable of the environment nor a reference")),
        }
    }
    problems
}

/// The template's value with its holes filled in, against the schema of its kind.
fn value(found: &Found) -> Vec<Problem> {
    let filled = holes(&found.template).iter().fold(found.template.clone(), |text, hole| {
        let value = if *hole == "name" { found.entry.config.name.as_str() } else { "https://example.com/x" };
        text.replace(&format!("{{{{ .{hole} }}}}"), value)
    });
    let problem = |field: &str, message: String| Problem::new(&found.template_file, field, message);
    let value: Value = match serde_json::from_str(&filled) {
        Ok(value) => value,
        Err(error) => return vec![problem("", error.to_string())],
    };
    let Some(schema) = schema(found.kind()) else {
        return vec![Problem::new(&found.file, format!("configs.{}.type", found.entry.id), "no schema is known")];
    };
    let schema = jsonschema::validator_for(&schema).unwrap();
    let errors = schema.iter_errors(&value);
    let mut problems: Vec<Problem> =
        errors.map(|error| problem(&error.instance_path().to_string(), error.to_string())).collect();
    if found.kind() == "dashboard" {
        problems.extend(dashboard(&value).into_iter().map(|(field, message)| problem(&field, message)));
        let name = value.pointer("/dashboardMetadata/name").and_then(Value::as_str);
        if name.is_some_and(|name| name != found.entry.config.name) {
            problems.push(problem("/dashboardMetadata/name", format!("not the config's: {}", found.entry.config.name)));
        }
    }
    problems
}

fn schema(kind: &str) -> Option<Value> {
    let name = kind.strip_prefix("builtin:").unwrap_or(kind);
    let path = e2e::root().join("e2e/tests/manifests/schemas").join(format!("{name}.json"));
    Some(serde_json::from_str(&std::fs::read_to_string(path).ok()?).unwrap())
}

/// Tiles that overlap, lie outside, have no layout, or ask for a metric that the module does not have.
fn dashboard(value: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut places: Vec<(String, [i64; 4])> = Vec::new();
    let number = |value: &Value, name: &str| value[name].as_i64().unwrap_or(-1);
    let mut queries = Vec::new();
    for (index, tile) in value["tiles"].as_array().into_iter().flatten().enumerate() {
        let bounds = &tile["bounds"];
        let place = ["left", "top", "width", "height"].map(|name| number(bounds, name));
        places.push((format!("/tiles/{index}"), place));
        queries.extend(tile["queries"][0]["metricSelector"].as_str().map(|query| (format!("/tiles/{index}"), query)));
    }
    for (id, tile) in value["tiles"].as_object().into_iter().flatten() {
        let layout = &value["layouts"][id];
        let place = ["x", "y", "w", "h"].map(|name| number(layout, name));
        if place[0] + place[2] > 24 || layout.is_null() {
            found.push((format!("/layouts/{id}"), "outside of the 24 columns".to_owned()));
        }
        places.push((format!("/layouts/{id}"), place));
        queries.extend(tile["query"].as_str().map(|query| (format!("/tiles/{id}"), query)));
    }
    for (index, (field, [x, y, w, h])) in places.iter().enumerate() {
        let overlaps = |(_, [x2, y2, w2, h2]): &&(String, [i64; 4])| {
            x < &(x2 + w2) && x2 < &(x + w) && y < &(y2 + h2) && y2 < &(y + h)
        };
        if let Some((other, _)) = places[..index].iter().find(overlaps) {
            found.push((field.clone(), format!("overlaps {other}")));
        }
    }
    for (field, query) in queries {
        if !["kyma.resource.status.state", "kyma.resource.status.conditions"]
            .iter()
            .any(|metric| query.contains(metric))
        {
            found.push((field.clone(), format!("no metric of the module: {query}")));
        }
        if !query.contains(CLUSTER) {
            found.push((field, format!("not split by cluster: {query}")));
        }
    }
    found
}

/// An event whose title the alerting profile does not let through alerts nobody; nor does one that never fires.
fn events_match_the_profile(all: &[Found]) -> Vec<Problem> {
    let of = |kind: &str| all.iter().filter(move |found| found.kind() == kind).collect::<Vec<_>>();
    let profiles = of("builtin:alerting.profile");
    let parse = |found: &Found| serde_json::from_str::<Value>(&found.template).unwrap_or_default();
    let filters: Vec<Value> =
        profiles.iter().map(|found| parse(found)["eventFilters"][0]["customFilter"]["titleFilter"].clone()).collect();
    let events = of("builtin:anomaly-detection.metric-events");
    let mut problems = Vec::new();
    for event in &events {
        let value = parse(event);
        let title = value["eventTemplate"]["title"].as_str().unwrap_or_default();
        let title = title.replace("{{ .name }}", &event.entry.config.name);
        let passes = |filter: &Value| {
            filter["operator"] == "BEGINS_WITH" && filter["value"].as_str().is_some_and(|text| title.starts_with(text))
        };
        if filters.is_empty() || !filters.iter().all(passes) {
            let message = format!("the alerting profile does not let `{title}` through");
            problems.push(Problem::new(&event.template_file, "/eventTemplate/title", message));
        }
        problems.extend(fires(event, &value["modelProperties"]));
        problems.extend(dimensions(event, &value));
    }
    let is_for_silence = |event: &&Found| parse(event)["modelProperties"]["alertOnNoData"] == true;
    if let Some(first) = events.first().filter(|_| !events.iter().any(is_for_silence)) {
        let message = "no event fires when the metrics stop: all of them travel through what they watch";
        problems.push(Problem::new(&first.file, "configs", message));
    }
    problems
}

/// Why an event never fires, or always does. Ready and true are 1 and everything else 0 or less; selectors leave 1 out.
fn fires(event: &Found, model: &Value) -> Option<Problem> {
    let threshold = model["threshold"].as_f64().unwrap_or(f64::NAN);
    let is_right = match model["alertOnNoData"].as_bool() {
        // On silence alone: no value of a state is below 0.
        Some(true) => threshold == 0.0,
        _ => threshold > 0.0 && threshold <= 1.0,
    };
    let message = "can never fire: what is not ready has the value 0";
    (model["alertCondition"] != "BELOW" || !is_right)
        .then(|| Problem::new(&event.template_file, "/modelProperties", message))
}

/// Dimensions that an event's texts name and its selector does not keep, and a selector that mixes clusters.
fn dimensions(event: &Found, value: &Value) -> Vec<Problem> {
    let selector = value["queryDefinition"]["metricSelector"].as_str().unwrap_or_default();
    let split = selector.rsplit_once("splitBy(").map_or("", |(_, rest)| rest);
    let mut problems = Vec::new();
    if !split.contains(CLUSTER) {
        let message = "not split by cluster";
        problems.push(Problem::new(&event.template_file, "/queryDefinition/metricSelector", message));
    }
    for field in ["title", "description"] {
        let text = value["eventTemplate"][field].as_str().unwrap_or_default();
        let names = text.split("{dims:").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
        for name in names.filter(|name| !split.contains(&format!("\"{name}\""))) {
            let message = format!("`{name}` is no dimension of the selector");
            problems.push(Problem::new(&event.template_file, format!("/eventTemplate/{field}"), message));
        }
    }
    problems
}

/// What is deleted is what there is, and all of it.
fn deleted(tree: &Tree, all: &[Found]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut left: Vec<&Found> = all.iter().filter(|found| !SINGLETONS.contains(&found.kind())).collect();
    for name in DELETIONS {
        let file = format!("tenant/monaco/{name}");
        let value: Value = yaml_serde::from_str(&tree.read(&file)).unwrap();
        for (index, entry) in value["delete"].as_array().into_iter().flatten().enumerate() {
            let same = |found: &&Found| {
                let of = &found.entry.r#type;
                let same_type = if of["document"].is_object() {
                    entry["type"] == "document"
                } else {
                    entry["type"] == found.kind()
                };
                // What only the older API knows is found again by its name.
                let by_name = of["api"].is_string() && entry["name"] == found.entry.config.name;
                let by_id = entry["id"] == found.entry.id && entry["project"] == found.project;
                same_type && (by_name || by_id)
            };
            let before = left.len();
            left.retain(|found| !same(found));
            if left.len() == before {
                problems.push(Problem::new(&file, format!("delete[{index}]"), "names no config"));
            }
        }
    }
    for found in left {
        problems.push(Problem::new(&found.file, format!("configs.{}", found.entry.id), "is never deleted again"));
    }
    problems
}
