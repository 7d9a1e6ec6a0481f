//! The page in the browser says what the command says: verdicts, findings with their places, repaired text.
//!
//! Here the panes are filled and the command is run on the same texts. `playground/tests/compare.mjs` then puts them to the page's
//! two wasm files in Node. Verdicts are those of the engine, beside what is written in the cases and above the pages' examples.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use e2e::root;
use kyma_dynatrace_admission::{Secrets, admission_request};
use kyma_dynatrace_engine::Policy;
use kyma_dynatrace_manifest::deployed::Deployed;
use kyma_dynatrace_manifest::document::{Object, split};
use serde::Serialize;
use serde_json::{Value, json};
use xtask::report::Outcome;

/// What is in the panes, as `playground/src/exchange.rs` reads it.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Panes {
    pipelines: String,
    settings: String,
    mode: Option<&'static str>,
    mutating: Option<bool>,
    stored: String,
    secrets: String,
}

struct Case {
    name: String,
    panes: Panes,
    /// The verdict where somebody has written it down.
    written: Option<String>,
}

fn case(name: impl Into<String>, panes: Panes) -> Case {
    Case { name: name.into(), panes, written: None }
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The YAML files in a folder, with their texts.
fn texts(folder: &str) -> Vec<(String, String)> {
    let paths = xtask::examples::files(&root().join(folder)).unwrap();
    let named = |path: &PathBuf| {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        (name.clone(), read(&name))
    };
    paths.iter().map(named).collect()
}

/// Every example, under its own settings, and in the ways of running a policy that the page offers.
fn examples() -> Vec<Case> {
    let mut cases = Vec::new();
    for example in xtask::examples::all().unwrap() {
        let panes = Panes {
            pipelines: example.pipelines,
            settings: example.settings,
            secrets: example.secrets,
            ..Panes::default()
        };
        let written = example.expectation.map(|word| if word == "warned" { "accepted".to_owned() } else { word });
        for (mode, mutating) in [(Some("validate"), Some(false)), (Some("repair"), Some(false))] {
            cases.push(case(format!("{} {mode:?}", example.name), Panes { mode, mutating, ..panes.clone() }));
        }
        cases.push(Case { name: example.name, panes, written });
    }
    cases
}

/// The cases of `e2e/cases.yaml` but those that delete something, which has no place on the page.
fn written_cases() -> Vec<Case> {
    let cases = e2e::cases::all().into_iter().filter(|case| case.operation != "DELETE");
    let yaml = |value: &Value| yaml_serde::to_string(value).unwrap();
    let of = |case: e2e::cases::Case| {
        let settings = if case.settings.is_null() { String::new() } else { yaml(&case.settings) };
        let stored = if case.update.is_some() { yaml(&case.object()) } else { String::new() };
        let pipelines = yaml(&case.request()["object"]);
        Case {
            name: case.name,
            panes: Panes { pipelines, settings, stored, ..Panes::default() },
            written: Some(case.verdict),
        }
    };
    cases.map(of).collect()
}

/// YAML as people write it, settings that are none, whole policies, Secrets.
fn others() -> Vec<Case> {
    let mut cases = Vec::new();
    let settings = read("cli/tests/settings.yaml");
    for (name, pipelines) in texts("cli/tests/styles").into_iter().chain(texts("cli/tests/cases/data")) {
        cases.push(case(name, Panes { pipelines, settings: settings.clone(), ..Panes::default() }));
    }
    let pipelines = read("examples/06-metrics-direct-auto.yaml");
    let policies = ["repair", "validate"].map(|name| format!("manifests/policy/{name}/policy.yaml"));
    let settings = ["policy", "bad-settings"].map(|name| format!("cli/tests/cases/data/{name}.yaml"));
    for path in policies.into_iter().chain(settings) {
        let settings = read(&path);
        cases.push(case(path, Panes { pipelines: pipelines.clone(), settings, ..Panes::default() }));
    }
    let settings = "mode: [".to_owned();
    cases.push(case("broken settings", Panes { pipelines, settings, ..Panes::default() }));
    for (name, secrets) in texts("cli/tests/cases/secrets") {
        let pipelines = read("examples/01-traces-direct.yaml");
        cases.push(case(name, Panes { pipelines, secrets, ..Panes::default() }));
    }
    let umlauts = "# größer 😀\n".to_owned()
        + &read("examples/09-traces-without-prefix.yaml").replace("name: ", "name: \"😀\" # ");
    let many = umlauts.clone() + "---\n" + &read("examples/11-traces-grpc.yaml") + "---\n" + &umlauts;
    cases.push(case("umlauts", Panes { pipelines: many, ..Panes::default() }));
    cases.push(case("nothing", Panes::default()));
    cases
}

/// The settings that are in force, as a file for the command and as what the page is to say of them.
fn deployed(panes: &Panes) -> Result<Deployed, String> {
    let mut deployed = Deployed::of_either(&panes.settings).map_err(|error| error.to_string())?;
    deployed.is_mutating = panes.mutating.unwrap_or(deployed.is_mutating);
    if let Some(mode) = panes.mode {
        deployed.settings["mode"] = mode.into();
    }
    Ok(deployed)
}

/// Runs the command on a folder of inputs, with the settings and all else that is in the panes.
fn command(folder: &Path, panes: &Panes, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kyma-dynatrace"));
    command.env_clear().args(["check", "--format", "json", "--policy"]).arg(root().join("annotated-policy.wasm"));
    let beside = folder.parent().unwrap();
    let mut file = |option: &str, name: &str, text: &str| {
        fs::create_dir_all(beside.join(name).parent().unwrap()).unwrap();
        fs::write(beside.join(name), text).unwrap();
        let path = beside.join(name);
        command.arg(option).arg(if name.contains('/') { path.parent().unwrap() } else { &path });
    };
    let is_policy = panes.settings.contains("kind: ClusterAdmissionPolicy");
    match deployed(panes) {
        Ok(deployed) if panes.mode.is_some() || panes.mutating.is_some() => {
            let policy = json!({"apiVersion": "policies.kubewarden.io/v1", "kind": "ClusterAdmissionPolicy",
                "spec": {"settings": deployed.settings, "mutating": deployed.is_mutating, "rules": deployed.rules}});
            file("--from", "settings.yaml", &policy.to_string());
        }
        _ if is_policy => file("--from", "settings.yaml", &panes.settings),
        _ => file("--settings", "settings.yaml", &panes.settings),
    }
    if !panes.stored.is_empty() {
        file("--update-from", "stored/stored.yaml", &panes.stored);
    }
    if !panes.secrets.is_empty() {
        file("--secrets", "secrets.yaml", &panes.secrets);
    }
    command.args(args).arg(folder).output().unwrap()
}

/// Kind and name of each pipeline, with what the engine says of it.
fn verdicts(panes: &Panes) -> Vec<(String, &'static str)> {
    let deployed = deployed(panes).unwrap();
    let mut secrets = Secrets::default();
    let objects = |text: &str| -> Vec<Object> {
        split(text).iter().flat_map(|document| document.objects().unwrap_or_default().objects).collect()
    };
    for object in objects(&panes.secrets) {
        // One that cannot be read is in the command's report.
        let _ = secrets.add(&object.value);
    }
    let looks_up = !panes.secrets.is_empty();
    let looking: &[(&str, Value)] = if looks_up { &[("lookUpSecrets", Value::Bool(true))] } else { &[] };
    let mut policy = Policy::new(e2e::module(), deployed.settings_with(looking), deployed.is_mutating).unwrap();
    if looks_up {
        policy = policy.answered_by(secrets.answerer());
    }
    let stored: BTreeMap<String, Value> =
        objects(&panes.stored).into_iter().map(|object| (object.title(), object.value)).collect();
    let mut verdicts = Vec::new();
    for object in objects(&panes.pipelines).into_iter().filter(Object::is_pipeline) {
        let old = stored.get(&object.title());
        if deployed.is_sent(&object.value, if old.is_some() { "UPDATE" } else { "CREATE" }) {
            let response = policy.admit(&admission_request(&object.value, old));
            verdicts.push((object.title(), Outcome::of(&response).word()));
        }
    }
    verdicts
}

/// What the command says of cases that have all but the pipelines in common.
fn expected(cases: &[Case]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let folder = folder.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        for (index, case) in cases.iter().enumerate() {
            fs::write(folder.join(format!("{index:03}.yaml")), &case.panes.pipelines).unwrap();
        }
        folder
    };
    let (checked, fixed) = (write("checked"), write("fixed"));
    let output = command(&checked, &cases[0].panes, &[]);
    let fixing = command(&fixed, &cases[0].panes, &["--fix"]);
    let Ok(report) = serde_json::from_slice::<Value>(&output.stdout) else {
        let text = String::from_utf8(output.stderr).unwrap();
        let of_case = |case: &Case| json!({"name": case.name, "panes": case.panes, "expected": {"unreadable": unreadable(&text)}});
        return json!({"passedOver": 0, "cases": cases.iter().map(of_case).collect::<Vec<_>>()});
    };
    let fixing: Value = serde_json::from_slice(&fixing.stdout).unwrap();
    let of_case = |(index, case): (usize, &Case)| {
        let name = format!("{index:03}.yaml");
        json!({"name": case.name, "panes": case.panes, "expected": {
            "unreadable": null,
            "verdicts": judged(case),
            "findings": of_file(&report["findings"], &name),
            "unrecognized": unrecognized(&report, &name),
            "troubles": troubles(&fixing, &name),
            "secretsTroubles": troubles(&report, "secrets.yaml"),
            "repaired": fs::read_to_string(fixed.join(&name)).unwrap(),
        }})
    };
    json!({"passedOver": report["passed_over"], "cases": cases.iter().enumerate().map(of_case).collect::<Vec<_>>()})
}

/// What the page is to say where the command ends with an error: it shows the settings in their own pane.
fn unreadable(text: &str) -> &str {
    let text = text.trim_start_matches("error: ").trim_end();
    let text = text.split_once(".yaml: ").map_or(text, |(_, text)| text);
    text.trim_start_matches("Provided settings are not valid: ")
}

fn unrecognized(report: &Value, name: &str) -> Vec<Value> {
    of_file(&report["unrecognized"], name).iter().map(|one| json!([one["object"], one["declare"]])).collect()
}

fn of_file(list: &Value, name: &str) -> Vec<Value> {
    let is_here = |item: &&Value| item["file"].as_str().unwrap().ends_with(name);
    list.as_array().unwrap().iter().filter(is_here).cloned().collect()
}

fn troubles(report: &Value, name: &str) -> Vec<Value> {
    let trouble = |failure: &Value| json!({"line": failure["line"], "message": failure["message"]});
    of_file(&report["failures"], name).iter().map(trouble).collect()
}

/// The engine's verdicts, which have to be the one that is written, if one is.
fn judged(case: &Case) -> Vec<(String, &'static str)> {
    let verdicts = verdicts(&case.panes);
    if let Some(written) = &case.written {
        // What is no pipeline gets no verdict here.
        let verdict = verdicts.first().map_or("accepted", |(_, verdict)| verdict);
        assert_eq!((verdict, verdicts.len() < 2), (written.as_str(), true), "{}", case.name);
    }
    verdicts
}

#[test]
fn the_page_says_what_the_command_says() {
    let mut groups: BTreeMap<Panes, Vec<Case>> = BTreeMap::new();
    for case in examples().into_iter().chain(written_cases()).chain(others()) {
        let common = Panes { pipelines: String::new(), ..case.panes.clone() };
        groups.entry(common).or_default().push(case);
    }
    let groups: Vec<Value> = groups.values().map(|cases| expected(cases)).collect();
    let target = root().join("target/playground");
    fs::create_dir_all(&target).unwrap();
    fs::write(target.join("cases.json"), serde_json::to_string(&groups).unwrap()).unwrap();
    let output = Command::new("node")
        .arg(root().join("playground/tests/compare.mjs"))
        .args([target.join("cases.json"), root().join("annotated-policy.wasm"), target.join("module")])
        .output()
        .expect("Node.js");
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
