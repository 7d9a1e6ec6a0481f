//! `artifacthub-pkg.yml`, as `kwctl scaffold artifacthub` makes it from metadata and questions, with three differences: the
//! date is that of the release in the changelog, not of the moment, so that the file can be checked; the provider is this
//! project and not Kubewarden; the recommended chart is the one that Kubewarden publishes since 1.37.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::metadata::Metadata;

const HEADER: &str =
    "# Artifact Hub package, made by `make artifacthub-pkg.yml` from the metadata, the questions and the changelog.\n";

/// Who publishes the package.
const PROVIDER: &str = "kyma-dynatrace-policy";

/// The date of the newest release in the changelog, of this version. What is not released yet may stand above it.
fn released(changelog: &str, version: &str) -> anyhow::Result<String> {
    let mut headings = changelog.lines().filter(|line| line.starts_with("## ") && *line != "## Unreleased");
    let heading = headings.next().context("CHANGELOG.md has no release")?;
    let date = heading.strip_prefix(&format!("## {version} (")).and_then(|rest| rest.strip_suffix(')'));
    let date = date
        .with_context(|| format!("the newest release in CHANGELOG.md is `{heading}`, not `## {version} (<date>)`"))?;
    let is_date = date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    ensure!(is_date, "`{date}` is no date");
    Ok(format!("{date}T00:00:00Z"))
}

/// How to get the policy, in Markdown.
fn install(image: &str) -> String {
    format!(
        "The policy is a WebAssembly module in an OCI registry. Look at it with `kwctl`:\n\n\
         ```console\nkwctl pull registry://{image}\nkwctl inspect registry://{image}\n```\n\n\
         Make a manifest to deploy it with:\n\n\
         ```console\nkwctl scaffold manifest -t ClusterAdmissionPolicy registry://{image}\n```\n"
    )
}

/// The file's text.
pub(crate) fn package(metadata: &Metadata, questions: &str, changelog: &str) -> anyhow::Result<String> {
    let annotation = |name: &str| -> anyhow::Result<&str> {
        let value = metadata.annotations.get(name).with_context(|| format!("the metadata has no {name}"))?;
        Ok(value.as_str())
    };
    let version = annotation("io.kubewarden.policy.version")?;
    let (title, source) = (annotation("io.kubewarden.policy.title")?, annotation("io.kubewarden.policy.source")?);
    let image = format!("{}:v{version}", annotation("io.kubewarden.policy.ociUrl")?);
    let words = |name: &str| -> anyhow::Result<Vec<&str>> { Ok(annotation(name)?.split(',').map(str::trim).collect()) };
    let (name, email) = annotation("io.kubewarden.policy.author")?
        .trim_end_matches('>')
        .split_once(" <")
        .context("the author is not `name <address>`")?;
    let package = json!({
        "version": version,
        "name": title,
        "displayName": annotation("io.artifacthub.displayName")?,
        "createdAt": released(changelog, version)?,
        "description": annotation("io.kubewarden.policy.description")?,
        "license": annotation("io.kubewarden.policy.license")?,
        "homeURL": annotation("io.kubewarden.policy.url")?,
        "containersImages": [{"name": "policy", "image": image}],
        "keywords": words("io.artifacthub.keywords")?,
        "links": [
            {"name": "policy", "url": format!("{source}/releases/download/v{version}/policy.wasm")},
            {"name": "source", "url": source},
        ],
        "install": install(&image),
        "maintainers": [{"name": name, "email": email}],
        "provider": {"name": PROVIDER},
        "recommendations": [{"url": "https://artifacthub.io/packages/helm/kubewarden/admission-controller"}],
        "annotations": {
            "kubewarden/mutation": metadata.mutating.to_string(),
            "kubewarden/contextAwareResources": yaml_serde::to_string(&metadata.context_aware_resources)?,
            "kubewarden/resources": annotation("io.artifacthub.resources")?,
            "kubewarden/rules": yaml_serde::to_string(&metadata.rules)?,
            "kubewarden/questions-ui": questions,
        },
    });
    Ok(format!("{HEADER}{}", yaml_serde::to_string::<Value>(&package)?))
}
