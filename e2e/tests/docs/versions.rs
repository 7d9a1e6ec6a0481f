//! Versions and workflows: what Renovate sees, and what a job may do.

use std::collections::BTreeSet;
use std::fs;

use e2e::root;
use regex::Regex;
use serde_json::{Value, json};

use crate::commands::CHARTS;
use crate::read;

/// Names and versions that Renovate's rules see.
fn seen_by_renovate() -> BTreeSet<(String, String)> {
    let renovate: Value = serde_json::from_str(&read("renovate.json")).unwrap();
    let files = [
        "README.md",
        "docs/monitoring.md",
        "manifests/README.md",
        "manifests/environment/replacements/environment.yaml",
    ];
    let mut seen = BTreeSet::new();
    for manager in renovate["customManagers"].as_array().unwrap() {
        let regexes = |name: &str| -> Vec<Regex> {
            strings(&manager[name]).map(|text| Regex::new(text.trim_matches('/')).unwrap()).collect()
        };
        let (patterns, matches) = (regexes("managerFilePatterns"), regexes("matchStrings"));
        for file in files.iter().filter(|file| patterns.iter().any(|pattern| pattern.is_match(file))) {
            let text = read(file);
            for found in matches.iter().flat_map(|regex| regex.captures_iter(&text)) {
                let named = found.name("depName").map(|name| name.as_str());
                let name = named.or(manager["depNameTemplate"].as_str()).unwrap();
                seen.insert((name.to_owned(), found["currentValue"].to_owned()));
            }
        }
    }
    seen
}

/// Renovate proposes new versions only where its rules see the old ones.
#[test]
fn every_version_is_seen_by_a_rule() {
    let environment: Value =
        yaml_serde::from_str(&read("manifests/environment/replacements/environment.yaml")).unwrap();
    let value = |key: &str| environment["data"][key].as_str().unwrap();
    let mut expected = BTreeSet::from([(value("collectorRepository").to_owned(), value("collectorTag").to_owned())]);
    for image in ["policyServerImage", "sampleImage"] {
        let (name, tag) = value(image).rsplit_once(':').unwrap();
        expected.insert((name.to_owned(), tag.to_owned()));
    }
    for (release, chart, version) in CHARTS {
        let name = chart.strip_prefix("oci://").unwrap_or(release);
        expected.insert((name.to_owned(), version.to_owned()));
    }
    assert_eq!(seen_by_renovate(), expected);
    // One version of Kubewarden in all.
    let kwctl = read(".github/actions/kwctl/action.yml");
    let server = value("policyServerImage").rsplit(':').next().unwrap();
    assert!(kwctl.contains(&format!("KWCTL_VERSION: {server}\n")), "kwctl is not of the policy server's version");
    let (_, _, chart) = CHARTS[1];
    let workflow = read(".github/workflows/cluster.yml");
    assert!(workflow.contains(&format!("\"{chart}\"")), "the workflow installs another chart");
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Nothing is allowed that is not asked for, every action is one commit, and every `make` target is there.
#[test]
fn workflows_are_pinned_and_allowed_nothing_by_default() {
    let makefile = read("Makefile");
    let mut steps = 0;
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap().map(Result::unwrap) {
        let workflow: Value = yaml_serde::from_str(&fs::read_to_string(entry.path()).unwrap()).unwrap();
        let file = entry.file_name().to_string_lossy().into_owned();
        assert_eq!(workflow["permissions"], json!({}), "{file}");
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            assert!(job["permissions"].is_object(), "{file}: {name}");
            for step in job["steps"].as_array().unwrap() {
                steps += 1;
                // What is here is of this commit; the actions in it are looked at below.
                if let Some(action) = step["uses"].as_str().filter(|action| !action.starts_with("./")) {
                    let commit = action.rsplit('@').next().unwrap();
                    let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
                    assert!(is_commit, "{file}: {action}");
                }
                let script = step["run"].as_str().unwrap_or_default();
                assert!(!script.contains("${{"), "{file}: a script takes values from its environment: {script}");
                for line in script.lines().filter_map(|line| line.trim_start().strip_prefix("make ")) {
                    let targets = line.split_whitespace().take_while(|word| !word.contains(['>', '|']));
                    let mut targets = targets.filter(|word| !word.starts_with('-') && !word.contains('='));
                    assert!(targets.all(|target| makefile.contains(&format!("\n{target}:"))), "{file}: make {line}");
                }
            }
        }
    }
    assert!(steps > 10);
    let kwctl: Value = yaml_serde::from_str(&read(".github/actions/kwctl/action.yml")).unwrap();
    let action = kwctl["runs"]["steps"][0]["uses"].as_str().unwrap();
    assert_eq!(action.rsplit('@').next().unwrap().len(), 40, "{action}");
}
