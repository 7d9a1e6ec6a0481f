//! The command is the cluster: what `kyma-dynatrace check` says of a manifest is what a real API server with the policy
//! does with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use cluster::{Answer, Cluster};
use kyma_dynatrace_apiserver::ApiServer;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::{Check, policies, settle};

pub(crate) const CHECKS: &[(&str, Check)] = &[("command::check_says_what_the_server_does", check_says)];

const RANDOM: usize = 2000;

/// What one side makes of an object.
#[derive(Debug, Default, PartialEq)]
struct Verdict {
    /// Whether it is refused, by the policy or by the API server.
    is_refused: bool,
    /// Whether the API server itself has something against it.
    is_invalid: bool,
    /// The rules that are named.
    rules: BTreeSet<String>,
    /// What is stored, without metadata; null where it is refused.
    stored: Value,
}

fn check_says(cluster: &mut Cluster) -> anyhow::Result<String> {
    let repair = policies::repair();
    cluster.deploy(std::slice::from_ref(&repair))?;
    let (corpus, outcomes, random) = (corpus(), outcomes()?, random());
    let counts = format!("{} of the corpus, {} of the outcomes, {} random", corpus.len(), outcomes.len(), random.len());
    let objects = [corpus, outcomes, random].concat();
    let (counted, complaints) = compare(cluster, &repair, &objects)?;
    settle(complaints)?;
    Ok(format!("{counts}: {counted}"))
}

/// Puts objects to both, and complains where they differ.
pub(crate) fn compare(cluster: &Cluster, policy: &Value, objects: &[Value]) -> anyhow::Result<(String, Vec<String>)> {
    let expected = command(cluster, policy, objects)?;
    let mut complaints = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (object, expected) in objects.iter().zip(&expected) {
        let answer = cluster.create(object)?;
        if Cluster::is_given() && answer.message().contains("OTTL") {
            // Only the Telemetry module's own webhook understands these statements.
            continue;
        }
        let actual = server(&answer);
        if let Some(difference) = difference(expected, &actual) {
            complaints.push(format!("{difference}\n  {object}"));
        }
        let outcome = match (actual.is_refused, actual.rules.is_empty()) {
            (true, true) => "refused by the API server",
            (true, false) => "denied by the policy",
            (false, true) => "taken without a word",
            (false, false) => "repaired or warned of",
        };
        *counts.entry(outcome).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    Ok((format!("{} agree; {}", objects.len() - complaints.len(), counts.join(", ")), complaints))
}

fn difference(expected: &Verdict, actual: &Verdict) -> Option<String> {
    if expected.is_refused != actual.is_refused {
        let side = |verdict: &Verdict| format!("refused: {}, {:?}", verdict.is_refused, verdict.rules);
        return Some(format!("the command: {}; the server: {} ({})", side(expected), side(actual), actual.stored));
    }
    if actual.is_invalid != expected.is_invalid && (actual.is_invalid || actual.rules.is_empty()) {
        return Some(format!("the command has nothing against it; the server {}", actual.stored));
    }
    // What the API server itself refuses does not always get as far as the policy.
    if expected.rules != actual.rules && !actual.is_invalid {
        return Some(format!("the command names {:?}; the server {:?}", expected.rules, actual.rules));
    }
    if !actual.is_refused && expected.stored != actual.stored {
        let patch = json_patch::diff(&expected.stored, &actual.stored);
        return Some(format!("from what the command writes to what the server stores: {}", json!(patch)));
    }
    None
}

/// What the server made of an object.
fn server(answer: &Answer) -> Verdict {
    let ids = |text: &str, start: &str| -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(start));
        lines.filter_map(|line| Some(line.split_once(": ")?.0.to_owned())).collect()
    };
    if !answer.is_success() {
        let rules = ids(answer.message(), "- ");
        // The reason, for the complaint.
        return Verdict { is_refused: true, is_invalid: rules.is_empty(), rules, stored: answer.message().into() };
    }
    let warnings = answer.warnings.iter().filter(|warning| !warning.contains("is deprecated"));
    let rules = warnings.flat_map(|warning| ids(warning, "")).collect();
    Verdict { is_refused: false, is_invalid: false, rules, stored: without_metadata(&answer.body) }
}

fn without_metadata(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.remove("metadata");
    }
    object
}

/// What the command makes of objects: its findings, and what it writes into their files.
fn command(cluster: &Cluster, policy: &Value, objects: &[Value]) -> anyhow::Result<Vec<Verdict>> {
    let folder = tempfile::Builder::new().prefix("command-").tempdir_in(cluster.folder())?;
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("objects"))?;
    let file = |index: usize| path("objects").join(format!("{index:05}.json"));
    for (index, object) in objects.iter().enumerate() {
        std::fs::write(file(index), serde_json::to_string_pretty(object)?)?;
    }
    std::fs::write(path("policy.json"), policy.to_string())?;
    let definitions = json!({"apiVersion": "v1", "kind": "List", "items": cluster.definitions()});
    std::fs::write(path("crds.json"), definitions.to_string())?;
    let report = run(folder.path(), &["--format", "json"])?;
    anyhow::ensure!(report["failures"] == json!([]), "the command fails: {}", report["failures"]);
    let mut verdicts = verdicts_of(&report, objects.len())?;
    run(folder.path(), &["--fix", "--format", "json"])?;
    let mut server = ApiServer::default();
    server.define(definitions)?;
    for (index, verdict) in verdicts.iter_mut().enumerate().filter(|(_, verdict)| !verdict.is_refused) {
        let written: Value = serde_json::from_str(&std::fs::read_to_string(file(index))?)?;
        verdict.stored = without_metadata(&server.stored(&written));
    }
    Ok(verdicts)
}

/// What a report says of each object.
fn verdicts_of(report: &Value, count: usize) -> anyhow::Result<Vec<Verdict>> {
    let mut verdicts: Vec<Verdict> = (0..count).map(|_| Verdict::default()).collect();
    for finding in report["findings"].as_array().context("findings")? {
        let verdict = verdicts.get_mut(index_of(&finding["file"])?).context("a file that was not written")?;
        if finding["severity"] == "error" {
            if !verdict.is_refused {
                // Warnings beside a denial are told in another way.
                verdict.rules.clear();
            }
            verdict.is_refused = true;
        } else if verdict.is_refused {
            continue;
        }
        if finding["rule"] == "api-server" {
            verdict.is_invalid = true;
        } else {
            verdict.rules.insert(finding["rule"].as_str().unwrap_or_default().to_owned());
        }
    }
    Ok(verdicts)
}

fn index_of(file: &Value) -> anyhow::Result<usize> {
    let name = Path::new(file.as_str().unwrap_or_default()).file_stem().context("no file")?;
    Ok(name.to_string_lossy().parse()?)
}

fn run(folder: &Path, arguments: &[&str]) -> anyhow::Result<Value> {
    let output = Command::new(e2e::root().join("target/debug/kyma-dynatrace"))
        .args(["check", "--crds", "crds.json", "--from", "policy.json", "--policy"])
        .arg(e2e::root().join("annotated-policy.wasm"))
        .args(arguments)
        .arg("objects")
        .current_dir(folder)
        .output()
        .context("target/debug/kyma-dynatrace cannot be run")?;
    serde_json::from_slice(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Gives an object a name that a server takes, and nothing else.
fn named(mut object: Value, name: String) -> Value {
    object["metadata"] = json!({"name": name});
    object
}

fn corpus() -> Vec<Value> {
    let objects = e2e::corpus().into_iter().enumerate();
    objects.map(|(index, (_, _, object))| named(object, format!("corpus-{index}"))).collect()
}

fn outcomes() -> anyhow::Result<Vec<Value>> {
    let Some(shared) = e2e::shared() else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(shared.join("outcomes/kyma-1.69.jsonl"))?;
    let rows = text.lines().enumerate().map(|(index, row)| {
        let mut row: Value = serde_json::from_str(row)?;
        Ok(named(row["submitted"].take(), format!("outcome-{index}")))
    });
    rows.collect()
}

/// Working pipelines with something taken away or put in another's place, and pipelines of any kind. The same each time.
fn random() -> Vec<Value> {
    let mut runner = TestRunner::deterministic();
    let broken = (e2e::working::working(), any::<prop::sample::Index>(), 0..6usize, 0..3usize).prop_map(
        |(working, place, change, count)| {
            let mut object = working.object;
            for turn in 0..count {
                break_one(&mut object, place.index(1000) + turn * 7, change + turn);
            }
            object
        },
    );
    let wild = e2e::generate::pipeline().prop_map(|pipeline| {
        let mut object: Value = serde_json::from_str(&pipeline.text).unwrap();
        // Nothing of it would be looked at otherwise.
        for pointer in ["", "/spec", "/spec/output", "/spec/output/otlp"] {
            if let Some(members) = object.pointer_mut(pointer).and_then(Value::as_object_mut) {
                for unknown in ["unknown", "numbers", "custom"] {
                    members.remove(unknown);
                }
            }
        }
        object
    });
    let any = prop_oneof![2 => broken, 1 => wild];
    (0..RANDOM).map(|index| named(any.new_tree(&mut runner).unwrap().current(), format!("random-{index}"))).collect()
}

/// Changes one leaf below the spec.
fn break_one(object: &mut Value, place: usize, change: usize) {
    let mut leaves = Vec::new();
    list(&object["spec"], "/spec", &mut leaves);
    let Some(pointer) = leaves.get(place % leaves.len().max(1)).cloned() else { return };
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match object.pointer_mut(parent) {
        Some(Value::Object(members)) => match change % 6 {
            0 | 1 => drop(members.remove(name)),
            2 => drop(members.insert(name.to_owned(), "".into())),
            3 => drop(members.insert(name.to_owned(), "v2/otlp/v1/metrics".into())),
            4 => drop(members.insert(name.to_owned(), Value::Null)),
            _ => drop(members.insert(format!("{name}x"), true.into())),
        },
        Some(Value::Array(items)) => items.clear(),
        _ => {}
    }
}

fn list(value: &Value, pointer: &str, leaves: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| list(member, &format!("{pointer}/{name}"), leaves));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| list(item, &format!("{pointer}/{index}"), leaves));
        }
        _ => leaves.push(pointer.to_owned()),
    }
}
