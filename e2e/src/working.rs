//! Pipelines that work by construction: the URL is put together first, then split between endpoint and `path`.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// A pipeline, and settings under which it works.
#[derive(Debug, Clone)]
pub struct Working {
    /// The pipeline.
    pub object: Value,
    /// The policy's settings.
    pub settings: Value,
    /// Whether the policy can know the path of the endpoint.
    pub is_base_known: bool,
    /// Whether something in the object says that it goes to Dynatrace.
    pub is_recognised: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Literal,
    Undeclared,
    Declared,
}

const KINDS: [(&str, &str); 3] = [("MetricPipeline", "metrics"), ("TracePipeline", "traces"), ("LogPipeline", "logs")];

/// Host, what is in front of `/api`, and whether `Bearer` is taken there.
const HOSTS: [(&str, &str, bool); 6] = [
    ("https://abc12345.live.dynatrace.com", "", true),
    ("HTTPS://ABC12345.Live.Dynatrace.com.", "", true),
    ("https://abc12345.live.dynatrace.com:443", "", true),
    ("https://abc.sprint.dynatracelabs.com", "", true),
    ("https://dt.corp.example", "/e/6f2b-uuid", false),
    ("https://ag.corp.example:9999", "/e/abc12345", false),
];

fn secret(namespace: &str, name: &str, key: &str) -> Value {
    json!({"valueFrom": {"secretKeyRef": {"namespace": namespace, "name": name, "key": key}}})
}

fn header(name: &str, prefix: Option<&str>, mut value: Value) -> Value {
    value["name"] = name.into();
    if let Some(prefix) = prefix {
        value["prefix"] = prefix.into();
    }
    value
}

/// The `Authorization` header: declared or undeclared Secret, scheme in the prefix or in the Secret.
fn authorization(takes_bearer: bool) -> impl Strategy<Value = (Value, bool)> {
    let name = select(&["Authorization", "authorization", "AUTHORIZATION"][..]);
    (name, 0..if takes_bearer { 5 } else { 4 }, select(&["Api-Token", "api-token", " Api-Token "][..])).prop_map(
        |(name, kind, prefix)| match kind {
            0 => (header(name, Some(prefix), secret("dynatrace", "dynakube", "dataIngestToken")), true),
            1 => (header(name, Some(prefix), secret("team", "token", "t")), true),
            // The Secret holds the scheme, as Kyma's guide of 2023 has it.
            2 => (header(name, None, secret("team", "token", "with-scheme")), false),
            3 => (header(name, Some(" "), secret("team", "token", "with-scheme")), false),
            _ => (header(name, Some("Bearer"), secret("team", "platform", "t")), false),
        },
    )
}

/// Levels that refuse nothing which is not refused by default.
fn levels() -> impl Strategy<Value = Value> {
    let ids: Vec<&'static str> = kyma_dynatrace_policy::settings::RuleId::ALL.iter().map(|id| id.name()).collect();
    proptest::collection::btree_map(select(ids), select(&["warn", "off"][..]), 0..6).prop_map(|levels| json!(levels))
}

#[derive(Debug, Clone)]
struct Choices {
    kind: usize,
    host: usize,
    split: usize,
    endpoint: Endpoint,
    slashes: (bool, bool, bool),
    version: &'static str,
    more_headers: (bool, bool, bool),
    inputs: (bool, bool, bool, bool),
}

fn choices() -> impl Strategy<Value = Choices> {
    (
        0..KINDS.len(),
        0..HOSTS.len(),
        0..8_usize,
        select(&[Endpoint::Literal, Endpoint::Undeclared, Endpoint::Declared][..]),
        any::<(bool, bool, bool)>(),
        select(&["v1alpha1", "v1beta1"][..]),
        any::<(bool, bool, bool)>(),
        any::<(bool, bool, bool, bool)>(),
    )
        .prop_map(|(kind, host, split, endpoint, slashes, version, more_headers, inputs)| Choices {
            kind,
            host,
            split,
            endpoint,
            slashes,
            version,
            more_headers,
            inputs,
        })
}

/// Any pipeline that works.
pub fn working() -> impl Strategy<Value = Working> {
    choices().prop_flat_map(|choices| {
        let takes_bearer = HOSTS[choices.host].2;
        (Just(choices), authorization(takes_bearer), levels(), select(&["repair", "validate"][..]))
            .prop_map(|(choices, authorization, levels, mode)| build(&choices, authorization, &levels, mode))
    })
}

/// Where the wanted URL is split, and how.
struct Split {
    base: String,
    path: String,
    /// Whether the exporter appends the rest by itself.
    is_appended: bool,
    /// The path that the settings say the declared Secret's URL has.
    declared_base: String,
}

fn split(choices: &Choices) -> Split {
    let ((_, signal), (_, front, _)) = (KINDS[choices.kind], HOSTS[choices.host]);
    // What the exporter has to post to; everything below only splits it.
    let wanted = format!("{front}/api/v2/otlp/v1/{signal}");
    let segments: Vec<&str> = wanted.split('/').skip(1).collect();
    let declared_base = [format!("{front}/api"), format!("{front}/api/v2/otlp")][choices.split % 2].clone();
    let (base, path) = if choices.endpoint == Endpoint::Declared {
        (declared_base.clone(), wanted.strip_prefix(&format!("{declared_base}/")).unwrap().to_owned())
    } else {
        let at = choices.split % segments.len();
        let base: String = segments[..at].iter().map(|segment| format!("/{segment}")).collect();
        (base, segments[at..].join("/"))
    };
    let (leading, trailing, doubled) = choices.slashes;
    // The module cleans what it joins; without a `path` the exporter appends `/v1/<signal>`.
    let is_appended = base.ends_with("/otlp") && doubled;
    let path = if leading { format!("/{path}") } else { path };
    let path = if trailing { format!("{path}/") } else { path };
    let path = if doubled { path.replace("/v1/", "//v1/./") } else { path };
    Split { base, path, is_appended, declared_base }
}

fn headers(choices: &Choices, authorization: Value) -> Vec<Value> {
    let mut headers = vec![authorization];
    let (before, after, wrong_first) = choices.more_headers;
    if before {
        headers.insert(0, json!({"name": "X-Scope", "value": "prod"}));
    }
    if after {
        headers.push(header("x-from", None, secret("team", "x", "y")));
    }
    if wrong_first {
        // The module sends the last one.
        headers.insert(0, header("Authorization", Some("Basic"), secret("team", "old", "t")));
    }
    headers
}

fn build(choices: &Choices, (authorization, says_dynatrace): (Value, bool), levels: &Value, mode: &str) -> Working {
    let ((kind, _), (host, front, _)) = (KINDS[choices.kind], HOSTS[choices.host]);
    let Split { base, path, is_appended, declared_base } = split(choices);
    let url = format!("{host}{base}{}", if choices.slashes.1 { "/" } else { "" });
    let endpoint = match choices.endpoint {
        Endpoint::Literal => json!({"value": url}),
        Endpoint::Undeclared => secret("team", "url", "u"),
        Endpoint::Declared => secret("dynatrace", "dynakube", "apiurl"),
    };
    let mut otlp = json!({"endpoint": endpoint, "protocol": "http", "headers": headers(choices, authorization)});
    if !is_appended {
        otlp["path"] = path.into();
    }
    let mut object = json!({
        "apiVersion": format!("telemetry.kyma-project.io/{}", choices.version),
        "kind": kind,
        "metadata": {"name": "works", "labels": {"backend": "any"}},
        "spec": {"output": {"otlp": otlp}},
    });
    if kind == "MetricPipeline" {
        let (istio, prometheus, runtime, is_delta) = choices.inputs;
        let is_delta = is_delta || istio || prometheus || runtime;
        object["spec"]["input"] = json!({"istio": {"enabled": istio}, "prometheus": {"enabled": prometheus},
            "runtime": {"enabled": runtime}});
        // Without inputs of its own it works where applications push delta.
        object["spec"]["output"]["otlp"]["temporality"] = if is_delta { "delta" } else { "preserve" }.into();
    }
    let declared = json!({"namespace": "dynatrace", "name": "dynakube", "endpointPath": declared_base});
    let is_base_known = choices.endpoint != Endpoint::Undeclared;
    let is_shaped = !is_appended && (base.is_empty() || base == "/api") && front.is_empty();
    Working {
        object,
        settings: json!({"mode": mode, "rules": levels, "dynatrace": {"secrets": [declared]}}),
        is_base_known,
        is_recognised: is_base_known || says_dynatrace || is_shaped,
    }
}
