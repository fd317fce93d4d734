//! `cargo xtask test`: every test of the repository, with all that they need.

mod advisories;
pub mod environment;
mod judges;
mod outcome;
mod packages;
mod rust;

use std::fmt;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, anyhow};
use clap::ValueEnum;

use crate::{coverage, tidy};
use outcome::Outcome;

/// Arguments of `cargo xtask test`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Only this step (may be given more than once).
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
    /// Say which steps there are, and run none.
    #[arg(long)]
    list: bool,
}

/// A step of the tests.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Step {
    /// The walls between the rooms, and the rules that no compiler knows.
    Tidy,
    /// Licences, sources, bans and known holes of the dependencies (cargo-deny).
    Dependencies,
    /// Unit tests, and the stories through real sockets, on SQLite and PostgreSQL.
    Rust,
    /// Examples in the documentation.
    Doc,
    /// Fuzz targets: built, and run for some seconds each.
    Fuzz,
    /// The official Python client and receivers with jwcrypto.
    Python,
    /// The official TypeScript client and receivers with jose.
    Node,
    /// Whether docs/coverage.md is what the other steps have seen.
    Coverage,
}

impl Step {
    const fn about(self) -> &'static str {
        match self {
            Self::Tidy => "the walls between the rooms, and the rules that no compiler knows",
            Self::Dependencies => {
                "licences, sources, bans and known holes of the dependencies (cargo-deny)"
            }
            Self::Rust => "unit tests, and stories through real sockets, on SQLite and PostgreSQL",
            Self::Doc => "examples in the documentation",
            Self::Fuzz => "fuzz targets: built, and run for some seconds each",
            Self::Python => "the official Python client, receivers with jwcrypto",
            Self::Node => "the official TypeScript client, receivers with jose",
            Self::Coverage => "whether docs/coverage.md is what the other steps have seen",
        }
    }

    fn run(self) -> Result<Outcome> {
        match self {
            Self::Tidy => tidy(),
            Self::Dependencies => rust::dependencies(),
            Self::Rust => rust::tests(),
            Self::Doc => rust::doc_tests(),
            Self::Fuzz => rust::fuzz(),
            Self::Python => judges::python(),
            Self::Node => judges::node(),
            Self::Coverage => coverage(),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_possible_value();
        f.pad(name.as_ref().map_or("", |name| name.get_name()))
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let wanted = |step: &Step| arguments.only.is_empty() || arguments.only.contains(step);
    let steps: Vec<Step> = Step::value_variants()
        .iter()
        .copied()
        .filter(wanted)
        .collect();
    if arguments.list {
        for step in steps {
            println!("{step:<13} {}", step.about());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let missing = packages::install(&steps);
    let mut outcomes = Vec::new();
    for step in steps {
        println!("\n=== {step}: {}", step.about());
        let begun = Instant::now();
        let outcome = match missing.stops(step) {
            Some(why) => Err(anyhow!(why)),
            None => step.run(),
        };
        let outcome = outcome.unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Outcome::failed(format!("{error:#}"))
        });
        outcomes.push((step, outcome, begun.elapsed()));
    }
    Ok(outcome::summary(&outcomes))
}

fn coverage() -> Result<Outcome> {
    let stale = coverage::stale()?;
    for file in &stale {
        println!("{file} is not what was seen: cargo xtask coverage");
    }
    Ok(Outcome {
        passed: usize::from(stale.is_empty()),
        failed: usize::from(!stale.is_empty()),
        ..Outcome::default()
    })
}

fn tidy() -> Result<Outcome> {
    let rules = tidy::check()?;
    tidy::report(&rules);
    let broken = rules.iter().filter(|rule| !rule.broken.is_empty()).count();
    Ok(Outcome {
        passed: rules.len() - broken,
        failed: broken,
        ..Outcome::default()
    })
}
