//! The rules' pages, read as examples: a fence ```` ```yaml <expectation> ```` with a pipeline, and below it a fence
//! ```` ```text ```` with the answer.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "pages are the project's own: a chore that cannot read them fails"
)]

use std::path::{Path, PathBuf};

use kyma_dynatrace_policy::rules::RULES;
use serde_json::{Value, json};

/// The project's folder.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// A rule's page.
#[must_use]
pub fn page(id: &str) -> PathBuf {
    root().join("docs/rules").join(format!("{id}.md"))
}

/// One part of a page.
pub enum Part {
    /// Everything that is no example.
    Prose(String),
    /// A pipeline and what is said of it.
    Example {
        /// `accepted`, `warned`, `repaired` or `rejected`.
        expectation: String,
        /// The manifest, perhaps with a first line `# settings: {...}`.
        yaml: String,
        /// The answer below it; empty where there is none yet.
        answer: String,
    },
}

/// The parts of a page, in order.
#[must_use]
pub fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut prose = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let mut fence = || lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        if let Some(expectation) = line.strip_prefix("```yaml ") {
            parts.push(Part::Prose(std::mem::take(&mut prose)));
            parts.push(Part::Example { expectation: expectation.to_owned(), yaml: fence(), answer: String::new() });
        } else if line == "```text" {
            let text: String = fence();
            // The blank line in front of the answer goes with it.
            assert_eq!(prose, "\n", "an answer stands right below its example");
            prose.clear();
            if let Some(Part::Example { answer, .. }) = parts.last_mut() {
                *answer = text;
            }
        } else {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    parts.push(Part::Prose(prose));
    parts
}

/// An example and what its page says of it.
pub struct Example {
    /// The page's rule.
    pub id: String,
    /// `accepted`, `warned`, `repaired` or `rejected`.
    pub expectation: String,
    /// The manifest, perhaps with a first line `# settings: {...}`.
    pub yaml: String,
    /// The answer below it.
    pub answer: String,
}

/// The examples on all pages, in the order of the rules.
#[must_use]
pub fn examples() -> Vec<Example> {
    let of_page = |id: &'static str| {
        let path = page(id);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        parts(&text).into_iter().filter_map(|part| match part {
            Part::Example { expectation, yaml, answer } => {
                Some(Example { id: id.to_owned(), expectation, yaml, answer })
            }
            Part::Prose(_) => None,
        })
    };
    RULES.iter().flat_map(|rule| of_page(rule.id.name())).collect()
}

/// The settings of an example's first line; the default ones where there is none.
#[must_use]
pub fn settings_of(yaml: &str) -> Value {
    let settings = yaml.lines().find_map(|line| line.strip_prefix("# settings: "));
    settings.map_or(json!({}), |settings| {
        yaml_serde::from_str(settings).unwrap_or_else(|error| panic!("{settings}: {error}"))
    })
}

/// The Secrets of an example's line `# secrets: [...]`, as manifests; `None` where it has none.
#[must_use]
pub fn secrets_of(yaml: &str) -> Option<Vec<Value>> {
    let line = yaml.lines().find_map(|line| line.strip_prefix("# secrets: "))?;
    let list: Vec<Value> = yaml_serde::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let manifest = |secret: &Value| {
        let metadata = json!({"namespace": secret["namespace"], "name": secret["name"]});
        let mut manifest = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata});
        for field in ["data", "stringData"].into_iter().filter(|field| !secret[*field].is_null()) {
            manifest[field] = secret[field].clone();
        }
        manifest
    };
    Some(list.iter().map(manifest).collect())
}
