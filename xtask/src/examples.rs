//! Every example that the project has, taken apart into the panes of the page in the browser.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use serde_json::json;

use crate::pages::{Example, examples, root, secrets_of, settings_of};

/// One example.
#[derive(Debug, Clone, Serialize)]
pub struct Panes {
    /// The file's name without its end, or the rule's id and a number from 1: what a link to it says.
    pub name: String,
    /// What a rule's page expects; nothing for the files in `examples/`.
    pub expectation: Option<String>,
    /// The manifest, without the lines that say what is in the other panes.
    pub pipelines: String,
    /// The settings, as YAML; empty for the default ones.
    pub settings: String,
    /// Secrets, as manifests.
    pub secrets: String,
}

/// The YAML files in a folder, by name.
///
/// # Errors
/// Where the folder cannot be read.
pub fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    Ok(files)
}

/// The files in `examples/` in their order, then the examples on the rules' pages in theirs.
///
/// # Errors
/// Where a file cannot be read.
pub fn all() -> anyhow::Result<Vec<Panes>> {
    let files = files(&root().join("examples"))?;
    let mut all = Vec::new();
    for file in files {
        let yaml = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        all.push(panes(name, None, &yaml)?);
    }
    let (mut page, mut number) = (String::new(), 0);
    for Example { id, expectation, yaml, .. } in examples() {
        number = if id == page { number + 1 } else { 1 };
        all.push(panes(format!("{id}/{number}"), Some(expectation), &yaml)?);
        page = id;
    }
    Ok(all)
}

fn panes(name: String, expectation: Option<String>, yaml: &str) -> anyhow::Result<Panes> {
    let is_other_pane =
        |line: &str| ["# settings: ", "# secrets: ", "# lookup: "].iter().any(|start| line.starts_with(start));
    let pipelines = yaml.split_inclusive('\n').filter(|line| !is_other_pane(line)).collect();
    let settings = settings_of(yaml);
    let settings = if settings == json!({}) { String::new() } else { yaml_serde::to_string(&settings)? };
    let secrets = secrets_of(yaml).unwrap_or_default();
    let secrets = secrets.iter().map(yaml_serde::to_string).collect::<Result<Vec<_>, _>>()?.join("---\n");
    Ok(Panes { name, expectation, pipelines, settings, secrets })
}
