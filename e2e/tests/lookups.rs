//! Looking at Secrets, with the released module on the engine: what is asked and when, what becomes of every answer, and that no
//! piece of a value gets out.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::pages::HOST_TEXTS;
use e2e::{policy, root};
use kyma_dynatrace_admission::{AdmissionResponse, Answerer, HostCall, Secrets, admission_request};
use serde_json::{Value, json};

/// A pipeline that is in order, but for what its Secret holds.
fn pipeline() -> Value {
    let yaml = fs::read_to_string(root().join("examples/01-traces-direct.yaml")).unwrap();
    yaml_serde::from_str(&yaml).unwrap()
}

fn look() -> Value {
    json!({"lookUpSecrets": true})
}

/// The response to a request, and all that was asked of the host.
fn admit(request: &Value, settings: &Value, answer: Answerer) -> (AdmissionResponse, Vec<(String, String)>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&asked);
    let answerer: Answerer = Arc::new(move |call: &HostCall<'_>| {
        let place = [call.binding, call.namespace, call.operation].join("/");
        notes.lock().unwrap().push((place, String::from_utf8(call.payload.to_vec()).unwrap()));
        answer(call)
    });
    let response = policy(settings).answered_by(answerer).admit(request);
    let asked = asked.lock().unwrap().clone();
    (response, asked)
}

fn says(text: &str) -> Answerer {
    let text = text.to_owned();
    Arc::new(move |_| Err(text.clone()))
}

/// A cluster with the Secret `dynatrace/dynakube` of this `data`, in base64.
fn holds(data: &Value) -> Answerer {
    let mut secrets = Secrets::default();
    let metadata = json!({"namespace": "dynatrace", "name": "dynakube"});
    secrets.add(&json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})).unwrap();
    secrets.answerer()
}

fn encoded(url: &str, token: &str) -> Value {
    json!({"apiurl": STANDARD.encode(url), "dataIngestToken": STANDARD.encode(token)})
}

const URL: &str = "https://abc12345.live.dynatrace.com/api";

#[test]
fn one_call_for_a_secret_and_exactly_this_one() {
    let request = admission_request(&pipeline(), None);
    let (response, asked) = admit(&request, &look(), holds(&encoded(URL, "token")));
    assert!(response.allowed && response.warnings.is_none() && response.patch.is_none(), "{response:?}");
    let payload = r#"{"api_version":"v1","kind":"Secret","name":"dynakube","namespace":"dynatrace","disable_cache":true,"field_masks":["data.apiurl","data.dataIngestToken"]}"#;
    assert_eq!(asked, [("kubewarden/kubernetes/get_resource".to_owned(), payload.to_owned())]);
    // Two Secrets: two calls, and each for its own key.
    let mut two = pipeline();
    two["spec"]["output"]["otlp"]["headers"][0]["valueFrom"]["secretKeyRef"]["name"] = "tokens".into();
    let declared = |name: &str| json!({"namespace": "dynatrace", "name": name});
    let settings = json!({"lookUpSecrets": true, "dynatrace": {"secrets": [declared("dynakube"), declared("tokens")]}});
    let (_, asked) = admit(&admission_request(&two, None), &settings, says("nothing"));
    let masks = |index: usize| serde_json::from_str::<Value>(&asked[index].1).unwrap()["field_masks"].clone();
    assert_eq!((asked.len(), masks(0), masks(1)), (2, json!(["data.apiurl"]), json!(["data.dataIngestToken"])));
    // A key with a dot has no mask of its own.
    let mut dotted = pipeline();
    dotted["spec"]["output"]["otlp"]["endpoint"]["valueFrom"]["secretKeyRef"]["key"] = "api.url".into();
    let settings = json!({"lookUpSecrets": true,
        "dynatrace": {"secrets": [{"namespace": "dynatrace", "name": "dynakube", "endpointKey": "api.url"}]}});
    let (_, asked) = admit(&admission_request(&dotted, None), &settings, says("nothing"));
    assert!(asked[0].1.ends_with(r#""field_masks":["data"]}"#), "{asked:?}");
}

#[test]
fn no_call_where_none_may_be() {
    let create = admission_request(&pipeline(), None);
    let unchanged = admission_request(&pipeline(), Some(&pipeline()));
    let mut refused = pipeline();
    refused["spec"]["output"]["otlp"]["protocol"] = "grpc".into();
    refused["spec"]["output"]["otlp"].as_object_mut().unwrap().remove("path");
    let mut undeclared = pipeline();
    undeclared["spec"]["output"]["otlp"]["endpoint"]["valueFrom"]["secretKeyRef"]["name"] = "other".into();
    undeclared["spec"]["output"]["otlp"]["headers"][0]["valueFrom"]["secretKeyRef"]["name"] = "other".into();
    let mut elsewhere = pipeline();
    elsewhere["spec"]["output"]["otlp"] = json!({"endpoint": {"value": "http://jaeger.jaeger:4317"}});
    let mut deletion = create.clone();
    deletion["operation"] = "DELETE".into();
    let off = ["secret-not-found", "secret-endpoint", "secret-token", "lookup-refused"];
    let off: serde_json::Map<String, Value> = off.iter().map(|id| ((*id).to_owned(), "off".into())).collect();
    for (request, settings) in [
        (&create, json!({})),
        (&create, json!({"lookUpSecrets": true, "rules": off})),
        (&unchanged, look()),
        (&admission_request(&refused, None), look()),
        (&admission_request(&undeclared, None), look()),
        (&admission_request(&elsewhere, None), look()),
        (&deletion, look()),
    ] {
        let (_, asked) = admit(request, &settings, says("nothing"));
        assert_eq!(asked, [], "{settings}");
    }
    // And one where there has to be one: the same request, changed.
    let mut changed = pipeline();
    changed["spec"]["output"]["otlp"]["compression"] = "none".into();
    let (_, asked) = admit(&admission_request(&changed, Some(&pipeline())), &look(), says("nothing"));
    assert_eq!(asked.len(), 1);
}

/// What may happen when the policy looks, and how the host tells it.
fn outcomes() -> [(&'static str, Answerer); 12] {
    let failure = |text: &str| says(&format!("Callback evaluation failure: {text}"));
    let [granted, forbidden, capability] = HOST_TEXTS.map(|(_, text)| says(text));
    let without = |key: &str| {
        let mut data = encoded(URL, "token");
        data.as_object_mut().unwrap().remove(key);
        holds(&data)
    };
    let missing = "Cannot find v1/Secret named 'dynakube' inside of namespace 'Some(\"dynatrace\")'";
    [
        ("the Secret is in order", holds(&encoded(URL, "token"))),
        ("there is no such Secret", failure(missing)),
        ("the Secret lacks the key of the URL", without("apiurl")),
        ("the URL lacks `/api`", holds(&encoded("https://abc12345.live.dynatrace.com", "token"))),
        ("the URL ends with a newline", holds(&encoded(&format!("{URL}\n"), "token"))),
        ("the token ends with a newline", holds(&encoded(URL, "token\n"))),
        ("the token has the scheme in front", holds(&encoded(URL, "Api-Token token"))),
        ("the policy does not list Secrets", granted),
        ("the service account lacks the right", forbidden),
        ("the host capability is not granted", capability),
        ("the API server does not answer", failure("ApiError: etcdserver: request timed out")),
        ("there is no Kubernetes client", failure("kube::Client was not initialized properly")),
    ]
}

/// A row of the page's table.
fn told(name: &str, answerer: Answerer) -> String {
    let (response, asked) = admit(&admission_request(&pipeline(), None), &look(), answerer);
    assert!(response.allowed && response.patch.is_none() && asked.len() == 1, "{name}: {response:?}");
    let text = |warning: &String| warning.split("; see ").next().unwrap().to_owned();
    let warnings: Vec<String> = response.warnings.iter().flatten().map(text).collect();
    let warnings = if warnings.is_empty() { "nothing".to_owned() } else { warnings.join("<br>") };
    let annotations = response.audit_annotations.unwrap_or_default();
    let annotations = annotations.iter().filter(|(key, _)| *key != "destination");
    let annotations: Vec<String> = annotations.map(|(key, value)| format!("`{key}: {value}`")).collect();
    let annotations = if annotations.is_empty() { "nothing".to_owned() } else { annotations.join(", ") };
    format!("| {name} | {warnings} | {annotations} |\n")
}

/// What users and operators see of each outcome is what `docs/lookups.md` shows.
#[test]
fn every_outcome_is_told_as_the_page_says() {
    let rows: String = outcomes().into_iter().map(|(name, answerer)| told(name, answerer)).collect();
    let table = format!("\n| what happens | the user sees | audit annotations |\n|---|---|---|\n{rows}\n");
    let path = root().join("docs/lookups.md");
    let page = fs::read_to_string(&path).unwrap();
    let written = xtask::sections::replace(&page, "outcomes", "bless", &table).unwrap();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, written).unwrap();
    } else {
        assert_eq!(page, written, "not as blessed (`make bless` and review)");
    }
}

#[test]
fn a_slow_cluster_is_a_500_as_in_policy_server() {
    let slow: Answerer = Arc::new(|_| {
        std::thread::sleep(Duration::from_millis(3500));
        Err("late".to_owned())
    });
    let (response, _) = admit(&admission_request(&pipeline(), None), &look(), slow);
    let status = response.status.unwrap();
    assert_eq!((response.allowed, status.code), (false, Some(500)));
    assert!(status.message.unwrap().contains("exceeded the allowed execution time"));
}

#[test]
fn a_secret_of_a_mebibyte_is_looked_at() {
    let mut data = encoded(URL, "token\n");
    data["ballast"] = STANDARD.encode("x".repeat(1024 * 1024)).into();
    // A host that knows no masks hands over all of it.
    let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "dynakube"}, "data": data});
    let whole = object.to_string().into_bytes();
    let answerer: Answerer = Arc::new(move |_| Ok(whole.clone()));
    let (response, _) = admit(&admission_request(&pipeline(), None), &look(), answerer);
    let warnings = response.warnings.unwrap();
    assert!(response.allowed && warnings.len() == 1 && warnings[0].starts_with("secret-token: "), "{warnings:?}");
}

/// Values that somebody may have put into a Secret. `QZ` stands for 24 letters and digits that nothing else has.
#[rustfmt::skip]
const ODD: [&str; 42] = [
    "QZ", "QZ\n", "\nQZ", " QZ", "QZ ", "QZ QZ", "\tQZ", "QZ\r\n", "\u{feff}QZ", "<QZ>", "{{ QZ }}", "\"QZ\"", "'QZ'",
    "Api-Token QZ", "api-token QZ", "Bearer QZ", "Api-Token QZ\n", "Api-Token  QZ", "Basic QZ",
    "dt0c01.QZ.QZ", "dt0s16.QZ.QZ", "dt0c01.QZ.QZ\n",
    "https://QZ.live.dynatrace.com/api", "https://QZ.apps.dynatrace.com/api", "https://QZ.live.dynatrace.com",
    "http://QZ.live.dynatrace.com/api", "QZ.live.dynatrace.com/api", "https://user:QZ@host.example.com/api",
    "https://host.example.com/QZ", "https://host.example.com/api?api-token=QZ", "https://host.example.com/e/QZ/api",
    "https://QZ:QZ:QZ/api", "https://[QZ]/api", "grpc://QZ:4317", "//QZ/api", "https://https://QZ/api",
    "ENVIRONMENTID-QZ", "changeme QZ", "QZ\u{0}QZ", "ÄÖÜ-QZ", "\u{202e}QZ", "%51%5A-QZ",
];
const MARK: &str = "k7Wq9ZrT4mXb2LpV8sNc5DhJ";

fn odd_values() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = ODD.iter().map(|text| text.replace("QZ", MARK).into_bytes()).collect();
    values.push([b"\xff\xfe", MARK.as_bytes()].concat());
    values.push([MARK.repeat(40_000).as_bytes(), b"\n"].concat());
    values
}

/// A Secret's data with this value at one key, and a good one at the other.
fn encoded_with(key: &str, value: &[u8]) -> Value {
    let mut data = encoded(URL, "token");
    data[key] = STANDARD.encode(value).into();
    data
}

/// No six characters in a row of the mark, and no twelve of the base64.
fn assert_no_piece(response: &AdmissionResponse, data: &Value) {
    let shown = serde_json::to_string(response).unwrap();
    let has = |piece: &[u8]| shown.as_bytes().windows(piece.len()).any(|window| window == piece);
    assert!(!MARK.as_bytes().windows(6).any(has), "a piece of the value is shown: {shown}");
    for base64 in data.as_object().into_iter().flat_map(|data| data.values()).filter_map(Value::as_str) {
        assert!(!base64.as_bytes().windows(12).take(4096).any(has), "a piece of the base64 is shown: {shown}");
    }
}

#[test]
fn no_piece_of_a_value_gets_out() {
    let denying = json!({"lookUpSecrets": true, "denialsAsWarnings": true,
        "rules": {"secret-not-found": "deny", "secret-endpoint": "deny", "secret-token": "deny"}});
    let request = admission_request(&pipeline(), None);
    let (mut count, mut told) = (0, 0);
    for value in odd_values() {
        let broken = json!({"apiurl": format!("%{MARK}"), "dataIngestToken": "token"});
        for data in [encoded_with("apiurl", &value), encoded_with("dataIngestToken", &value), broken] {
            for settings in [&look(), &denying] {
                let (response, asked) = admit(&request, settings, holds(&data));
                assert_eq!(asked.len(), 1);
                assert_no_piece(&response, &data);
                told += usize::from(format!("{response:?}").contains("secret-"));
                count += 1;
            }
        }
        // The host's own text may hold anything.
        let text = format!("Callback evaluation failure: {}", String::from_utf8_lossy(&value));
        assert_no_piece(&admit(&request, &look(), says(&text)).0, &Value::Null);
    }
    assert!(count > 250 && told > count / 3, "{count} {told}");
}

/// Repairs do not depend on what was seen: the patch of each example is the same with a lookup as without.
#[test]
fn what_was_seen_changes_no_repair() {
    let mut repaired = 0;
    for entry in fs::read_dir(root().join("examples")).unwrap().map(Result::unwrap) {
        let object: Value = yaml_serde::from_str(&fs::read_to_string(entry.path()).unwrap()).unwrap();
        let request = admission_request(&object, None);
        let without = policy(&json!({})).admit(&request);
        let bad = || holds(&encoded("https://abc12345.apps.dynatrace.com/api", "Api-Token token\n"));
        for answerer in [bad(), says("nothing"), says(HOST_TEXTS[1].1)] {
            let (with, _) = admit(&request, &look(), answerer);
            assert_eq!((with.patch, with.allowed), (without.patch.clone(), without.allowed), "{:?}", entry.path());
        }
        repaired += usize::from(without.patch.is_some());
    }
    assert!(repaired >= 3);
}
