//! What the books hold, as a reader of theirs sees it: whole lists, through the same reads that
//! answer everybody else.

use ledger::reads::{Ask, answer};
use ledger::{Books, Scope};
use protocol::exchange::{Params, Query, Reply};
use protocol::ids::{AssetId, TxId, VaultAccountId};
use protocol::model::transaction::{Transaction, TransactionStatus};
use protocol::model::vault::{
    AssetWallet, PaginatedAssetWalletResponse, VaultAccount, VaultAccountsPagedResponse,
    VaultWalletAddress,
};
use protocol::model::whitelist::{WhitelistKind, WhitelistedWallet};
use protocol::operations;
use protocol::time::Millis;
use serde::de::DeserializeOwned;

/// The books did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the books did not answer '{operation}' (status {status})")]
pub struct Unanswered {
    /// What was asked.
    pub operation: &'static str,
    /// The status of the answer.
    pub status: u16,
}

/// Asks the books one operation.
async fn ask(
    books: &Books,
    scope: &Scope,
    operation: &'static str,
    params: Params,
    query: &str,
) -> Result<Reply, Unanswered> {
    let unanswered = |status| Unanswered { operation, status };
    let query = Query::parse(query).map_err(|_| unanswered(400))?;
    let found = operations::by_id(operation).ok_or(unanswered(404))?;
    let ask = Ask {
        books,
        scope,
        params: &params,
        query: &query,
        origin: "http://books",
        // Each question that depends on the time names its bounds.
        now: Millis(0),
        beside: &[],
        seal: None,
    };
    match answer(found, ask).await {
        Some(Ok(reply)) if reply.status == 200 => Ok(reply),
        Some(Ok(reply)) => Err(unanswered(reply.status)),
        Some(Err(error)) => Err(unanswered(error.status())),
        None => Err(unanswered(404)),
    }
}

fn read<T: DeserializeOwned>(operation: &'static str, reply: &Reply) -> Result<T, Unanswered> {
    serde_json::from_slice(&reply.body).map_err(|_| Unanswered {
        operation,
        status: reply.status,
    })
}

fn wallet_of(account: VaultAccountId, asset: &AssetId) -> Params {
    [
        ("vaultAccountId", account.to_string()),
        ("assetId", asset.to_string()),
    ]
    .into_iter()
    .collect()
}

/// A cursor of the books' own is base64url: it needs no encoding.
fn and_after(query: &str, cursor: &str) -> String {
    format!("{query}&after={cursor}")
}

/// Every account with its wallets.
pub async fn accounts(books: &Books, scope: &Scope) -> Result<Vec<VaultAccount>, Unanswered> {
    let first = "limit=500&orderBy=ASC";
    let (mut query, mut all) = (first.to_owned(), Vec::new());
    loop {
        let id = "getPagedVaultAccounts";
        let reply = ask(books, scope, id, Params::default(), &query).await?;
        let page: VaultAccountsPagedResponse = read(id, &reply)?;
        all.extend(page.accounts);
        match page.paging.after {
            Some(after) => query = and_after(first, &after),
            None => return Ok(all),
        }
    }
}

/// Whether an account itself is known, not only wallets of it.
pub async fn knows_account(
    books: &Books,
    scope: &Scope,
    account: VaultAccountId,
) -> Result<bool, Unanswered> {
    let params = [("vaultAccountId", account.to_string())]
        .into_iter()
        .collect();
    match ask(books, scope, "getVaultAccount", params, "").await {
        Ok(_) => Ok(true),
        Err(Unanswered { status: 404, .. }) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Every wallet of the accounts that are known.
pub async fn wallets(books: &Books, scope: &Scope) -> Result<Vec<AssetWallet>, Unanswered> {
    let first = "limit=1000";
    let (mut query, mut all) = (first.to_owned(), Vec::new());
    loop {
        let id = "getAssetWallets";
        let reply = ask(books, scope, id, Params::default(), &query).await?;
        let page: PaginatedAssetWalletResponse = read(id, &reply)?;
        all.extend(page.asset_wallets);
        match page.paging.after {
            Some(after) => query = and_after(first, &after),
            None => return Ok(all),
        }
    }
}

/// The deposit addresses of a wallet.
pub async fn addresses(
    books: &Books,
    scope: &Scope,
    account: VaultAccountId,
    asset: &AssetId,
) -> Result<Vec<VaultWalletAddress>, Unanswered> {
    let id = "getVaultAccountAssetAddresses";
    read(
        id,
        &ask(books, scope, id, wallet_of(account, asset), "").await?,
    )
}

/// The entries of a whitelist.
pub async fn whitelist(
    books: &Books,
    scope: &Scope,
    kind: WhitelistKind,
) -> Result<Vec<WhitelistedWallet>, Unanswered> {
    let id = match kind {
        WhitelistKind::Internal => "getInternalWallets",
        WhitelistKind::External => "getExternalWallets",
        WhitelistKind::Contract => "getContracts",
    };
    read(id, &ask(books, scope, id, Params::default(), "").await?)
}

/// Every transaction made at that time or later, oldest first.
pub async fn transactions(
    books: &Books,
    scope: &Scope,
    from: Millis,
) -> Result<Vec<Transaction>, Unanswered> {
    let id = "getTransactions";
    let mut query = format!(
        "after={}&orderBy=createdAt&sort=ASC&limit=500",
        from.plus(-1)
    );
    let mut all = Vec::new();
    loop {
        let reply = ask(books, scope, id, Params::default(), &query).await?;
        all.extend(read::<Vec<Transaction>>(id, &reply)?);
        let next = reply.headers.iter().find(|(name, _)| *name == "next-page");
        match next.and_then(|(_, url)| url.split_once('?')) {
            Some((_, rest)) => query = rest.to_owned(),
            None => return Ok(all),
        }
    }
}

/// Up to `most` transactions of each status that is not final, oldest first.
pub async fn open_transactions(
    books: &Books,
    scope: &Scope,
    most: u16,
) -> Result<Vec<Transaction>, Unanswered> {
    let id = "getTransactions";
    let mut open = Vec::new();
    for status in TransactionStatus::ALL {
        if !status.is_final() {
            let most = most.clamp(1, 500);
            let query = format!("status={status}&after=0&orderBy=createdAt&sort=ASC&limit={most}");
            let reply = ask(books, scope, id, Params::default(), &query).await?;
            open.extend(read::<Vec<Transaction>>(id, &reply)?);
        }
    }
    open.sort_by_key(|transaction| transaction.created_at);
    Ok(open)
}

/// One transaction, if it is in the books.
pub async fn transaction(
    books: &Books,
    scope: &Scope,
    id: TxId,
) -> Result<Option<Transaction>, Unanswered> {
    let params = [("txId", id.to_string())].into_iter().collect();
    match ask(books, scope, "getTransaction", params, "").await {
        Ok(reply) => read("getTransaction", &reply).map(Some),
        Err(Unanswered { status: 404, .. }) => Ok(None),
        Err(other) => Err(other),
    }
}
