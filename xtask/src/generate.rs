//! Everything that is made from the code, the metadata or the settings: written, or checked.

use std::fs;

use anyhow::{Context, ensure};

use xtask::sections;

use crate::metadata::Metadata;
use crate::{artifacthub, rules_table, settings};

const METADATA: &str = "policy-metadata.yml";
const QUESTIONS: &str = "questions-ui.yml";
const QUESTIONS_HEADER: &str =
    "# The form for Rancher's user interface, made by `make generate` from the settings' types.\n";

/// A file and the text that it ought to have.
type Wanted = (&'static str, String);

fn read(path: &str) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {path}"))
}

fn wanted(metadata: &Metadata) -> anyhow::Result<Vec<Wanted>> {
    let readme = sections::replace(&read("README.md")?, "rules", "generate", &rules_table::table("docs/rules/"))?;
    let rules = sections::replace(&read("docs/rules.md")?, "rules", "generate", &rules_table::table("rules/"))?;
    let readme = sections::replace(&readme, "settings", "generate", &settings::table())?;
    // An unquoted `off` is a boolean for those who read YAML 1.1, as Rancher does.
    let questions = yaml_serde::to_string(&settings::questions())?;
    let questions = questions.replace(" off\n", " 'off'\n");
    let questions = format!("{QUESTIONS_HEADER}{questions}");
    let package = artifacthub::package(metadata, &questions, &read("CHANGELOG.md")?)?;
    let schema = format!("{}\n", serde_json::to_string_pretty(&settings::schema())?);
    let review = format!("{}\n", serde_json::to_string_pretty(&settings::review_schema())?);
    Ok(vec![
        ("README.md", readme),
        ("docs/rules.md", rules),
        ("docs/settings.schema.json", schema),
        ("docs/review.schema.json", review),
        (QUESTIONS, questions),
        ("artifacthub-pkg.yml", package),
    ])
}

/// Writes the files, or says which are not as they ought to be.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let metadata: Metadata =
        yaml_serde::from_str(&read(METADATA)?).with_context(|| format!("cannot use {METADATA}"))?;
    check_versions(&metadata)?;
    for (path, text) in wanted(&metadata)? {
        if check {
            ensure!(read(path).unwrap_or_default() == text, "{path} is not what it is made from: run `make generate`");
        } else {
            fs::write(path, text).with_context(|| format!("cannot write {path}"))?;
        }
    }
    Ok(())
}

/// One version everywhere, and the metadata's rules are what the policy reviews.
fn check_versions(metadata: &Metadata) -> anyhow::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let theirs = metadata.annotations.get("io.kubewarden.policy.version").map(String::as_str);
    ensure!(theirs == Some(version), "{METADATA} has version {theirs:?}, Cargo.toml {version}");
    let heading = format!("\n## {version} (");
    ensure!(read("CHANGELOG.md")?.contains(&heading), "CHANGELOG.md has no release {version}");
    let module = format!(":v{version}");
    for path in ["README.md", "manifests/environment/replacements/environment.yaml"] {
        let text = read(path)?;
        let modules = text.lines().filter(|line| line.contains("registry://ghcr.io/kyma-dynatrace-policy"));
        for line in modules {
            ensure!(line.trim_end().ends_with(&module), "{path} names another version: {}", line.trim());
        }
    }
    check_rules(metadata)
}

fn check_rules(metadata: &Metadata) -> anyhow::Result<()> {
    use kyma_dynatrace_policy::pipeline::{GROUP, Signal};
    let [rule] = metadata.rules.as_slice() else { anyhow::bail!("{METADATA} has more than one rule") };
    ensure!(rule.api_groups == [GROUP], "{METADATA}: apiGroups are not what the policy reviews");
    let plurals =
        [Signal::Metrics, Signal::Traces, Signal::Logs].map(|signal| format!("{}s", signal.kind().to_lowercase()));
    ensure!(rule.resources == plurals, "{METADATA}: resources are not what the policy reviews: {plurals:?}");
    ensure!(rule.operations == ["CREATE", "UPDATE"], "{METADATA}: operations are not what the policy reviews");
    ensure!(rule.api_versions == ["v1alpha1", "v1beta1"], "{METADATA}: apiVersions are not those that are tested");
    ensure!(metadata.mutating && metadata.background_audit, "{METADATA}: the policy mutates, and can be audited");
    Ok(())
}
