//! Blocks of YAML and commands in pages: what can be run is run, and the rest names what is there.

use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::root;
use k8s_openapi::api::core::v1::ConfigMap;
use kyma_dynatrace_admission::admission_request;
use kyma_dynatrace_engine::Policy;
use serde_json::{Value, json};

use crate::read;

pub(crate) fn validate_yaml(text: &str, place: &str) {
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
pub(crate) const CHARTS: [(&str, &str, &str); 2] = [
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
pub(crate) fn check_command(line: &str, place: &str) -> bool {
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
