//! SARIF 2.1.0, for code scanning. The rules are those of the policy's own list.

use kyma_dynatrace_manifest::finding::{Finding, Severity};
use kyma_dynatrace_policy::rules::RULES;
use kyma_dynatrace_policy::settings::Level;
use serde_json::{Value, json};

use super::Report;

/// The report as a SARIF log.
pub(crate) fn render(report: &Report) -> anyhow::Result<String> {
    let failures: Vec<Value> = report
        .failures
        .iter()
        .map(|failure| {
            json!({
                "level": "error",
                "message": {"text": format!("{}: {}", failure.name, failure.message)},
            })
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kyma-dynatrace",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": failures.is_empty(),
                "toolExecutionNotifications": failures,
            }],
            "results": report.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    });
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

/// The rules as SARIF lists them.
fn rules() -> Vec<Value> {
    let page = |id: &str| format!("{}/blob/main/docs/rules/{id}.md", env!("CARGO_PKG_REPOSITORY"));
    RULES
        .iter()
        .map(|rule| {
            let level = if rule.level == Level::Warn { "warning" } else { "error" };
            json!({
                "id": rule.id,
                "shortDescription": {"text": rule.summary},
                "helpUri": page(rule.id),
                "defaultConfiguration": {"level": level},
            })
        })
        .collect()
}

fn result(finding: &Finding) -> Value {
    let uri = finding.file.replace('%', "%25").replace(' ', "%20").replace('\\', "/");
    json!({
        "ruleId": finding.rule,
        "level": if finding.severity == Severity::Error { "error" } else { "warning" },
        "message": {"text": format!("{}: {}. {}", finding.object, finding.message, finding.fix).trim_end()},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": finding.line, "startColumn": finding.column},
        }}],
    })
}
