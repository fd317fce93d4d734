//! `connector export --format csv|jsonl|beancount|hledger`.

use std::path::{Path, PathBuf};

use ledger::Scope;
use protocol::time::Millis;
use serde::Serialize;
use sync::held;

use crate::client_name::ClientName;
use crate::clients::Progress;
use crate::compare::With;
use crate::export::{self, ExportFile, Format, Holdings};
use crate::{Connector, Error, files};

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Whose books.
    pub client: ClientName,
    /// As of when.
    pub as_of: Millis,
    /// The files.
    pub files: Vec<PathBuf>,
    /// Accounts in them.
    pub accounts: usize,
    /// Transactions in them.
    pub transactions: usize,
}

/// A client's books in a form, as texts.
pub async fn texts(
    connector: &Connector,
    client: &ClientName,
    format: Format,
) -> Result<Vec<ExportFile>, Error> {
    let holdings = holdings(connector, client).await?;
    Ok(export::export(&holdings, format)?)
}

/// A client's books in a form, into a folder.
pub async fn export(
    connector: &Connector,
    client: &ClientName,
    format: Format,
    folder: &Path,
) -> Result<Exported, Error> {
    let holdings = holdings(connector, client).await?;
    let texts = export::export(&holdings, format)?;
    files::private_folder(folder).map_err(|why| Error::file(folder, why))?;
    let mut written = Vec::new();
    for file in texts {
        let path = folder.join(file.name);
        files::write_whole(&path, file.text.as_bytes()).map_err(|why| Error::file(&path, why))?;
        written.push(path);
    }
    Ok(Exported {
        client: client.clone(),
        as_of: holdings.as_of,
        files: written,
        accounts: holdings.accounts.len(),
        transactions: holdings.transactions.len(),
    })
}

/// What the books hold now.
pub(crate) async fn holdings(connector: &Connector, name: &ClientName) -> Result<Holdings, Error> {
    let (client, progress) = connector.client(name).await?;
    let books = connector.books(&client).await?;
    // Our own books hold nothing but what we may see.
    let scope = Scope::whole(client.workspace);
    let accounts = held::accounts(&books, &scope).await?;
    let mut addresses = Vec::new();
    for account in &accounts {
        for wallet in &account.assets {
            let of = held::addresses(&books, &scope, account.id, &wallet.id).await?;
            addresses.extend(of.into_iter().map(|address| (account.id, address)));
        }
    }
    let transactions = held::transactions(&books, &scope, Millis(0)).await?;
    let as_of = as_of(&progress).unwrap_or_else(|| connector.now());
    Ok(Holdings {
        client: client.name,
        workspace: client.workspace,
        as_of: transactions
            .iter()
            .map(|transaction| transaction.last_updated)
            .fold(as_of, Millis::max),
        accounts,
        addresses,
        transactions,
    })
}

/// As of when the books were last compared with upstream.
pub(crate) fn as_of(progress: &Progress) -> Option<Millis> {
    progress
        .compared
        .as_ref()
        .map(|compared| match &compared.with {
            With::GateDigest { as_of, .. } | With::UpstreamLists { as_of, .. } => *as_of,
        })
}
