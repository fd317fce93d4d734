//! How fast a report goes into the books: read and believed as a whole, then applied to a new
//! SQLite file in batches, as `connector import` does.

use std::time::Instant;

use anyhow::ensure;
use ledger::reports::{self, Expected, Kind, Written};
use ledger::{Books, ROOM, Scope};
use protocol::ed25519::SigningKey;
use store::{Location, Store};
use tempfile::TempDir;

use crate::books::{self, SINCE, WORKSPACE};
use crate::cores;
use crate::figures::{self, Figures};

/// Rows of the report.
pub(crate) const ROWS: u32 = 20_000;
/// Changes of one database transaction.
pub(crate) const BATCH: usize = 500;

/// Rows a second.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    /// Read and believed: signature, hash, every row, digest.
    pub(crate) read: Figures,
    /// Applied, durably.
    pub(crate) applied: Figures,
    /// Both.
    pub(crate) whole: Figures,
    /// Bytes of the file.
    pub(crate) length: usize,
}

/// Measures; each round into a file of its own.
pub(crate) fn measure(rounds: u32) -> anyhow::Result<Imported> {
    println!("--- import: {rounds} rounds of {ROWS} rows");
    let key = SigningKey::generate()?;
    let report = cores::wait(make(&key))?;
    let mut imported = Imported {
        length: report.file.len(),
        ..Imported::default()
    };
    let expected = Expected {
        key: &key.public(),
        workspace: WORKSPACE,
        scope: None,
    };
    for _ in 0..rounds {
        let folder = TempDir::with_prefix("vestibule-bench-")?;
        let rows = usize::try_from(ROWS)?;
        let began = Instant::now();
        let read = reports::read(&report.file, &report.manifest, &expected)?;
        let took_read = began.elapsed();
        ensure!(read.changes.len() == rows, "every row is read");
        let at = Location::SqliteFile(folder.path().join("books.db"));
        let took_apply = cores::wait(async move {
            let store = Store::open(&at, &[ROOM]).await?;
            let books = Books::open(&store, WORKSPACE).await?;
            let began = Instant::now();
            let mut changed = 0;
            for batch in read.changes.chunks(BATCH) {
                changed += books.apply(SINCE, batch.to_vec()).await?;
            }
            ensure!(changed == read.changes.len(), "every row is new");
            Ok(began.elapsed())
        })?;
        imported.read.add(figures::per_second(rows, took_read)?);
        imported.applied.add(figures::per_second(rows, took_apply)?);
        imported
            .whole
            .add(figures::per_second(rows, took_read + took_apply)?);
    }
    Ok(imported)
}

/// A report of made-up books.
async fn make(key: &SigningKey) -> anyhow::Result<Written> {
    let store = Store::open(&Location::SqliteMemory, &[ROOM]).await?;
    let books = Books::open(&store, WORKSPACE).await?;
    let changes = (0..ROWS)
        .map(books::change)
        .collect::<anyhow::Result<Vec<_>>>()?;
    for batch in changes.chunks(BATCH) {
        books.apply(SINCE, batch.to_vec()).await?;
    }
    let scope = Scope::whole(WORKSPACE);
    Ok(reports::write(&books, &scope, Kind::Transactions, "bench", SINCE, key).await?)
}
