//! What came of scenarios, as JUnit XML: a suite each, a case a step.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use sandbox::scenario::Scenario;
use sandbox::scenario::play::{Report, StepReport, Verdict};

/// Writes the file.
pub(super) fn write(file: &Path, reports: &[(&Scenario, Report)]) -> anyhow::Result<()> {
    let mut whole = quick_junit::Report::new("vestibule sandbox play");
    for (scenario, report) in reports {
        let mut suite = TestSuite::new(scenario.name.as_str());
        let played = report.steps.iter().map(|step| case(scenario, step));
        suite.add_test_cases(played);
        let left = scenario.steps.iter().skip(report.steps.len());
        suite.add_test_cases(left.map(|step| {
            let status = TestCaseStatus::skipped();
            let mut case = TestCase::new(step.name.as_str(), status);
            case.set_classname(scenario.name.as_str());
            case
        }));
        whole.add_test_suite(suite);
    }
    let text = whole.to_string().context("the report cannot be written")?;
    std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
}

fn case(scenario: &Scenario, step: &StepReport) -> TestCase {
    let status = match step.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(step.saw.as_str());
            status
        }
        Verdict::Failed => {
            let told = step.failures.iter().map(|failure| {
                format!(
                    "{}:{}: {}: expected {}, seen {}",
                    scenario.file.display(),
                    failure.line,
                    failure.what,
                    failure.expected,
                    failure.seen
                )
            });
            let told: Vec<_> = told.collect();
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(told.first().map(String::as_str).unwrap_or_default());
            status.set_description(told.join("\n"));
            status
        }
    };
    let mut case = TestCase::new(step.step.as_str(), status);
    case.set_classname(scenario.name.as_str())
        .set_time(Duration::from_millis(step.millis))
        .set_system_out(format!("{}\nsaw: {}", step.doing, step.saw));
    case
}
