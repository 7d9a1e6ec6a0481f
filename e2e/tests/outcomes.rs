//! What Kyma really configured: pipelines that a real API server and the Telemetry manager were given, and what came of
//! each (the data beside the project). The truth here is not ours: a judge looks at what the manager configured, and
//! knows nothing of the rules.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::collections::BTreeMap;
use std::fs;

use e2e::{policy, shared};
use kyma_dynatrace_admission::admission_request;
use kyma_dynatrace_policy::destination::url::Url;
use serde_json::{Value, json};

/// The rows; none where the data beside the project is missing.
fn rows() -> Vec<Value> {
    let Some(shared) = shared() else { return Vec::new() };
    let text = fs::read_to_string(shared.join("outcomes/kyma-1.69.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the Secrets of the rows hold (the data's README).
fn secret(namespace: &str, name: &str, key: &str) -> Option<&'static str> {
    Some(match (namespace, name, key) {
        ("dynatrace", "dynakube", "apiurl") | ("team", "otlp", "apiurl") => "https://abc12345.live.dynatrace.com/api",
        ("dynatrace", "dynakube", "dataIngestToken" | "apiToken") | ("team", "otlp", "token") => "<token>",
        ("team", "otlp", "url") => "https://abc12345.live.dynatrace.com/api/v2/otlp",
        ("team", "otlp", "bare") => "https://abc12345.live.dynatrace.com",
        ("team", "otlp", "slash") => "https://abc12345.live.dynatrace.com/api/",
        ("team", "otlp", "noscheme") => "abc12345.live.dynatrace.com/api",
        ("team", "otlp", "managed") => "https://dt.corp.example/e/abc/api",
        ("team", "otlp", "scheme") => "Api-Token <token>",
        _ => return None,
    })
}

/// The text of a `value` or `valueFrom`.
fn resolved(value: &Value) -> Option<String> {
    if let Some(text) = value["value"].as_str().filter(|text| !text.is_empty()) {
        return Some(text.to_owned());
    }
    let key = &value["valueFrom"]["secretKeyRef"];
    secret(key["namespace"].as_str()?, key["name"].as_str()?, key["key"].as_str()?).map(str::to_owned)
}

fn signal(object: &Value) -> &'static str {
    match object["kind"].as_str().unwrap() {
        "MetricPipeline" => "metrics",
        "TracePipeline" => "traces",
        _ => "logs",
    }
}

fn otlp(object: &Value) -> &Value {
    &object["spec"]["output"]["otlp"]
}

/// Whether what the manager configured reaches Dynatrace and is taken there. Knows Dynatrace's documentation, and none
/// of our rules: https, a host of the API, the path of the signal, a token with its scheme, delta where it has to be.
fn would_arrive(row: &Value) -> bool {
    let (effective, stored) = (&row["effective"], &row["stored"]);
    if effective["exporter"] != "otlp_http" {
        return false;
    }
    let url = effective["url"].as_str().unwrap();
    let appended = format!("{}/v1/{}", url.strip_suffix('/').unwrap_or(url), signal(stored));
    let url = if otlp(stored)["path"].as_str().unwrap_or_default().is_empty() { appended.as_str() } else { url };
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    if !scheme.eq_ignore_ascii_case("https") {
        return false;
    }
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    let host = authority.split(':').next().unwrap().trim_end_matches('.').to_ascii_lowercase();
    let port = authority.split_once(':').map_or("443", |(_, port)| port);
    let is_standard_port = port == "443" || port.is_empty();
    let domains = [".live.dynatrace.com", ".sprint.dynatracelabs.com", ".dev.dynatracelabs.com"];
    let environment = domains.iter().find_map(|domain| host.strip_suffix(domain));
    let is_saas = environment.is_some_and(|environment| !environment.contains('.'));
    let api = format!("api/v2/otlp/v1/{}", signal(stored));
    let path = path.split('?').next().unwrap();
    let behind_id = path.strip_prefix("e/").and_then(|rest| rest.split_once('/')).map(|(_, rest)| rest);
    let has_path = if is_saas { path == api || behind_id == Some(&api) } else { behind_id == Some(&api) };
    let headers = effective["headers"].as_object().cloned().unwrap_or_default();
    let authorization = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let authorization = authorization.and_then(|(_, value)| value.as_str()).unwrap_or_default();
    let is_token = authorization.eq_ignore_ascii_case("Api-Token <token>");
    has_path && (!is_saas || is_standard_port) && is_token && is_delta(row)
}

/// Whether Dynatrace takes the metrics. What applications push nobody can know: they are taken to push delta.
fn is_delta(row: &Value) -> bool {
    if signal(&row["stored"]) != "metrics" {
        return true;
    }
    let input = &row["stored"]["spec"]["input"];
    let is_on = |name: &str| input[name]["enabled"] == true;
    let resource = |name: &str| input["runtime"]["resources"][name]["enabled"] != false;
    let runtime = is_on("runtime") && (resource("pod") || resource("container") || resource("node"));
    row["effective"]["delta"] == true || !(is_on("istio") || is_on("prometheus") || runtime)
}

/// Whether the pipeline is refused on purpose although it arrives: by rules about secrets and certificates.
fn is_refused_on_purpose(row: &Value) -> bool {
    let otlp = otlp(&row["submitted"]);
    let is_literal = |value: &Value| value["value"].as_str().is_some_and(|text| !text.is_empty());
    let headers = otlp["headers"].as_array().cloned().unwrap_or_default();
    let name = |header: &Value| header["name"].as_str().unwrap_or_default().to_owned();
    let has_literal = headers.iter().any(|h| name(h).eq_ignore_ascii_case("authorization") && is_literal(h));
    has_literal || otlp["tls"]["insecureSkipVerify"] == true
}

/// The objects as admission sees them: the definitions' defaults are in, unknown fields are gone, and the manager's own
/// defaults are not there yet, because its webhook is called after the policy.
fn admitted(rows: Vec<Value>) -> Vec<(Value, Value)> {
    let world = e2e::worlds().into_iter().find(|world| world.name.contains("2026"));
    let admit = |row: Value| {
        let mut object = row["submitted"].clone();
        object["metadata"]["name"] = "x".into();
        let object = world.as_ref().map_or_else(|| object.clone(), |world| world.decode(&object));
        (row, object)
    };
    rows.into_iter().map(admit).collect()
}

#[test]
fn what_arrives_is_accepted_and_unchanged() {
    let policies = ["repair", "validate"].map(|mode| policy(&json!({"mode": mode})));
    let (mut arrived, mut purpose, mut differences) = (0, 0, Vec::new());
    let rows = admitted(rows());
    for (row, object) in rows.iter().filter(|(row, _)| row["effective"].is_object() && would_arrive(row)) {
        arrived += 1;
        if is_refused_on_purpose(row) {
            purpose += 1;
            continue;
        }
        for policy in &policies {
            let response = policy.admit(&admission_request(object, None));
            if !response.allowed || response.patch.is_some() {
                differences.push(format!("{}\n  {object}", serde_json::to_string(&response).unwrap()));
            }
        }
    }
    println!("{arrived} rows arrive, {purpose} of them may be refused on purpose");
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn what_cannot_arrive_and_can_be_known_is_not_passed_in_silence() {
    let policy = policy(&json!({}));
    let (mut silent, mut counts) = (Vec::new(), BTreeMap::<&str, usize>::new());
    for (row, object) in admitted(rows()) {
        let is_configured = row["effective"].is_object();
        if is_configured && would_arrive(&row) {
            continue;
        }
        let response = policy.admit(&admission_request(&object, None));
        let is_told = !response.allowed || response.warnings.is_some() || response.patch.is_some();
        let kind = match (is_told, reason_of_silence(&row)) {
            (true, _) => "told",
            (false, Some(reason)) => reason,
            (false, None) => {
                silent.push(format!("{} {object}", row["status"]["message"]));
                "silent"
            }
        };
        *counts.entry(kind).or_default() += 1;
    }
    println!("{counts:#?}");
    assert!(silent.is_empty(), "{} are passed in silence:\n{}", silent.len(), silent.join("\n"));
}

/// Why nobody could know from the object and the settings that a pipeline does not arrive.
fn reason_of_silence(row: &Value) -> Option<&'static str> {
    let output = otlp(&row["submitted"]);
    let message = row["refused"].as_str().unwrap_or_default();
    if !message.is_empty() {
        return Some("the API server refuses it by itself");
    }
    let key = |value: &Value| value["valueFrom"]["secretKeyRef"]["key"].as_str().unwrap_or_default().to_owned();
    let endpoint = &output["endpoint"];
    let namespace = endpoint["valueFrom"]["secretKeyRef"]["namespace"].as_str().unwrap_or_default();
    let keys: Vec<String> =
        output["headers"].as_array().into_iter().flatten().map(key).chain([key(endpoint)]).collect();
    if keys.iter().any(|key| key == "missing") {
        Some("a Secret lacks the key")
    } else if namespace == "team" {
        Some("the endpoint is in a Secret that nobody declared")
    } else if output["headers"].as_array().into_iter().flatten().any(|h| key(h) == "scheme") {
        Some("the Secret holds the scheme already")
    } else if output["headers"].as_array().into_iter().flatten().any(|h| h["prefix"] == "Bearer") {
        Some("the token may be a platform token")
    } else if row["effective"]["exporter"] == "otlp" || row["effective"]["url"].as_str().is_some_and(is_collector) {
        Some("it goes to a Collector, which is no matter of this judge")
    } else if output["endpoint"]["value"].as_str().is_some_and(|url| url.starts_with("https://ag.corp.example")) {
        Some("a proxy may answer there without the environment's id")
    } else if row["effective"]["url"].as_str().is_some_and(|url| !is_dynatrace(url)) {
        Some("it does not go to Dynatrace")
    } else {
        None
    }
}

fn is_collector(url: &str) -> bool {
    url.contains("-telemetry-ingest")
}

fn is_dynatrace(url: &str) -> bool {
    url.contains("dynatrace") || url.contains("/e/") || url.contains("/api/v2/otlp")
}

/// What the manager would configure for an object, by the joining and the headers that a test below holds to its own.
fn configured(object: &Value) -> Option<Value> {
    let output = otlp(object);
    let (endpoint, path) = (resolved(&output["endpoint"])?, output["path"].as_str().unwrap_or_default());
    let url =
        if path.is_empty() { endpoint } else { Url::effective(&endpoint, path, signal(object)).ok()?.to_string() };
    let mut headers = serde_json::Map::new();
    for header in output["headers"].as_array().into_iter().flatten() {
        let (value, prefix) = (resolved(header)?, header["prefix"].as_str().unwrap_or_default().trim());
        let value = if prefix.is_empty() { value } else { format!("{prefix} {value}") };
        headers.insert(header["name"].as_str()?.to_lowercase(), value.into());
    }
    let exporter = if output["protocol"] == "http" { "otlp_http" } else { "otlp" };
    let delta = output["temporality"] == "delta";
    Some(json!({"exporter": exporter, "url": url, "headers": headers, "delta": delta}))
}

#[test]
fn what_is_repaired_arrives() {
    let policy = policy(&json!({}));
    let (mut arrived, mut warned, mut lost) = (0, 0, Vec::new());
    for (row, object) in admitted(rows()) {
        let response = policy.admit(&admission_request(&object, None));
        let Some(patch) = &response.patch else { continue };
        let mut repaired = object.clone();
        json_patch::patch(&mut repaired, &patch.0).unwrap();
        let effective = configured(&repaired).unwrap_or_default();
        if would_arrive(&json!({"stored": repaired, "effective": effective})) {
            arrived += 1;
        } else if response.audit_annotations.clone().unwrap_or_default().contains_key("findings") {
            warned += 1;
        } else if reason_of_silence(&row).is_none() {
            lost.push(format!("{effective} {repaired}"));
        }
    }
    println!("{arrived} repaired rows arrive, {warned} are repaired and warned of");
    assert!(lost.is_empty(), "{} do not arrive:\n{}", lost.len(), lost.join("\n"));
}

#[test]
fn urls_and_headers_are_those_that_the_manager_configured() {
    let (mut urls, mut headers, mut differences) = (0, 0, Vec::new());
    for row in rows().iter().filter(|row| row["effective"].is_object()) {
        let (output, effective) = (otlp(&row["stored"]), &row["effective"]);
        let (Some(endpoint), Some(url)) = (resolved(&output["endpoint"]), effective["url"].as_str()) else { continue };
        let path = output["path"].as_str().unwrap_or_default();
        let ours = if path.is_empty() {
            Ok(endpoint)
        } else {
            Url::effective(&endpoint, path, signal(&row["stored"])).map(|url| url.to_string())
        };
        urls += 1;
        if ours.as_deref() != Ok(url) {
            differences.push(format!("{ours:?}, the manager {url}"));
        }
        for (name, expected) in effective["headers"].as_object().into_iter().flatten() {
            let is_it = |h: &&Value| h["name"].as_str().unwrap_or_default().eq_ignore_ascii_case(name);
            let sent = output["headers"].as_array().into_iter().flatten().rev().find(is_it);
            let Some(sent) = sent else { continue };
            let (Some(value), prefix) = (resolved(sent), sent["prefix"].as_str().unwrap_or_default().trim()) else {
                continue;
            };
            let ours = if prefix.is_empty() { value } else { format!("{prefix} {value}") };
            headers += 1;
            if *expected != json!(ours) {
                differences.push(format!("{name}: {ours}, the manager {expected}"));
            }
        }
    }
    println!("{urls} URLs and {headers} headers compared");
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

/// What is left when everything is taken out that says nothing: the module's Go types print some of it, and drop some.
fn without_empties(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().map(|(name, member)| (name.clone(), without_empties(member)));
            let says_nothing = [json!(null), json!({}), json!([]), json!("")];
            kept.filter(|(_, member)| !says_nothing.contains(member)).collect()
        }
        Value::Array(items) => items.iter().map(without_empties).collect(),
        other => other.clone(),
    }
}

/// Our API server without a cluster stores what the real one stored, with the manager's own defaulting webhook.
#[test]
fn what_is_stored_is_what_the_real_server_stored() {
    let worlds = e2e::worlds();
    let Some(world) = worlds.last() else { return };
    let (mut same, mut refused, mut differences) = (0, 0, Vec::new());
    for row in rows() {
        let mut submitted = row["submitted"].clone();
        submitted.as_object_mut().unwrap().remove("metadata");
        let refusals = world.errors(&submitted);
        if row.get("refused").is_some() {
            refused += usize::from(!refusals.is_empty());
            if refusals.is_empty() {
                differences.push(format!("not refused: {submitted}"));
            }
            continue;
        }
        let (ours, theirs) = (world.server.stored(&submitted), &row["stored"]);
        // v1alpha1 was converted to be stored, and back to be read; what is empty gets lost on the way.
        let is_alpha = theirs["apiVersion"] == "telemetry.kyma-project.io/v1alpha1";
        let is_same = if is_alpha { without_empties(&ours) == without_empties(theirs) } else { ours == *theirs };
        if is_same && refusals.is_empty() {
            same += 1;
        } else {
            differences.push(format!("{refusals:?} {ours}\n  the server stored {theirs}"));
        }
    }
    println!("{same} stored alike, {refused} refused alike");
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
