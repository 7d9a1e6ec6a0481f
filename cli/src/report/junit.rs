//! JUnit XML: a suite for each input, a case for each pipeline.

use std::collections::BTreeSet;

use kyma_dynatrace_manifest::finding::{Finding, Severity};
use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::Report;

/// The report as JUnit XML.
pub(crate) fn render(report: &Report) -> anyhow::Result<String> {
    let mut junit = Junit::new("kyma-dynatrace");
    let mut seen = BTreeSet::new();
    let checked = report.checked.iter().map(|(file, _)| file.as_str());
    let names = checked.chain(report.failures.iter().map(|failure| failure.name.as_str()));
    for name in names.filter(|name| seen.insert(*name)) {
        let mut suite = TestSuite::new(name);
        for (_, object) in report.checked.iter().filter(|(file, _)| file == name) {
            suite.add_test_case(case(report, name, object));
        }
        for failure in report.failures.iter().filter(|failure| failure.name == name) {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(failure.message.as_str());
            suite.add_test_case(TestCase::new("not checked", status));
        }
        junit.add_test_suite(suite);
    }
    Ok(junit.to_string()?)
}

fn case(report: &Report, file: &str, object: &str) -> TestCase {
    let of_object = |severities: &[Severity]| {
        let is_meant = |f: &&Finding| f.file == file && f.object == object && severities.contains(&f.severity);
        report.findings.iter().filter(is_meant).map(line).collect::<Vec<_>>()
    };
    let errors = of_object(&[Severity::Error, Severity::Repair]).join("\n");
    let status = if errors.is_empty() {
        TestCaseStatus::success()
    } else {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(errors);
        status
    };
    let mut case = TestCase::new(object, status);
    let mut told = of_object(&[Severity::Warning]);
    let unrecognized = report.unrecognized.iter().filter(|other| other.file == file && other.object == object);
    told.extend(unrecognized.map(|unrecognized| {
        let (what, fix) = unrecognized.texts();
        format!("{what}; {fix}")
    }));
    if !told.is_empty() {
        case.set_system_out(told.join("\n"));
    }
    case
}

/// A finding in one line: what, why, what to do, where to read on.
fn line(finding: &Finding) -> String {
    let Finding { rule, severity, message, fix, link, .. } = finding;
    let see = if link.is_empty() { String::new() } else { format!(" (see {link})") };
    format!("{}[{rule}]: {message}. Fix: {fix}{see}", severity.name())
}
