//! `make demo`: the annotated module, on the real engine, on the pipelines in `examples/`.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use kyma_dynatrace_engine::{AdmissionResponse, Module, Policy, admission_request};
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

/// A line that begins so holds the settings for an example.
const SETTINGS: &str = "# settings: ";

/// Runs every example and prints its verdict.
pub(crate) fn run(policy: &Path, examples: &Path) -> anyhow::Result<()> {
    let wasm = fs::read(policy).with_context(|| format!("cannot read {}", policy.display()))?;
    let mut files: Vec<_> = fs::read_dir(examples)
        .with_context(|| format!("cannot read {}", examples.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    ensure!(!files.is_empty(), "no example in {}", examples.display());
    let mut counts = [0_usize; 3];
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
        let policy = Policy::new(Module::load(&wasm)?, settings, true)?;
        let response = policy.admit(&admission_request(&object, None));
        let index = print(&object, &response)?;
        if let Some(count) = counts.get_mut(index) {
            *count += 1;
        }
    }
    let [accepted, repaired, rejected] = counts;
    println!("\n{accepted} accepted, {repaired} repaired, {rejected} rejected");
    Ok(())
}

/// Prints a response as a user would see it; tells which of accepted, repaired and rejected it was.
fn print(object: &Value, response: &AdmissionResponse) -> anyhow::Result<usize> {
    let message = response.status.as_ref().and_then(|status| status.message.as_deref());
    let index = match (response.allowed, &response.patch) {
        (true, None) => {
            println!("=> accepted");
            0
        }
        (true, Some(patch)) => {
            println!("=> repaired");
            let mut repaired = object.clone();
            json_patch::patch(&mut repaired, &patch.0)?;
            print_diff(object, &repaired)?;
            1
        }
        (false, _) => {
            println!("=> rejected");
            for line in message.unwrap_or_default().lines() {
                println!("   {line}");
            }
            2
        }
    };
    for warning in response.warnings.iter().flatten() {
        println!("   Warning: {warning}");
    }
    Ok(index)
}

fn print_diff(before: &Value, after: &Value) -> anyhow::Result<()> {
    let (before, after) = (yaml_serde::to_string(before)?, yaml_serde::to_string(after)?);
    let diff = TextDiff::from_lines(&before, &after);
    for change in diff.iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        };
        print!("   {sign} {change}");
    }
    Ok(())
}
