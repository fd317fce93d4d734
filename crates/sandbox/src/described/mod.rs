//! Workspaces described in a file: read, and checked as a whole before anything is made of them.
//!
//! | part | what it does |
//! |---|---|
//! | `written` | the words of a file, as serde reads them |
//! | `read` | a text becomes those; each part by itself, so that one fault hides no other |
//! | `check` | they become a [`Plan`], in which everything exists, fits, and is named once |
//! | `problems` | what is wrong: file, line, column, what is there, what was expected |
//! | `shipped` | the files that are part of the program |
//! | `members` | what becomes of names in a workspace: ids of users and groups, rules, tags |
//!
//! What a plan is made into is [`crate::world`]'s.

mod check;
mod members;
mod pattern;
mod plan;
mod problems;
mod read;
mod shipped;
mod summary;
#[cfg(test)]
mod tests;
mod written;

pub use plan::Plan;
pub(crate) use plan::{Accounts, Example, History, Kind, Listed};
pub(crate) use problems::{Found, near, of_serde};
pub use problems::{Problem, Problems};
pub use shipped::{Shipped, UnknownName};
pub use summary::Summary;

use crate::world::Network;

/// Longest file, in bytes.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Reads a workspace file; `file` is what it is called in what is wrong with it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(file: &str, text: &str) -> Result<Plan, Problems> {
    of_network(file, text, None)
}

/// The same, for a network that somebody has chosen.
fn of_network(file: &str, text: &str, network: Option<Network>) -> Result<Plan, Problems> {
    let mut found = Found::default();
    if text.len() > MAX_BYTES {
        found.add(
            0..0,
            format!(
                "a file has at most {MAX_BYTES} bytes; this one has {}",
                text.len()
            ),
        );
        found.told(file, "")?;
    }
    let (written, mut found) = read::read(text);
    let plan = written.map(|written| check::check(&written, network, &mut found));
    found.told(file, text)?;
    plan.ok_or_else(|| Problems {
        file: file.to_owned(),
        all: Vec::new(),
    })
}
