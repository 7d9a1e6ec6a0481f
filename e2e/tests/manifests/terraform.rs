//! The Terraform module: evaluated with the functions that it calls, so that every reference has to resolve, and compared
//! with the Monaco project, which says the same.

use hcl::eval::{Context, Evaluate, FuncArgs, FuncDef, ParamType};
use hcl::{Body, Map, Value};

use crate::problem::Problem;
use e2e::tree::Tree;

const FOLDER: &str = "tenant/terraform";

/// What the provider requires of each resource. A block inside is written with a dot.
const REQUIRED: [(&str, &[&str]); 9] = [
    (
        "dynatrace_alerting",
        &["name", "rules.rule.severity_level", "rules.rule.delay_in_minutes", "rules.rule.include_mode"],
    ),
    (
        "dynatrace_webhook_notification",
        &[
            "active",
            "name",
            "profile",
            "url",
            "payload",
            "url_contains_secret",
            "use_oauth_2",
            "headers.header.name",
            "headers.header.secret_value",
            "oauth_2_credentials.access_token_url",
            "oauth_2_credentials.client_id",
            "oauth_2_credentials.client_secret",
        ],
    ),
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
        &["mode", "additional_attributes_to_dimension_enabled", "meter_name_to_dimension_enabled"],
    ),
    (
        "dynatrace_k8s_monitoring",
        &[
            "cloud_application_pipeline_enabled",
            "event_processing_active",
            "open_metrics_builtin_enabled",
            "open_metrics_pipeline_enabled",
        ],
    ),
    ("dynatrace_hub_extension_active_version", &["name", "version"]),
    ("dynatrace_json_dashboard", &["contents"]),
    ("dynatrace_document", &["type", "name", "content"]),
];

/// Fields that mean the same: resource, field, Monaco's file below its folder, pointer.
const SAME: [(&str, &str, &str, &str); 30] = [
    (
        "dynatrace_alerting.kyma_telemetry",
        "filters.filter.custom.title.value",
        "kyma/alerting-profile/profile.json",
        "/eventFilters/0/customFilter/titleFilter/value",
    ),
    (
        "dynatrace_alerting.kyma_telemetry",
        "filters.filter.custom.title.operator",
        "kyma/alerting-profile/profile.json",
        "/eventFilters/0/customFilter/titleFilter/operator",
    ),
    (
        "dynatrace_alerting.kyma_telemetry",
        "rules.rule.severity_level",
        "kyma/alerting-profile/profile.json",
        "/severityRules/0/severityLevel",
    ),
    (
        "dynatrace_webhook_notification.kyma_telemetry",
        "payload",
        "kyma-webhook/notification/webhook.json",
        "/webHookNotification/payload",
    ),
    ("dynatrace_email_notification.kyma_telemetry", "body", "kyma/notification/email.json", "/emailNotification/body"),
    (
        "dynatrace_metric_events.module_not_ready",
        "query_definition.metric_selector",
        "kyma/metric-event/module-not-ready.json",
        "/queryDefinition/metricSelector",
    ),
    (
        "dynatrace_metric_events.module_not_ready",
        "model_properties.threshold",
        "kyma/metric-event/module-not-ready.json",
        "/modelProperties/threshold",
    ),
    (
        "dynatrace_metric_events.module_not_ready",
        "model_properties.alert_condition",
        "kyma/metric-event/module-not-ready.json",
        "/modelProperties/alertCondition",
    ),
    (
        "dynatrace_metric_events.pipeline_unhealthy",
        "query_definition.metric_selector",
        "kyma/metric-event/pipeline-unhealthy.json",
        "/queryDefinition/metricSelector",
    ),
    (
        "dynatrace_metric_events.pipeline_unhealthy",
        "model_properties.threshold",
        "kyma/metric-event/pipeline-unhealthy.json",
        "/modelProperties/threshold",
    ),
    (
        "dynatrace_metric_events.pipeline_unhealthy",
        "model_properties.alert_condition",
        "kyma/metric-event/pipeline-unhealthy.json",
        "/modelProperties/alertCondition",
    ),
    (
        "dynatrace_metric_events.pipeline_unhealthy",
        "event_template.description",
        "kyma/metric-event/pipeline-unhealthy.json",
        "/eventTemplate/description",
    ),
    (
        "dynatrace_metric_events.module_not_ready",
        "model_properties.alert_on_no_data",
        "kyma/metric-event/module-not-ready.json",
        "/modelProperties/alertOnNoData",
    ),
    (
        "dynatrace_metric_events.module_not_ready",
        "model_properties.violating_samples",
        "kyma/metric-event/module-not-ready.json",
        "/modelProperties/violatingSamples",
    ),
    (
        "dynatrace_metric_events.module_not_ready",
        "model_properties.samples",
        "kyma/metric-event/module-not-ready.json",
        "/modelProperties/samples",
    ),
    (
        "dynatrace_metric_events.module_not_ready",
        "event_template.description",
        "kyma/metric-event/module-not-ready.json",
        "/eventTemplate/description",
    ),
    (
        "dynatrace_metric_events.pipeline_unhealthy",
        "model_properties.alert_on_no_data",
        "kyma/metric-event/pipeline-unhealthy.json",
        "/modelProperties/alertOnNoData",
    ),
    (
        "dynatrace_metric_events.pipeline_unhealthy",
        "model_properties.violating_samples",
        "kyma/metric-event/pipeline-unhealthy.json",
        "/modelProperties/violatingSamples",
    ),
    (
        "dynatrace_metric_events.pipeline_unhealthy",
        "model_properties.samples",
        "kyma/metric-event/pipeline-unhealthy.json",
        "/modelProperties/samples",
    ),
    (
        "dynatrace_metric_events.metrics_stopped",
        "query_definition.metric_selector",
        "kyma/metric-event/metrics-stopped.json",
        "/queryDefinition/metricSelector",
    ),
    (
        "dynatrace_metric_events.metrics_stopped",
        "model_properties.threshold",
        "kyma/metric-event/metrics-stopped.json",
        "/modelProperties/threshold",
    ),
    (
        "dynatrace_metric_events.metrics_stopped",
        "model_properties.alert_condition",
        "kyma/metric-event/metrics-stopped.json",
        "/modelProperties/alertCondition",
    ),
    (
        "dynatrace_metric_events.metrics_stopped",
        "model_properties.alert_on_no_data",
        "kyma/metric-event/metrics-stopped.json",
        "/modelProperties/alertOnNoData",
    ),
    (
        "dynatrace_metric_events.metrics_stopped",
        "model_properties.violating_samples",
        "kyma/metric-event/metrics-stopped.json",
        "/modelProperties/violatingSamples",
    ),
    (
        "dynatrace_metric_events.metrics_stopped",
        "model_properties.samples",
        "kyma/metric-event/metrics-stopped.json",
        "/modelProperties/samples",
    ),
    (
        "dynatrace_metric_events.metrics_stopped",
        "event_template.description",
        "kyma/metric-event/metrics-stopped.json",
        "/eventTemplate/description",
    ),
    (
        "dynatrace_k8s_monitoring.this",
        "cloud_application_pipeline_enabled",
        "kyma-kubernetes/monitoring/monitoring.json",
        "/cloudApplicationPipelineEnabled",
    ),
    (
        "dynatrace_k8s_monitoring.this",
        "event_processing_active",
        "kyma-kubernetes/monitoring/monitoring.json",
        "/eventProcessingActive",
    ),
    (
        "dynatrace_k8s_monitoring.this",
        "open_metrics_builtin_enabled",
        "kyma-kubernetes/monitoring/monitoring.json",
        "/openMetricsBuiltinEnabled",
    ),
    (
        "dynatrace_k8s_monitoring.this",
        "open_metrics_pipeline_enabled",
        "kyma-kubernetes/monitoring/monitoring.json",
        "/openMetricsPipelineEnabled",
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
            problems.extend(added_attributes(tree, file, &context));
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

/// The attributes that are added here are those that Monaco has beyond the ones that Dynatrace starts with.
fn added_attributes(tree: &Tree, file: &str, context: &Context<'_>) -> Option<Problem> {
    let list: serde_json::Value =
        serde_json::from_str(&tree.read("tenant/monaco/kyma-attributes/otel-metrics/allow-list.json"))
            .unwrap_or_default();
    let schema = std::fs::read_to_string(e2e::root().join("e2e/tests/manifests/schemas/opentelemetry-metrics.json"));
    let schema: serde_json::Value = serde_json::from_str(&schema.unwrap()).unwrap();
    let defaults = schema["properties"]["additionalAttributes"]["allOf"].as_array().unwrap();
    let is_default =
        |key: &str| defaults.iter().any(|default| default["contains"]["properties"]["attributeKey"]["const"] == *key);
    let all = list["additionalAttributes"].as_array().into_iter().flatten();
    let expected: Vec<&str> =
        all.filter_map(|attribute| attribute["attributeKey"].as_str()).filter(|key| !is_default(key)).collect();
    let added: hcl::Expression = "local.added_attributes".parse().unwrap();
    let added = serde_json::to_value(added.evaluate(context).unwrap_or_default()).unwrap_or_default();
    (added != serde_json::json!(expected))
        .then(|| Problem::new(file, "locals.added_attributes", format!("not what Monaco adds: {expected:?}")))
}

/// Terraform's function `file`.
fn file(args: FuncArgs) -> Result<Value, String> {
    let path = args[0].as_str().ok_or("not a string")?;
    std::fs::read_to_string(path).map(Value::from).map_err(|error| error.to_string())
}

/// Terraform's function `length`.
fn length(args: FuncArgs) -> Result<Value, String> {
    args[0].as_array().map(|items| Value::from(items.len())).ok_or_else(|| "not a list".to_owned())
}

/// Terraform's function `keys`.
fn keys(args: FuncArgs) -> Result<Value, String> {
    let object = args[0].as_object().ok_or("not an object")?;
    Ok(object.keys().cloned().map(Value::from).collect())
}

/// Terraform's function `nonsensitive`: here nothing is marked.
fn nonsensitive(args: FuncArgs) -> Result<Value, String> {
    Ok(args[0].clone())
}

/// What the user sets, where a block or a resource is there only for some values.
fn chosen(variable: &str) -> Value {
    let object = |members: &[(&str, &str)]| {
        Value::from_iter(members.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))))
    };
    match variable {
        "alert_webhook_is_secret" => Value::from(false),
        "alert_webhook_headers" => object(&[("X-Header", "value")]),
        "alert_webhook_oauth2" => {
            object(&[("access_token_url", "https://example.com"), ("client_id", "id"), ("client_secret", "secret")])
        }
        "istio_extension_version" => Value::from("1.0.0"),
        _ => Value::from(true),
    }
}

/// Everything that an expression may refer to.
fn context<'a>(tree: &Tree, bodies: &[(String, Body)]) -> Context<'a> {
    let mut context = Context::new();
    context.declare_func("file", FuncDef::builder().param(ParamType::String).build(file));
    let any = |function| FuncDef::builder().param(ParamType::Any).build(function);
    context.declare_func("length", any(length));
    context.declare_func("keys", any(keys));
    context.declare_func("nonsensitive", any(nonsensitive));
    let module = tree.path(FOLDER).to_string_lossy().into_owned();
    context.declare_var("path", Value::from_iter([("module".to_owned(), Value::from(module))]));
    // What a `dynamic` block gives its content.
    for (block, value) in [("additional_attribute", "x"), ("header", "X-Header")] {
        context.declare_var(block, Value::from_iter([("value".to_owned(), Value::from(value))]));
    }
    let mut variables = Map::new();
    let mut resources: Map<String, Map<String, Value>> = Map::new();
    for block in bodies.iter().flat_map(|(_, body)| body.blocks()) {
        let labels: Vec<&str> = block.labels().iter().map(|label| label.as_str()).collect();
        match (block.identifier(), labels.as_slice()) {
            ("variable", [name]) => drop(variables.insert((*name).to_owned(), chosen(name))),
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
        Some((name, rest)) => field(block(body, name)?, rest),
        None => {
            let expression = body.attributes().find(|attribute| attribute.key() == path)?.expr();
            serde_json::to_value(expression).ok()
        }
    }
}

/// A block's body, or the content of the `dynamic` block that makes it.
fn block<'a>(body: &'a Body, name: &str) -> Option<&'a Body> {
    let is_made = |block: &&hcl::Block| {
        block.identifier() == "dynamic" && block.labels().iter().any(|label| label.as_str() == name)
    };
    let plain = body.blocks().find(|block| block.identifier() == name).map(hcl::Block::body);
    let made = || body.blocks().find(is_made)?.body().blocks().find(|block| block.identifier() == "content");
    plain.or_else(|| made().map(hcl::Block::body))
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
        let path = format!("tenant/monaco/{template}");
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
