//! Reports against the schemas of their formats, and inputs that are large, broken or hostile.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kyma-dynatrace"));
    command
        .arg("check")
        .args(args)
        .current_dir(cases())
        .env("KYMA_DYNATRACE_POLICY", root().join("annotated-policy.wasm"));
    command.stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn json_follows_the_published_schema() {
    let schema: Value =
        serde_json::from_str(&fs::read_to_string(root().join("docs/check.schema.json")).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for args in [&["data"][..], &["--crds", "data/crd.yaml", "data"], &["data/01-traces-direct.yaml"]] {
        let output = run(&[&["--format", "json"], args].concat());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let errors: Vec<String> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0]);
        assert!(report["checked"].as_u64().unwrap() > 0);
    }
}

/// The folder of a library's package, which this project does not ship; cargo knows where. Only packages for this
/// platform are asked for: of the others, a fresh machine has none, and could not tell.
fn package(name: &str) -> PathBuf {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let host = text(&rustc.stdout).lines().find_map(|line| line.strip_prefix("host: ").map(str::to_owned)).unwrap();
    let arguments = ["metadata", "--format-version", "1", "--offline", "--filter-platform", &host];
    let output = Command::new(env!("CARGO")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let package = metadata["packages"].as_array().unwrap().iter().find(|package| package["name"] == name).unwrap();
    PathBuf::from(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}

#[test]
fn sarif_follows_the_schema_of_its_standard() {
    let schema = fs::read_to_string(package("serde-sarif").join("src/schema.json")).unwrap();
    let mut schema: Value = serde_json::from_str(&schema).unwrap();
    // No regular expression: it has a bracket too many. Nothing that we write has a language.
    for definition in ["run", "toolComponent"] {
        schema["definitions"][definition]["properties"]["language"].as_object_mut().unwrap().remove("pattern");
    }
    let schema = jsonschema::validator_for(&schema).unwrap();
    for path in ["data", "data/01-traces-direct.yaml"] {
        let output = run(&["--format", "sarif", path]);
        let log: Value = serde_json::from_slice(&output.stdout).unwrap();
        let errors: Vec<String> = schema.iter_errors(&log).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0]);
        let _typed: serde_sarif::sarif::Sarif = serde_json::from_value(log.clone()).unwrap();
        let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), kyma_dynatrace_policy::rules::RULES.len());
    }
    assert!(!schema.is_valid(&serde_json::json!({"version": "2.1.0"})), "the schema can fail");
}

#[test]
fn github_commands_are_one_line_each() {
    let said = text(&run(&["--format", "github", "data"]).stdout);
    assert!(said.lines().count() > 5);
    for line in said.lines() {
        let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
        let is_sum = head == "notice title=kyma-dynatrace";
        assert!(
            is_sum || ["error", "warning", "notice"].iter().any(|kind| head.starts_with(&format!("{kind} file=data/"))),
            "{line}"
        );
        assert!(!message.is_empty() && !message.contains("::"), "{line}");
    }
}

#[test]
fn no_token_is_in_any_report() {
    for format in ["text", "json", "sarif", "junit", "github"] {
        let output = run(&["--format", format, "data/token.yaml"]);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.contains("inline-token") && !said.contains("hunter2"), "{format}: {said}");
    }
}

/// Pipelines of all outcomes, one document each, as a generator writes them.
fn generated(count: usize) -> String {
    let secret = "{valueFrom: {secretKeyRef: {name: dynakube, namespace: dynatrace, key: apiurl}}}";
    (0..count)
        .map(|index| {
            let endpoint = match index % 4 {
                0 => "{value: \"http://dynakube-telemetry-ingest.dynatrace:4317\"}",
                1 => "{value: \"http://loki.logging:3100\"}",
                2 => "{value: \"https://abc12345.apps.dynatrace.com\"}",
                _ => secret,
            };
            format!(
                "---\napiVersion: telemetry.kyma-project.io/v1beta1\nkind: TracePipeline\nmetadata:\n  name: traces-{index}\n\
                 spec:\n  output:\n    otlp:\n      endpoint: {endpoint}\n"
            )
        })
        .collect()
}

#[test]
fn five_thousand_documents_on_standard_input_are_all_checked() {
    let mut child = command(&["--format", "json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(generated(5000).as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((report["checked"].as_u64(), report["failures"].as_array().unwrap().len()), (Some(5000), 0));
    // Two outcomes have findings: the wrong host (host, authorization, and two fields that would be filled in) and the missing
    // fields (three).
    assert_eq!(report["findings"].as_array().unwrap().len(), 1250 * 4 + 1250 * 3);
    assert_eq!(report["unrecognized"].as_array().unwrap().len(), 1250);
    let last = report["findings"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (last["object"].as_str(), last["line"].as_u64()),
        (Some("TracePipeline/traces-4999"), Some(4999 * 9 + 8))
    );
}

#[test]
fn what_cannot_be_read_is_said_and_ends_with_three() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("good.yaml"), generated(1)).unwrap();
    fs::write(path("latin1.yaml"), b"a: \xe9\n").unwrap();
    fs::write(path("tabs.yaml"), "a:\n\t- b\n").unwrap();
    fs::write(path("long.yaml"), "a: b\n".repeat(4 * 1024 * 1024)).unwrap();
    fs::write(path("deep.yaml"), "[".repeat(100_000)).unwrap();
    // A file of 200 MB that takes no room.
    fs::File::create(path("large.yaml")).unwrap().set_len(200 * 1024 * 1024).unwrap();
    std::os::unix::fs::symlink(folder.path(), path("loop")).unwrap();
    std::os::unix::fs::symlink(path("nowhere"), path("dangling.yaml")).unwrap();
    let output = run(&[folder.path().to_str().unwrap()]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for wanted in [
        "latin1.yaml: not UTF-8",
        "tabs.yaml",
        "deep.yaml",
        "large.yaml: larger than 64 MiB",
        "long.yaml:1: a document larger than 16 MiB",
        "leads back",
        "dangling.yaml",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(said.contains("1 pipeline:"), "{said}");
}

#[test]
fn a_folder_without_rights_is_said_and_ends_with_three() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mode = |name: &str, mode| fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).unwrap();
    fs::create_dir_all(path("in/closed")).unwrap();
    fs::write(path("in/good.yaml"), generated(1)).unwrap();
    // Nothing is closed to root, so that the command has to run as somebody else, who may not reach the build.
    fs::copy(env!("CARGO_BIN_EXE_kyma-dynatrace"), path("command")).unwrap();
    fs::copy(root().join("annotated-policy.wasm"), path("policy.wasm")).unwrap();
    mode("", 0o755);
    mode("in/closed", 0o000);
    let mut command = Command::new(path("command"));
    command.args(["check", "--policy"]).arg(path("policy.wasm")).arg(path("in")).current_dir(folder.path());
    if fs::read_dir(path("in/closed")).is_ok() {
        command.uid(65534);
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    mode("in/closed", 0o700);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("closed: Permission denied") && said.contains("1 pipeline:"), "{said}");
}

#[test]
fn a_module_that_traps_or_is_none_ends_with_three() {
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("policy.wasm");
    fs::write(&module, "nonsense").unwrap();
    let output = run(&["--policy", module.to_str().unwrap(), "data/list.yaml"]);
    assert_eq!(output.status.code(), Some(3));
    // Accepts all settings, and traps in `validate`, the operation with the shortest name.
    let trap = r#"(module (import "wapc" "__guest_response" (func $answer (param i32 i32))) (memory (export "memory") 1)
        (data (i32.const 0) "{\22valid\22:true}") (func (export "__guest_call") (param i32 i32) (result i32)
        (if (i32.eq (local.get 0) (i32.const 8)) (then unreachable))
        (call $answer (i32.const 0) (i32.const 14)) i32.const 1))"#;
    fs::write(&module, trap).unwrap();
    let output = run(&["--policy", module.to_str().unwrap(), "data/list.yaml"]);
    assert_eq!(output.status.code(), Some(3));
    let said = text(&output.stderr);
    assert!(said.contains("TracePipeline/traces: internal server error"), "{said}");
}
