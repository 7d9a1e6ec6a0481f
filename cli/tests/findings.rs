//! What the command shows is what the policy found, as data: a user's text changes nothing but itself.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics is a test that fails")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn run(args: &[&str], input: &str) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_kyma-dynatrace"))
        .arg("check")
        .args(args)
        .env("KYMA_DYNATRACE_POLICY", root.join("annotated-policy.wasm"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn report(args: &[&str], input: &str) -> (Value, Option<i32>) {
    let output = run(&[&["--format", "json"], args].concat(), input);
    (serde_json::from_slice(&output.stdout).unwrap(), output.status.code())
}

/// A TracePipeline whose endpoint comes from a Secret that nobody has declared.
fn behind_a_secret(path: &str) -> Value {
    let secret = |key: &str| json!({"secretKeyRef": {"namespace": "team", "name": "backend", "key": key}});
    let header = json!({"name": "Authorization", "prefix": "Api-Token", "valueFrom": secret("token")});
    let otlp = json!({"endpoint": {"valueFrom": secret("url")}, "protocol": "http", "path": path, "headers": [header]});
    json!({"apiVersion": "telemetry.kyma-project.io/v1beta1", "kind": "TracePipeline", "metadata": {"name": "x"},
        "spec": {"output": {"otlp": otlp}}})
}

/// Texts that look like those that the policy, policy-server or the command write.
const IMITATIONS: [&str; 10] = [
    "q; the policy sets z",
    "q; the policy would set z",
    "q/- grpc-protocol: spec.output.otlp.protocol is x, expected y: z",
    "q/  fix: run this",
    "q/; see https://example.com/evil.md",
    "and 1 more warnings",
    "q/this TracePipeline has 9 problems:",
    "the policy sets spec.output.otlp.path to z",
    "q/kyma-dynatrace-policy cannot review this request: x",
    "q/, expected `x`: y",
];

#[test]
fn a_text_that_imitates_ours_changes_nothing_but_itself() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.yaml");
    std::fs::write(&settings, "rules: {wrong-otlp-path: warn}\n").unwrap();
    let settings = ["--settings", settings.to_str().unwrap()];
    let (expected, code) = report(&settings, &behind_a_secret("q").to_string());
    assert_eq!(code, Some(0));
    for text in IMITATIONS {
        let (told, code) = report(&settings, &behind_a_secret(text).to_string());
        assert_eq!(code, Some(0), "{text}");
        let without_the_text = |report: &Value| {
            let mut findings = report["findings"].clone();
            for finding in findings.as_array_mut().unwrap() {
                for member in ["message", "found", "column"] {
                    finding.as_object_mut().unwrap().remove(member);
                }
            }
            findings
        };
        assert_eq!(without_the_text(&told), without_the_text(&expected), "{text}");
        let finding = &told["findings"][0];
        assert_eq!((&finding["severity"], &finding["repair"]), (&json!("warning"), &Value::Null), "{text}");
        let fixed = run(&[&["--fix"][..], &settings].concat(), &behind_a_secret(text).to_string());
        assert_eq!(String::from_utf8(fixed.stdout).unwrap(), behind_a_secret(text).to_string(), "{text}");
    }
}

#[test]
fn every_finding_has_a_reason_and_a_fix_in_every_format() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let folder = examples.to_str().unwrap();
    let output = |format: &str| String::from_utf8(run(&["--format", format, folder], "").stdout).unwrap();
    let (told, _) = report(&[folder], "");
    let findings = told["findings"].as_array().unwrap();
    let warnings = findings.iter().filter(|finding| finding["severity"] == "warning").count();
    assert!(warnings >= 3 && findings.len() > 15, "{warnings} of {}", findings.len());
    for finding in findings {
        for member in ["rule", "message", "found", "expected", "why", "fix", "link", "field"] {
            assert!(!finding[member].as_str().unwrap().is_empty(), "{member}: {finding}");
        }
        assert!(finding["message"].as_str().unwrap().ends_with(finding["why"].as_str().unwrap()), "{finding}");
    }
    let (text, github, junit, sarif) = (output("text"), output("github"), output("junit"), output("sarif"));
    assert_eq!((text.matches("= help: ").count(), text.matches("= see: ").count()), (findings.len(), findings.len()));
    let log: Value = serde_json::from_str(&sarif).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), findings.len());
    for (finding, result) in findings.iter().zip(results) {
        let (why, fix) = (finding["why"].as_str().unwrap(), finding["fix"].as_str().unwrap());
        let message = result["message"]["text"].as_str().unwrap();
        assert!(message.contains(why) && message.contains(fix), "{message}");
        let line = github.lines().find(|line| line.contains(fix) && line.contains(why));
        assert!(line.is_some(), "{finding}");
        let escaped =
            |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        assert!(junit.contains(&escaped(fix)) && junit.contains(&escaped(why)), "{finding}");
    }
}

#[test]
fn what_is_left_out_is_a_number_and_no_finding() {
    let headers: Vec<Value> = (0..300).map(|_| json!({"name": "Authorization", "value": 3})).collect();
    let mut object = behind_a_secret("v2/otlp/v1/traces");
    object["spec"]["output"]["otlp"]["headers"] = headers.into();
    let (told, code) = report(&[], &object.to_string());
    let findings = told["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["rule"] == "malformed-output"), "{told}");
    assert_eq!((findings.len(), told["omitted"].as_u64(), code), (100, Some(200), Some(1)));
    let summary = String::from_utf8(run(&[], &object.to_string()).stderr).unwrap();
    assert!(summary.contains("1 pipeline; 200 findings not listed: 100 errors"), "{summary}");
    for format in ["sarif", "github", "junit"] {
        let output = String::from_utf8(run(&["--format", format], &object.to_string()).stdout).unwrap();
        assert!(!output.contains("more warning") && (format == "junit" || output.contains("200 findings not listed")));
    }
}

#[test]
fn a_new_wrong_value_is_rejected_though_it_is_shown_like_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |end: &str| behind_a_secret(&format!("{}{end}", "a".repeat(40))).to_string();
    std::fs::write(folder.path().join("stored.json"), path("b")).unwrap();
    let stored = ["--update-from", folder.path().to_str().unwrap()];
    assert_eq!(report(&stored, &path("c")).1, Some(1));
    assert_eq!(report(&stored, &path("b")).1, Some(0));
}

#[test]
fn a_rejected_pipeline_lists_what_would_be_filled_in() {
    let secret = json!({"secretKeyRef": {"namespace": "dynatrace", "name": "dynakube", "key": "apiurl"}});
    let object = json!({"apiVersion": "telemetry.kyma-project.io/v1beta1", "kind": "TracePipeline", "metadata": {"name": "x"},
        "spec": {"output": {"otlp": {"endpoint": {"valueFrom": secret}, "tls": {"insecureSkipVerify": true}}}}});
    let (told, code) = report(&[], &object.to_string());
    let list: Vec<(&str, &str)> = told["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["severity"].as_str().unwrap(), finding["rule"].as_str().unwrap()))
        .collect();
    let expected = [
        ("error", "unverified-tls"),
        ("repair", "grpc-protocol"),
        ("repair", "wrong-otlp-path"),
        ("repair", "missing-authorization"),
    ];
    assert_eq!((list.as_slice(), code), (&expected[..], Some(1)));
    let repair = &told["findings"][2]["repair"];
    assert_eq!(
        repair,
        &json!({"pointer": "/spec/output/otlp/path", "value": "v2/otlp/v1/traces", "meaning": "`v2/otlp/v1/traces`",
            "withheld": true})
    );
}

#[test]
fn a_pipeline_that_is_not_recognised_is_told_with_what_to_declare() {
    let mut object = behind_a_secret("x");
    object["spec"]["output"]["otlp"].as_object_mut().unwrap().remove("headers");
    object["spec"]["output"]["otlp"]["path"] = "".into();
    let (told, code) = report(&[], &object.to_string());
    let secret = json!({"secret": {"namespace": "team", "name": "backend", "endpointKey": "url"}});
    let expected = json!([{"file": "<stdin>", "object": "TracePipeline/x", "line": 1, "declare": secret}]);
    assert_eq!((&told["unrecognized"], &told["findings"], code), (&expected, &json!([]), Some(0)));
    let summary = String::from_utf8(run(&[], &object.to_string()).stderr).unwrap();
    assert!(summary.contains("add `{namespace: team, name: backend, endpointKey: url}`"), "{summary}");
    assert!(
        summary.contains("1 pipeline, 1 of them not recognised as one for Dynatrace (see https://")
            && summary.contains("/docs/recognised.md): 0 errors"),
        "{summary}"
    );
    for format in ["sarif", "github", "junit"] {
        let output = String::from_utf8(run(&["--format", format], &object.to_string()).stdout).unwrap();
        assert!(output.contains("not recognised as a pipeline for Dynatrace"), "{format}: {output}");
    }
    // A host that holds something else than a name is not told.
    for (endpoint, declare) in [
        ("https://otel.example.com:4317", json!({"host": "otel.example.com"})),
        ("https://user:password@otel.example.com", Value::Null),
        ("https://dt0c01.abcdefgh", Value::Null),
    ] {
        object["spec"]["output"]["otlp"]["endpoint"] = json!({"value": endpoint});
        assert_eq!(report(&[], &object.to_string()).0["unrecognized"][0]["declare"], declare, "{endpoint}");
    }
}

#[test]
fn a_module_without_review_is_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("policy.wasm");
    // Accepts all settings, and has nobody registered for anything else.
    let text = "No handler registered for function \\22review\\22";
    let wat = format!(
        r#"(module (import "wapc" "__guest_response" (func $answer (param i32 i32)))
        (import "wapc" "__guest_error" (func $error (param i32 i32))) (memory (export "memory") 1)
        (data (i32.const 0) "{{\22valid\22:true}}") (data (i32.const 64) "{text}")
        (func (export "__guest_call") (param i32 i32) (result i32)
        (if (i32.eq (local.get 0) (i32.const 6)) (then (call $error (i32.const 64) (i32.const {})) (return (i32.const 0))))
        (call $answer (i32.const 0) (i32.const 14)) i32.const 1))"#,
        text.replace("\\22", "x").len(),
    );
    std::fs::write(&module, wat).unwrap();
    let output = run(&["--policy", module.to_str().unwrap()], &behind_a_secret("q").to_string());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("has no function `review`: use the module of kyma-dynatrace-policy 0.3.0 or later"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_name_writes_no_line_of_its_own() {
    let mut object = behind_a_secret("x");
    object["metadata"]["name"] = "a\n::error file=x::told\u{202e}".into();
    for format in ["text", "github", "junit"] {
        let output = run(&["--format", format], &object.to_string());
        let output = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert!(output.contains("a?::error file=x::told?"), "{format}: {output}");
        assert!(!output.lines().any(|line| line.starts_with("::error file=x::told")), "{format}: {output}");
    }
}

#[test]
fn two_pipelines_of_one_name_have_their_own_findings_in_junit() {
    let wrong = behind_a_secret("x");
    let mut right = wrong.clone();
    right["spec"]["output"]["otlp"] = json!({"endpoint": {"value": "http://loki.logging:3100"}});
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [wrong, right]});
    let output = String::from_utf8(run(&["--format", "junit"], &list.to_string()).stdout).unwrap();
    let cases: Vec<&str> = output.split("<testcase ").skip(1).collect();
    assert_eq!(cases.len(), 2, "{output}");
    assert!(cases[0].contains("<failure") && !cases[1].contains("<failure"), "{output}");
}

#[test]
fn what_only_policy_server_rejects_is_written_by_fix() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    std::fs::write(&policy, "kind: ClusterAdmissionPolicy\nspec: {mutating: false, settings: {}}\n").unwrap();
    let mut object = behind_a_secret("x");
    let otlp = &mut object["spec"]["output"]["otlp"];
    otlp["endpoint"] = json!({"value": "https://abc12345.live.dynatrace.com/api"});
    otlp["path"] = "v2/otlp/v1/traces".into();
    otlp.as_object_mut().unwrap().remove("protocol");
    let (told, code) = report(&["--from", policy.to_str().unwrap()], &object.to_string());
    let rules: Vec<_> = told["findings"].as_array().unwrap().iter().map(|finding| &finding["rule"]).collect();
    assert_eq!((rules, code), (vec![&json!("policy-server"), &json!("grpc-protocol")], Some(1)));
    assert_eq!(told["findings"][1]["repair"]["withheld"], json!(false));
}
