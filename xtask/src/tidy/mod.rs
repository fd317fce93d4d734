//! `cargo xtask tidy`: the walls of the house, checked.

mod named;
mod text;
mod walls;

use std::process::ExitCode;

use anyhow::Result;

/// What a rule found.
pub struct Rule {
    /// The rule, in words.
    pub name: &'static str,
    /// Where it is broken, a line each.
    pub broken: Vec<String>,
    /// Worth a look, but not a failure.
    pub notes: Vec<String>,
}

impl Rule {
    fn new(name: &'static str, broken: Vec<String>) -> Self {
        Self {
            name,
            broken,
            notes: Vec::new(),
        }
    }
}

/// Runs the command.
pub fn run() -> Result<ExitCode> {
    let rules = check()?;
    report(&rules);
    let broken = rules.iter().any(|rule| !rule.broken.is_empty());
    Ok(if broken {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Every rule with what it found.
pub fn check() -> Result<Vec<Rule>> {
    let mut rules = walls::rules()?;
    rules.extend(text::rules()?);
    Ok(rules)
}

/// Prints the rules and what they found.
pub fn report(rules: &[Rule]) {
    for rule in rules {
        println!(
            "{} {}",
            if rule.broken.is_empty() {
                "held  "
            } else {
                "BROKEN"
            },
            rule.name
        );
        for place in &rule.broken {
            println!("         {place}");
        }
        for note in &rule.notes {
            println!("         note: {note}");
        }
    }
}
