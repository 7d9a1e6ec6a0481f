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
use k8s_openapi::api::core::v1::ConfigMap;
use kyma_dynatrace_admission::admission_request;
use kyma_dynatrace_engine::Policy;
use regex::Regex;
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
            "sh" => {
                // A command over several lines is one.
                let joined = text.replace("\\\n", " ");
                executed += joined.lines().filter(|line| check_command(line, &place)).count();
            }
            // What is printed: `make test-shown` makes it again, and the cluster tests hold kubectl to it.
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
        "apiVersion" => validate_object(&value, place),
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

fn validate_object(value: &Value, place: &str) {
    match value["kind"].as_str().unwrap_or_default() {
        "ClusterAdmissionPolicy" => {
            Policy::new(e2e::module(), value["spec"]["settings"].clone(), true).unwrap();
            assert!(value["spec"]["module"].as_str().unwrap().ends_with(&format!(":v{}", env!("CARGO_PKG_VERSION"))));
        }
        "ConfigMap" => {
            let typed: ConfigMap =
                serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {place}"));
            assert_eq!(&serde_json::to_value(typed).unwrap(), value, "{place}");
        }
        // Flux applies what is there, and waits for what is there.
        "Kustomization" => {
            let path = value["spec"]["path"].as_str().unwrap();
            assert!(root().join(path).join("kustomization.yaml").is_file(), "{place}");
        }
        "PrometheusRule" => {
            for rule in value["spec"]["groups"][0]["rules"].as_array().unwrap() {
                let expression = rule["expr"].as_str().unwrap();
                assert!(expression.contains("kubewarden_policy_evaluations_total{policy_name="), "{place}");
                assert!(expression.contains("clusterwide-kyma-dynatrace-"), "{place}");
            }
        }
        _ => {
            for world in e2e::worlds().iter().filter(|world| world.name.contains("2026")) {
                assert_eq!(world.errors(value), [""; 0], "{place}");
            }
            assert!(e2e::policy(&json!({})).admit(&admission_request(value, None)).allowed, "{place}");
        }
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
    kustomization["resources"] = json!(["manifests/overlays/collector", "manifests/overlays/policy"]);
    fs::write(folder.join("kustomization.yaml"), kustomization.to_string()).unwrap();
    let plain = folder.join("plain");
    fs::create_dir_all(&plain).unwrap();
    let resources = json!({"resources": ["../manifests/overlays/collector", "../manifests/overlays/policy"]});
    fs::write(plain.join("kustomization.yaml"), resources.to_string()).unwrap();
    let render = |folder: &Path| {
        let output = Command::new("kubectl").arg("kustomize").arg(folder).output().unwrap();
        assert!(output.status.success(), "{}{place}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let patched = render(&folder);
    assert_ne!(patched, render(&plain), "the patch changes nothing: {place}");
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
    let takes_secrets = arguments.windows(2).any(|words| words == ["--secrets", "-"]);
    let stdin = if takes_secrets { "cli/tests/cases/secrets/good.yaml" } else { "examples/01-traces-direct.yaml" };
    let status = Command::new(root().join("target/debug/kyma-dynatrace"))
        .arg("check")
        .args(arguments)
        .current_dir(&folder)
        .env("KYMA_DYNATRACE_POLICY", root().join("annotated-policy.wasm"))
        .stdin(fs::File::open(root().join(stdin)).unwrap())
        .output()
        .unwrap();
    let code = status.status.code();
    let errors = String::from_utf8_lossy(&status.stderr);
    assert!(matches!(code, Some(0 | 1)), "{code:?} {errors}: {place}");
}

/// Variables that a page exports are named where they are read.
fn check_variables(variables: &[&str], place: &str) {
    let files = [
        "monaco/manifest.yaml",
        "monaco/manifest-platform.yaml",
        "monaco/kyma/notification/config.yaml",
        "monaco/kyma-webhook/notification/config.yaml",
        "terraform/versions.tf",
    ];
    let known: String = files.iter().map(|file| read(&format!("manifests/tenant/{file}"))).collect();
    for name in variables.iter().filter_map(|variable| variable.split('=').next()) {
        assert!(known.contains(name), "{name}: {place}");
    }
}

/// What helm installs, by its release: the chart and the version that every page gives.
const CHARTS: [(&str, &str, &str); 2] = [
    ("dynatrace-operator", "oci://public.ecr.aws/dynatrace/dynatrace-operator", "1.10.2"),
    ("admission-controller", "kubewarden/admission-controller", "6.0.2"),
];

fn check_helm(words: &[&str], line: &str, place: &str) {
    match words {
        ["install" | "upgrade", release, chart, "--version", version, ..] => {
            assert!(CHARTS.contains(&(*release, *chart, *version)), "{line}: {place}");
        }
        ["uninstall", release, ..] => assert!(CHARTS.iter().any(|(name, ..)| name == release), "{line}: {place}"),
        ["repo", "add", "kubewarden", "https://charts.kubewarden.io"] | ["template", "."] => {}
        // The guide's own sample, with the guide's own values, which pin nothing.
        ["repo", "add", "open-telemetry", _] | ["install", "otel", "open-telemetry/opentelemetry-demo", ..] => {}
        _ => panic!("not known how to check `{line}`: {place}"),
    }
}

/// A folder that can be applied by itself.
fn check_folder(folder: &str, line: &str, place: &str) {
    let file = root().join(folder).join("kustomization.yaml");
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}: {line}: {place}"));
    assert!(text.contains("kind: Kustomization"), "a component: {line}: {place}");
}

fn check_kubectl(words: &[&str], line: &str, place: &str) -> bool {
    match words {
        ["apply", "--server-side", "-k", folder] | ["delete", "-k", folder] => check_folder(folder, line, place),
        // A client-side apply writes the tokens into an annotation.
        ["apply", ..] => panic!("without --server-side: {line}: {place}"),
        ["delete" | "wait", "clusteradmissionpolicy", rest @ ..] => {
            for name in rest.iter().filter(|word| !word.starts_with("--")) {
                let file = format!("manifests/policy/{}/policy.yaml", name.rsplit('-').next().unwrap());
                assert!(read(&file).contains(&format!("name: {name}\n")), "{line}: {place}");
            }
        }
        ["create", "job", _, "-n", "kubewarden", "--from=cronjob/audit-scanner"] => {}
        // Of no use without a cluster: named here so that a new one is noticed.
        ["logs" | "get" | "describe" | "wait" | "annotate" | "patch" | "auth", ..] => return false,
        ["delete", "tracepipeline" | "namespace", _] => return false,
        _ => panic!("not known how to check `{line}`: {place}"),
    }
    true
}

fn check_monaco(words: &[&str], line: &str, place: &str) {
    let folder = root().join("manifests/tenant/monaco");
    let is_file = |file: &str| assert!(folder.join(file).is_file(), "{line}: {place}");
    match words {
        ["deploy", manifest] => is_file(manifest),
        ["deploy", manifest, "--project", projects] => {
            is_file(manifest);
            assert!(projects.split(',').all(|project| folder.join(project).is_dir()), "{line}: {place}");
        }
        ["delete", "--manifest", manifest, "--file", deletions] => {
            is_file(manifest);
            is_file(deletions);
        }
        _ => panic!("not known how to check `{line}`: {place}"),
    }
}

/// What verifies a release names our images, this version and the workflow that is there.
fn check_verification(line: &str, place: &str) {
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    assert!(!line.contains("ghcr.io/") || line.contains(&format!(":{version}")), "{line}: {place}");
    let images =
        ["ghcr.io/kyma-dynatrace-policy/kyma-dynatrace-policy:", "ghcr.io/kyma-dynatrace-policy/kyma-dynatrace:"];
    assert!(!line.contains("ghcr.io/") || images.iter().any(|image| line.contains(image)), "{line}: {place}");
    if let Some((_, identity)) = line.split_once("--certificate-identity ") {
        let expected = format!("kyma-dynatrace-policy/.github/workflows/release.yml@refs/tags/{version}");
        assert!(identity.ends_with(&expected), "{line}: {place}");
        assert!(root().join(".github/workflows/release.yml").is_file());
    }
}

/// Whether a line is a command that was run, or whose parts are there.
fn check_command(line: &str, place: &str) -> bool {
    // What comes behind a pipe is ours; what is written to a file is of no interest.
    let command = line.split(" # ").next().unwrap().split(" > ").next().unwrap().rsplit(" | ").next().unwrap();
    let words: Vec<&str> = command.split_whitespace().collect();
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    match words.as_slice() {
        ["make", targets @ ..] => {
            let makefile = read("Makefile");
            let is_target = |target: &&str| makefile.contains(&format!("\n{target}:"));
            assert!(targets.iter().all(is_target), "{line}: {place}");
        }
        ["kubectl", words @ ..] => return check_kubectl(words, line, place),
        ["helm", words @ ..] => check_helm(words, line, place),
        ["monaco", words @ ..] => check_monaco(words, line, place),
        ["cosign" | "gh" | "crane", ..] => check_verification(line, place),
        ["kyma-dynatrace" | "./kyma-dynatrace" | "bin/kyma-dynatrace", "check", arguments @ ..] => {
            run_check(arguments, place)
        }
        ["git", "clone", "--branch", branch, url] => {
            assert!(*branch == version && url.ends_with("/kyma-dynatrace-policy"), "{line}: {place}");
        }
        ["cp", from, to] => {
            let ignored = read(".gitignore");
            assert!(root().join(from).is_file() && ignored.contains(to), "{line}: {place}");
        }
        [script, release, _] if script.starts_with("install/") => {
            assert!(root().join(script).is_file() && *release == version, "{line}: {place}");
        }
        ["cd", "kyma-dynatrace-policy"] => {}
        ["cd", folder] => assert!(root().join(folder).is_dir(), "{line}: {place}"),
        ["export", variables @ ..] => check_variables(variables, place),
        ["grep", ..] | ["sha256sum", ..] | ["terraform", "init"] => return false,
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

/// Where a page lets a policy protect before it has let it watch.
fn protects_first(text: &str) -> Option<&str> {
    let is_watching = |line: &str| line.contains("overlays/policy-monitor") || line.trim() == "mode: monitor";
    let is_protecting = |line: &str| {
        let protecting = ["overlays/policy", "manifests/policy/repair", "manifests/policy/validate"];
        let is_applied = line.contains("apply ") && protecting.iter().any(|folder| line.trim().ends_with(folder));
        is_applied || line.trim() == "mode: protect"
    };
    text.lines().find(|line| is_watching(line) || is_protecting(line)).filter(|line| !is_watching(line))
}

/// Kubewarden lets no policy go back from `protect` to `monitor`.
#[test]
fn no_page_leads_to_protect_first() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        assert_eq!(protects_first(&text), None, "{}", page.display());
    }
    for page in ["README.md", "docs/quick-start.md", "docs/rollout.md", "manifests/README.md"] {
        let text = read(page);
        let first = text.lines().find(|line| line.starts_with("kubectl apply")).unwrap_or_default();
        assert!(first.ends_with("manifests/overlays/policy-monitor"), "{page}: {first}");
        // The same page, broken.
        let broken = text.replacen("overlays/policy-monitor", "overlays/policy", 1);
        assert!(protects_first(&broken).is_some(), "{page}");
    }
    assert!(protects_first("spec:\n  mode: protect\n  mode: monitor\n").is_some());
}

/// Names and versions that Renovate's rules see.
fn seen_by_renovate() -> BTreeSet<(String, String)> {
    let renovate: Value = serde_json::from_str(&read("renovate.json")).unwrap();
    let files = [
        "README.md",
        "docs/monitoring.md",
        "manifests/README.md",
        "manifests/environment/replacements/environment.yaml",
    ];
    let mut seen = BTreeSet::new();
    for manager in renovate["customManagers"].as_array().unwrap() {
        let regexes = |name: &str| -> Vec<Regex> {
            strings(&manager[name]).map(|text| Regex::new(text.trim_matches('/')).unwrap()).collect()
        };
        let (patterns, matches) = (regexes("managerFilePatterns"), regexes("matchStrings"));
        for file in files.iter().filter(|file| patterns.iter().any(|pattern| pattern.is_match(file))) {
            let text = read(file);
            for found in matches.iter().flat_map(|regex| regex.captures_iter(&text)) {
                let named = found.name("depName").map(|name| name.as_str());
                let name = named.or(manager["depNameTemplate"].as_str()).unwrap();
                seen.insert((name.to_owned(), found["currentValue"].to_owned()));
            }
        }
    }
    seen
}

/// Renovate proposes new versions only where its rules see the old ones.
#[test]
fn every_version_is_seen_by_a_rule() {
    let environment: Value =
        yaml_serde::from_str(&read("manifests/environment/replacements/environment.yaml")).unwrap();
    let value = |key: &str| environment["data"][key].as_str().unwrap();
    let mut expected = BTreeSet::from([(value("collectorRepository").to_owned(), value("collectorTag").to_owned())]);
    for image in ["policyServerImage", "sampleImage"] {
        let (name, tag) = value(image).rsplit_once(':').unwrap();
        expected.insert((name.to_owned(), tag.to_owned()));
    }
    for (release, chart, version) in CHARTS {
        let name = chart.strip_prefix("oci://").unwrap_or(release);
        expected.insert((name.to_owned(), version.to_owned()));
    }
    assert_eq!(seen_by_renovate(), expected);
    // One version of Kubewarden in all.
    let kwctl = read(".github/actions/kwctl/action.yml");
    let server = value("policyServerImage").rsplit(':').next().unwrap();
    assert!(kwctl.contains(&format!("KWCTL_VERSION: {server}\n")), "kwctl is not of the policy server's version");
    let (_, _, chart) = CHARTS[1];
    let workflow = read(".github/workflows/cluster.yml");
    assert!(workflow.contains(&format!("\"{chart}\"")), "the workflow installs another chart");
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
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
