//! What one object says of another: Secrets and their keys, the Collector's Service, the policy server.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::problem::Problem;
use e2e::tree::Object;

/// Where Istio looks for what applies to the whole mesh.
const ROOT_NAMESPACE: &str = "istio-system";

/// What does not fit together in an overlay, or with the Secret that is there before it.
pub(crate) fn check(objects: &[Object], before: &[Object]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let brings_secret = objects.iter().any(|object| object.kind() == "Secret");
    let secrets = if brings_secret { objects } else { before };
    for object in objects {
        let found = match object.kind().as_str() {
            "DynaKube" => dynakube(object, objects),
            "MetricPipeline" | "TracePipeline" | "LogPipeline" => pipeline(object, objects),
            "ClusterAdmissionPolicy" => policy(object, objects, secrets),
            "PolicyServer" => policy_server(object),
            "Role" => role(object, objects),
            "Telemetry" => telemetry(object, objects),
            "Deployment" => deployment(object),
            "Namespace" => {
                vec![("kind".to_owned(), "deleting this overlay would take all that is in the namespace".to_owned())]
            }
            "ConfigMap" => dashboard(object, objects),
            _ => Vec::new(),
        };
        problems.extend(found.into_iter().map(|(field, message)| Problem::new(&object.file, field, message)));
    }
    problems
}

type Found = Vec<(String, String)>;

fn find<'a>(objects: &'a [Object], kind: &str, name: &str) -> Option<&'a Object> {
    objects.iter().find(|object| object.kind() == kind && object.text("/metadata/name") == Some(name))
}

/// Why a Secret's key is not there, if it is not.
fn missing(objects: &[Object], namespace: &str, name: &str, key: &str) -> Option<String> {
    let secret = find(objects, "Secret", name);
    match secret.filter(|secret| secret.text("/metadata/namespace") == Some(namespace)) {
        None => Some(format!("there is no Secret `{namespace}/{name}`")),
        Some(secret) if secret.value["data"].get(key).is_none() => {
            Some(format!("the Secret `{namespace}/{name}` has no key `{key}`"))
        }
        Some(_) => None,
    }
}

fn dynakube(object: &Object, objects: &[Object]) -> Found {
    let mut found = Vec::new();
    let text = |pointer| object.text(pointer).unwrap_or_default();
    for key in ["apiToken", "dataIngestToken"] {
        let problem = missing(objects, text("/metadata/namespace"), text("/metadata/name"), key);
        found.extend(problem.map(|problem| ("metadata.name".to_owned(), format!("{problem}; the Operator reads one"))));
    }
    let spec = &object.value["spec"];
    let modes: Vec<&String> = spec["oneAgent"].as_object().map(|modes| modes.keys().collect()).unwrap_or_default();
    if modes.len() != 1 {
        found.push(("spec.oneAgent".to_owned(), format!("expected one observability mode, not {modes:?}")));
    }
    let selectors = modes.iter().map(|mode| format!("oneAgent.{mode}")).chain(["metadataEnrichment".to_owned()]);
    for place in selectors {
        let selector = spec.pointer(&format!("/{}/namespaceSelector/matchExpressions", place.replace('.', "/")));
        let excluded = selector.and_then(Value::as_array).is_some_and(|expressions| {
            expressions.iter().any(|expression| {
                expression["key"] == "operator.kyma-project.io/managed-by"
                    && expression["operator"] == "NotIn"
                    && expression["values"] == serde_json::json!(["kyma"])
            })
        });
        if !excluded {
            found.push((format!("spec.{place}.namespaceSelector"), "Kyma's namespaces are not excluded".to_owned()));
        }
    }
    let Some(endpoint) = collector(object) else { return found };
    if ["latest", ""].contains(&text("/spec/templates/otelCollector/imageRef/tag")) {
        found.push(("spec.templates.otelCollector.imageRef.tag".to_owned(), "the tag pins nothing".to_owned()));
    }
    if !objects.iter().any(|object| object.text("/spec/output/otlp/endpoint/value") == Some(&endpoint)) {
        found.push(("spec.telemetryIngest".to_owned(), "no pipeline sends anything to this Collector".to_owned()));
    }
    found
}

fn pipeline(object: &Object, objects: &[Object]) -> Found {
    let mut found = Vec::new();
    let otlp = &object.value["spec"]["output"]["otlp"];
    let mut reference = |place: &str, value: &Value| {
        let reference = &value["valueFrom"]["secretKeyRef"];
        if reference.is_object() {
            let text = |name: &str| reference[name].as_str().unwrap_or_default();
            let problem = missing(objects, text("namespace"), text("name"), text("key"));
            found.extend(problem.map(|problem| (format!("{place}.valueFrom.secretKeyRef"), problem)));
        }
    };
    reference("spec.output.otlp.endpoint", &otlp["endpoint"]);
    for (index, header) in otlp["headers"].as_array().into_iter().flatten().enumerate() {
        reference(&format!("spec.output.otlp.headers[{index}]"), header);
    }
    if let Some(endpoint) = otlp["endpoint"]["value"].as_str() {
        let collectors: BTreeSet<String> = objects.iter().filter_map(collector).collect();
        if !collectors.contains(endpoint) {
            let message = format!("`{endpoint}` is no Collector of a DynaKube here: {collectors:?}");
            found.push(("spec.output.otlp.endpoint.value".to_owned(), message));
        }
    }
    found
}

/// Where a DynaKube's Collector takes OTLP over gRPC.
fn collector(object: &Object) -> Option<String> {
    let ingest = &object.value["spec"]["telemetryIngest"];
    let is_otlp = ingest["protocols"].as_array()?.iter().any(|protocol| protocol == "otlp");
    let service = ingest["serviceName"].as_str().filter(|_| is_otlp)?;
    Some(format!("http://{service}.{}.svc:4317", object.text("/metadata/namespace")?))
}

/// Whether a reference to an image says which one: a tag that moves says nothing.
fn is_pinned(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or_default();
    name.contains("@sha256:") || name.split_once(':').is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest")
}

fn policy_server(object: &Object) -> Found {
    let image = object.text("/spec/image").unwrap_or_default();
    let found = |message: String| vec![("spec.image".to_owned(), message)];
    if !is_pinned(image) {
        return found(format!("`{image}` pins nothing"));
    }
    // Kubewarden pushes nothing to the path from before its 1.36 any more.
    if image.contains("ghcr.io/kubewarden/") && !image.contains("ghcr.io/kubewarden/adm-controller/") {
        return found(format!("`{image}` is in the old repository, where there are no new versions"));
    }
    Vec::new()
}

fn deployment(object: &Object) -> Found {
    let containers = object.value.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let images = containers.into_iter().flatten().filter_map(|container| container["image"].as_str());
    let moving = images.filter(|image| !is_pinned(image));
    moving.map(|image| ("spec.template.spec.containers".to_owned(), format!("`{image}` pins nothing"))).collect()
}

fn telemetry(object: &Object, objects: &[Object]) -> Found {
    let is_mesh_wide = |object: &&Object| {
        object.kind() == "Telemetry"
            && object.text("/metadata/namespace") == Some(ROOT_NAMESPACE)
            && object.value["spec"]["selector"].is_null()
    };
    let mut found = Vec::new();
    if is_mesh_wide(&object) {
        if objects.iter().filter(is_mesh_wide).count() > 1 {
            found.push(("metadata.namespace".to_owned(), "Istio takes one mesh-wide Telemetry only".to_owned()));
        }
        if object.text("/metadata/name") != Some("mesh-default") {
            let message = "not called as the Telemetry module calls it: who follows its pages gets two";
            found.push(("metadata.name".to_owned(), message.to_owned()));
        }
    }
    found
}

fn policy(object: &Object, objects: &[Object], known: &[Object]) -> Found {
    let mut found = Vec::new();
    let server = object.text("/spec/policyServer").unwrap_or("default");
    if find(objects, "PolicyServer", server).is_none() {
        found.push(("spec.policyServer".to_owned(), format!("there is no PolicyServer `{server}`")));
    }
    let secrets = object.value.pointer("/spec/settings/dynatrace/secrets").and_then(Value::as_array);
    for (index, secret) in secrets.into_iter().flatten().enumerate() {
        let text = |name: &str| secret[name].as_str().unwrap_or_default();
        for key in ["endpointKey", "tokenKey"] {
            let problem = missing(known, text("namespace"), text("name"), text(key));
            let field = format!("spec.settings.dynatrace.secrets[{index}]");
            found.extend(problem.map(|problem| (field, problem)));
        }
    }
    if object.value.pointer("/spec/settings/lookUpSecrets") == Some(&Value::Bool(true)) {
        found.extend(rights(object, objects));
    }
    found
}

/// The Secrets that a policy's settings declare, as namespace and name.
fn declared(policy: &Object) -> BTreeSet<(&str, &str)> {
    let secrets = policy.value.pointer("/spec/settings/dynatrace/secrets").and_then(Value::as_array);
    secrets
        .into_iter()
        .flatten()
        .filter_map(|secret| secret["namespace"].as_str().zip(secret["name"].as_str()))
        .collect()
}

/// What a policy that looks at Secrets lacks: Kubewarden's consent, an account of its server's own, a Role for each Secret.
fn rights(policy: &Object, objects: &[Object]) -> Found {
    let mut found = Vec::new();
    let secret = serde_json::json!([{"apiVersion": "v1", "kind": "Secret"}]);
    if policy.value.pointer("/spec/contextAwareResources") != Some(&secret) {
        found.push(("spec.contextAwareResources".to_owned(), "does not list v1 Secret, and nothing else".to_owned()));
    }
    let server = find(objects, "PolicyServer", policy.text("/spec/policyServer").unwrap_or("default"));
    let account = server.and_then(|server| server.text("/spec/serviceAccountName")).unwrap_or_default();
    let Some(account) = find(objects, "ServiceAccount", account) else {
        let message = "its policy server has no service account of its own";
        found.push(("spec.policyServer".to_owned(), message.to_owned()));
        return found;
    };
    for (namespace, name) in declared(policy) {
        let is_granted = objects.iter().filter(|object| object.kind() == "RoleBinding").any(|binding| {
            let is_ours = binding.text("/subjects/0/name") == account.text("/metadata/name")
                && binding.text("/subjects/0/namespace") == account.text("/metadata/namespace")
                && binding.text("/metadata/namespace") == Some(namespace);
            let role = find(objects, "Role", binding.text("/roleRef/name").unwrap_or_default());
            is_ours && role.is_some_and(|role| grants(role, namespace, name))
        });
        if !is_granted {
            let message = format!("no Role lets its policy server get the Secret `{namespace}/{name}`");
            found.push(("spec.settings.dynatrace.secrets".to_owned(), message));
        }
    }
    found
}

fn grants(role: &Object, namespace: &str, name: &str) -> bool {
    let names = role.value.pointer("/rules/0/resourceNames").and_then(Value::as_array);
    role.text("/metadata/namespace") == Some(namespace) && names.into_iter().flatten().any(|other| other == name)
}

/// What a Role grants beyond what a policy declares.
fn role(object: &Object, objects: &[Object]) -> Found {
    let mut found = Vec::new();
    let policies = objects.iter().filter(|object| object.kind() == "ClusterAdmissionPolicy");
    let needed: BTreeSet<(&str, &str)> = policies.flat_map(declared).collect();
    for (index, rule) in object.value["rules"].as_array().into_iter().flatten().enumerate() {
        let least = serde_json::json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]});
        let mut rest = rule.clone();
        let names = rest.as_object_mut().and_then(|rest| rest.remove("resourceNames"));
        let names: Vec<&str> =
            names.iter().flat_map(|names| names.as_array()).flatten().filter_map(Value::as_str).collect();
        let namespace = object.text("/metadata/namespace").unwrap_or_default();
        if rest != least {
            found.push((format!("rules[{index}]"), "grants more than to get a Secret".to_owned()));
        }
        if names.is_empty() || !names.iter().all(|name| needed.contains(&(namespace, name))) {
            found.push((
                format!("rules[{index}].resourceNames"),
                "names a Secret that no policy declares, or all".to_owned(),
            ));
        }
    }
    found
}

fn dashboard(object: &Object, objects: &[Object]) -> Found {
    let mut found = Vec::new();
    let section = |name: &str| -> Value {
        yaml_serde::from_str(object.text(&format!("/data/{name}")).unwrap_or_default()).unwrap_or_default()
    };
    let (sources, general) = (section("dataSources"), section("general"));
    for (source, value) in sources.as_object().into_iter().flatten() {
        let text = |name: &str| value["resource"][name].as_str().unwrap_or_default();
        let problem = missing(objects, text("namespace"), text("name"), "apiurl");
        found.extend(problem.map(|problem| (format!("data.dataSources.{source}"), problem)));
    }
    let links: Vec<&str> = general["externalNodes"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|node| node["children"].as_array().into_iter().flatten())
        .filter_map(|child| child["link"].as_str())
        .collect();
    for link in &links {
        let is_declared =
            sources.as_object().is_some_and(|all| all.keys().any(|key| link.contains(&format!("${key}()"))));
        if !is_declared {
            found.push(("data.general".to_owned(), format!("no data source is declared for the link {link}")));
        }
    }
    if links.is_empty() {
        found.push(("data.general".to_owned(), "there is no link".to_owned()));
    }
    found
}
