//! `make demo`: the annotated module, on the real engine, on the pipelines in `examples/`.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use kyma_dynatrace_admission::admission_request;
use kyma_dynatrace_engine::{Module, Policy};
use serde_json::{Value, json};
use xtask::report::{Outcome, render};

/// A line that begins so holds the settings for an example.
const SETTINGS: &str = "# settings: ";

/// Runs every example and prints its verdict.
pub(crate) fn run(policy: &Path, examples: &Path) -> anyhow::Result<()> {
    let wasm = fs::read(policy).with_context(|| format!("cannot read {}", policy.display()))?;
    let module = Module::load(&wasm)?;
    let files = xtask::examples::files(examples)?;
    ensure!(!files.is_empty(), "no example in {}", examples.display());
    let mut outcomes = Vec::new();
    for file in files {
        let yaml = fs::read_to_string(&file)?;
        let object: Value = yaml_serde::from_str(&yaml).with_context(|| format!("cannot read {}", file.display()))?;
        let settings = match yaml.lines().find_map(|line| line.strip_prefix(SETTINGS)) {
            Some(settings) => yaml_serde::from_str(settings).context("cannot read an example's settings")?,
            None => json!({}),
        };
        println!("\n{}", file.display());
        for comment in yaml.lines().take_while(|line| line.starts_with('#')) {
            println!("{comment}");
        }
        let response = Policy::new(module.clone(), settings, true)?.admit(&admission_request(&object, None));
        println!("=> {}", render(&object, &response)?.replace('\n', "\n   "));
        outcomes.push(Outcome::of(&response));
    }
    let count = |wanted: Outcome| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    let counts =
        [Outcome::Accepted, Outcome::Repaired, Outcome::Rejected].map(|o| format!("{} {}", count(o), o.word()));
    println!("\n{}", counts.join(", "));
    Ok(())
}
