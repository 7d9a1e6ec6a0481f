//! The ClusterAdmissionPolicies, and what they say of the pipelines.

use kube_cel::{AdmissionRequest as VapRequest, VapEvaluator, VapExpression};
use kyma_dynatrace_admission::admission_request;
use kyma_dynatrace_engine::Policy;
use serde_json::{Value, json};

use crate::objects::Definitions;
use crate::problem::Problem;
use e2e::tree::Object;

/// A warning that a manifest may have: what it ships depends on the applications, and the warning says so.
const EXPECTED: [(&str, &str); 1] = [("pipelines/metrics-application-delta/pipeline.yaml", "application-temporality")];

/// What is wrong with the policies among the objects, and what those that are there before say of the pipelines.
pub(crate) fn check(objects: &[Object], before: &[Object], definitions: Option<&Definitions>) -> Vec<Problem> {
    let mut problems = read(objects).1;
    for (source, policy) in &read(before).0 {
        for object in pipelines(objects) {
            problems.extend(verdict(object, policy, definitions));
            problems.extend(conditions(source, object));
        }
    }
    problems
}

/// The policies among the objects, ready to be asked, and what is wrong with them.
fn read(objects: &[Object]) -> (Vec<(&Object, Policy)>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut policies = Vec::new();
    for object in objects.iter().filter(|object| object.kind() == "ClusterAdmissionPolicy") {
        let problem = |field: &str, message: String| Problem::new(&object.file, field, message);
        let spec = &object.value["spec"];
        if spec["rules"] != metadata()["rules"] {
            problems.push(problem("spec.rules", "not those of policy-metadata.yml".to_owned()));
        }
        let module = spec["module"].as_str().unwrap_or_default();
        if !module.ends_with(&format!(":v{}", env!("CARGO_PKG_VERSION"))) {
            problems.push(problem("spec.module", format!("`{module}` is not this version")));
        }
        let is_repair = spec["settings"]["mode"] != "validate";
        if spec["mode"] == "monitor"
            && (spec["failurePolicy"] != "Ignore" || spec["settings"]["denialsAsWarnings"] != true)
        {
            problems.push(problem(
                "spec.mode",
                "refuses when no server is there, or says nothing of rejections".to_owned(),
            ));
        }
        if spec["mutating"] != json!(is_repair) {
            problems.push(problem("spec.mutating", "has to be true in repair mode, and false in validate mode".into()));
        }
        match Policy::new(e2e::module(), spec["settings"].clone(), is_repair) {
            Ok(policy) => policies.push((object, policy)),
            Err(error) => problems.push(problem("spec.settings", error.to_string())),
        }
    }
    (policies, problems)
}

fn pipelines(objects: &[Object]) -> impl Iterator<Item = &Object> {
    objects.iter().filter(|object| object.kind().ends_with("Pipeline"))
}

fn metadata() -> Value {
    let text = std::fs::read_to_string(e2e::root().join("policy-metadata.yml")).unwrap();
    yaml_serde::from_str(&text).unwrap()
}

/// Why a pipeline does not pass untouched and without a word.
fn verdict(object: &Object, policy: &Policy, definitions: Option<&Definitions>) -> Vec<Problem> {
    let decoded = definitions.map_or_else(|| object.value.clone(), |definitions| definitions.decode(&object.value));
    let answer = policy.admit(&admission_request(&decoded, None));
    let mut messages = Vec::new();
    if !answer.allowed {
        messages.push(answer.status.and_then(|status| status.message).unwrap_or_default());
    } else if let Some(patch) = answer.patch {
        messages.push(format!("would be repaired: {}", serde_json::to_string(&patch).unwrap()));
    }
    let warnings = answer.warnings.unwrap_or_default();
    let expected = |warning: &String| {
        EXPECTED.iter().any(|(file, rule)| object.file == *file && warning.contains(&format!("/{rule}.md")))
    };
    messages.extend(warnings.into_iter().filter(|warning| !expected(warning)));
    messages.into_iter().map(|message| Problem::new(&object.file, "spec.output.otlp", message)).collect()
}

/// The match conditions of a policy.
fn expressions(policy: &Value) -> Vec<VapExpression> {
    let conditions = policy["spec"]["matchConditions"].as_array().into_iter().flatten();
    let expression = |condition: &Value| condition["expression"].as_str().unwrap_or_default().to_owned();
    conditions
        .map(|condition| VapExpression { expression: expression(condition), message: None, message_expression: None })
        .collect()
}

/// Match conditions that do not hold for a pipeline with an OTLP output.
fn conditions(policy: &Object, pipeline: &Object) -> Vec<Problem> {
    let expressions = expressions(&policy.value);
    results("CREATE", &pipeline.value, &expressions)
        .into_iter()
        .enumerate()
        .filter(|(_, holds)| !holds)
        .map(|(index, _)| {
            let field = format!("spec.matchConditions[{index}].expression");
            Problem::new(&policy.file, field, format!("does not hold for {}", pipeline.file))
        })
        .collect()
}

fn results(operation: &str, object: &Value, expressions: &[VapExpression]) -> Vec<bool> {
    let request = VapRequest { operation: operation.to_owned(), ..VapRequest::default() };
    let evaluator = VapEvaluator::builder().object(object.clone()).request(request).build();
    evaluator.evaluate(expressions).into_iter().map(|result| result.passed).collect()
}

/// What match conditions keep from the policy, the policy itself lets through without a word.
#[test]
fn conditions_filter_only_what_is_let_through() {
    let text = std::fs::read_to_string(e2e::root().join("manifests/policy/validate/policy.yaml")).unwrap();
    let manifest: Value = yaml_serde::from_str(&text).unwrap();
    let expressions = expressions(&manifest);
    assert_eq!(expressions.len(), 2);
    let reviewed = |operation: &str, object: &Value| results(operation, object, &expressions).into_iter().all(|x| x);
    let policy = e2e::policy(&json!({"mode": "validate"}));
    let mut counts = (0, 0);
    for (file, _, object) in e2e::corpus() {
        if reviewed("CREATE", &object) {
            counts.0 += 1;
            continue;
        }
        counts.1 += 1;
        let answer = policy.admit(&admission_request(&object, None));
        assert!(answer.allowed && answer.patch.is_none() && answer.warnings.is_none(), "{file}");
    }
    assert!(e2e::shared().is_none() || (counts.0 > 100 && counts.1 > 100), "{counts:?}");
    let being_deleted = |otlp: Value| json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": {"output": {"otlp": otlp}}});
    assert!(reviewed("CREATE", &being_deleted(json!({}))), "a user can write that field");
    assert!(!reviewed("UPDATE", &being_deleted(json!({}))));
    assert!(!reviewed("UPDATE", &json!({"metadata": {}, "spec": {"output": {"http": {}}}})));
}
