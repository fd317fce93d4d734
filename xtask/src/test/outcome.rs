//! What came of the steps: counts from the tools' own reports, and the summary.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Step;

/// What came of one step.
#[derive(Default)]
pub struct Outcome {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    /// What a reader should know: why it failed, or was not run.
    pub note: String,
}

impl Outcome {
    /// A step that could not be run.
    pub fn failed(note: String) -> Self {
        Self {
            failed: 1,
            note,
            ..Self::default()
        }
    }

    /// A step that was left out, and why.
    pub fn left_out(note: &str) -> Self {
        Self {
            skipped: 1,
            note: format!("skipped: {note}"),
            ..Self::default()
        }
    }

    /// A tool's own verdict counts too: one that ends badly with no failed test has still failed.
    pub fn with_verdict(mut self, succeeded: bool, what: &str) -> Self {
        if !succeeded && self.failed == 0 {
            self.failed = 1;
            self.note = format!("{what} ended with an error");
        } else if succeeded && self.passed + self.skipped == 0 {
            self.failed = 1;
            self.note = format!("{what} ran no test");
        }
        self
    }

    /// From a JUnit file: the sums over its suites.
    pub fn from_junit(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let mut outcome = Self::default();
        for suite in text.split("<testsuite ").skip(1) {
            let head = suite.split('>').next().unwrap_or_default();
            let count = |name: &str| -> usize {
                let value = head
                    .split(&format!(" {name}=\""))
                    .nth(1)
                    .and_then(|rest| rest.split('"').next());
                value.and_then(|value| value.parse().ok()).unwrap_or(0)
            };
            let (failed, skipped) = (
                count("failures") + count("errors"),
                count("skipped") + count("disabled"),
            );
            outcome.failed += failed;
            outcome.skipped += skipped;
            outcome.passed += count("tests").saturating_sub(failed + skipped);
        }
        Ok(outcome)
    }

    /// From a line of cargo's own test runner (`test result: ok. 3 passed; 0 failed; ...`).
    pub fn add_cargo_line(&mut self, line: &str) {
        let Some((_, counts)) = line.split_once("test result: ") else {
            return;
        };
        let counts = counts.split_once(". ").map_or(counts, |(_, counts)| counts);
        for part in counts.split(';') {
            match part.trim().split_once(' ') {
                Some((count, "passed")) => self.passed += count.parse().unwrap_or(0),
                Some((count, "failed")) => self.failed += count.parse().unwrap_or(0),
                Some((count, "ignored")) => self.skipped += count.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    /// From a line of TAP's closing comments (`# pass 3`), as node writes them.
    pub fn add_tap_line(&mut self, line: &str) {
        match line
            .trim_end()
            .strip_prefix("# ")
            .and_then(|line| line.split_once(' '))
        {
            Some(("pass", count)) => self.passed += count.parse().unwrap_or(0),
            Some(("fail" | "cancelled", count)) => self.failed += count.parse().unwrap_or(0),
            Some(("skipped" | "todo", count)) => self.skipped += count.parse().unwrap_or(0),
            _ => {}
        }
    }
}

/// Prints the table and, as the last line, the sums.
pub fn summary(outcomes: &[(Step, Outcome, Duration)]) -> ExitCode {
    println!("\n=== summary");
    println!(
        "{:<13} {:>7} {:>7} {:>8} {:>8}",
        "step", "passed", "failed", "skipped", "seconds"
    );
    for (step, outcome, took) in outcomes {
        let Outcome {
            passed,
            failed,
            skipped,
            note,
        } = outcome;
        let note = note.lines().next().unwrap_or_default();
        let line = format!(
            "{step:<13} {passed:>7} {failed:>7} {skipped:>8} {:>8}  {note}",
            took.as_secs()
        );
        println!("{}", line.trim_end());
    }
    let passed: usize = outcomes.iter().map(|(_, outcome, _)| outcome.passed).sum();
    let failed: usize = outcomes.iter().map(|(_, outcome, _)| outcome.failed).sum();
    let skipped: usize = outcomes.iter().map(|(_, outcome, _)| outcome.skipped).sum();
    println!("{}", sums(passed, failed, skipped));
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The last line.
fn sums(passed: usize, failed: usize, skipped: usize) -> String {
    match skipped {
        0 => format!("{passed} passed, {failed} failed"),
        skipped => format!("{passed} passed, {failed} failed, {skipped} skipped"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_each_tool() {
        let mut cargo = Outcome::default();
        cargo.add_cargo_line("test result: FAILED. 5 passed; 2 failed; 1 ignored; 0 measured; 9 filtered out; finished in 0.1s");
        assert_eq!((cargo.passed, cargo.failed, cargo.skipped), (5, 2, 1));
        let mut tap = Outcome::default();
        for line in [
            "# tests 4",
            "# pass 3",
            "# fail 1",
            "# skipped 0",
            "ok 1 - pass 7",
        ] {
            tap.add_tap_line(line);
        }
        assert_eq!((tap.passed, tap.failed, tap.skipped), (3, 1, 0));
    }

    #[test]
    fn a_tool_that_ends_badly_has_failed() {
        assert_eq!(
            Outcome {
                passed: 3,
                ..Outcome::default()
            }
            .with_verdict(false, "x")
            .failed,
            1
        );
        assert_eq!(
            Outcome {
                failed: 2,
                ..Outcome::default()
            }
            .with_verdict(false, "x")
            .failed,
            2
        );
        assert_eq!(
            Outcome {
                passed: 3,
                ..Outcome::default()
            }
            .with_verdict(true, "x")
            .failed,
            0
        );
        assert_eq!(Outcome::default().with_verdict(true, "x").failed, 1);
    }

    #[test]
    fn a_junit_file_is_counted_over_its_suites() {
        let folder = std::env::temp_dir().join(format!("vestibule-xtask-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("junit.xml");
        let text = r#"<?xml version="1.0"?><testsuites tests="9" failures="9">
            <testsuite name="a" tests="5" failures="1" errors="1" skipped="1"><testcase/></testsuite>
            <testsuite name="b" tests="2" disabled="0" errors="0" failures="0"></testsuite></testsuites>"#;
        fs::write(&file, text).expect("written");
        let outcome = Outcome::from_junit(&file).expect("read");
        fs::remove_dir_all(&folder).expect("removed");
        assert_eq!((outcome.passed, outcome.failed, outcome.skipped), (4, 2, 1));
    }

    #[test]
    fn the_last_line_is_plain() {
        assert_eq!(sums(3, 0, 0), "3 passed, 0 failed");
        assert_eq!(sums(3, 1, 2), "3 passed, 1 failed, 2 skipped");
    }
}
