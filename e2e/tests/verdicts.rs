//! The verdicts against what is true by construction: what works is left alone, what cannot work is told of, updates are
//! not blamed for what was there, and answers and memory stay bounded.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    dead_code,
    reason = "a test that panics is a test that fails; the generators are shared"
)]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use benches::counter::Counted;
use e2e::generate::{pipeline, settings};
use e2e::working::{Working, working};
use e2e::{World, module, payload, wasm, worlds};
use kyma_dynatrace_admission::admission_request;
use kyma_dynatrace_engine::Module;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value, json};

static MODULE: LazyLock<Module> = LazyLock::new(module);
static WORLDS: LazyLock<Vec<World>> = LazyLock::new(worlds);

fn answer(object: &Value, old: Option<&Value>, settings: &Value) -> Value {
    let answer = MODULE.call("validate", &payload(&admission_request(object, old), settings)).unwrap();
    serde_json::from_slice(&answer).unwrap()
}

/// The ids of the findings of an answer.
fn findings(answer: &Value) -> BTreeSet<String> {
    let ids = answer["audit_annotations"]["findings"].as_str().unwrap_or_default();
    ids.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

/// The rejecting findings, as rule and field.
fn denials(answer: &Value) -> BTreeSet<(String, String)> {
    let message = answer["message"].as_str().unwrap_or_default();
    let lines = message.lines().filter_map(|line| line.strip_prefix("- "));
    lines.filter_map(told).collect()
}

fn told(line: &str) -> Option<(String, String)> {
    let (id, text) = line.split_once(": ")?;
    Some((id.to_owned(), text.split(' ').next()?.to_owned()))
}

/// A defect, made in a pipeline that works: the rule that has to tell of it; `None` where it cannot be made.
fn break_it(object: &mut Value, defect: &str) -> Option<&'static str> {
    break_endpoint(&mut object["spec"]["output"]["otlp"]["endpoint"], defect).or_else(|| break_output(object, defect))
}

fn break_endpoint(endpoint: &mut Value, defect: &str) -> Option<&'static str> {
    if defect == "token as URL" {
        let key = endpoint.pointer_mut("/valueFrom/secretKeyRef").filter(|key| key["name"] == "dynakube")?;
        key["key"] = "dataIngestToken".into();
        return Some("wrong-secret-key");
    }
    let url = endpoint["value"].as_str()?;
    let (broken, rule) = match defect {
        "user interface" if url.contains("abc12345.live.dynatrace.com") => (url.replace(".live.", ".apps."), "ui-host"),
        "plaintext" if url.starts_with("https") => (url.replace("https://", "http://"), "plaintext-endpoint"),
        "blank" => (format!(" {url}"), "invalid-endpoint"),
        "port" if url.contains("live.dynatrace.com/") => (url.replace(".com/", ".com:4318/"), "unexpected-port"),
        _ => return None,
    };
    endpoint["value"] = broken.into();
    Some(rule)
}

fn break_output(object: &mut Value, defect: &str) -> Option<&'static str> {
    let kind = object["kind"].as_str().unwrap().to_owned();
    let otlp = object.pointer_mut("/spec/output/otlp").unwrap();
    match defect {
        "grpc" => {
            otlp["protocol"] = "grpc".into();
            Some("grpc-protocol")
        }
        "other signal" => {
            let other = if kind == "MetricPipeline" { "traces" } else { "metrics" };
            let path = otlp["path"].as_str()?;
            otlp["path"] = ["metrics", "traces", "logs"]
                .iter()
                .fold(path.to_owned(), |path, signal| path.replace(signal, other))
                .into();
            Some("wrong-otlp-path")
        }
        "no header" => {
            otlp["headers"] = json!([]);
            otlp["authentication"] = json!({});
            Some("missing-authorization")
        }
        "cumulative" if kind == "MetricPipeline" => {
            otlp["temporality"] = "preserve".into();
            object["spec"]["input"]["istio"] = json!({"enabled": true});
            Some("cumulative-metrics")
        }
        "no value" => {
            otlp["headers"].as_array_mut()?.push(json!({"name": "X-Empty"}));
            Some("missing-value")
        }
        "literal token" => {
            otlp["headers"]
                .as_array_mut()?
                .push(json!({"name": "Authorization", "prefix": "Api-Token", "value": "abc"}));
            Some("inline-token")
        }
        _ => None,
    }
}

const DEFECTS: &[&str] = &[
    "grpc",
    "other signal",
    "no header",
    "user interface",
    "plaintext",
    "blank",
    "port",
    "cumulative",
    "token as URL",
    "no value",
    "literal token",
];

fn config() -> ProptestConfig {
    let seeds = FileFailurePersistence::Direct("properties.proptest-regressions");
    ProptestConfig { failure_persistence: Some(Box::new(seeds)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_works_is_never_refused_and_never_changed(working in working()) {
        let answer = answer(&working.object, None, &working.settings);
        prop_assert!(answer["accepted"] == true, "{}", answer["message"]);
        prop_assert!(answer["mutated_object"].is_null(), "{}", answer["message"]);
    }

    #[test]
    fn what_cannot_work_is_never_passed_in_silence(working in working(), defect in select(DEFECTS)) {
        let Working { mut object, mut settings, is_base_known, is_recognised } = working;
        settings.as_object_mut().unwrap().remove("rules");
        if let Some(rule) = break_it(&mut object, defect) {
            let answer = answer(&object, None, &settings);
            // Behind an unknown base only a path that no base completes is known to be wrong; and what nothing
            // recognises as Dynatrace's goes elsewhere.
            let may_be_silent = !is_recognised || (defect == "no header" && !is_base_known)
                || (defect == "other signal" && !is_base_known && !findings(&answer).contains(rule));
            prop_assert!(may_be_silent || findings(&answer).contains(rule), "{rule}: {answer}");
        }
    }

    #[test]
    fn a_denial_on_update_is_new(old in pipeline().boxed(), new in pipeline().boxed(), settings in settings().boxed()) {
        let (old, mut new): (Value, Value) =
            (serde_json::from_str(&old.text).unwrap(), serde_json::from_str(&new.text).unwrap());
        new["kind"] = old["kind"].clone();
        let mut settings = settings;
        settings["mode"] = "validate".into();
        let before = denials(&answer(&old, None, &settings));
        let created = denials(&answer(&new, None, &settings));
        let updated = answer(&new, Some(&old), &settings);
        for denial in denials(&updated) {
            prop_assert!(created.contains(&denial), "an update has no findings of its own: {denial:?}");
        }
        // What the new one has and the old one had just so is no denial.
        if created.is_subset(&before) && answer(&new, None, &settings)["message"] == answer(&old, None, &settings)["message"] {
            prop_assert!(updated["accepted"] == true, "{}", updated["message"]);
        }
    }

    #[test]
    fn an_update_that_only_repairs_a_defect_is_never_refused(working in working(), defect in select(DEFECTS), more in select(DEFECTS)) {
        let Working { object, mut settings, .. } = working;
        settings.as_object_mut().unwrap().remove("rules");
        let mut better = object.clone();
        let _ = break_it(&mut better, more);
        let mut worse = better.clone();
        // To another host, clear text is a new fault, though the host is the right one now. And an endpoint with a blank that is
        // written anew is another text.
        let is_endpoint = ["user interface", "plaintext", "port"].contains(&defect);
        let is_new = (defect, more) == ("user interface", "plaintext") || (is_endpoint && more == "blank");
        if defect != more && !is_new && break_it(&mut worse, defect).is_some() {
            let (was, is) = (answer(&worse, None, &settings), answer(&better, None, &settings));
            let evidence = |answer: &Value| -> BTreeSet<String> {
                let lines = answer["message"].as_str().unwrap_or_default().lines();
                lines.filter(|line| line.starts_with("- ")).map(str::to_owned).collect()
            };
            // Only where what is left was there just so.
            if evidence(&is).is_subset(&evidence(&was)) {
                let updated = answer(&better, Some(&worse), &settings);
                prop_assert!(updated["accepted"] == true, "{}", updated["message"]);
            }
        }
    }

    #[test]
    fn no_repaired_object_is_refused_by_the_definitions(pipeline in pipeline(), settings in settings()) {
        let submitted: Value = serde_json::from_str(&pipeline.text).unwrap();
        for world in WORLDS.iter() {
            let submitted = world.decode(&submitted);
            let answer = answer(&submitted, None, &settings);
            let repaired = &answer["mutated_object"];
            if repaired.is_object() && world.errors(&submitted).is_empty() {
                prop_assert_eq!(world.errors(repaired), Vec::<String>::new(), "{}: {}", world.name, repaired);
            }
        }
    }
}

/// The properties would hold where nothing is generated: these are reached.
#[test]
fn working_pipelines_and_their_defects_are_of_every_kind() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use std::collections::BTreeMap;

    let mut runner = TestRunner::deterministic();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let strategy = working();
    for _ in 0..2000 {
        let working = strategy.new_tree(&mut runner).unwrap().current();
        let answer = answer(&working.object, None, &working.settings);
        let destination = answer["audit_annotations"]["destination"].as_str().unwrap_or("elsewhere").to_owned();
        *counts.entry(destination).or_default() += 1;
        for defect in DEFECTS {
            let mut broken = working.object.clone();
            if break_it(&mut broken, defect).is_some() {
                *counts.entry(format!("defect: {defect}")).or_default() += 1;
            }
        }
    }
    println!("{counts:#?}");
    let destinations =
        ["direct-saas", "direct-managed", "direct-secret", "direct-shape", "elsewhere"].map(str::to_owned);
    for kind in DEFECTS.iter().map(|defect| format!("defect: {defect}")).chain(destinations) {
        assert!(counts.get(&kind).is_some_and(|count| *count >= 20), "{kind} is hardly ever reached");
    }
}

#[test]
fn answers_and_memory_stay_bounded_whatever_comes() {
    let counted = Counted::load(&wasm()).unwrap();
    let traces = |otlp: &str, spec: &str| {
        format!(
            r#"{{"settings":{{}},"request":{{"operation":"CREATE","kind":{{"group":"telemetry.kyma-project.io","kind":"MetricPipeline"}},"object":{{"spec":{{{spec}"output":{{"otlp":{{{otlp}}}}}}}}}}}}}"#
        )
    };
    let endpoint = r#""endpoint":{"value":"https://abc12345.live.dynatrace.com/api"},"#;
    let many = |element: &str, count: usize| vec![element; count].join(",");
    let inputs: Vec<String> = (0..100_000).map(|n| format!(r#""i{n}":{{"enabled":"x"}}"#)).collect();
    let wrong = many(r#"{"name":1,"prefix":2,"value":3}"#, 20_000 / 3);
    let authorizations = many(r#"{"name":"Authorization","prefix":"Basic","value":"x"}"#, 20_000);
    let long = "x".repeat(1_000_000);
    let escaped = "\\n".repeat(500_000);
    let payloads = [
        ("300,000 odd headers", traces(&format!(r#"{endpoint}"headers":[{}]"#, many("1", 300_000)), "")),
        ("100,000 inputs", traces(endpoint.trim_end_matches(','), &format!(r#""input":{{{}}},"#, inputs.join(",")))),
        (
            "1 MB of one string: endpoint",
            traces(&format!(r#""endpoint":{{"value":"https://abc12345.live.dynatrace.com/{long}"}}"#), ""),
        ),
        ("1 MB of one string: path", traces(&format!(r#"{endpoint}"protocol":"http","path":"{long}""#), "")),
        ("1 MB of one string: escapes", traces(&format!(r#"{endpoint}"protocol":"http","path":"{escaped}""#), "")),
        ("1 MB of one string: header", traces(&format!(r#"{endpoint}"headers":[{{"name":"{long}"}}]"#), "")),
        ("20,000 wrong fields", traces(&format!(r#"{endpoint}"headers":[{wrong}]"#), "")),
        ("20,000 Authorization headers", traces(&format!(r#"{endpoint}"headers":[{authorizations}]"#), "")),
    ];
    println!("| request | bytes | answer | memory | bound |\n|---|---|---|---|---|");
    for (name, payload) in payloads {
        let cost = counted.call("validate", payload.as_bytes()).unwrap();
        let (memory, bound) = (cost.pages as usize * 65_536, payload.len() * 4 + (1 << 20));
        println!("| {name} | {} | {} | {memory} | {bound} |", payload.len(), cost.answer.len());
        assert!(cost.answer.len() < 16_384, "{name}: an answer of {} bytes", cost.answer.len());
        assert!(memory <= bound, "{name}: {memory} bytes of memory, at most {bound}");
        let answer: Value = serde_json::from_slice(&cost.answer).unwrap();
        assert_eq!(answer["accepted"], false, "{name}");
    }
}
