//! The Telemetry module's conversion between its two API versions, for the fields that differ.
//!
//! Source: `apis/telemetry/v1alpha1/*conversion.go` of kyma-project/telemetry-manager (2026-08). A LogPipeline keeps its
//! v1alpha1 form in an annotation, and gets it back where nothing has changed since.

use kyma_dynatrace_apiserver::SYSTEM_NAMESPACES;
use serde_json::{Map, Value, json};

type Members = Map<String, Value>;

const ANNOTATION: &str = "telemetry.kyma-project.io/conversion-data";

/// The object in another version.
pub(crate) fn convert(object: &Value, api_version: &str) -> Value {
    let mut converted = object.clone();
    let is_alpha = |version: &str| version.ends_with("/v1alpha1");
    let from = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let is_log = object.get("kind").is_some_and(|kind| kind == "LogPipeline");
    if let Some(members) = converted.as_object_mut() {
        members.insert("apiVersion".to_owned(), api_version.into());
    }
    match (is_alpha(from), is_alpha(api_version)) {
        (true, false) => {
            spec(&mut converted, |spec| to_beta(spec, is_log));
            if is_log {
                remember(&mut converted, object);
            }
        }
        (false, true) => {
            spec(&mut converted, |spec| to_alpha(spec, is_log));
            if is_log {
                restore(&mut converted);
            }
        }
        _ => {}
    }
    converted
}

fn spec(object: &mut Value, change: impl FnOnce(&mut Members)) {
    if let Some(spec) = object.pointer_mut("/spec").and_then(Value::as_object_mut) {
        change(spec);
    }
}

fn to_beta(spec: &mut Members, is_log: bool) {
    if let Some(Value::Object(otlp)) = pointer(spec, "input", "otlp") {
        let disabled = otlp.remove("disabled").and_then(|disabled| disabled.as_bool()).unwrap_or(false);
        otlp.insert("enabled".to_owned(), (!disabled).into());
    }
    if !is_log {
        return;
    }
    if let Some(Value::Object(input)) = spec.get_mut("input")
        && let Some(Value::Object(mut runtime)) = input.remove("application")
    {
        let selector = runtime.remove("namespaces").unwrap_or_default();
        let list = |name: &str| selector.get(name).and_then(Value::as_array).filter(|list| !list.is_empty()).cloned();
        let system = selector.get("system") == Some(&Value::Bool(true));
        let mut namespaces = Members::new();
        if list("include").is_none() && list("exclude").is_none() && !system {
            namespaces.insert("exclude".to_owned(), json!(SYSTEM_NAMESPACES));
        }
        for name in ["include", "exclude"] {
            namespaces.extend(list(name).map(|list| (name.to_owned(), list.into())));
        }
        runtime.insert("namespaces".to_owned(), namespaces.into());
        if runtime.get("containers") == Some(&json!({})) {
            runtime.remove("containers");
        }
        input.insert("runtime".to_owned(), runtime.into());
    }
    rename(pointer_of_tls(spec), &[("disabled", "insecure"), ("skipCertificateValidation", "insecureSkipVerify")]);
}

fn to_alpha(spec: &mut Members, is_log: bool) {
    if let Some(Value::Object(otlp)) = pointer(spec, "input", "otlp")
        && otlp.remove("enabled") == Some(Value::Bool(false))
    {
        otlp.insert("disabled".to_owned(), true.into());
    }
    if let Some(Value::Object(otlp)) = pointer(spec, "output", "otlp") {
        otlp.remove("compression");
    }
    if !is_log {
        return;
    }
    if let Some(Value::Object(input)) = spec.get_mut("input")
        && let Some(Value::Object(mut application)) = input.remove("runtime")
    {
        if application.get("namespaces") == Some(&json!({})) {
            application.insert("namespaces".to_owned(), json!({"system": true}));
        }
        for name in ["namespaces", "containers"] {
            application.entry(name).or_insert(json!({}));
        }
        input.insert("application".to_owned(), application.into());
    }
    rename(pointer_of_tls(spec), &[("insecure", "disabled"), ("insecureSkipVerify", "skipCertificateValidation")]);
}

fn pointer<'a>(spec: &'a mut Members, first: &str, second: &str) -> Option<&'a mut Value> {
    spec.get_mut(first)?.get_mut(second)
}

fn pointer_of_tls(spec: &mut Members) -> Option<&mut Value> {
    pointer(spec, "output", "http")?.get_mut("tls")
}

fn rename(object: Option<&mut Value>, names: &[(&str, &str)]) {
    let Some(Value::Object(members)) = object else { return };
    for (from, to) in names {
        if let Some(value) = members.remove(*from) {
            members.insert((*to).to_owned(), value);
        }
    }
}

/// Puts the v1alpha1 form into an annotation.
fn remember(converted: &mut Value, original: &Value) {
    let mut original = original.clone();
    if let Some(members) = original.as_object_mut() {
        members.remove("status");
    }
    let Some(Value::Object(metadata)) = converted.get_mut("metadata") else { return };
    let annotations = metadata.entry("annotations").or_insert(json!({}));
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.insert(ANNOTATION.to_owned(), original.to_string().into());
    }
}

/// Takes the v1alpha1 form out of its annotation, if nothing has changed since.
fn restore(converted: &mut Value) {
    let Some(Value::Object(annotations)) = converted.pointer_mut("/metadata/annotations") else { return };
    let Some(Value::String(text)) = annotations.remove(ANNOTATION) else { return };
    let original: Value = serde_json::from_str(&text).unwrap_or_default();
    let is_same = original.pointer("/metadata/generation") == converted.pointer("/metadata/generation");
    if let (true, Some(spec), Some(members)) = (is_same, original.get("spec"), converted.as_object_mut()) {
        members.insert("spec".to_owned(), spec.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHA: &str = "telemetry.kyma-project.io/v1alpha1";
    const BETA: &str = "telemetry.kyma-project.io/v1beta1";

    fn object(kind: &str, version: &str, spec: Value) -> Value {
        json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x", "generation": 1}, "spec": spec})
    }

    #[test]
    fn converts_metrics_there_and_back() {
        let alpha =
            object("MetricPipeline", ALPHA, json!({"input": {"otlp": {"disabled": true}}, "output": {"otlp": {}}}));
        let beta =
            object("MetricPipeline", BETA, json!({"input": {"otlp": {"enabled": false}}, "output": {"otlp": {}}}));
        assert_eq!(convert(&alpha, BETA), beta);
        assert_eq!(convert(&beta, ALPHA), alpha);
        let on = convert(&object("MetricPipeline", ALPHA, json!({"input": {"otlp": {}}})), BETA);
        assert_eq!(on.pointer("/spec/input/otlp/enabled"), Some(&Value::Bool(true)));
    }

    #[test]
    fn gives_a_log_pipeline_its_old_form_back() {
        let spec = json!({"input": {"application": {"enabled": true, "namespaces": {"system": true}}},
            "output": {"http": {"host": {"value": "h"}, "tls": {"disabled": true}}}});
        let alpha = object("LogPipeline", ALPHA, spec);
        let beta = convert(&alpha, BETA);
        assert_eq!(beta.pointer("/spec/input/runtime"), Some(&json!({"enabled": true, "namespaces": {}})));
        assert_eq!(beta.pointer("/spec/output/http/tls"), Some(&json!({"insecure": true})));
        let mut back = convert(&beta, ALPHA);
        assert_eq!(back.get("spec"), alpha.get("spec"));
        back = convert(&object("LogPipeline", BETA, json!({"input": {"runtime": {"enabled": true}}})), ALPHA);
        let application = json!({"enabled": true, "namespaces": {}, "containers": {}});
        assert_eq!(back.pointer("/spec/input/application"), Some(&application));
    }
}
