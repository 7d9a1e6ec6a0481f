//! Documents put to the policy, which is linked in here: places, troubles, and texts with their repairs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics is a test that fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kyma_dynatrace_admission::{AdmissionResponse, PolicyResponse, Reviewed};
use kyma_dynatrace_manifest::check::{self, Checked, Cluster, Outcome, Repairs};
use kyma_dynatrace_manifest::deployed::Deployed;
use kyma_dynatrace_manifest::finding::Severity;
use kyma_dynatrace_policy::kubewarden::review;
use kyma_dynatrace_policy::report::{Answer, Report};
use serde_json::{Value, json};

/// The policy, natively, with settings.
#[derive(Default)]
struct Native {
    deployed: Deployed,
    stored: BTreeMap<String, Value>,
    /// Whether nothing is answered but an error.
    is_broken: bool,
}

impl Native {
    fn with(settings: Value) -> Self {
        Self { deployed: Deployed { settings, ..Deployed::default() }, ..Self::default() }
    }

    fn ask(&self, request: &Value, settings: &Value) -> Reviewed {
        if self.is_broken {
            let response = AdmissionResponse::rejection(request, "the module failed".to_owned(), Some(500));
            return Reviewed { response, report: Report::default() };
        }
        let answer = review(kyma_dynatrace_admission::payload(request, settings).as_bytes()).unwrap();
        let Answer { response, report }: Answer<'static, PolicyResponse> = serde_json::from_slice(&answer).unwrap();
        Reviewed { response: AdmissionResponse::of(request, response, true), report }
    }
}

impl Cluster for Native {
    fn stored(&self, title: &str) -> Option<&Value> {
        self.stored.get(title)
    }

    fn is_sent(&self, object: &Value, operation: &str) -> bool {
        self.deployed.is_sent(object, operation)
    }

    fn admit(&self, request: &Value) -> Reviewed {
        self.ask(request, &self.deployed.settings)
    }

    fn repair(&self, request: &Value) -> Reviewed {
        self.ask(request, &self.deployed.repairing_settings())
    }
}

/// What is said of a text, document by document, and the text with its repairs.
fn checked(text: &str, cluster: &Native, repairs: Repairs) -> (Vec<Outcome>, Option<String>) {
    let mut outcomes = Vec::new();
    let repaired = check::input(text, cluster, repairs, |_, outcome| {
        outcomes.push(outcome);
        Ok::<(), ()>(())
    });
    (outcomes, repaired.unwrap())
}

fn styles() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cli/tests/styles");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

/// The words of a text, whatever their order, and its lines by their ends.
fn sorted(text: &str) -> (Vec<&str>, usize) {
    let mut words: Vec<&str> =
        text.split([' ', '\n', '\r', ',', '{', '}', '[', ']']).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    (words, text.matches("\r\n").count() * 10_000 + text.lines().count())
}

const PIPELINE: &str = "apiVersion: telemetry.kyma-project.io/v1beta1\nkind: TracePipeline\nmetadata: {name: traces}\nspec:\n  output:\n    otlp:\n      protocol: grpc\n      path: v2/otlp/v1/traces\n      endpoint: {value: \"https://abc12345.live.dynatrace.com/api\"}\n      headers:\n        - name: Authorization\n          valueFrom: {secretKeyRef: {name: dynakube, namespace: dynatrace, key: dataIngestToken}}\n";

#[test]
fn every_style_of_yaml_is_repaired_as_its_pair_shows() {
    let cluster = Native::with(json!({"metrics": {"deltaConversion": "auto"}}));
    let mut count = 0;
    for file in styles() {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let (outcomes, repaired) = checked(&text, &cluster, Repairs::Written);
        let troubles: usize = outcomes.iter().map(|outcome| outcome.troubles.len()).sum();
        if name.starts_with('9') {
            let why =
                if name.starts_with("90") { "the result would say something else" } else { "line endings are mixed" };
            let told = &outcomes.iter().flat_map(|outcome| &outcome.troubles).next().unwrap().message;
            assert!(repaired.is_none() && troubles > 0 && told.ends_with(why), "{name}: {told}");
            continue;
        }
        let pair = fs::read_to_string(file.parent().unwrap().join("fixed").join(&name)).unwrap();
        assert_eq!((sorted(repaired.as_deref().unwrap()), troubles), (sorted(&pair), 0), "{name}");
        let of_errors = |outcome: &Outcome| {
            outcome.checked.iter().flat_map(|one| &one.findings).any(|one| one.severity >= Severity::Repair)
        };
        assert!(!outcomes.iter().any(of_errors), "{name}: judged as it is then");
        // What is only offered is judged as it was.
        let (outcomes, offered) = checked(&text, &cluster, Repairs::Offered);
        assert_eq!(offered, repaired, "{name}");
        assert!(outcomes.iter().any(of_errors), "{name}");
        count += 1;
    }
    assert!(count >= 20);
}

#[test]
fn findings_stand_at_their_fields_and_objects_in_their_documents() {
    let text = format!("kind: ConfigMap\n---\n{PIPELINE}---\n# ä\n{PIPELINE}");
    let cluster = Native::with(json!({"mode": "validate"}));
    let (outcomes, repaired) = checked(&text, &cluster, Repairs::Unasked);
    assert_eq!(repaired, None);
    assert_eq!(
        outcomes.iter().map(|outcome| (outcome.passed_over, outcome.checked.len())).collect::<Vec<_>>(),
        [(1, 0), (0, 1), (0, 1)]
    );
    let places: Vec<(usize, usize, &str)> = outcomes
        .iter()
        .flat_map(|outcome| &outcome.checked)
        .flat_map(|one| &one.findings)
        .map(|one| (one.line, one.column, one.rule.as_str()))
        .collect();
    assert_eq!(
        places,
        [
            (9, 17, "grpc-protocol"),
            (12, 7, "wrong-authorization-scheme"),
            (23, 17, "grpc-protocol"),
            (26, 7, "wrong-authorization-scheme"),
        ]
    );
    let first = &outcomes[1].checked[0];
    assert_eq!((first.reviewed.response.allowed, first.object.title()), (false, "TracePipeline/traces".to_owned()));
    assert!(
        first
            .findings
            .iter()
            .all(|one| one.object == "TracePipeline/traces" && !one.fix.is_empty() && one.link.ends_with(".md"))
    );
}

#[test]
fn what_is_stored_makes_an_update_and_rules_pass_over() {
    let stored = kyma_dynatrace_manifest::yaml::read(PIPELINE).unwrap().value;
    let mut cluster = Native { stored: [("TracePipeline/traces".to_owned(), stored)].into(), ..Native::default() };
    let changed = PIPELINE.replace("name: traces}", "name: traces, labels: {a: b}}");
    let (outcomes, _) = checked(&changed, &cluster, Repairs::Unasked);
    assert!(outcomes[0].checked[0].reviewed.response.allowed, "what was wrong before is a warning");
    assert!(outcomes[0].checked[0].findings.iter().all(|one| one.severity == Severity::Warning));
    let rule = |operation: &str| json!([{"apiGroups": ["telemetry.kyma-project.io"], "apiVersions": ["*"], "resources": ["tracepipelines"], "operations": [operation]}]);
    for (operation, expected) in [("UPDATE", 1), ("CREATE", 0), ("*", 1)] {
        cluster.deployed.rules = rule(operation).as_array().cloned();
        assert_eq!(checked(&changed, &cluster, Repairs::Unasked).0[0].checked.len(), expected, "{operation}");
    }
}

/// A cluster whose definitions have an empty `path` for default.
struct Defaulting(Native);

impl Cluster for Defaulting {
    fn decode(&self, object: &Value) -> Value {
        let mut object = object.clone();
        object["spec"]["output"]["otlp"]["path"] = "".into();
        object
    }

    fn stored(&self, title: &str) -> Option<&Value> {
        self.0.stored(title)
    }

    fn is_sent(&self, object: &Value, operation: &str) -> bool {
        self.0.is_sent(object, operation)
    }

    fn admit(&self, request: &Value) -> Reviewed {
        self.0.admit(request)
    }

    fn repair(&self, request: &Value) -> Reviewed {
        self.0.repair(request)
    }
}

#[test]
fn what_a_default_has_filled_in_is_added_where_the_text_has_nothing() {
    let wanting = PIPELINE.replace("      path: v2/otlp/v1/traces\n", "").replace("grpc", "http");
    let (outcomes, unasked) = checked(&wanting, &Native::default(), Repairs::Unasked);
    assert_eq!((unasked, outcomes[0].repaired), (None, 0));
    let repaired = check::input(&wanting, &Defaulting(Native::default()), Repairs::Offered, |_, _| Ok::<(), ()>(()));
    assert!(repaired.unwrap().unwrap().contains("\n      path: v2/otlp/v1/traces\n"));
    for nothing in ["path: \"\"", "path:", "path: ''", "path: # nothing", "path  :"] {
        let empty = PIPELINE.replace("path: v2/otlp/v1/traces", nothing).replace("grpc", "http");
        let repaired = checked(&empty, &Native::default(), Repairs::Offered).1;
        let repaired = repaired.unwrap().replace("path  :", "path:");
        assert!(repaired.contains("\n      path: v2/otlp/v1/traces"), "{nothing}");
    }
}

#[test]
fn troubles_are_told_with_their_lines() {
    let text = format!("a: [\n---\n{PIPELINE}");
    let (outcomes, _) = checked(&text, &Native::default(), Repairs::Unasked);
    assert!(outcomes[0].troubles[0].message.starts_with("not valid YAML"));
    assert!(outcomes[0].troubles[0].line.is_some());
    assert_eq!(outcomes[1].checked.len(), 1);
    // What an anchor says in two places is repaired in none.
    let anchored =
        PIPELINE.replace("    otlp:\n", "    x: &x\n").replace("      protocol: grpc\n", "") + "    otlp: *x\n";
    let (outcomes, repaired) = checked(&anchored, &Native::default(), Repairs::Offered);
    assert_eq!(repaired, None);
    assert!(outcomes[0].troubles[0].message.ends_with("its anchor serves other places too"));
    // Not even a blank is lost: whoever wrote it is asked.
    let blank = PIPELINE.replace("grpc", "http").replace("    valueFrom", "    prefix: \" \"\n          valueFrom");
    let (outcomes, repaired) = checked(&blank, &Native::default(), Repairs::Offered);
    assert_eq!(repaired, None);
    assert!(outcomes[0].troubles[0].message.ends_with("the result would change other lines"));
    // A module that fails gives no finding.
    let broken = Native { is_broken: true, ..Native::default() };
    let (outcomes, _) = checked(PIPELINE, &broken, Repairs::Offered);
    assert_eq!(outcomes[0].troubles[0].message, "TracePipeline/traces: the module failed");
    assert!(outcomes[0].checked[0].findings.is_empty());
    // Each repair counts.
    let wanting = PIPELINE.replace("      protocol: grpc\n", "");
    let (outcomes, _) = checked(&list(&[wanting.clone(), wanting]), &Native::default(), Repairs::Written);
    assert_eq!((outcomes[0].repaired, outcomes[0].checked.len()), (2, 2));
    // Twice is told at the line of the second.
    let twice = PIPELINE.replace("metadata:", "kind: TracePipeline\nmetadata:");
    let (outcomes, _) = checked(&format!("# first\n{twice}"), &Native::default(), Repairs::Unasked);
    let first = &outcomes[0].checked[0].findings[0];
    assert_eq!((first.rule.as_str(), first.line, first.severity), ("duplicate-key", 4, Severity::Warning));
    assert_eq!(first.fix, "keep one of them");
}

/// A list of pipelines, as `kubectl get -o yaml` prints them.
fn list(pipelines: &[String]) -> String {
    let items = pipelines.iter().map(|text| format!("- {}\n", text.trim_end().replace('\n', "\n  ")));
    format!("kind: List\nitems:\n{}", items.collect::<String>())
}

#[test]
fn what_cannot_be_repaired_does_not_keep_the_others_from_it() {
    let wanting = |index: usize| {
        PIPELINE.replace("traces}", &format!("traces-{index}}}")).replace("      protocol: grpc\n", "      # none\n")
    };
    let mut items: Vec<String> = (0..9).map(wanting).collect();
    // What two pipelines have of one anchor is repaired for both.
    let kind = "apiVersion: telemetry.kyma-project.io/v1beta1, kind: TracePipeline";
    items[0] = items[0].replace("spec:", "spec: &both");
    items[2] = format!("{{{kind}, metadata: {{name: traces-2}}, spec: *both}}");
    // But not what something else has too.
    items[5] = items[5].replace("spec:", "spec: &other");
    items[7] = "{kind: Other, spec: *other}".to_owned();
    let (outcomes, repaired) = checked(&list(&items), &Native::default(), Repairs::Written);
    let troubles: Vec<&str> = outcomes[0].troubles.iter().map(|trouble| trouble.message.as_str()).collect();
    assert_eq!(troubles, ["TracePipeline/traces-5: not repaired, the result would say something else"]);
    assert_eq!((outcomes[0].repaired, outcomes[0].checked.len()), (7, 8));
    let of_errors = |one: &&Checked| one.findings.iter().any(|one| one.severity >= Severity::Repair);
    let wrong: Vec<String> = outcomes[0].checked.iter().filter(of_errors).map(|one| one.object.title()).collect();
    assert_eq!(wrong, ["TracePipeline/traces-5"]);
    let whole = repaired.unwrap();
    for (index, item) in whole.split("\n- ").skip(1).enumerate() {
        let count = (item.matches("protocol: http").count(), item.matches("# none").count());
        let expected = match index {
            2 | 7 => (0, 0),
            5 => (0, 1),
            _ => (1, 1),
        };
        assert_eq!(count, expected, "{index}: {item}");
    }
}

#[test]
fn repairs_in_one_line_are_made_however_many_they_are() {
    let one = |index: usize| {
        json!({"apiVersion": "telemetry.kyma-project.io/v1beta1", "kind": "TracePipeline",
            "metadata": {"name": format!("traces-{index}")},
            "spec": {"output": {"otlp": {"path": "", "endpoint": {"value": "https://abc12345.live.dynatrace.com/api"},
                "headers": [{"name": "Authorization", "valueFrom": {"secretKeyRef":
                    {"name": "dynakube", "namespace": "dynatrace", "key": "dataIngestToken"}}}]}}}})
    };
    let list = json!({"kind": "List", "items": (0..150).map(one).collect::<Vec<_>>()}).to_string();
    let (outcomes, repaired) = checked(&list, &Native::default(), Repairs::Written);
    assert_eq!((outcomes[0].repaired, outcomes[0].troubles.len()), (150, 0));
    let mut expected: Value = serde_json::from_str(&list).unwrap();
    for item in expected["items"].as_array_mut().unwrap() {
        let otlp = &mut item["spec"]["output"]["otlp"];
        (otlp["protocol"], otlp["path"]) = ("http".into(), "v2/otlp/v1/traces".into());
        otlp["headers"][0]["prefix"] = "Api-Token".into();
    }
    assert_eq!(serde_json::from_str::<Value>(&repaired.unwrap()).unwrap(), expected);
}

#[test]
fn a_document_is_not_read_without_end_for_repairs_that_cannot_be_made() {
    let of_alias = |index: usize| {
        let wanting = PIPELINE.replace("traces}", &format!("traces-{index}}}")).replace("      protocol: grpc\n", "");
        wanting.replace("    otlp:\n", "    x: &x\n") + "    otlp: *x\n"
    };
    let items: Vec<String> = (0..120).map(of_alias).collect();
    let (outcomes, repaired) = checked(&list(&items), &Native::default(), Repairs::Offered);
    let count = |why: &str| outcomes[0].troubles.iter().filter(|trouble| trouble.message.ends_with(why)).count();
    let (tried, untried) = (count("serves other places too"), count("too many repairs of its document cannot be made"));
    assert!(repaired.is_none() && tried > 50 && untried > 0 && tried + untried == 120, "{tried} {untried}");
}

#[test]
fn repairs_are_not_printed_where_a_line_may_hold_a_credential() {
    let wanting = PIPELINE.replace("      protocol: grpc\n", "");
    assert!(checked(&wanting, &Native::default(), Repairs::Printed).1.unwrap().contains("protocol: http"));
    let literal = wanting.replace("      headers:\n", "      headers:\n        - {name: X-Other, value: geheim}\n");
    let (outcomes, printed) = checked(&literal, &Native::default(), Repairs::Printed);
    assert_eq!(printed, None);
    assert!(outcomes[0].troubles[0].message.ends_with("a line of them may hold a credential"));
    assert!(checked(&literal, &Native::default(), Repairs::Offered).1.is_some());
    let token = format!("{wanting}# dt0c01.{}.{}\n", "A".repeat(24), "B".repeat(64));
    assert_eq!(checked(&token, &Native::default(), Repairs::Printed).1, None);
}
