//! The sandbox: beside a mock server of the same document, with a large workspace beside a small one,
//! how fast it takes transactions, how soon it is there.

pub(crate) mod beside;
pub(crate) mod creating;
pub(crate) mod lists;
pub(crate) mod starts;

use std::path::Path;

use tempfile::TempDir;

use crate::product::Product;

/// All of it.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) beside: beside::Beside,
    pub(crate) creating: creating::Creating,
    pub(crate) starts: starts::Starts,
    pub(crate) lists: lists::Lists,
}

/// Measures.
pub(crate) fn measure(
    vestibule: &Path,
    prism: &Path,
    large: &Path,
    rounds: u32,
) -> anyhow::Result<Figures> {
    let folder = TempDir::with_prefix("vestibule-bench-")?;
    let product = Product::new(vestibule, folder.path());
    Ok(Figures {
        beside: beside::measure(&product, folder.path(), prism, rounds)?,
        creating: creating::measure(&product, folder.path(), rounds)?,
        starts: starts::measure(&product, rounds)?,
        lists: lists::measure(&product, folder.path(), large)?,
    })
}
