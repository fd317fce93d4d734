//! The sandbox: beside a mock server of the same document, with a large workspace beside a small one,
//! how fast it takes transactions, how soon it is there.

pub(crate) mod beside;
pub(crate) mod creating;
pub(crate) mod lists;
pub(crate) mod starts;

use std::path::Path;

use clap::ValueEnum;
use tempfile::TempDir;

use crate::product::Product;

/// A part of it that can be measured alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Beside a mock server of the same document.
    Beside,
    /// Transactions created.
    Creating,
    /// Fresh workspaces.
    Starts,
    /// The lists of a large workspace.
    Lists,
}

/// What a part came to.
#[derive(Debug)]
pub(crate) enum Measured {
    Beside(beside::Beside),
    Creating(creating::Creating),
    Starts(starts::Starts),
    Lists(lists::Lists),
}

/// Where it is measured, and with what.
#[derive(Debug)]
pub(crate) struct Site<'a> {
    pub(crate) vestibule: &'a Path,
    pub(crate) prism: &'a Path,
    pub(crate) large: &'a Path,
    pub(crate) rounds: u32,
}

impl Site<'_> {
    /// Measures a part.
    pub(crate) fn measure(&self, part: Part) -> anyhow::Result<Measured> {
        let folder = TempDir::with_prefix("vestibule-bench-")?;
        let product = Product::new(self.vestibule, folder.path());
        let (folder, rounds) = (folder.path(), self.rounds);
        Ok(match part {
            Part::Beside => {
                Measured::Beside(beside::measure(&product, folder, self.prism, rounds)?)
            }
            Part::Creating => Measured::Creating(creating::measure(&product, folder, rounds)?),
            Part::Starts => Measured::Starts(starts::measure(&product, rounds)?),
            Part::Lists => Measured::Lists(lists::measure(&product, folder, self.large)?),
        })
    }
}
