//! Known holes in the dependencies. Their list lies elsewhere: where it cannot be reached, nothing
//! has failed, and the summary says so.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result};

use super::environment::is_offline;
use super::outcome::Outcome;
use crate::repository;

/// How cargo-deny says that it has no list to check with.
const NO_LIST: [&str; 2] = [
    "failed to fetch advisory database",
    "failed to load advisory database",
];

/// Seconds after which a line that brings nothing is given up.
const PATIENCE: &str = "30";

/// Checks the dependencies against the list of advisories.
pub fn check(deny: &Path, outcome: &mut Outcome) -> Result<()> {
    if is_offline() {
        count(outcome, false, NO_LIST[0]);
        return Ok(());
    }
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(deny)
        .args(["--all-features", "check", "advisories"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_HTTP_LOW_SPEED_LIMIT", "1")
        .env("GIT_HTTP_LOW_SPEED_TIME", PATIENCE)
        .current_dir(repository::root())
        .output()
        .context("cargo-deny")?;
    let said = [stdout, stderr].concat();
    let said = String::from_utf8_lossy(&said);
    println!("{}", said.trim_end());
    count(outcome, status.success(), &said);
    Ok(())
}

fn count(outcome: &mut Outcome, succeeded: bool, said: &str) {
    if succeeded {
        outcome.passed += 1;
    } else if NO_LIST.iter().any(|text| said.contains(text)) {
        outcome.skipped += 1;
        "advisories not checked: their list cannot be reached".clone_into(&mut outcome.note);
    } else {
        outcome.failed += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(succeeded: bool, said: &str) -> (usize, usize, usize, bool) {
        let mut outcome = Outcome::default();
        count(&mut outcome, succeeded, said);
        let Outcome {
            passed,
            failed,
            skipped,
            note,
        } = outcome;
        (passed, failed, skipped, note.is_empty())
    }

    #[test]
    fn a_list_out_of_reach_is_told_and_is_no_failure() {
        assert_eq!(counted(true, "advisories ok"), (1, 0, 0, true));
        assert_eq!(
            counted(false, "error[vulnerability]: a hole"),
            (0, 1, 0, true)
        );
        let away = "[ERROR] failed to fetch advisory database https://example.com with cli";
        assert_eq!(counted(false, away), (0, 0, 1, false));
    }
}
