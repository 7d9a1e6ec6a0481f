//! Reading back what is stored.

use cluster::Cluster;
use serde_json::Value;

/// The API path of an object, by its own version, kind, namespace and name.
pub(crate) fn path(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let version = text("/apiVersion");
    let root = if version.contains('/') { "apis" } else { "api" };
    let namespace = match text("/metadata/namespace") {
        "" => String::new(),
        namespace => format!("/namespaces/{namespace}"),
    };
    format!("/{root}/{version}{namespace}/{}/{}", plural(text("/kind")), text("/metadata/name"))
}

fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    match lower.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{lower}s"),
    }
}

/// The object as stored, in its own version.
pub(crate) fn get(cluster: &Cluster, object: &Value) -> anyhow::Result<Value> {
    cluster.client().get(&path(object))
}

/// Deletes an object, and plays the controllers that would clean up after it: there are none here.
pub(crate) fn delete(cluster: &Cluster, object: &Value) -> anyhow::Result<()> {
    let client = cluster.client();
    let answer = client.send("DELETE", &path(object), None)?;
    anyhow::ensure!(answer.is_success() || answer.code == 404, "DELETE {}: {}", path(object), answer.message());
    finalize(cluster, object)
}

/// Empties a namespace's finalizers, as the namespace controller does when nothing is left in it.
pub(crate) fn finalize(cluster: &Cluster, object: &Value) -> anyhow::Result<()> {
    if object["kind"] != "Namespace" {
        return Ok(());
    }
    let client = cluster.client();
    let answer = client.send("GET", &path(object), None)?;
    if answer.is_success() {
        let mut namespace = answer.body;
        namespace["spec"]["finalizers"] = serde_json::json!([]);
        client.send("PUT", &format!("{}/finalize", path(object)), Some(&namespace))?;
    }
    Ok(())
}

/// The paths at which an object has other values than it should have, or none.
pub(crate) fn lost(expected: &Value, actual: &Value, path: &str, found: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, value) in expected {
                match actual.get(name) {
                    Some(other) => lost(value, other, &format!("{path}.{name}"), found),
                    // What is empty may be left out.
                    None if value.is_null() || *value == serde_json::json!({}) => {}
                    None => found.push(format!("{path}.{name} is lost")),
                }
            }
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            for (index, (value, other)) in expected.iter().zip(actual).enumerate() {
                lost(value, other, &format!("{path}[{index}]"), found);
            }
        }
        _ if expected == actual => {}
        _ => found.push(format!("{path} is {actual}, expected {expected}")),
    }
}
