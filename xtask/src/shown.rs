//! What README shows of the policy: what `kubectl` prints of a refusal and of a repair, and a picture of the command. All of it
//! is real output, made again here: of the annotated module, and of the command as it is built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use kyma_dynatrace_admission::admission_request;
use kyma_dynatrace_engine::{Module, Policy};
use serde_json::{Value, json};
use xtask::report::Outcome;
use xtask::sections;

const PICTURE: &str = "docs/check.svg";
/// The example that is refused, and the name that README gives it.
const REFUSED: (&str, &str) = ("examples/04a-metrics-direct-istio.yaml", "metrics.yaml");
/// The one that is repaired.
const REPAIRED: (&str, &str) = ("examples/09-traces-without-prefix.yaml", "traces.yaml");
/// What Kubewarden calls the webhook of the manifests' repairing policy.
const WEBHOOK: &str = "clusterwide-kyma-dynatrace-repair.kubewarden.admission";

/// Writes README's transcript and the picture, or says which is not as it ought to be.
pub(crate) fn run(policy: &Path, command: &Path, check: bool) -> anyhow::Result<()> {
    let readme = fs::read_to_string("README.md").context("cannot read README.md")?;
    let readme = sections::replace(&readme, "shown", "generate", &transcript(policy)?)?;
    for (path, text) in [("README.md", readme), (PICTURE, picture(policy, command)?)] {
        if check {
            let is_same = fs::read_to_string(path).unwrap_or_default() == text;
            ensure!(is_same, "{path} does not show what is printed: run `make generate`");
        } else {
            fs::write(path, text).with_context(|| format!("cannot write {path}"))?;
        }
    }
    Ok(())
}

/// What `kubectl` prints, in the form that the cluster tests hold it to.
fn transcript(policy: &Path) -> anyhow::Result<String> {
    let wasm = fs::read(policy).with_context(|| format!("cannot read {}", policy.display()))?;
    let policy = Policy::new(Module::load(&wasm)?, json!({}), true)?;
    let mut text = String::from("\n```console\n");
    for (example, name) in [REFUSED, REPAIRED] {
        let object: Value = yaml_serde::from_str(&fs::read_to_string(example)?)?;
        let response = policy.admit(&admission_request(&object, None));
        text.push_str(&format!("$ kubectl apply -f {name}\n"));
        for warning in response.warnings.iter().flatten() {
            text.push_str(&format!("Warning: {warning}\n"));
        }
        match Outcome::of(&response) {
            Outcome::Rejected => {
                let message = response.status.and_then(|status| status.message).unwrap_or_default();
                text.push_str(&format!(
                    "Error from server: error when creating \"{name}\": admission webhook \"{WEBHOOK}\" denied the request: \
                     {message}\n"
                ));
            }
            _ => {
                let field = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
                let (kind, name) = (field("/kind").to_lowercase(), field("/metadata/name"));
                text.push_str(&format!("{kind}.telemetry.kyma-project.io/{name} created\n"));
            }
        }
    }
    Ok(text + "```\n\n")
}

/// The command's output in colour, as a picture.
fn picture(policy: &Path, command: &Path) -> anyhow::Result<String> {
    let folder = PathBuf::from("target/shown");
    fs::create_dir_all(&folder)?;
    for (example, name) in [REFUSED, REPAIRED] {
        fs::copy(example, folder.join(name)).with_context(|| format!("cannot copy {example}"))?;
    }
    let output = Command::new(fs::canonicalize(command).with_context(|| format!("there is no {}", command.display()))?)
        .args(["check", "--diff", REFUSED.1, REPAIRED.1])
        .current_dir(&folder)
        .env("CLICOLOR_FORCE", "1")
        .env_remove("NO_COLOR")
        .env("KYMA_DYNATRACE_POLICY", fs::canonicalize(policy)?)
        .output()?;
    ensure!(output.status.code() == Some(1), "the command did not find anything: {output:?}");
    let text = String::from_utf8([output.stdout, output.stderr].concat())?;
    let typed = format!("\u{1b}[1m$ kyma-dynatrace check --diff {} {}\u{1b}[0m\n", REFUSED.1, REPAIRED.1);
    Ok(anstyle_svg::Term::new().render_svg(&(typed + text.trim_end())))
}
