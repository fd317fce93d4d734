//! `connector import FILE...`: the books begin with files, not with calls (practice P5).
//!
//! `X.csv` beside `X.csv.manifest.json` is a gate's report: believed as a whole or not at all, under
//! the key, workspace and scope that were pinned. Any other file is an export of the Console.

use std::path::{Path, PathBuf};

use ledger::reports::{self, Expected, Kind};
use ledger::{Books, Change, Version};
use protocol::time::Millis;
use serde::Serialize;
use sync::held;

use crate::client_name::ClientName;
use crate::clients::{Client, FirstSync, Upstream};
use crate::import::{self, ConsoleExport, Malformed, Names};
use crate::{Connector, Error, files};

/// Most changes of one database transaction.
const BATCH: usize = 500;
/// Largest manifest read, in bytes.
const MAX_MANIFEST: u64 = 4 << 20;

/// What is to be imported.
#[derive(Clone, Debug)]
pub struct Import {
    /// Whose books.
    pub client: ClientName,
    /// The files, accounts before what names them.
    pub files: Vec<PathBuf>,
    /// What is done with malformed rows of Console files. A report has none: it is refused.
    pub malformed: Malformed,
    /// When Console files were exported, where neither their name (`..._<milliseconds>.csv`) nor
    /// the file itself says it well enough.
    pub exported_at: Option<Millis>,
}

/// What a file came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportedFile {
    /// Which.
    pub file: String,
    /// What it was.
    #[serde(flatten)]
    pub source: Source,
    /// Rows taken in.
    pub rows: usize,
    /// Changes that the books did not know.
    pub changed: usize,
}

/// What a file was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Source {
    /// A gate's report; its signature, workspace, scope, hash, count and digest all held.
    Report {
        /// Of what.
        kind: Kind,
        /// At which position of ours.
        position: i64,
        /// When it was made.
        created_at: Millis,
    },
    /// An export of the Console.
    Console {
        /// Which.
        export: ConsoleExport,
        /// When it was made.
        exported_at: Millis,
        /// Rows of transactions without an id.
        without_id: usize,
        /// Malformed rows that were left out.
        skipped: usize,
        /// The first of them.
        told: Vec<String>,
        /// Columns that could have been used, and are not there.
        missing: Vec<&'static str>,
    },
}

/// Imports files, one after the other. A file that is refused stops the rest; it leaves nothing.
pub async fn import(connector: &Connector, import: &Import) -> Result<Vec<ImportedFile>, Error> {
    let (client, _) = connector.client(&import.client).await?;
    let books = connector.books(&client).await?;
    let mut imported = Vec::new();
    for file in &import.files {
        imported.push(one(connector, &client, &books, import, file).await?);
    }
    if let Some(first) = imported.first() {
        let from = match &first.source {
            Source::Report { .. } => "reports of the gate",
            Source::Console { .. } => "exports of the Console",
        };
        first_sync_done(connector, &client, from).await?;
    }
    Ok(imported)
}

/// Marks the books as begun: events that waited are applied from now on.
pub(crate) async fn first_sync_done(
    connector: &Connector,
    client: &Client,
    from: &str,
) -> Result<(), Error> {
    let first = FirstSync {
        at: connector.now(),
        from: from.to_owned(),
    };
    let change = move |progress: &mut crate::clients::Progress| {
        progress.first_sync.get_or_insert_with(|| first.clone());
    };
    connector.clients().progress(&client.name, change).await?;
    connector.inbox(client).release();
    connector.tell_news();
    Ok(())
}

async fn one(
    connector: &Connector,
    client: &Client,
    books: &Books,
    import: &Import,
    path: &Path,
) -> Result<ImportedFile, Error> {
    let content = read(path, import::MAX_FILE)?;
    let file = path.display().to_string();
    let mut manifest = path.as_os_str().to_owned();
    manifest.push(".manifest.json");
    let manifest = PathBuf::from(manifest);
    if manifest.exists() {
        let manifest = read(&manifest, MAX_MANIFEST)?;
        return report(connector, client, books, file, &content, &manifest).await;
    }
    if let Some(kind) = report_kind(&content) {
        return Err(if client.is_gate() {
            let manifest = manifest.display().to_string();
            Error::NoManifest {
                file,
                kind,
                manifest,
            }
        } else {
            Error::NoLogKey(file)
        });
    }
    let exported_at = match import.exported_at.or_else(|| named_time(path)) {
        Some(at) => at,
        None => changed_at(path)?,
    };
    let accounts = held::accounts(books, &client.scope()).await?;
    let names: Names = accounts
        .iter()
        .map(|account| (account.name.clone(), account.id))
        .collect();
    let read = import::read(&file, &content, &names, exported_at, import.malformed)?;
    let changes = beside_what_is_known(books, client, read.changes).await?;
    let changed = apply(connector, books, changes).await?;
    Ok(ImportedFile {
        file,
        source: Source::Console {
            export: read.export,
            exported_at,
            without_id: read.without_id,
            skipped: read.skipped,
            told: read.told.iter().map(ToString::to_string).collect(),
            missing: read.missing,
        },
        rows: read.rows,
        changed,
    })
}

/// A report of the client's gate.
pub(crate) async fn report(
    connector: &Connector,
    client: &Client,
    books: &Books,
    file: String,
    content: &[u8],
    manifest: &[u8],
) -> Result<ImportedFile, Error> {
    let Upstream::Gate {
        connection,
        log_key,
        ..
    } = &client.upstream
    else {
        return Err(Error::NoLogKey(file));
    };
    let scope = client.scope().id().to_string();
    let expected = Expected {
        key: log_key,
        workspace: client.workspace,
        scope: Some(&scope),
    };
    let report = match reports::read(content, manifest, &expected) {
        Ok(report) => report,
        Err(why) => return Err(Error::Report { file, why }),
    };
    // Two connections may have an equal scope: its position, and its proposals, are still not ours.
    if report.manifest.subscriber != subscriber(connection) {
        return Err(Error::OtherConnection {
            file,
            found: report.manifest.subscriber,
            expected: connection.clone(),
        });
    }
    let rows = report.changes.len();
    Ok(ImportedFile {
        file,
        source: Source::Report {
            kind: report.manifest.kind,
            position: report.manifest.position,
            created_at: report.manifest.created_at,
        },
        rows,
        changed: apply(connector, books, report.changes).await?,
    })
}

/// How a gate's manifest names a connection.
fn subscriber(connection: &str) -> String {
    format!("connection:{connection}")
}

/// Which report a file is by its header, if it is one.
fn report_kind(content: &[u8]) -> Option<Kind> {
    let header = content.split(|byte| *byte == b'\n').next()?;
    [Kind::Balances, Kind::Addresses, Kind::Transactions]
        .into_iter()
        .find(|kind| reports::rows(header, *kind).is_ok())
}

async fn apply(
    connector: &Connector,
    books: &Books,
    changes: Vec<(Version, Change)>,
) -> Result<usize, Error> {
    let mut changed = 0;
    for batch in changes.chunks(BATCH) {
        changed += books.apply(connector.now(), batch.to_vec()).await?;
    }
    Ok(changed)
}

/// The Console's files know less of an account, and not when a wallet was made: what is known stays.
async fn beside_what_is_known(
    books: &Books,
    client: &Client,
    changes: Vec<(Version, Change)>,
) -> Result<Vec<(Version, Change)>, Error> {
    let scope = client.scope();
    let mut kept = Vec::with_capacity(changes.len());
    let ages = Millis(i64::MAX);
    for (version, mut change) in changes {
        match &mut change {
            Change::Account(facts) if held::knows_account(books, &scope, facts.id).await? => {
                continue;
            }
            Change::Wallet(account, facts) => {
                let asset = facts.balance.id.clone();
                let known = books.wallet_as_of(&scope, *account, &asset, ages, ages);
                if let Some(known) = known.await? {
                    facts.created_at = known.created_at;
                }
            }
            _ => {}
        }
        kept.push((version, change));
    }
    Ok(kept)
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    files::read_limited(path, limit).map_err(|why| Error::file(path, why))
}

/// `transactions_1776846883000.csv`.
fn named_time(path: &Path) -> Option<Millis> {
    let stem = path.file_stem()?.to_str()?;
    let digits = stem.rsplit('_').next()?;
    let plain = digits.len() == 13 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok().map(Millis)).flatten()
}

fn changed_at(path: &Path) -> Result<Millis, Error> {
    let changed = std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .map_err(|why| Error::file(path, why))?;
    let since = changed
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Ok(Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_file_s_name_tells_when_it_was_made() {
        let at = |name: &str| named_time(Path::new(name));
        assert_eq!(
            at("/x/transactions_1776846883000.csv"),
            Some(Millis(1_776_846_883_000))
        );
        assert_eq!(at("transactions.csv"), None);
        assert_eq!(at("accounts_2026.csv"), None);
    }
}
