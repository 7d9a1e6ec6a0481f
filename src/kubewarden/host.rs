//! Looking into the cluster through Kubewarden, by the host capability `kubernetes/get_resource`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::{ByteString, Resource};
use kubewarden_policy_sdk::error::Error;
use kubewarden_policy_sdk::host_capabilities::kubernetes::{GetResourceRequest, get_resource};
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::lookup::{LookUp, Lookup, Outcome, Refusal, Value};

/// The host that runs the module.
#[derive(Debug)]
pub struct Host;

/// What is read of a Secret. (The whole type would be 180 kB more of the module.)
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Data {
    data: Json,
}

impl LookUp for Host {
    fn secret(&self, lookup: &Lookup) -> Outcome {
        match get_resource::<Box<RawValue>>(&request(lookup)) {
            Ok(secret) => serde_json::from_str(secret.get()).map_or(Outcome::Failed, |secret| found(lookup, &secret)),
            Err(Error::HostCall { source, .. }) => classify(&source.to_string()),
            // An answer that is no Secret. Its text may quote what is in it.
            Err(_) => Outcome::Failed,
        }
    }
}

/// One Secret, the keys in question, and straight from the API server: what the host keeps, it keeps for all policies.
fn request(lookup: &Lookup) -> GetResourceRequest {
    // The host splits a mask at its dots, so a key with a dot in it has no mask of its own.
    let has_dot = lookup.keys.iter().any(|key| key.contains('.'));
    let mut masks = BTreeSet::new();
    for key in &lookup.keys {
        masks.insert(if has_dot { "data".to_owned() } else { ["data.", key].concat() });
    }
    GetResourceRequest {
        api_version: Secret::API_VERSION.to_owned(),
        kind: Secret::KIND.to_owned(),
        name: lookup.name.clone(),
        namespace: Some(lookup.namespace.clone()),
        disable_cache: true,
        field_masks: Some(masks),
    }
}

/// The keys in question, of a host that knows masks and of one that does not. The others stay encoded.
fn found(lookup: &Lookup, secret: &Data) -> Outcome {
    let mut values = Vec::new();
    for key in &lookup.keys {
        let Some(value) = secret.data.get(key) else { continue };
        let Ok(bytes) = ByteString::deserialize(value) else { return Outcome::Failed };
        values.push((key.clone(), Value::new(bytes.0)));
    }
    Outcome::Found(values)
}

/// What came of a lookup, by the host's error text: no status code crosses the border (`policy-evaluator`,
/// `runtimes/callback.rs`, `callback_handler/kubernetes/client.rs`).
fn classify(text: &str) -> Outcome {
    let has = |part: &str| text.contains(part);
    if has("has not been granted access to Kubernetes ") {
        Outcome::Refused(Refusal::Resource)
    } else if has("has not been granted access to the ") {
        Outcome::Refused(Refusal::Capability)
    } else if has("Cannot find v1/Secret named ") {
        Outcome::Missing
    } else if has("ApiError: ") && has("code: 403") {
        Outcome::Refused(Refusal::Rights)
    } else {
        Outcome::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn lookup(keys: &[&str]) -> Lookup {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Lookup { namespace: "dynatrace".to_owned(), name: "dynakube".to_owned(), keys }
    }

    /// The host's texts, as Kubewarden's own sources and a run of them have them.
    #[test]
    fn accepts_every_text_of_the_host_as_one_outcome() {
        let failure = |text: &str| format!("Host error: Callback evaluation failure: {text}");
        let forbidden = r#"secrets "dynakube" is forbidden: User "system:serviceaccount:kubewarden:default" cannot get resource "secrets" in API group "" in the namespace "dynatrace""#;
        let refused = |refusal| Outcome::Refused(refusal);
        for (text, outcome) in [
            ("Host error: Policy has not been granted access to Kubernetes v1/Secret resources. The violation has been reported.".to_owned(), refused(Refusal::Resource)),
            ("Host error: Policy has not been granted access to the 'kubernetes/get_resource' host capability. The violation has been reported.".to_owned(), refused(Refusal::Capability)),
            (failure("Cannot find v1/Secret named 'dynakube' inside of namespace 'Some(\"dynatrace\")'"), Outcome::Missing),
            (failure(&format!("ApiError: {forbidden}: Forbidden (Status {{ status: Some(Failure), code: 403, message: \"{forbidden}\", metadata: None, reason: \"Forbidden\", details: None }})\n\nCaused by:\n    {forbidden}")), refused(Refusal::Rights)),
            (failure("kube::Client was not initialized properly"), Outcome::Failed),
            (failure("Cannot find resource v1/Secret"), Outcome::Failed),
            (failure("error finding resource dynatrace.com/v1beta6 / DynaKube: ApiError: not found"), Outcome::Failed),
            (failure("Resource v1/Secret is namespaced, but no namespace was provided"), Outcome::Failed),
            (failure("Replay error: unexpected request. Was expecting a, got b instead"), Outcome::Failed),
            (failure("Replay error: the list of recorded responses is empty"), Outcome::Failed),
            (failure("ApiError: etcdserver: request timed out: InternalError (Status { code: 500 })"), Outcome::Failed),
            ("Host error: Error sending request over callback channel: full".to_owned(), Outcome::Failed),
            ("Host error: Error obtaining response over callback channel".to_owned(), Outcome::Failed),
            ("Host error: Cannot process Wasm guest request: callback channel not provided".to_owned(), Outcome::Failed),
            ("Host error: unknown binding: x".to_owned(), Outcome::Failed),
            ("Host error: unknown namespace: x".to_owned(), Outcome::Failed),
            ("Host error: unknown operation: x".to_owned(), Outcome::Failed),
            ("Host error: Missing host callback function!".to_owned(), Outcome::Failed),
            ("Host error: ".to_owned(), Outcome::Failed),
            (String::new(), Outcome::Failed),
        ] {
            assert_eq!(classify(&text), outcome, "{text}");
        }
    }

    #[test]
    fn accepts_one_secret_and_the_keys_in_question() {
        let text = |keys: &[&str]| serde_json::to_string(&request(&lookup(keys))).unwrap();
        let head = r#"{"api_version":"v1","kind":"Secret","name":"dynakube","namespace":"dynatrace","disable_cache":true,"field_masks":"#;
        assert_eq!(text(&["apiurl"]), format!(r#"{head}["data.apiurl"]}}"#));
        assert_eq!(text(&["dataIngestToken", "apiurl"]), format!(r#"{head}["data.apiurl","data.dataIngestToken"]}}"#));
        assert_eq!(text(&["api.url", "token"]), format!(r#"{head}["data"]}}"#));
    }

    #[test]
    fn accepts_of_a_whole_secret_only_what_was_asked_for() {
        let read = |text: &str| found(&lookup(&["a"]), &serde_json::from_str(text).unwrap());
        let value = Value::new(b"x".to_vec());
        assert_eq!(
            read(r#"{"metadata":{},"data":{"a":"eA==","b":"eQ=="}}"#),
            Outcome::Found(vec![("a".to_owned(), value)])
        );
        for nothing in [r#"{"data":{}}"#, r#"{"data":null}"#, r#"{"kind":"Secret"}"#] {
            assert_eq!(read(nothing), Outcome::Found(Vec::new()));
        }
        for no_value in ["\"%\"", "3", "{}"] {
            assert_eq!(read(&format!(r#"{{"data":{{"a":{no_value}}}}}"#)), Outcome::Failed, "{no_value}");
        }
    }

    #[test]
    fn accepts_that_there_is_no_host() {
        #[cfg(not(target_family = "wasm"))]
        assert_eq!(Host.secret(&lookup(&["a"])), Outcome::Failed);
    }
}
