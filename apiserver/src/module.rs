//! The Telemetry module's own mutating webhook: the defaults that it fills into a pipeline on its way to storage.
//!
//! Source: `webhook/*/*/defaulter.go` of kyma-project/telemetry-manager (2026-08). The module reads an object into Go
//! types and writes these back, so members that Go never omits appear too, for example an `endpoint: {}`. Its webhook is
//! called after the policy's, whose name sorts first.

use serde_json::{Map, Value, json};

type Members = Map<String, Value>;

/// Namespaces that inputs leave out unless others are named.
pub const SYSTEM_NAMESPACES: [&str; 3] = ["kyma-system", "kube-system", "istio-system"];

/// What the runtime input of metrics looks at, all of it unless switched off.
const RUNTIME_RESOURCES: [&str; 8] =
    ["pod", "container", "node", "volume", "daemonset", "deployment", "statefulset", "job"];

/// Fills the module's defaults into a pipeline; leaves other objects, and what has another type than expected, as they
/// are.
pub fn fill_in(object: &mut Value) {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, version) = (text("kind"), text("apiVersion"));
    if !version.starts_with("telemetry.kyma-project.io/") {
        return;
    }
    let is_alpha = version.ends_with("/v1alpha1");
    let Some(spec) = object.as_object_mut().and_then(|object| within(object, "spec")) else { return };
    match kind.as_str() {
        "MetricPipeline" => fill_in_metrics(spec, is_alpha),
        "LogPipeline" => fill_in_logs(spec, is_alpha),
        "TracePipeline" => {}
        _ => return,
    }
    let Some(output) = within(spec, "output") else { return };
    if let Some(otlp) = present(output, "otlp") {
        fill_in_otlp(otlp);
        if kind == "MetricPipeline" {
            set(otlp, "temporality", "preserve");
        }
    }
    if let Some(http) = present(output, "http").filter(|_| kind == "LogPipeline") {
        set(http, "host", json!({}));
        set(http, "tls", json!({}));
    }
}

fn fill_in_otlp(otlp: &mut Members) {
    set(otlp, "endpoint", json!({}));
    if otlp.get("protocol").is_none_or(|protocol| protocol.is_null() || protocol == "") {
        otlp.insert("protocol".to_owned(), "grpc".into());
    }
}

fn fill_in_metrics(spec: &mut Members, is_alpha: bool) {
    let Some(input) = within(spec, "input") else { return };
    for name in ["prometheus", "istio", "runtime"] {
        let Some(source) = present(input, name).filter(|source| source.get("enabled") == Some(&Value::Bool(true)))
        else {
            continue;
        };
        set(source, "namespaces", json!({"exclude": SYSTEM_NAMESPACES}));
        let switches: &[&str] = match name {
            "prometheus" => &["diagnosticMetrics"],
            "istio" => &["diagnosticMetrics", "envoyMetrics"],
            _ => &[],
        };
        for switch in switches {
            set(source, switch, json!({"enabled": false}));
        }
        if let Some(resources) = Some(source).filter(|_| name == "runtime").and_then(|it| within(it, "resources")) {
            for resource in RUNTIME_RESOURCES {
                set(resources, resource, json!({"enabled": true}));
            }
        }
    }
    fill_in_otlp_input(input, is_alpha);
}

fn fill_in_logs(spec: &mut Members, is_alpha: bool) {
    let is_otlp = spec.get("output").and_then(|output| output.get("otlp")).is_some_and(|otlp| !otlp.is_null());
    let Some(input) = within(spec, "input") else { return };
    if let Some(runtime) = within(input, if is_alpha { "application" } else { "runtime" }) {
        set(runtime, "enabled", true);
        if is_alpha {
            set(runtime, "namespaces", json!({}));
            set(runtime, "containers", json!({}));
        }
        if is_alpha || runtime.get("enabled") == Some(&Value::Bool(true)) {
            set(runtime, "keepOriginalBody", true);
            set(runtime, "namespaces", json!({"exclude": SYSTEM_NAMESPACES}));
        }
    }
    if is_otlp {
        fill_in_otlp_input(input, is_alpha);
    }
}

/// v1alpha1 has `disabled`, and no default for it.
fn fill_in_otlp_input(input: &mut Members, is_alpha: bool) {
    let Some(otlp) = within(input, "otlp") else { return };
    if !is_alpha {
        set(otlp, "enabled", true);
    }
    if is_alpha || otlp.get("enabled") == Some(&Value::Bool(true)) {
        set(otlp, "namespaces", json!({}));
    }
}

/// A member that is an object, made where there is none; `None` where it is something else.
fn within<'a>(members: &'a mut Members, name: &str) -> Option<&'a mut Members> {
    set(members, name, json!({}));
    present(members, name)
}

/// A member that is an object.
fn present<'a>(members: &'a mut Members, name: &str) -> Option<&'a mut Members> {
    members.get_mut(name).and_then(Value::as_object_mut)
}

/// Sets a member that is absent or null.
fn set(members: &mut Members, name: &str, value: impl Into<Value>) {
    if members.get(name).is_none_or(Value::is_null) {
        members.insert(name.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(kind: &str, version: &str, spec: Option<Value>) -> Value {
        let mut object = json!({"apiVersion": format!("telemetry.kyma-project.io/{version}"), "kind": kind});
        if let (Some(spec), Some(members)) = (spec, object.as_object_mut()) {
            members.insert("spec".to_owned(), spec);
        }
        fill_in(&mut object);
        object.get("spec").cloned().unwrap_or_default()
    }

    #[test]
    fn makes_a_spec_where_there_is_none() {
        assert_eq!(filled("TracePipeline", "v1beta1", None), json!({"output": {}}));
        let logs = json!({"input": {"runtime": {"enabled": true, "keepOriginalBody": true,
            "namespaces": {"exclude": SYSTEM_NAMESPACES}}}, "output": {}});
        assert_eq!(filled("LogPipeline", "v1beta1", None), logs);
    }

    #[test]
    fn leaves_alone_what_it_does_not_understand() {
        for spec in
            [json!(3), json!({"input": [], "output": "x"}), json!({"input": {"otlp": 1}, "output": {"otlp": 2}})]
        {
            assert_eq!(filled("MetricPipeline", "v1beta1", Some(spec.clone())), spec);
        }
        let mut other = json!({"apiVersion": "v1", "kind": "MetricPipeline"});
        fill_in(&mut other);
        assert_eq!(other, json!({"apiVersion": "v1", "kind": "MetricPipeline"}));
    }

    #[test]
    fn fills_in_only_for_inputs_that_are_on() {
        let input = json!({"istio": {"enabled": false}, "prometheus": {}, "otlp": {"enabled": false}});
        let spec = filled("MetricPipeline", "v1beta1", Some(json!({"input": input, "output": {}})));
        assert_eq!(spec, json!({"input": input, "output": {}}));
    }

    #[test]
    fn fills_in_the_defaults_of_inputs_that_are_on() {
        let on = json!({"enabled": true});
        let input = json!({"istio": on, "prometheus": on, "runtime": on, "otlp": on});
        let spec = filled("MetricPipeline", "v1beta1", Some(json!({"input": input})));
        let namespaces = json!({"exclude": SYSTEM_NAMESPACES});
        let off = json!({"enabled": false});
        let every: Members = RUNTIME_RESOURCES.map(|resource| (resource.to_owned(), on.clone())).into_iter().collect();
        let expected = json!({
            "istio": {"enabled": true, "namespaces": namespaces, "diagnosticMetrics": off, "envoyMetrics": off},
            "prometheus": {"enabled": true, "namespaces": namespaces, "diagnosticMetrics": off},
            "runtime": {"enabled": true, "namespaces": namespaces, "resources": every},
            "otlp": {"enabled": true, "namespaces": {}},
        });
        assert_eq!(spec, json!({"input": expected, "output": {}}));
        let nothing = filled("MetricPipeline", "v1beta1", None);
        assert_eq!(nothing, json!({"input": {"otlp": {"enabled": true, "namespaces": {}}}, "output": {}}));
        let alpha = filled("MetricPipeline", "v1alpha1", None);
        assert_eq!(alpha, json!({"input": {"otlp": {"namespaces": {}}}, "output": {}}));
    }

    #[test]
    fn fills_in_the_defaults_of_outputs() {
        let output = |kind: &str, output: Value| {
            filled(kind, "v1beta1", Some(json!({"output": output}))).get("output").cloned().unwrap_or_default()
        };
        let grpc = json!({"otlp": {"endpoint": {}, "protocol": "grpc"}});
        for protocol in [json!({}), json!({"protocol": null}), json!({"protocol": ""})] {
            assert_eq!(output("TracePipeline", json!({"otlp": protocol})), grpc);
        }
        let http = json!({"otlp": {"endpoint": {"value": "x"}, "protocol": "http"}});
        assert_eq!(output("LogPipeline", http.clone()), http);
        let metrics = json!({"otlp": {"endpoint": {}, "protocol": "grpc", "temporality": "preserve"}});
        assert_eq!(output("MetricPipeline", json!({"otlp": {}})), metrics);
        assert_eq!(output("LogPipeline", json!({"http": {}})), json!({"http": {"host": {}, "tls": {}}}));
        assert_eq!(output("TracePipeline", json!({"http": {}})), json!({"http": {}}));
    }

    #[test]
    fn fills_in_an_otlp_input_of_logs_only_beside_an_otlp_output() {
        let has_otlp = |output: Value| {
            let spec = filled("LogPipeline", "v1beta1", Some(json!({"output": output})));
            spec.pointer("/input/otlp") == Some(&json!({"enabled": true, "namespaces": {}}))
        };
        assert!(has_otlp(json!({"otlp": {}})));
        assert!(!has_otlp(json!({"otlp": null})) && !has_otlp(json!({"http": {}})));
    }
}
