//! `manifests/README.md`: a row for every section of the guide, every folder named, every link and rule there.

use std::collections::BTreeSet;

use kyma_dynatrace_policy::rules::RULES;

use crate::problem::{self, Problem};
use e2e::tree::Tree;

/// The sections of Kyma's guide for Dynatrace, as of 2026-06.
const SECTIONS: [&str; 10] = [
    "Prerequisites",
    "Prepare the Namespace",
    "Dynatrace Setup",
    "Telemetry Module Setup",
    "Create Secret",
    "Ingest Traces",
    "Ingest Metrics",
    "Set Up Kyma Dashboard Integration",
    "Use Dynatrace Dashboards",
    "Use Dynatrace Alerts",
];

/// The targets of a page's links.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
}

/// What is wrong with the page.
pub(crate) fn check(tree: &Tree) -> Vec<Problem> {
    let text = tree.read("README.md");
    let problem = |field: &str, message: String| Problem::new("README.md", field, message);
    let mut problems = Vec::new();
    for section in SECTIONS {
        if !text.lines().any(|line| line.starts_with(&format!("| {section} |"))) {
            problems.push(problem(section, "this section of the guide has no row".to_owned()));
        }
    }
    for file in tree.files() {
        let folder = file.strip_suffix("/kustomization.yaml").unwrap_or("environment");
        let is_inner = folder.starts_with("environment")
            || ["dynatrace/base", "dynatrace/collector/ingest", "policy/look-up-secrets/parts"].contains(&folder);
        if !is_inner && !text.contains(&format!("`{folder}`")) {
            problems.push(problem(folder, "this folder is not named".to_owned()));
        }
    }
    for link in links(&text).into_iter().filter(|link| !link.starts_with("http") && !link.starts_with('#')) {
        let path = link.split('#').next().unwrap_or_default();
        if !tree.path(path).exists() && !e2e::root().join("manifests").join(path).exists() {
            problems.push(problem(link, "this link leads nowhere".to_owned()));
        }
    }
    for applied in text.split("apply -k manifests/").skip(1).chain(text.split("kustomize manifests/").skip(1)) {
        let folder: String = applied.chars().take_while(|c| c.is_ascii_alphanumeric() || "-/".contains(*c)).collect();
        if !tree.path(&folder).join("kustomization.yaml").exists() {
            problems.push(problem(&folder, "this folder cannot be applied".to_owned()));
        }
    }
    problems
}

#[test]
fn the_page_is_complete() {
    let tree = Tree::copy("page");
    let problems = check(&tree);
    assert!(problems.is_empty(), "{}", problem::list(&problems));
}

#[test]
fn symptoms_name_rules_and_conditions_that_exist() {
    let text = Tree::copy("symptoms").read("README.md");
    let named: BTreeSet<&str> = links(&text)
        .into_iter()
        .filter_map(|link| link.strip_prefix("../docs/rules/"))
        .filter_map(|file| file.strip_suffix(".md"))
        .collect();
    let known: BTreeSet<&str> = RULES.iter().map(|rule| rule.id.name()).collect();
    assert!(named.is_subset(&known) && named.len() >= 8, "{:?}", named.difference(&known));
    let reasons = ["ReferencedSecretMissing", "EndpointInvalid", "TelemetryFlowHealthy", "ConfigurationGenerated"];
    assert!(reasons.iter().all(|reason| text.contains(reason)));
}
