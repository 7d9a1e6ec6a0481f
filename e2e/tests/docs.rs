//! README and book: every link leads somewhere, every page is in the summary, every YAML block is validated and every
//! command is one that exists.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::root;
use kyma_dynatrace_engine::{Policy, admission_request};
use serde_json::{Value, json};

/// Pages outside of the book that have links and blocks too.
const OTHERS: [&str; 9] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "CODE_OF_CONDUCT.md",
    "benches/README.md",
    "manifests/README.md",
    "manifests/tenant/README.md",
];

fn book(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            book(&path, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = OTHERS.iter().map(|page| root().join(page)).collect();
    book(&root().join("docs"), &mut pages);
    pages
}

/// The text without its fenced blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    headings
        .map(|heading| {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-');
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in prose(&text).split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            if link.starts_with("http") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            if !anchor.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                assert!(anchors(&text).contains(anchor), "{}: {link}: no such heading", page.display());
            }
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn the_summary_has_every_page_once() {
    let text = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let links: Vec<&str> =
        text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link).collect();
    let mut found = Vec::new();
    book(&root().join("docs"), &mut found);
    let mut found: Vec<String> = found
        .iter()
        .map(|page| page.strip_prefix(root().join("docs")).unwrap().to_string_lossy().into_owned())
        .filter(|page| page != "SUMMARY.md")
        .collect();
    let mut listed: Vec<String> = links.into_iter().map(str::to_owned).collect();
    found.sort();
    listed.sort();
    assert_eq!(listed, found);
}

/// A fenced block: the page, the language, the text without its indentation.
fn blocks() -> Vec<(PathBuf, String, String)> {
    let mut blocks = Vec::new();
    // The rules' pages have a test of their own, which runs every example.
    for page in pages().into_iter().filter(|page| !page.parent().unwrap().ends_with("docs/rules")) {
        let text = fs::read_to_string(&page).unwrap();
        let mut open: Option<(String, Vec<&str>)> = None;
        for line in text.lines() {
            let fence = line.trim_start().strip_prefix("```");
            match (&mut open, fence) {
                (None, Some(language)) => open = Some((language.to_owned(), Vec::new())),
                (Some((language, lines)), Some(_)) => {
                    let indent =
                        lines.iter().map(|line: &&str| line.len() - line.trim_start().len()).min().unwrap_or(0);
                    let lines: Vec<&str> = lines.iter().map(|line| line.get(indent..).unwrap_or_default()).collect();
                    blocks.push((page.clone(), language.clone(), lines.join("\n")));
                    open = None;
                }
                (Some((_, lines)), None) => lines.push(line),
                (None, None) => {}
            }
        }
    }
    blocks
}

#[test]
fn every_block_is_executed_or_validated() {
    let (mut validated, mut executed) = (0, 0);
    for (page, language, text) in blocks() {
        let place = format!("{}:\n{text}", page.display());
        match language.as_str() {
            "yaml" => {
                validate_yaml(&text, &place);
                validated += 1;
            }
            "sh" => executed += text.lines().filter(|line| check_command(line, &place)).count(),
            // What is printed, shortened by hand.
            "console" => assert!(text.starts_with("$ kubectl apply"), "{place}"),
            other => panic!("a block of `{other}`: {place}"),
        }
    }
    assert!(validated >= 10 && executed >= 8, "{validated} {executed}");
    let _ = writeln!(
        std::io::stderr(),
        "docs: {validated} YAML blocks validated, {executed} commands executed or checked, besides the rules' examples"
    );
}

fn validate_yaml(text: &str, place: &str) {
    let value: Value = yaml_serde::from_str(text).unwrap_or_else(|error| panic!("{error}: {place}"));
    let first = value.as_object().and_then(|members| members.keys().next()).map(String::as_str).unwrap_or("(list)");
    match first {
        "apiVersion" if value["kind"] == "ClusterAdmissionPolicy" => {
            Policy::new(e2e::module(), value["spec"]["settings"].clone(), true).unwrap();
            assert!(value["spec"]["module"].as_str().unwrap().ends_with(&format!(":v{}", env!("CARGO_PKG_VERSION"))));
        }
        "apiVersion" => {
            for world in e2e::worlds().iter().filter(|world| world.name.contains("2026")) {
                assert_eq!(world.errors(&value), [""; 0], "{place}");
            }
            assert!(e2e::policy(&json!({})).admit(&admission_request(&value, None)).allowed, "{place}");
        }
        "patches" => patch_an_overlay(&value, place),
        "mode" | "dynatrace" => {
            drop(Policy::new(e2e::module(), value, true).unwrap_or_else(|error| panic!("{error}: {place}")))
        }
        // Workflows of others: what they call of ours is there.
        "(list)" => {
            let action: Value = yaml_serde::from_str(&read("action.yml")).unwrap();
            for name in value[0]["with"].as_object().unwrap().keys() {
                assert!(action["inputs"][name].is_object(), "{name}: {place}");
            }
        }
        "repos" => assert!(read(".pre-commit-hooks.yaml").contains("id: kyma-dynatrace"), "{place}"),
        "pipelines" => assert!(check_command(value["pipelines"]["script"][0].as_str().unwrap(), place)),
        other => panic!("not known how to validate `{other}`: {place}"),
    }
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// Renders an overlay with the patches, and holds the policies to what `validate_settings` says.
fn patch_an_overlay(value: &Value, place: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs-patch");
    let _ = fs::remove_dir_all(&folder);
    e2e::copy_manifests(&folder.join("manifests"));
    let env = "apiurl=https://abc12345.live.dynatrace.com/api\napiToken=a\ndataIngestToken=b\n";
    fs::write(folder.join("manifests/dynatrace/base/dynatrace.env"), env).unwrap();
    let mut kustomization = value.clone();
    kustomization["resources"] = json!(["manifests/overlays/collector"]);
    fs::write(folder.join("kustomization.yaml"), kustomization.to_string()).unwrap();
    let render = |folder: &Path| {
        let output = Command::new("kubectl").arg("kustomize").arg(folder).output().unwrap();
        assert!(output.status.success(), "{}{place}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let patched = render(&folder);
    assert_ne!(patched, render(&folder.join("manifests/overlays/collector")), "the patch changes nothing: {place}");
    for document in patched.split("\n---\n") {
        let object: Value = yaml_serde::from_str(document).unwrap();
        if object["kind"] == "ClusterAdmissionPolicy" {
            Policy::new(e2e::module(), object["spec"]["settings"].clone(), true)
                .unwrap_or_else(|error| panic!("{error}: {place}"));
        }
    }
}

/// Runs the command on a copy of the manifests, and on an example as its standard input.
fn run_check(arguments: &[&str], place: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs-check");
    let _ = fs::remove_dir_all(&folder);
    e2e::copy_manifests(&folder.join("manifests"));
    let status = Command::new(root().join("target/debug/kyma-dynatrace"))
        .arg("check")
        .args(arguments)
        .current_dir(&folder)
        .env("KYMA_DYNATRACE_POLICY", root().join("annotated-policy.wasm"))
        .stdin(fs::File::open(root().join("examples/01-traces-direct.yaml")).unwrap())
        .output()
        .unwrap();
    let code = status.status.code();
    let errors = String::from_utf8_lossy(&status.stderr);
    assert!(matches!(code, Some(0 | 1)), "{code:?} {errors}: {place}");
}

/// Variables that a page exports are named where they are read.
fn check_variables(variables: &[&str], place: &str) {
    let files = ["monaco/manifest.yaml", "monaco/kyma/notification/config.yaml", "terraform/versions.tf"];
    let known: String = files.iter().map(|file| read(&format!("manifests/tenant/{file}"))).collect();
    for name in variables.iter().filter_map(|variable| variable.split('=').next()) {
        assert!(known.contains(name), "{name}: {place}");
    }
}

/// Whether a line is a command that was run, or whose parts are there.
fn check_command(line: &str, place: &str) -> bool {
    // What comes behind a pipe is ours; what is written to a file is of no interest.
    let command = line.split(" # ").next().unwrap().split(" > ").next().unwrap().rsplit(" | ").next().unwrap();
    let words: Vec<&str> = command.split_whitespace().collect();
    match words.as_slice() {
        ["make", targets @ ..] => {
            let makefile = read("Makefile");
            let is_target = |target: &&str| makefile.contains(&format!("\n{target}:"));
            assert!(targets.iter().all(is_target), "{line}: {place}");
        }
        ["kubectl", "apply", "-k", folder] => {
            assert!(root().join(folder).join("kustomization.yaml").is_file(), "{line}: {place}")
        }
        ["kyma-dynatrace" | "./kyma-dynatrace", "check", arguments @ ..] => run_check(arguments, place),
        ["kubectl", "delete", "clusteradmissionpolicy", names @ ..] => {
            for name in names {
                let file = format!("manifests/policy/{}/policy.yaml", name.rsplit('-').next().unwrap());
                assert!(read(&file).contains(&format!("name: {name}\n")), "{line}: {place}");
            }
        }
        [script, version, _] if script.starts_with("install/") => {
            assert!(
                root().join(script).is_file() && *version == concat!("v", env!("CARGO_PKG_VERSION")),
                "{line}: {place}"
            );
        }
        ["cd", folder] => assert!(root().join(folder).is_dir(), "{line}: {place}"),
        ["export", variables @ ..] => check_variables(variables, place),
        ["monaco", "deploy", file] => {
            assert!(root().join("manifests/tenant/monaco").join(file).is_file(), "{line}: {place}")
        }
        // Of others, and of no use without a cluster or a tenant: named here so that a new one is noticed.
        ["kubectl", "logs" | "get", ..] | ["grep", ..] | ["terraform", "init"] => return false,
        ["terraform", "apply", ..] => {
            let variables = read("manifests/tenant/terraform/variables.tf");
            for name in ["alert_webhook_url", "alert_recipients"] {
                assert!(line.contains(name) && variables.contains(name), "{line}: {place}");
            }
        }
        _ => panic!("not known how to check `{line}`: {place}"),
    }
    true
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
