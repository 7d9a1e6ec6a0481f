//! The module as an artifact: what it imports, what it says of itself, and what it does with bad input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::fs;

use e2e::{module, payload, policy, root, wasm};
use kubewarden_policy_sdk::response::ValidationResponse;
use kubewarden_policy_sdk::settings::SettingsValidationResponse;
use kyma_dynatrace_admission::admission_request;
use kyma_dynatrace_engine::{imports, metadata};
use serde_json::{Value, json};

/// Texts that no answer to a request or settings full of them may hold.
fn secrets() -> [String; 3] {
    let token = format!("dt0c01.{}.{}", "A1B2".repeat(6), "C3D4E5F6".repeat(8));
    [token, "0ld-Format_Tokén".to_owned(), "hunter2hunter2hunter2".to_owned()]
}

fn traces(otlp: Value) -> Value {
    json!({"apiVersion": "telemetry.kyma-project.io/v1beta1", "kind": "TracePipeline",
        "metadata": {"name": "traces"}, "spec": {"output": {"otlp": otlp}}})
}

#[test]
fn imports_nothing_but_wapc() {
    let imports = imports(&wasm()).unwrap();
    assert!(imports.iter().all(|(module, _)| module == "wapc"), "{imports:?}");
    // Three to take a request and answer it, five to ask the host: no file, no clock, no network.
    let mut names: Vec<&str> = imports.iter().map(|(_, name)| name.as_str()).collect();
    names.sort_unstable();
    let guest = ["__guest_error", "__guest_request", "__guest_response"];
    let host = ["__host_call", "__host_error", "__host_error_len", "__host_response", "__host_response_len"];
    assert_eq!(names, [&guest[..], &host].concat());
}

#[test]
fn metadata_section_is_the_metadata_file_and_what_annotate_adds() {
    let wasm = wasm();
    let mut section: Value = serde_json::from_slice(metadata(&wasm).unwrap().unwrap()).unwrap();
    let mut file: Value =
        yaml_serde::from_str(&fs::read_to_string(root().join("policy-metadata.yml")).unwrap()).unwrap();
    assert_eq!(section["protocolVersion"].take(), "v1");
    let annotations = section["annotations"].as_object_mut().unwrap();
    assert!(annotations.remove("io.kubewarden.kwctl").is_some());
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert_eq!(annotations.remove("io.kubewarden.policy.usage").unwrap(), readme);
    // What the file leaves to its default is written out.
    file["protocolVersion"] = Value::Null;
    assert_eq!(section, file);
}

#[test]
fn answers_with_the_types_of_the_sdk() {
    let module = module();
    let repaired = traces(json!({"endpoint": {"value": "https://abc12345.live.dynatrace.com/api"},
        "headers": [{"name": "authorization", "valueFrom": {"secretKeyRef": {"name": "a", "namespace": "b", "key": "c"}}}]}));
    let answer = module.call("validate", &payload(&admission_request(&repaired, None), &json!({}))).unwrap();
    let answer: ValidationResponse = serde_json::from_slice(&answer).unwrap();
    assert!(answer.accepted && answer.mutated_object.is_some());
    assert_eq!(answer.warnings.unwrap().len(), 3);
    assert_eq!(answer.audit_annotations.unwrap()["destination"], "direct-saas");
    let answer = module.call("validate_settings", b"[]").unwrap();
    let answer: SettingsValidationResponse = serde_json::from_slice(&answer).unwrap();
    assert!(!answer.valid);
    assert_eq!(module.call("protocol_version", b"").unwrap(), b"\"v1\"");
}

#[test]
fn a_mutation_leaves_every_other_text_as_it_was() {
    // Fields no CRD knows, keys out of order, odd blanks, escapes, numbers that no machine type holds.
    let before =
        r#"{"zeta":1e400,"spec":{"x-new":{"b":1,"a":[ 1.10,-0 ]},"output":{"other":"\u00e9","otlp":{"z":0.1000,"#;
    let otlp = r#""endpoint":{"valueFrom":{"secretKeyRef":{"namespace":"dynatrace","name":"dynakube","key":"apiurl"}}},"a":null"#;
    let after = r#"}},"custom":12345678901234567890123,"transform":[ ]},"metadata":{"name":"t"},"alpha":{ }}"#;
    let added = r#","protocol":"http","path":"v2/otlp/v1/traces","headers":[{"name":"Authorization","prefix":"Api-Token","valueFrom":{"secretKeyRef":{"namespace":"dynatrace","name":"dynakube","key":"dataIngestToken"}}}]"#;
    let request = format!(
        r#"{{"request":{{"uid":"u","operation":"CREATE","kind":{{"group":"telemetry.kyma-project.io","version":"v1beta1","kind":"TracePipeline"}},"object":{before}{otlp}{after}}},"settings":{{}}}}"#
    );
    let answer = String::from_utf8(module().call("validate", request.as_bytes()).unwrap()).unwrap();
    let expected = format!(r#""mutated_object":{before}{otlp}{added}{after},"#);
    assert!(answer.starts_with(r#"{"accepted":true,"#) && answer.contains(&expected), "{answer}\n{expected}");
}

#[test]
fn depth_is_no_trouble_where_nobody_looks_and_refused_where_somebody_does() {
    let with = |more: &str, otlp: &str| {
        let endpoint = r#"{"valueFrom":{"secretKeyRef":{"namespace":"dynatrace","name":"dynakube","key":"apiurl"}}}"#;
        let request = format!(
            r#"{{"request":{{"operation":"CREATE","kind":{{"group":"telemetry.kyma-project.io","kind":"LogPipeline"}},"object":{{"more":{more},"spec":{{"output":{{"otlp":{{"endpoint":{endpoint}{otlp}}}}}}}}}}}}}"#
        );
        let answer = module().call("validate", request.as_bytes()).unwrap();
        serde_json::from_slice::<Value>(&answer).map_err(|error| error.to_string())
    };
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for depth in [100, 120] {
        assert!(with(&deep(depth), "").unwrap()["mutated_object"].is_object(), "{depth}");
    }
    // Our host's own reader gives up here, as every reader of that kind does; the module does not.
    assert!(with(&deep(100_000), "").unwrap_err().contains("recursion limit"));
    let settings = format!(r#"{{"rules":{}}}"#, deep(100_000));
    let answer = module().call("validate_settings", settings.as_bytes()).unwrap();
    assert!(String::from_utf8(answer).unwrap().contains("nested too deep"));
}

#[test]
fn bad_requests_are_rejected_with_a_message_and_no_echo() {
    let [token, ..] = secrets();
    let kind =
        r#""kind":{"group":"telemetry.kyma-project.io","version":"v1","kind":"LogPipeline"},"operation":"CREATE""#;
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let very_deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let bad: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        token.as_bytes().to_vec(),
        format!("[\"{token}\"]").into_bytes(),
        format!("\"{token}\"").into_bytes(),
        b"3".to_vec(),
        b"null".to_vec(),
        b"{}".to_vec(),
        b"{\"request\":null}".to_vec(),
        format!("{{\"request\":\"{token}\"}}").into_bytes(),
        format!("{{\"request\":{{{kind}}}}}").into_bytes(),
        format!("{{\"request\":{{{kind},\"object\":\"{token}\"}}}}").into_bytes(),
        format!("{{\"request\":{{{kind},\"object\":{deep}}}}}").into_bytes(),
        format!("{{\"request\":{{{kind},\"object\":{very_deep}}}}}").into_bytes(),
        format!("{{\"request\":{{{kind},\"object\":{{}}}},\"settings\":[\"{token}\"]}}").into_bytes(),
        format!("{{\"request\":{{{kind},\"object\":{{}}}},\"settings\":{{\"{token}\":{deep}}}}}").into_bytes(),
        format!("{{\"request\":{{\"kind\":3,\"operation\":\"{token}\"}}}}").into_bytes(),
        format!("{{\"request\":{{\"kind\":{{\"kind\":\"A\"}},\"operation\":\"{token}\"}}}}").into_bytes(),
        [b"{\"request\":{\"object\":\"", token.as_bytes(), b"\xff\xfe\"}}"].concat(),
        format!("{{\"request\":{{{kind},\"object\":{{\"spec\":\"{token}").into_bytes(),
    ];
    let module = module();
    for payload in bad {
        let answer = module.call("validate", &payload).unwrap();
        e2e::assert_native_agrees(&payload, &answer, "bad request");
        let text = String::from_utf8(answer.clone()).unwrap();
        let answer: ValidationResponse = serde_json::from_slice(&answer).unwrap();
        assert!(!answer.accepted && !answer.message.unwrap().is_empty());
        assert!(!text.contains("dt0c01"), "{text}");
    }
}

#[test]
fn deep_nesting_inside_of_a_pipeline_is_no_trouble() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let request = format!(
        r#"{{"request":{{"kind":{{"group":"telemetry.kyma-project.io","kind":"LogPipeline"}},"operation":"CREATE","object":{{"x":{deep},"spec":{{"input":{deep},"output":{{"otlp":{{"y":{deep},"path":{deep}}}}}}}}}}}}}"#
    );
    let answer = module().call("validate", request.as_bytes()).unwrap();
    let answer: ValidationResponse = serde_json::from_slice(&answer).unwrap();
    assert!(answer.message.unwrap().contains("spec.output.otlp.path is an array, expected a string"));
}

#[test]
fn bad_settings_are_invalid_with_every_error_and_no_echo() {
    let [token, ..] = secrets();
    let bad: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        token.as_bytes().to_vec(),
        b"[]".to_vec(),
        format!("\"{token}\"").into_bytes(),
        b"{\"mode\":3,\"dynatrace\":[],\"metrics\":\"x\",\"rules\":1}".to_vec(),
        format!("{{\"mode\":\"{token}\",\"{token}\":1}}").into_bytes(),
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes(),
        [b"{\"mode\":\"", token.as_bytes(), b"\xff\"}"].concat(),
    ];
    let module = module();
    for settings in bad {
        let answer = module.call("validate_settings", &settings).unwrap();
        let text = String::from_utf8(answer.clone()).unwrap();
        let answer: SettingsValidationResponse = serde_json::from_slice(&answer).unwrap();
        assert!(!answer.valid && answer.message.is_some(), "{text}");
        assert!(!text.contains("dt0c01"), "{text}");
    }
    let answer = module.call("validate_settings", br#"{"mode":3,"dynatrace":[],"metrics":"x","rules":1}"#).unwrap();
    let answer: SettingsValidationResponse = serde_json::from_slice(&answer).unwrap();
    assert_eq!(
        answer.message.unwrap(),
        "invalid settings: `dynatrace` must be an object, not a list; `metrics` must be an object, not a string; \
         `mode` must be a string, not a number; `rules` must be an object, not a number"
    );
}

#[test]
fn no_token_appears_in_any_answer() {
    for secret in secrets() {
        let header = |name: &str, prefix: &str, value: &str| json!({"name": name, "prefix": prefix, "value": value});
        for endpoint in [
            format!("https://{secret}@abc12345.live.dynatrace.com/api"),
            format!("https://user:{secret}@abc12345.apps.dynatrace.com/api?api-token={secret}"),
            format!("https://abc12345.live.dynatrace.com/api?api-token={secret}#{secret}"),
            "http://dynakube-telemetry-ingest.dynatrace:1".to_owned(),
        ] {
            for mode in ["repair", "validate"] {
                let object = traces(json!({
                    "endpoint": {"value": endpoint},
                    "path": format!("v2/otlp/v1/logs?api-token={secret}"),
                    "protocol": if mode == "repair" { "grpc" } else { "" },
                    "headers": [
                        header("Authorization", &format!("Api-Token {secret}"), &secret),
                        header("Authorization", &secret, &format!("Api-Token {secret}")),
                        header("X-Other", "", &secret),
                    ],
                    "authentication": {"basic": {"user": {"value": secret}, "password": {"value": secret}}},
                    "tls": {"insecure": secret},
                    "compression": {"value": secret},
                }));
                let mut request = admission_request(&object, None);
                request["userInfo"]["extra"] = json!({"token": [secret]});
                let settings = json!({"mode": mode});
                let response = policy(&settings).admit(&request);
                let text = serde_json::to_string(&response).unwrap();
                assert!(!response.allowed && text.contains("inline-token"), "{text}");
                assert!(!text.contains(&secret), "{text}");
            }
        }
    }
}
