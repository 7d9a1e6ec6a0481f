//! Each `cases/*.case` is a command and what it prints: standard output, standard error and exit code, whole.
//!
//! A case begins with a comment and the command, `$ kyma-dynatrace ...`, perhaps with `< file` for standard input. The rest is
//! written by `BLESS=1`. Commands run in the folder `cases`. `$ generate | kyma-dynatrace ...` pipes 5,000 documents in, one of
//! them with a finding.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics is a test that fails")]

use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// 5,000 pipelines, one document each; that in the middle goes to the wrong port.
fn generate() -> File {
    let mut file = tempfile::tempfile().unwrap();
    for index in 0..5000 {
        let port = if index == 2500 { 4318 } else { 4317 };
        let text = format!(
            "---\napiVersion: telemetry.kyma-project.io/v1beta1\nkind: TracePipeline\nmetadata:\n  name: traces-{index}\nspec:\n\
             \x20 output:\n    otlp:\n      endpoint:\n        value: http://dynakube-telemetry-ingest.dynatrace:{port}\n"
        );
        file.write_all(text.as_bytes()).unwrap();
    }
    file.rewind().unwrap();
    file
}

fn run(command: &str) -> String {
    let (generator, command) =
        command.split_once("generate | ").map_or((None, command), |(_, rest)| (Some(generate()), rest));
    let (command, stdin) = command.split_once(" < ").unwrap_or((command, ""));
    let stdin: Stdio = match generator {
        Some(file) => file.into(),
        None if stdin.is_empty() => Stdio::null(),
        None => File::open(folder().join(stdin)).unwrap().into(),
    };
    let mut words = command.split(' ');
    assert_eq!(words.next(), Some("kyma-dynatrace"));
    let output = Command::new(env!("CARGO_BIN_EXE_kyma-dynatrace"))
        .args(words)
        .current_dir(folder())
        // Nothing of this process's own environment may show in a case.
        .env_clear()
        .env("KYMA_DYNATRACE_POLICY", folder().join("../../../annotated-policy.wasm"))
        .env("COLUMNS", "100")
        .stdin(stdin)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    // JUnit reports carry an identity of their own for each run.
    let stdout: String = text(output.stdout).split_inclusive('\n').map(without_uuid).collect();
    format!("--- stdout\n{stdout}--- stderr\n{}--- exit {code}\n", text(output.stderr))
}

fn without_uuid(line: &str) -> String {
    let Some((head, rest)) = line.split_once(" uuid=\"") else { return line.to_owned() };
    rest.split_once('"').map_or_else(|| line.to_owned(), |(_, tail)| format!("{head}{tail}"))
}

#[test]
fn every_case_prints_what_it_says() {
    let mut cases: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "case"));
    cases.sort();
    let mut failures = Vec::new();
    for path in &cases {
        let text = fs::read_to_string(path).unwrap();
        let command = text.lines().find_map(|line| line.strip_prefix("$ ")).unwrap();
        let comment = text.lines().next().unwrap();
        let answer = format!("{comment}\n$ {command}\n{}", run(command));
        if std::env::var_os("BLESS").is_some() {
            fs::write(path, answer).unwrap();
        } else if answer != text {
            failures.push(format!("{}:\n{answer}", path.display()));
        }
    }
    println!("{} cases", cases.len());
    assert!(cases.len() >= 20);
    assert!(failures.is_empty(), "not as blessed (`make bless` and review):\n{}", failures.join("\n"));
}
