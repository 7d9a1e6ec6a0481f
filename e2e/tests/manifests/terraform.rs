//! The Terraform module: evaluated with `file` and `jsondecode`, so that every reference has to resolve, and compared
//! with the Monaco project, which says the same.

use hcl::eval::{Context, Evaluate, FuncArgs, FuncDef, ParamType};
use hcl::{Body, Map, Value};

use crate::problem::Problem;
use e2e::tree::Tree;

const FOLDER: &str = "tenant/terraform";

/// What the provider requires of each resource. A block inside is written with a dot.
const REQUIRED: [(&str, &[&str]); 7] = [
    (
        "dynatrace_alerting",
        &["name", "rules.rule.severity_level", "rules.rule.delay_in_minutes", "rules.rule.include_mode"],
    ),
    ("dynatrace_webhook_notification", &["active", "name", "profile", "url", "payload"]),
    ("dynatrace_email_notification", &["name", "profile", "to", "subject", "body"]),
    (
        "dynatrace_metric_events",
        &[
            "enabled",
            "summary",
            "query_definition.type",
            "query_definition.metric_selector",
            "model_properties.type",
            "model_properties.threshold",
            "model_properties.alert_condition",
            "model_properties.alert_on_no_data",
            "model_properties.samples",
            "model_properties.violating_samples",
            "model_properties.dealerting_samples",
            "event_template.title",
            "event_template.description",
            "event_template.event_type",
        ],
    ),
    (
        "dynatrace_opentelemetry_metrics",
        &["additional_attributes_to_dimension_enabled", "meter_name_to_dimension_enabled"],
    ),
    ("dynatrace_json_dashboard", &["contents"]),
    ("dynatrace_document", &["type", "name", "content"]),
];

/// Fields that mean the same: resource, field, Monaco's file, pointer.
const SAME: [(&str, &str, &str, &str); 12] = [
    (
        "dynatrace_alerting.kyma_telemetry",
        "filters.filter.custom.title.value",
        "alerting-profile/profile.json",
        "/eventFilters/0/customFilter/titleFilter/value",
    ),
    (
        "dynatrace_alerting.kyma_telemetry",
        "filters.filter.custom.title.operator",
        "alerting-profile/profile.json",
        "/eventFilters/0/customFilter/titleFilter/operator",
    ),
    (
        "dynatrace_alerting.kyma_telemetry",
        "rules.rule.severity_level",
        "alerting-profile/profile.json",
        "/severityRules/0/severityLevel",
    ),
    (
        "dynatrace_webhook_notification.kyma_telemetry",
        "payload",
        "notification/webhook.json",
        "/webHookNotification/payload",
    ),
    ("dynatrace_email_notification.kyma_telemetry", "body", "notification/email.json", "/emailNotification/body"),
    (
        "dynatrace_metric_events.module_not_ready",
        "query_definition.metric_selector",
        "metric-event/module-not-ready.json",
        "/queryDefinition/metricSelector",
    ),
    (
        "dynatrace_metric_events.module_not_ready",
        "model_properties.threshold",
        "metric-event/module-not-ready.json",
        "/modelProperties/threshold",
    ),
    (
        "dynatrace_metric_events.module_not_ready",
        "model_properties.alert_condition",
        "metric-event/module-not-ready.json",
        "/modelProperties/alertCondition",
    ),
    (
        "dynatrace_metric_events.pipeline_unhealthy",
        "query_definition.metric_selector",
        "metric-event/pipeline-unhealthy.json",
        "/queryDefinition/metricSelector",
    ),
    (
        "dynatrace_metric_events.pipeline_unhealthy",
        "model_properties.threshold",
        "metric-event/pipeline-unhealthy.json",
        "/modelProperties/threshold",
    ),
    (
        "dynatrace_metric_events.pipeline_unhealthy",
        "model_properties.alert_condition",
        "metric-event/pipeline-unhealthy.json",
        "/modelProperties/alertCondition",
    ),
    (
        "dynatrace_metric_events.pipeline_unhealthy",
        "event_template.description",
        "metric-event/pipeline-unhealthy.json",
        "/eventTemplate/description",
    ),
];

/// What is wrong with the module.
pub(crate) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut bodies = Vec::new();
    for name in ["versions.tf", "variables.tf", "main.tf"] {
        let file = format!("{FOLDER}/{name}");
        match hcl::parse(&tree.read(&file)) {
            Ok(body) => bodies.push((file, body)),
            Err(error) => problems.push(Problem::new(file, "", error.to_string())),
        }
    }
    let mut context = context(tree, &bodies);
    for (file, body) in &bodies {
        if let Some(locals) = body.blocks().find(|block| block.identifier() == "locals") {
            problems.extend(evaluate_locals(file, locals.body(), &mut context));
        }
    }
    for (file, body) in &bodies {
        for block in body.blocks().filter(|block| block.identifier() == "resource") {
            let labels: Vec<&str> = block.labels().iter().map(|label| label.as_str()).collect();
            let address = labels.join(".");
            match block.body().evaluate(&context) {
                Ok(body) => problems.extend(resource(tree, file, &address, &body)),
                Err(error) => problems.push(Problem::new(file, address, error.to_string())),
            }
        }
    }
    problems
}

/// Terraform's function `file`.
fn file(args: FuncArgs) -> Result<Value, String> {
    let path = args[0].as_str().ok_or("not a string")?;
    std::fs::read_to_string(path).map(Value::from).map_err(|error| error.to_string())
}

/// Terraform's function `jsondecode`.
fn decode(args: FuncArgs) -> Result<Value, String> {
    serde_json::from_str(args[0].as_str().ok_or("not a string")?).map_err(|error| error.to_string())
}

/// Everything that an expression may refer to.
fn context<'a>(tree: &Tree, bodies: &[(String, Body)]) -> Context<'a> {
    let mut context = Context::new();
    context.declare_func("file", FuncDef::builder().param(ParamType::String).build(file));
    context.declare_func("jsondecode", FuncDef::builder().param(ParamType::String).build(decode));
    let module = tree.path(FOLDER).to_string_lossy().into_owned();
    context.declare_var("path", Value::from_iter([("module".to_owned(), Value::from(module))]));
    // What a `dynamic` block gives its content.
    let attribute = [("enabled".to_owned(), Value::from(true)), ("attributeKey".to_owned(), Value::from("x"))];
    let each = Value::from_iter([("value".to_owned(), Value::from_iter(attribute))]);
    context.declare_var("additional_attribute", each);
    let mut variables = Map::new();
    let mut resources: Map<String, Map<String, Value>> = Map::new();
    for block in bodies.iter().flat_map(|(_, body)| body.blocks()) {
        let labels: Vec<&str> = block.labels().iter().map(|label| label.as_str()).collect();
        match (block.identifier(), labels.as_slice()) {
            ("variable", [name]) => drop(variables.insert((*name).to_owned(), Value::from(true))),
            ("resource", [kind, name]) => {
                let id = Value::from_iter([("id".to_owned(), Value::from("an id"))]);
                resources.entry((*kind).to_owned()).or_default().insert((*name).to_owned(), id);
            }
            _ => {}
        }
    }
    context.declare_var("var", Value::Object(variables));
    for (kind, names) in resources {
        context.declare_var(kind, Value::Object(names));
    }
    context
}

fn evaluate_locals(file: &str, body: &Body, context: &mut Context<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut locals = Map::new();
    // In the order in which they are written: a local may use those above it.
    for attribute in body.attributes() {
        context.declare_var("local", Value::Object(locals.clone()));
        match attribute.expr().evaluate(context) {
            Ok(value) => drop(locals.insert(attribute.key().to_owned(), value)),
            Err(error) => problems.push(Problem::new(file, format!("locals.{}", attribute.key()), error.to_string())),
        }
    }
    context.declare_var("local", Value::Object(locals));
    problems
}

/// A field of an evaluated body, by the names of its blocks.
fn field(body: &Body, path: &str) -> Option<serde_json::Value> {
    match path.split_once('.') {
        Some((block, rest)) => {
            field(body.blocks().find(|candidate| candidate.identifier() == block).map(|block| block.body())?, rest)
        }
        None => {
            let expression = body.attributes().find(|attribute| attribute.key() == path)?.expr();
            serde_json::to_value(expression).ok()
        }
    }
}

fn resource(tree: &Tree, file: &str, address: &str, body: &Body) -> Vec<Problem> {
    let mut problems = Vec::new();
    let problem = |field: &str, message: String| Problem::new(file, format!("{address}.{field}"), message);
    let kind = address.split('.').next().unwrap_or_default();
    let Some((_, required)) = REQUIRED.iter().find(|(name, _)| *name == kind) else {
        return vec![problem("", "not known what the provider requires of it".to_owned())];
    };
    for name in required.iter().filter(|name| field(body, name).is_none()) {
        problems.push(problem(name, "required, and missing".to_owned()));
    }
    for (_, name, template, pointer) in SAME.iter().filter(|(other, ..)| *other == address) {
        let path = format!("tenant/monaco/kyma/{template}");
        let other: serde_json::Value = serde_json::from_str(&tree.read(&path)).unwrap_or_default();
        let (ours, theirs) = (field(body, name), other.pointer(pointer));
        if ours.is_none() || ours.as_ref() != theirs {
            problems.push(problem(name, format!("not what {path} has in {pointer}")));
        }
    }
    problems
}

#[test]
fn every_resource_of_the_provider_is_used() {
    let tree = Tree::copy("resources");
    let text = tree.read(&format!("{FOLDER}/main.tf"));
    for (kind, _) in REQUIRED {
        assert!(text.contains(&format!("resource \"{kind}\"")), "{kind}");
    }
    for (address, ..) in SAME {
        assert!(text.contains(&address.replacen('.', "\" \"", 1)), "{address}");
    }
}
