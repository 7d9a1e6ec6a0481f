//! Every example on every rule's page, applied with real kubectl: what is printed is what the page says, and what is
//! stored is what the page shows.

use anyhow::Context as _;
use cluster::{Cluster, Output};
use e2e::pages::{self, Example, settings_of};
use serde_json::Value;

use crate::{Check, policies, settle, stored};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("verdicts::every_example_is_answered_as_its_page_says", examples),
    ("verdicts::examples_for_older_modules_are_answered_there", older_modules),
    ("verdicts::readme_shows_what_kubectl_prints", readme),
];

/// The examples whose pages say this.
pub(crate) fn that_are(expectation: &str) -> Vec<Example> {
    pages::examples().into_iter().filter(|example| example.expectation == expectation).collect()
}

fn examples(cluster: &mut Cluster) -> anyhow::Result<String> {
    let repair = policies::repair();
    let examples: Vec<Example> =
        pages::examples().into_iter().filter(|example| !is_for_older_modules(example) && !looks_up(example)).collect();
    let complaints = check(cluster, &examples, &|settings| policies::with_settings(repair.clone(), settings))?;
    settle(complaints)?;
    let count = |expectation: &str| examples.iter().filter(|example| example.expectation == expectation).count();
    Ok(format!(
        "{} examples: {} rejected, {} repaired, {} warned, {} accepted",
        examples.len(),
        count("rejected"),
        count("repaired"),
        count("warned"),
        count("accepted")
    ))
}

/// Whether an example shows what is in a Secret: `lookups` does that, with real ones.
fn looks_up(example: &Example) -> bool {
    pages::answerer_of(&example.yaml).is_some()
}

/// Whether an example shows a cluster whose Telemetry module has no `temporality` yet.
fn is_for_older_modules(example: &Example) -> bool {
    example.answer.contains("(Telemetry module 1.64 or later)")
}

/// The others, in a cluster with the definitions of 2025.
fn older_modules(_: &mut Cluster) -> anyhow::Result<String> {
    let Some(shared) = e2e::shared() else { return Ok("skipped".to_owned()) };
    let mut older = Cluster::start_with(&shared.join("crds/telemetry-2025-10"))?;
    let examples: Vec<Example> = pages::examples().into_iter().filter(is_for_older_modules).collect();
    anyhow::ensure!(!examples.is_empty(), "no such example");
    let repair = policies::repair();
    settle(check(&mut older, &examples, &|settings| policies::with_settings(repair.clone(), settings))?)?;
    Ok(format!("{} examples", examples.len()))
}

/// Applies examples to a cluster with the policy that their settings make; what is not as their pages say.
pub(crate) fn check(
    cluster: &mut Cluster,
    examples: &[Example],
    policy: &dyn Fn(&Value) -> Value,
) -> anyhow::Result<Vec<String>> {
    let mut complaints = Vec::new();
    for example in examples {
        cluster.deploy(&[policy(&settings_of(&example.yaml))])?;
        let object: Value = yaml_serde::from_str(&example.yaml)?;
        let output = cluster.kubectl().pipe(&["apply", "-f", "-"], &example.yaml)?;
        if std::env::var_os("SHOW_KUBECTL").is_some() {
            eprintln!("--- {} {}\n{}{}", example.id, example.expectation, output.stdout, output.stderr);
        }
        let stored = if output.code == 0 { Some(stored::get(cluster, &object)?) } else { None };
        if let Err(complaint) = compare(example, &object, &output, stored.as_ref()) {
            let text = format!("{}{}", output.stdout, output.stderr);
            complaints.push(format!("{} ({}): {complaint}\n{text}", example.id, example.expectation));
        }
        stored::delete(cluster, &object)?;
    }
    Ok(complaints)
}

/// Compares what kubectl printed and what is stored with the page's answer.
fn compare(example: &Example, object: &Value, output: &Output, stored: Option<&Value>) -> Result<(), String> {
    let is_warning = |line: &&str| line.starts_with("Warning: ");
    let expected: Vec<&str> = example.answer.lines().filter(is_warning).collect();
    // The API server's own, for the deprecated version.
    let is_ours = |line: &&str| is_warning(line) && !line.contains("v1alpha1");
    let printed: Vec<&str> = output.stderr.lines().filter(is_ours).collect();
    if printed != expected {
        return Err(format!("warnings {printed:#?}, expected {expected:#?}"));
    }
    let body: Vec<&str> = example.answer.lines().skip(1).filter(|line| !is_warning(line)).collect();
    if example.expectation == "rejected" {
        let denial = format!("denied the request: {}", body.join("\n"));
        return if output.code == 1 && output.stderr.contains(&denial) {
            Ok(())
        } else {
            Err(format!("exit code {}, expected a denial:\n{denial}", output.code))
        };
    }
    let Some(stored) = stored else { return Err("it is not stored".to_owned()) };
    let submitted = yaml_serde::to_string(object).map_err(|error| error.to_string())?;
    let repaired = patch(&submitted, &body).ok_or("the page's diff does not fit its example")?;
    let repaired: Value = yaml_serde::from_str(&repaired).map_err(|error| error.to_string())?;
    let mut lost = Vec::new();
    stored::lost(&repaired, stored, "", &mut lost);
    if example.expectation != "repaired" {
        // Nothing but what the CustomResourceDefinition and the Telemetry module fill in.
        for field in ["path", "headers"] {
            let pointer = format!("/spec/output/otlp/{field}");
            if object.pointer(&pointer) != stored.pointer(&pointer) {
                lost.push(format!("{field} is changed"));
            }
        }
    }
    if lost.is_empty() { Ok(()) } else { Err(format!("stored: {}", lost.join(", "))) }
}

/// A text with a diff of `  + ` and `    ` lines applied, which says no line numbers.
fn patch(text: &str, diff: &[&str]) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut result = Vec::new();
    let mut at = 0;
    for (index, line) in diff.iter().enumerate() {
        let sign = line.get(..4)?.trim();
        let content = line.get(4..)?;
        if sign == "+" {
            result.push(content);
            continue;
        }
        // The next place where this line and those after it, up to a change, stand together.
        let run: Vec<&str> = diff.get(index..)?.iter().map_while(|line| line.strip_prefix("    ")).collect();
        let fits = |start: usize| {
            if sign == "-" { lines.get(start) == Some(&content) } else { lines.get(start..)?.starts_with(&run) }
                .then_some(())
        };
        while lines.get(at) != Some(&content) || (index == 0 && fits(at).is_none()) {
            result.push(lines.get(at)?);
            at += 1;
        }
        if sign != "-" {
            result.push(content);
        }
        at += 1;
    }
    result.extend(lines.get(at..)?);
    Some(result.join("\n") + "\n")
}

/// README's transcript, command by command, with the examples that it shows.
fn readme(cluster: &mut Cluster) -> anyhow::Result<String> {
    cluster.deploy(&policies::both())?;
    let readme = std::fs::read_to_string(e2e::root().join("README.md"))?;
    let (_, rest) = readme.split_once("```console\n").context("README shows nothing")?;
    let (shown, _) = rest.split_once("```").context("README's block has no end")?;
    let folder = tempfile::tempdir()?;
    let files = [("metrics.yaml", "04a-metrics-direct-istio.yaml"), ("traces.yaml", "09-traces-without-prefix.yaml")];
    for (name, example) in files {
        std::fs::copy(e2e::root().join("examples").join(example), folder.path().join(name))?;
    }
    let mut printed = String::new();
    for command in shown.lines().filter_map(|line| line.strip_prefix("$ kubectl ")) {
        let arguments = command.split_whitespace();
        let output: Output = cluster.kubectl().command().args(arguments).current_dir(folder.path()).output()?.into();
        printed += &format!("$ kubectl {command}\n{}{}", output.stderr, output.stdout);
    }
    let made = serde_json::json!({"apiVersion": "telemetry.kyma-project.io/v1beta1", "kind": "TracePipeline",
        "metadata": {"name": "traces-to-dynatrace"}});
    stored::delete(cluster, &made)?;
    anyhow::ensure!(printed == shown, "README shows\n{shown}\nkubectl prints\n{printed}");
    Ok(format!("{} commands", files.len()))
}
