//! JUnit XML: a suite for each input, a case for each pipeline.

use std::collections::BTreeSet;

use kyma_dynatrace_manifest::finding::{Finding, Severity};
use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::{Case, Report, Unrecognized, count, plain, sentence};

/// The report as JUnit XML.
pub(crate) fn render(report: &Report) -> anyhow::Result<String> {
    let mut junit = Junit::new("kyma-dynatrace");
    let mut seen = BTreeSet::new();
    let checked = report.checked.iter().map(|case| case.file.as_str());
    let names = checked.chain(report.failures.iter().map(|failure| failure.name.as_str()));
    for name in names.filter(|name| seen.insert(*name)) {
        let mut suite = TestSuite::new(plain(name));
        for one in report.checked.iter().filter(|case| case.file == name) {
            suite.add_test_case(case(report, one));
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

fn case(report: &Report, one: &Case) -> TestCase {
    let findings = report.findings.get(one.findings.clone()).unwrap_or_default();
    let (warnings, errors): (Vec<_>, Vec<_>) = findings.iter().partition(|f| f.severity == Severity::Warning);
    let errors: Vec<String> = errors.into_iter().map(line).collect();
    let status = match errors.as_slice() {
        [] => TestCaseStatus::success(),
        [first, more @ ..] => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            // An attribute is read as one line; all of them stand in the element.
            status.set_message(if more.is_empty() {
                first.clone()
            } else {
                format!("{first} (and {} more)", more.len())
            });
            status.set_description(errors.join("\n"));
            status
        }
    };
    let mut case = TestCase::new(plain(&one.object), status);
    let mut told: Vec<String> = warnings.into_iter().map(line).collect();
    if one.omitted > 0 {
        told.push(format!("{} not listed", count(one.omitted, "more finding")));
    }
    let unrecognized = one.unrecognized.and_then(|index| report.unrecognized.get(index));
    told.extend(unrecognized.map(Unrecognized::sentence));
    if !told.is_empty() {
        case.set_system_out(told.join("\n"));
    }
    case
}

/// A finding in one line: what, why, what to do, where to read on.
fn line(finding: &Finding) -> String {
    let Finding { rule, severity, link, .. } = finding;
    let see = if link.is_empty() { String::new() } else { format!(" (see {link})") };
    format!("{}[{rule}]: {}{see}", severity.name(), sentence(finding))
}
