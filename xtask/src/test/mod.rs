//! `cargo xtask test`: every test of the repository, with all that they need.

mod advisories;
pub mod environment;
mod examples;
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
    /// The community's Rust client.
    RustClient,
    /// schemathesis at the sandbox, over its own document.
    FuzzApi,
    /// The projects of examples/, as a user would copy them.
    Examples,
    /// Whether docs/coverage.md is what the other steps have seen, and whether the official clients
    /// have reached all that they have a method for.
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
            Self::Python => "the official and the legacy Python client, receivers with jwcrypto",
            Self::Node => "the official TypeScript client, receivers with jose",
            Self::RustClient => "the community's Rust client",
            Self::FuzzApi => "schemathesis at the sandbox, over its own document",
            Self::Examples => "the projects of examples/, as a user would copy them",
            Self::Coverage => {
                "docs/coverage.md against what was seen; all that the official clients have was reached"
            }
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
            Self::RustClient => judges::rust(),
            Self::FuzzApi => judges::fuzz_api(),
            Self::Examples => examples::run(),
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
    let unreached = coverage::unreached()?;
    for fault in &unreached {
        println!("{fault}");
    }
    let checks = [stale.is_empty(), unreached.is_empty()];
    Ok(Outcome {
        passed: checks.iter().filter(|held| **held).count(),
        failed: checks.iter().filter(|held| !**held).count(),
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
