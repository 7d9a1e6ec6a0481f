//! Secrets out of manifests, in the place of a cluster: what a policy gets when it looks at one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::host::{Answerer, HostCall};

/// What policy-server says to a policy whose `contextAwareResources` do not list Secrets (`policy-evaluator`,
/// `runtimes/callback.rs`).
pub const NO_RESOURCE: &str =
    "Policy has not been granted access to Kubernetes v1/Secret resources. The violation has been reported.";
/// What it says to a policy that lacks the host capability.
pub const NO_CAPABILITY: &str = "Policy has not been granted access to the 'kubernetes/get_resource' host capability. The \
    violation has been reported.";

/// Secrets by namespace and name; `None` for one that is there and cannot be read. Their values stay in memory and are shown nowhere, in `Debug` neither.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<(String, String), Option<Map<String, Value>>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What of `GetResourceRequest` decides.
#[derive(Deserialize)]
struct Request {
    api_version: String,
    kind: String,
    name: String,
    namespace: Option<String>,
    #[serde(default)]
    field_masks: Option<Vec<String>>,
    // The host refuses a request without it.
    #[serde(rename = "disable_cache")]
    _disable_cache: bool,
}

impl Secrets {
    /// Takes a manifest, or the items of a `List`; other kinds are passed over. How many Secrets there were.
    ///
    /// # Errors
    /// Where a Secret's `data` or `stringData` is none. The text holds names only.
    pub fn add(&mut self, manifest: &Value) -> Result<usize, String> {
        if let Some(items) = manifest.get("items").and_then(Value::as_array).filter(|_| is_list(manifest)) {
            return items.iter().map(|item| self.add(item)).sum();
        }
        let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str);
        if text("/apiVersion") != Some("v1") || text("/kind") != Some("Secret") {
            return Ok(0);
        }
        let name = text("/metadata/name").ok_or("a Secret has no name")?.to_owned();
        let namespace = text("/metadata/namespace").unwrap_or("default").to_owned();
        let members = |field: &str| match manifest.get(field) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(members)) if members.values().all(Value::is_string) => Ok(members.clone()),
            Some(_) => Err(format!("the Secret {namespace}/{name} has a value in `{field}` that is no string")),
        };
        let data = members("data").and_then(|mut data| {
            // As the API server does: in clear text, and over what is in `data`.
            for (key, value) in members("stringData")? {
                data.insert(key, STANDARD.encode(value.as_str().unwrap_or_default()).into());
            }
            Ok(data)
        });
        let result = data.as_ref().map(|_| 1).map_err(Clone::clone);
        self.0.insert((namespace, name), data.ok());
        result
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Answers `kubernetes/get_resource` as policy-server does, errors included, and refuses everything else.
    ///
    /// # Errors
    /// The host's text.
    pub fn answer(&self, call: &HostCall<'_>) -> Result<Vec<u8>, String> {
        if (call.binding, call.namespace, call.operation) != ("kubewarden", "kubernetes", "get_resource") {
            let HostCall { namespace, operation, .. } = call;
            return Err(format!("host capability {namespace}/{operation} is not available"));
        }
        let request: Request = serde_json::from_slice(call.payload).map_err(|error| error.to_string())?;
        let Request { api_version, kind, name, namespace, field_masks, .. } = request;
        let key = (namespace.clone().unwrap_or_default(), name);
        match self.0.get(&key).filter(|_| api_version == "v1" && kind == "Secret") {
            Some(Some(data)) => Ok(object(&key, &masked(data, field_masks.as_deref())).to_string().into_bytes()),
            Some(None) => Err("the Secret cannot be read".to_owned()),
            None => {
                let (_, name) = key;
                let place = format!("named '{name}' inside of namespace '{namespace:?}'");
                Err(format!("Callback evaluation failure: Cannot find {api_version}/{kind} {place}"))
            }
        }
    }

    /// Somebody who answers from these Secrets.
    #[must_use]
    pub fn answerer(self) -> Answerer {
        Arc::new(move |call| self.answer(call))
    }
}

fn is_list(manifest: &Value) -> bool {
    manifest.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"))
}

/// What the masks leave: the host splits them at their dots.
fn masked(data: &Map<String, Value>, masks: Option<&[String]>) -> Map<String, Value> {
    let Some(masks) = masks.filter(|masks| !masks.is_empty()) else { return data.clone() };
    if masks.iter().any(|mask| mask == "data") {
        return data.clone();
    }
    let is_kept = |key: &str| masks.iter().any(|mask| mask.strip_prefix("data.") == Some(key) && !key.contains('.'));
    data.iter().filter(|(key, _)| is_kept(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The Secret as the API server has it: metadata comes whole, whatever the masks.
fn object((namespace, name): &(String, String), data: &Map<String, Value>) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        let mut secrets = Secrets::default();
        let list = json!({"kind": "List", "items": [
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "n"},
                "data": {"k": "eA==", "x.y": "eg=="}, "stringData": {"l": "geheim", "k": "y"}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b"}},
        ]});
        assert_eq!((secrets.add(&list), secrets.count()), (Ok(2), 2));
        secrets
    }

    fn ask(name: &str, namespace: &str, masks: &Value) -> Result<Value, String> {
        let payload = json!({"api_version": "v1", "kind": "Secret", "name": name, "namespace": namespace,
            "disable_cache": true, "field_masks": masks});
        let payload = payload.to_string();
        let call = HostCall {
            binding: "kubewarden",
            namespace: "kubernetes",
            operation: "get_resource",
            payload: payload.as_bytes(),
        };
        secrets().answer(&call).map(|answer| serde_json::from_slice(&answer).unwrap())
    }

    #[test]
    fn answers_with_what_the_masks_leave() {
        let data = |masks: Value| ask("a", "n", &masks).unwrap()["data"].clone();
        assert_eq!(data(json!(["data.l"])), json!({"l": "Z2VoZWlt"}));
        assert_eq!(data(json!(["data.k", "data.none", "data.x.y"])), json!({"k": "eQ=="}), "stringData wins");
        assert_eq!(data(json!(["data"])), json!({"k": "eQ==", "x.y": "eg==", "l": "Z2VoZWlt"}));
        assert_eq!(data(Value::Null).as_object().unwrap().len(), 3);
        assert_eq!(ask("b", "default", &json!(["data.k"])).unwrap()["data"], json!({}));
    }

    #[test]
    fn answers_in_the_words_of_policy_server() {
        let missing = "Callback evaluation failure: Cannot find v1/Secret named 'c' inside of namespace 'Some(\"n\")'";
        assert_eq!(ask("c", "n", &Value::Null).unwrap_err(), missing);
        let call = HostCall { binding: "kubewarden", namespace: "kubernetes", operation: "can_i", payload: b"{}" };
        assert_eq!(secrets().answer(&call).unwrap_err(), "host capability kubernetes/can_i is not available");
        let call = HostCall { operation: "get_resource", ..call };
        assert!(secrets().answer(&call).unwrap_err().contains("missing field"));
    }

    #[test]
    fn shows_no_value() {
        assert!(!format!("{:?}", secrets()).contains("Z2VoZWlt"));
        let broken = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"k": 3}});
        let mut secrets = Secrets::default();
        let error = secrets.add(&broken).unwrap_err();
        assert_eq!(error, "the Secret default/a has a value in `data` that is no string");
        assert_eq!(secrets.count(), 1, "it is there");
    }
}
