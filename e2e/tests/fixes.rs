//! Every fix is right: what a finding says is done, and the finding is gone, and no other came. A fix that this table of
//! sentences cannot apply is too vague for a person too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that panics is a test that fails"
)]
#![allow(clippy::too_many_lines, reason = "a table of sentences is as long as it is")]

use std::collections::BTreeSet;
use std::fs;

use e2e::{payload, root};
use kyma_dynatrace_admission::admission_request;
use kyma_dynatrace_policy::kubewarden::Payload;
use kyma_dynatrace_policy::lookup::Seen;
use kyma_dynatrace_policy::pipeline::{FieldPath, Step};
use kyma_dynatrace_policy::review::review;
use kyma_dynatrace_policy::rules::RULES;
use kyma_dynatrace_policy::settings::{RuleId, Settings};
use serde_json::{Value, json};

/// A finding: rule, field, and what to do.
#[derive(Debug, Clone)]
struct Told {
    rule: RuleId,
    field: FieldPath,
    fix: String,
}

fn findings(object: &Value, settings: &Value) -> Vec<Told> {
    let payload = String::from_utf8(payload(&admission_request(object, None), settings)).unwrap();
    let payload = Payload::parse(&payload).unwrap();
    let settings = Settings::read(settings.clone()).unwrap();
    let verdict = review(&payload.request().unwrap(), &settings, Seen::NOTHING).unwrap();
    let told = |finding: &kyma_dynatrace_policy::rule::Finding| Told {
        rule: finding.rule.id,
        field: finding.fault.field.clone(),
        fix: finding.fault.fix.clone().into_owned(),
    };
    verdict.findings.iter().map(told).collect()
}

/// The texts in backticks.
fn quoted(fix: &str) -> Vec<&str> {
    fix.split('`').skip(1).step_by(2).collect()
}

fn set(object: &mut Value, field: &FieldPath, value: Value) {
    let (parent, last) = field.split_last().unwrap();
    if object.pointer(&parent.pointer()).is_none() {
        set(object, &parent, json!({}));
    }
    match (object.pointer_mut(&parent.pointer()).unwrap(), last) {
        (Value::Array(elements), Step::Index(index)) => elements[index] = value,
        (members, Step::Key(name)) => members[&*name] = value,
        (other, step) => panic!("{other} {step:?}"),
    }
}

fn secret(namespace: &str, name: &str, key: &str) -> Value {
    json!({"valueFrom": {"secretKeyRef": {"namespace": namespace, "name": name, "key": key}}})
}

/// An `Authorization` header behind the others.
fn add_authorization(object: &mut Value, scheme: &str, key: &str, secret_name: &str) {
    let (namespace, name) = secret_name.split_once('/').unwrap();
    let mut header = secret(namespace, name, key);
    header["name"] = "Authorization".into();
    header["prefix"] = scheme.into();
    let otlp = &mut object["spec"]["output"]["otlp"];
    if !otlp["headers"].is_array() {
        otlp["headers"] = json!([]);
    }
    otlp["headers"].as_array_mut().unwrap().push(header);
}

fn is_authorization(header: &Value) -> bool {
    header["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("authorization"))
}

/// The endpoint taken apart: scheme with `://`, host with port, path.
fn parts(url: &str) -> (String, String, String) {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    (scheme, host.to_owned(), path.to_owned())
}

/// Changes the literal endpoint.
fn with_endpoint(object: &mut Value, change: impl Fn(String, String, String) -> String) {
    let endpoint = &mut object["spec"]["output"]["otlp"]["endpoint"]["value"];
    let (scheme, host, path) = parts(endpoint.as_str().unwrap());
    *endpoint = change(scheme, host, path).into();
}

fn host_alone(host: &str) -> String {
    host.split(':').next().unwrap().to_owned()
}

fn set_or_remove(object: &mut Value, name: &str, value: Option<Value>) {
    let otlp = object["spec"]["output"]["otlp"].as_object_mut().unwrap();
    match value {
        Some(value) => drop(otlp.insert(name.to_owned(), value)),
        None => drop(otlp.remove(name)),
    }
}

/// Does what a fix says; `false` where no sentence of the tables is meant.
fn apply(object: &mut Value, told: &Told) -> bool {
    fix_endpoint(object, &told.fix) || fix_headers(object, told) || fix_members(object, &told.fix)
}

/// Fixes of the literal endpoint.
fn fix_endpoint(object: &mut Value, fix: &str) -> bool {
    let quoted = quoted(fix);
    let starts = |text: &str| fix.starts_with(text);
    if starts("end the endpoint with `/") {
        let base = quoted[0].replace("<id>", "abc12345");
        with_endpoint(object, |scheme, host, _| format!("{scheme}{host}{base}"));
        set_or_remove(object, "path", Some(quoted[2].into()));
    } else if starts("remove `path`, and end the endpoint with its port") {
        set_or_remove(object, "path", None);
        with_endpoint(object, |scheme, host, _| format!("{scheme}{host}"));
    } else if starts("set the port of the endpoint to ") {
        let port = fix.rsplit(' ').next().unwrap();
        with_endpoint(object, |scheme, host, path| format!("{scheme}{}:{port}{path}", host_alone(&host)));
    } else if starts("remove the port from the endpoint") {
        with_endpoint(object, |scheme, host, path| format!("{scheme}{}{path}", host_alone(&host)));
    } else if starts("change the host of the endpoint to the API host") {
        with_endpoint(object, |scheme, _, path| format!("{scheme}abc12345.live.dynatrace.com{path}"));
    } else if starts("change the host of the endpoint to ") {
        let host = quoted[0];
        with_endpoint(object, |scheme, old, path| {
            let port = old.split_once(':').map_or(String::new(), |(_, port)| format!(":{port}"));
            format!("{scheme}{host}{port}{path}")
        });
    } else if starts("change `http://` to `https://`") || starts("replace the scheme of the endpoint with ") {
        let scheme = quoted.last().unwrap().to_string();
        with_endpoint(object, |_, host, path| format!("{scheme}{host}{path}"));
    } else if starts("write `") && fix.contains(" in front of the endpoint") {
        let scheme = quoted[0];
        with_endpoint(object, |_, host, path| format!("{scheme}{}{path}", host.trim_start_matches('/')));
    } else if starts("remove the blanks around the endpoint") {
        let value = object["spec"]["output"]["otlp"]["endpoint"]["value"].as_str().unwrap().trim().to_owned();
        object["spec"]["output"]["otlp"]["endpoint"]["value"] = value.into();
    } else if starts("remove the control characters") {
        let value = object["spec"]["output"]["otlp"]["endpoint"]["value"].as_str().unwrap().replace('\n', "");
        object["spec"]["output"]["otlp"]["endpoint"]["value"] = value.into();
    } else if starts("remove the first of the two schemes") {
        with_endpoint(object, |_, host, path| format!("{host}{path}"));
    } else if starts("correct host and port of the endpoint") {
        with_endpoint(object, |scheme, host, path| {
            let name = host_alone(host.trim_matches(['[', ']']));
            let port = host.split_once(':').map_or("", |(_, port)| port).split(':').next().unwrap_or_default();
            let port = if port.is_empty() { String::new() } else { format!(":{port}") };
            format!("{scheme}{name}{port}{path}")
        });
    } else if starts("remove the part before the `@`") {
        with_endpoint(object, |scheme, host, path| format!("{scheme}{}{path}", host.rsplit('@').next().unwrap()));
    } else {
        return false;
    }
    true
}

/// Fixes of headers, tokens and single fields.
fn fix_headers(object: &mut Value, told: &Told) -> bool {
    let (fix, quoted) = (told.fix.as_str(), quoted(&told.fix));
    let starts = |text: &str| fix.starts_with(text);
    if starts("add an `Authorization` header with `prefix: ") && fix.contains("the key `") {
        add_authorization(object, quoted[1].trim_start_matches("prefix: "), quoted[2], quoted[3]);
    } else if starts("add an `Authorization` header with `prefix: ") {
        add_authorization(object, quoted[1].trim_start_matches("prefix: "), "token", "team/ingest");
    } else if starts("remove `authentication.") {
        let name = quoted[0].trim_start_matches("authentication.");
        object["spec"]["output"]["otlp"]["authentication"].as_object_mut().unwrap().remove(name);
        let headers = object["spec"]["output"]["otlp"]["headers"].as_array().cloned().unwrap_or_default();
        if !headers.iter().any(is_authorization) {
            add_authorization(object, "Api-Token", "dataIngestToken", "dynatrace/dynakube");
        }
    } else if starts("remove all `Authorization` headers but the last") {
        let headers = object["spec"]["output"]["otlp"]["headers"].as_array_mut().unwrap();
        let last = headers.iter().rposition(is_authorization).unwrap();
        let mut index = 0;
        headers.retain(|header| {
            index += 1;
            !is_authorization(header) || index - 1 == last
        });
    } else if starts("remove the `Authorization` header") {
        object["spec"]["output"]["otlp"]["headers"].as_array_mut().unwrap().retain(|header| !is_authorization(header));
    } else if starts("set `prefix: ") {
        set(object, &told.field, quoted[0].trim_start_matches("prefix: ").into());
    } else if starts("set `key` to ") {
        set(object, &told.field, quoted[1].into());
    } else if starts("set `value` or `valueFrom.secretKeyRef` of the header") {
        let header = object.pointer_mut(&told.field.pointer()).unwrap();
        let from = if is_authorization(header) {
            secret("dynatrace", "dynakube", "dataIngestToken")
        } else {
            json!({"value": "x"})
        };
        header.as_object_mut().unwrap().remove("value");
        header.as_object_mut().unwrap().extend(from.as_object().unwrap().clone());
    } else if starts("revoke the token, store a new one in a Secret, and refer to it with `valueFrom.secretKeyRef`") {
        refer(object, &told.field);
    } else if starts("set the field to ") {
        let value = match fix.rsplit(' ').next().unwrap() {
            "string" => json!(""),
            "boolean" => json!(false),
            "array" => json!([]),
            _ if told.field.as_str().contains("headers[") => json!({"name": "X", "value": "y"}),
            _ => json!({}),
        };
        set(object, &told.field, value);
    } else {
        return false;
    }
    true
}

/// Fixes of members of the output.
fn fix_members(object: &mut Value, fix: &str) -> bool {
    let quoted = quoted(fix);
    let starts = |text: &str| fix.starts_with(text);
    let ca = || secret("dynatrace", "dynakube-activegate-tls-secret", "tls.crt");
    if starts("set `path` to ") {
        set_or_remove(object, "path", Some(quoted[1].into()));
    } else if fix == "remove `path`" {
        set_or_remove(object, "path", None);
    } else if starts("set `protocol: http`") {
        set_or_remove(object, "protocol", Some("http".into()));
    } else if starts("set `temporality: delta`") {
        set_or_remove(object, "temporality", Some("delta".into()));
    } else if starts("set `compression: gzip`") {
        set_or_remove(object, "compression", Some("gzip".into()));
    } else if starts("set `tls.ca` to ") || starts("remove `tls.insecureSkipVerify`, and set `tls.ca`") {
        set_or_remove(object, "tls", Some(json!({"ca": ca()})));
    } else if starts("remove `tls.insecureSkipVerify`") {
        object["spec"]["output"]["otlp"]["tls"].as_object_mut().unwrap().remove("insecureSkipVerify");
    } else if starts("set `value` or `valueFrom.secretKeyRef` of the endpoint") {
        set_or_remove(object, "endpoint", Some(secret("dynatrace", "dynakube", "apiurl")));
    } else {
        return false;
    }
    true
}

/// Takes a literal token out, and a Secret in its place.
fn refer(object: &mut Value, field: &FieldPath) {
    let otlp = "spec.output.otlp.";
    match field.as_str().trim_start_matches(otlp) {
        "endpoint.value" => set_or_remove(object, "endpoint", Some(secret("dynatrace", "dynakube", "apiurl"))),
        "path" => set_or_remove(object, "path", None),
        place if place.starts_with("authentication.") => {
            let value = secret("team", "oauth", "secret");
            set(object, &field.split_last().unwrap().0, value);
        }
        place if place.ends_with(".prefix") => set(object, field, "Api-Token".into()),
        _ => {
            let (parent, _) = field.split_last().unwrap();
            let header = object.pointer_mut(&parent.pointer()).unwrap().as_object_mut().unwrap();
            header.remove("value");
            header.extend(secret("dynatrace", "dynakube", "dataIngestToken").as_object().unwrap().clone());
        }
    }
}

/// The objects of all cases and of all examples on the rules' pages, with their settings.
fn objects() -> Vec<(String, Value, Value)> {
    let mut objects = Vec::new();
    let cases: Vec<Value> = yaml_serde::from_str(include_str!("../cases.yaml")).unwrap();
    for case in cases {
        let object = match case["example"].as_str() {
            Some(example) => read(&fs::read_to_string(root().join(format!("examples/{example}.yaml"))).unwrap()),
            None => case["object"].clone(),
        };
        let settings = if case["settings"].is_null() { json!({}) } else { case["settings"].clone() };
        objects.push((case["name"].as_str().unwrap().to_owned(), object, settings));
    }
    for rule in RULES {
        let page = fs::read_to_string(root().join(format!("docs/rules/{}.md", rule.id))).unwrap();
        for fence in page.split("```yaml ").skip(1) {
            let yaml = fence.split_once('\n').unwrap().1.split("```").next().unwrap();
            let settings = yaml.lines().find_map(|line| line.strip_prefix("# settings: "));
            objects.push((format!("docs/rules/{}.md", rule.id), read(yaml), settings.map_or(json!({}), read)));
        }
    }
    objects
}

fn read(yaml: &str) -> Value {
    yaml_serde::from_str(yaml).unwrap()
}

#[test]
fn every_fix_removes_its_finding_and_brings_no_other() {
    let (mut count, mut failures) = (0, Vec::new());
    for (name, object, settings) in objects() {
        let before = findings(&object, &settings);
        let ids: BTreeSet<RuleId> = before.iter().map(|told| told.rule).collect();
        for told in &before {
            let mut fixed = object.clone();
            if !apply(&mut fixed, told) {
                failures.push(format!("{name}: {}: too vague: {}", told.rule, told.fix));
                continue;
            }
            count += 1;
            let after = findings(&fixed, &settings);
            let is_left = |other: &&Told| other.rule == told.rule && other.field == told.field;
            // One fault at one field may have a twin there, which a second fix removes.
            let was = before.iter().filter(is_left).count();
            let new: Vec<&Told> = after.iter().filter(|other| !ids.contains(&other.rule)).collect();
            if after.iter().filter(is_left).count() >= was || !new.is_empty() {
                failures.push(format!("{name}: {}: {}\n  after it: {after:?}\n  {fixed}", told.rule, told.fix));
            }
        }
    }
    println!("{count} fixes applied");
    assert!(count > 100);
    assert!(failures.is_empty(), "{} are not right:\n{}", failures.len(), failures.join("\n"));
}
