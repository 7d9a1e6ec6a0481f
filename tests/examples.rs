//! The examples on the rules' pages, natively: each is answered as is printed below it. (`e2e/tests/pages.rs` runs them on the module,
//! and writes the answers; here they take no time, for those who change the rules.)

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::fs;
use std::path::Path;

use kyma_dynatrace_policy::kubewarden::answer;
use kyma_dynatrace_policy::lookup::{LookUp, Lookup, Outcome, Refusal, Value as SecretValue};
use kyma_dynatrace_policy::rules::RULES;
use serde_json::{Value, json};

/// The Secrets of a line `# secrets: [...]`, or a refusal for a line `# lookup: <name>`.
struct Cluster {
    secrets: Vec<Value>,
    refusal: Option<Refusal>,
}

impl LookUp for Cluster {
    fn secret(&self, lookup: &Lookup) -> Outcome {
        if let Some(refusal) = self.refusal {
            return Outcome::Refused(refusal);
        }
        let is_it = |secret: &&Value| secret["namespace"] == *lookup.namespace && secret["name"] == *lookup.name;
        let Some(secret) = self.secrets.iter().find(is_it) else { return Outcome::Missing };
        let value = |key: &String| {
            let text = secret["stringData"][key.as_str()].as_str()?;
            Some((key.clone(), SecretValue::new(text.as_bytes().to_vec())))
        };
        Outcome::Found(lookup.keys.iter().filter_map(value).collect())
    }
}

/// What stands behind a word in the first lines of an example.
fn line<'a>(yaml: &'a str, start: &str) -> Option<&'a str> {
    yaml.lines().find_map(|line| line.strip_prefix(start))
}

fn cluster(yaml: &str) -> Cluster {
    let secrets = line(yaml, "# secrets: ").map_or_else(Vec::new, |list| yaml_serde::from_str(list).unwrap());
    let refusal = line(yaml, "# lookup: ").map(|name| match name {
        "not-granted" => Refusal::Resource,
        "forbidden" => Refusal::Rights,
        "no-capability" => Refusal::Capability,
        other => panic!("{other}"),
    });
    Cluster { secrets, refusal }
}

/// The answer in the form of the pages, without the diff of a repair.
fn told(yaml: &str) -> String {
    let object: Value = yaml_serde::from_str(yaml).unwrap();
    let settings: Value = line(yaml, "# settings: ").map_or(json!({}), |text| yaml_serde::from_str(text).unwrap());
    let group = object["apiVersion"].as_str().unwrap().split('/').next().unwrap();
    let kind = json!({"group": group, "version": "v1beta1", "kind": object["kind"]});
    let request = json!({"uid": "1", "operation": "CREATE", "kind": kind, "object": object});
    let payload = json!({"request": request, "settings": settings}).to_string();
    let answer: Value = serde_json::from_slice(&answer(payload.as_bytes(), &cluster(yaml)).unwrap()).unwrap();
    let mut lines = vec![match (&answer["accepted"], &answer["mutated_object"]) {
        (Value::Bool(true), Value::Null) => "accepted".to_owned(),
        (Value::Bool(true), _) => "repaired".to_owned(),
        _ => "rejected".to_owned(),
    }];
    if lines == ["rejected"] {
        lines.extend(answer["message"].as_str().map(str::to_owned));
    }
    let warnings = answer["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str);
    lines.extend(warnings.map(|warning| format!("Warning: {warning}")));
    lines.join("\n")
}

#[test]
fn every_example_is_answered_as_is_printed_below_it() {
    let mut count = 0;
    for rule in RULES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/rules/{}.md", rule.id));
        let page = fs::read_to_string(path).unwrap();
        for example in page.split("\n```yaml ").skip(1) {
            let (_, rest) = example.split_once('\n').unwrap();
            let (yaml, rest) = rest.split_once("\n```\n\n```text\n").unwrap();
            let printed = rest.split_once("\n```").unwrap().0;
            let kept: Vec<&str> = printed.lines().filter(|line| !is_diff(line)).collect();
            assert_eq!(told(yaml), kept.join("\n"), "{}:\n{yaml}", rule.id);
            count += 1;
        }
    }
    assert!(count >= 80, "{count} examples");
}

/// A line of the diff that the pages show of a repair.
fn is_diff(line: &str) -> bool {
    line.starts_with("    ") || line.starts_with("  +") || line.starts_with("  -")
}
