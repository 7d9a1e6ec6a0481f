//! `make mutants`: what became of the mutants, by file, beside those that may survive.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::Value;

/// The least share of the policy's viable mutants that its tests have to notice, in percent; those that are accepted count
/// as noticed by nobody.
const LEAST: usize = 95;

/// `mutants.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    accepted: Vec<Accepted>,
}

/// Mutants that may survive.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    file: String,
    /// What is changed, and in which function.
    change: String,
    /// Why no test can, or needs to, notice.
    reason: String,
}

/// What became of the mutants in a file.
#[derive(Default)]
struct Counts {
    viable: usize,
    caught: usize,
    accepted: usize,
}

/// What became of all mutants.
#[derive(Default)]
struct Result {
    files: BTreeMap<String, Counts>,
    /// Survivors that are not accepted.
    missed: Vec<String>,
    /// The accepted ones that survived.
    used: BTreeSet<usize>,
}

/// Reads `outcomes.json` of cargo-mutants, prints a table and fails where a mutant survives that is not accepted. `all` says that
/// all mutants were tried, so that an accepted one that is caught is no longer needed.
pub(crate) fn run(outcomes: &Path, config: &Path, all: bool) -> anyhow::Result<()> {
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let outcomes: Value = serde_json::from_str(&read(outcomes)?)?;
    let Config { accepted } = toml::from_str(&read(config)?)?;
    let Result { files, missed, used } = judge(&outcomes, &accepted);
    print(&files);
    for name in &missed {
        println!("missed: {name}");
    }
    ensure!(missed.is_empty(), "{} mutants survive that are not accepted in {}", missed.len(), config.display());
    ensure!(accepted.iter().all(|one| !one.reason.is_empty()), "an accepted mutant has no reason");
    let unused = accepted.iter().enumerate().find(|(index, _)| all && !used.contains(index));
    ensure!(unused.is_none(), "accepted, and caught: {}", unused.map_or("", |(_, one)| &one.change));
    let policy = files.iter().filter(|(file, _)| file.starts_with("src/"));
    let (viable, caught) =
        policy.fold((0, 0), |(viable, caught), (_, counts)| (viable + counts.viable, caught + counts.caught));
    let is_enough = !all || caught * 100 >= viable * LEAST;
    ensure!(is_enough, "the policy's tests notice {caught} of {viable} mutants, expected {LEAST} %");
    Ok(())
}

fn judge(outcomes: &Value, accepted: &[Accepted]) -> Result {
    let mut result = Result::default();
    for outcome in outcomes.get("outcomes").and_then(Value::as_array).into_iter().flatten() {
        let Some(mutant) = outcome.pointer("/scenario/Mutant") else { continue };
        let text = |name: &str| mutant.get(name).and_then(Value::as_str).unwrap_or_default();
        let summary = outcome.get("summary").and_then(Value::as_str).unwrap_or_default();
        if summary == "Unviable" {
            continue;
        }
        let counts = result.files.entry(text("file").to_owned()).or_default();
        counts.viable += 1;
        // One that does not end is noticed too.
        if summary != "MissedMutant" {
            counts.caught += 1;
            continue;
        }
        let change = change(text("name"));
        match accepted.iter().position(|one| one.file == text("file") && one.change == change) {
            Some(index) => {
                counts.accepted += 1;
                result.used.insert(index);
            }
            None => result.missed.push(text("name").to_owned()),
        }
    }
    result
}

/// A mutant's name without its place, which moves with every edit.
fn change(name: &str) -> &str {
    name.splitn(4, ':').nth(3).unwrap_or(name).trim()
}

fn print(files: &BTreeMap<String, Counts>) {
    println!("| file | viable | caught | accepted |\n|---|---|---|---|");
    let mut sum = Counts::default();
    for (file, Counts { viable, caught, accepted }) in files {
        println!("| {file} | {viable} | {caught} | {accepted} |");
        sum.viable += viable;
        sum.caught += caught;
        sum.accepted += accepted;
    }
    println!("| all | {} | {} | {} |", sum.viable, sum.caught, sum.accepted);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

    use serde_json::json;

    use super::*;

    /// What is said of these mutants, with one accepted.
    fn told(outcomes: &[(&str, &str)], all: bool) -> std::result::Result<(), String> {
        let outcome = |(name, summary): &(&str, &str)| json!({"scenario": {"Mutant": {"name": format!("src/a.rs:1:2: {name}"), "file": "src/a.rs"}}, "summary": summary});
        let mut list = vec![json!({"scenario": "Baseline", "summary": "Success"})];
        list.extend(outcomes.iter().map(outcome));
        let folder = tempfile::tempdir().unwrap();
        let (of, config) = (folder.path().join("outcomes.json"), folder.path().join("mutants.toml"));
        fs::write(&of, json!({"outcomes": list}).to_string()).unwrap();
        fs::write(&config, "[[accepted]]\nfile = \"src/a.rs\"\nchange = \"x in f\"\nreason = \"r\"\n").unwrap();
        run(&of, &config, all).map_err(|error| error.to_string())
    }

    #[test]
    fn a_survivor_has_to_be_accepted_and_an_accepted_one_to_survive() {
        let caught: Vec<(&str, &str)> = (0..40).map(|_| ("y in f", "CaughtMutant")).collect();
        let with = |more: &[(&'static str, &'static str)]| [caught.as_slice(), more].concat();
        let accepted = ("x in f", "MissedMutant");
        assert_eq!(told(&with(&[accepted, ("z", "Unviable"), ("z", "Timeout")]), true), Ok(()));
        assert!(
            told(&with(&[accepted, ("z in f", "MissedMutant")]), true).unwrap_err().starts_with("1 mutants survive")
        );
        assert!(told(&with(&[]), true).unwrap_err().starts_with("accepted, and caught"));
        assert_eq!(told(&with(&[]), false), Ok(()));
        assert!(told(&with(&[accepted; 3]), true).unwrap_err().contains("40 of 43"));
    }
}
