//! How fast a report goes into the books: read and believed as a whole, then applied to a new
//! SQLite file in batches, as `connector import` does.

use std::time::{Duration, Instant};

use anyhow::ensure;
use ledger::reports::{self, Expected, Kind, Written};
use ledger::{Books, ROOM, Scope};
use protocol::ed25519::SigningKey;
use store::{Location, Store};
use tempfile::TempDir;

use crate::books::{self, SINCE, WORKSPACE};
use crate::cores;
use crate::figures::{self, Figures};
use crate::quiet::{self, Since};

/// Rows of the report.
pub(crate) const ROWS: u32 = 20_000;
/// Changes of one database transaction.
pub(crate) const BATCH: usize = 500;
/// How long the rounds may take before disturbed ones count, too.
const REPEAT_FOR: Duration = Duration::from_secs(30);

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
    /// What others took of one core, in the most disturbed round that counts.
    pub(crate) others: f64,
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
    let measured = quiet::rounds(rounds, REPEAT_FOR, |_| {
        let since = Since::now(&[])?;
        let took = once(&report, &expected)?;
        Ok((took, since.others(&[])?))
    })?;
    let rows = usize::try_from(ROWS)?;
    for (read, apply) in &measured.kept {
        imported.read.add(figures::per_second(rows, *read)?);
        imported.applied.add(figures::per_second(rows, *apply)?);
        imported
            .whole
            .add(figures::per_second(rows, *read + *apply)?);
    }
    imported.others = measured.others;
    Ok(imported)
}

/// How long it takes to read the report, and to apply it to a new file.
fn once(report: &Written, expected: &Expected<'_>) -> anyhow::Result<(Duration, Duration)> {
    let folder = TempDir::with_prefix("vestibule-bench-")?;
    let began = Instant::now();
    let read = reports::read(&report.file, &report.manifest, expected)?;
    let took = began.elapsed();
    ensure!(
        read.changes.len() == usize::try_from(ROWS)?,
        "every row is read"
    );
    let at = Location::SqliteFile(folder.path().join("books.db"));
    let applied = cores::wait(async move {
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
    Ok((took, applied))
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
