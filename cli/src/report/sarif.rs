//! SARIF 2.1.0, for code scanning. The rules are those of the policy's own list.

use kyma_dynatrace_manifest::finding::{Finding, Severity};
use kyma_dynatrace_policy::report::page;
use kyma_dynatrace_policy::rules::RULES;
use kyma_dynatrace_policy::settings::Level;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Report, sentence};

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
    let mut notifications = failures.clone();
    notifications.extend(report.unrecognized.iter().map(|unrecognized| {
        let text = format!("{}: {}", unrecognized.object, unrecognized.sentence());
        let place = location(&unrecognized.file, json!({"startLine": unrecognized.line}));
        json!({"level": "note", "message": {"text": text}, "locations": [place]})
    }));
    if report.omitted > 0 {
        notifications.push(json!({"level": "note", "message": {"text": report.extent()}}));
    }
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
                "toolExecutionNotifications": notifications,
            }],
            "results": report.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    });
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

/// The rules as SARIF lists them.
fn rules() -> Vec<Value> {
    RULES
        .iter()
        .map(|rule| {
            let level = if rule.level == Level::Warn { "warning" } else { "error" };
            json!({
                "id": rule.id.name(),
                "shortDescription": {"text": rule.summary},
                "helpUri": page(rule.id),
                "defaultConfiguration": {"level": level},
            })
        })
        .collect()
}

fn result(finding: &Finding) -> Value {
    let Finding { rule, severity, object, repair, .. } = finding;
    let region = json!({"startLine": finding.line, "startColumn": finding.column});
    json!({
        "ruleId": rule,
        "level": if *severity == Severity::Warning { "warning" } else { "error" },
        "message": {"text": format!("{object}: {}", sentence(finding))},
        "locations": [location(&finding.file, region)],
        "properties": {"severity": severity, "field": finding.field, "found": finding.found, "expected": finding.expected,
            "why": finding.why, "fix": finding.fix, "repair": repair},
    })
}

fn location(file: &str, region: Value) -> Value {
    json!({"physicalLocation": {"artifactLocation": {"uri": uri(file)}, "region": region}})
}

/// A path as a reference (RFC 3986): what would end it, or begin something else in it, is escaped.
fn uri(file: &str) -> String {
    /// Letters, digits and what may stand in a path; not `:`, which in a first segment would end a scheme.
    const ESCAPED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@').remove(b'+');
    // A backslash is part of a name, but on Windows; two slashes would begin a host.
    let file = if cfg!(windows) { file.replace('\\', "/") } else { file.to_owned() };
    let path = file.trim_start_matches('/');
    let root = if path.len() == file.len() { "" } else { "/" };
    format!("{root}{}", utf8_percent_encode(path, ESCAPED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_files_by_references_that_lead_to_them() {
        assert_eq!(uri("a/b-c_1.yaml"), "a/b-c_1.yaml");
        assert_eq!(uri("a#b é[1]:x.yaml"), "a%23b%20%C3%A9%5B1%5D%3Ax.yaml");
        assert_eq!((uri("<stdin>"), uri("b%")), ("%3Cstdin%3E".to_owned(), "b%25".to_owned()));
        assert_eq!((uri("//host/a"), uri("/a")), ("/host/a".to_owned(), "/a".to_owned()));
        assert_eq!(uri("a\\b"), if cfg!(windows) { "a/b" } else { "a%5Cb" });
    }
}
