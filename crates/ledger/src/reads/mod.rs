//! Reads of the books, one file an area: parameters -> [`crate::Seen`] -> answer.
//!
//! Sandbox and gate serve the same reads; that is where equal answers come from. To add one: a
//! function here, and its operationId in [`answer`].

mod accounts;
mod addresses;
mod assets;
mod cursor;
mod transactions;
mod users;
mod whitelists;

use protocol::error::ApiError;
use protocol::exchange::{Params, Query, Reply};
use protocol::operations::Operation;
use protocol::time::Millis;

use crate::books::{Books, LedgerError};
use crate::scope::Scope;

/// What a read is asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Whose books.
    pub books: &'a Books,
    /// What may be seen.
    pub scope: &'a Scope,
    /// The path's parameters.
    pub params: &'a Params,
    /// The query's pairs.
    pub query: &'a Query,
    /// What stands before `/v1` in whole URLs, such as `http://127.0.0.1:8080`.
    pub origin: &'a str,
    /// Now.
    pub now: Millis,
}

impl From<LedgerError> for ApiError {
    fn from(_: LedgerError) -> Self {
        Self::internal()
    }
}

/// The operations that [`answer`] answers.
pub const SERVED: [&str; 28] = [
    "getPagedVaultAccounts",
    "getVaultAccount",
    "getVaultAccountAsset",
    "getVaultAssets",
    "getVaultBalanceByAsset",
    "getAssetWallets",
    "getVaultAccountAssetAddresses",
    "getVaultAccountAssetAddressesPaginated",
    "getTransactions",
    "getTransaction",
    "getTransactionByExternalId",
    "getSupportedAssets",
    "listAssets",
    "getAsset",
    "listBlockchains",
    "getBlockchain",
    "getInternalWallets",
    "getInternalWallet",
    "getInternalWalletAsset",
    "getExternalWallets",
    "getExternalWallet",
    "getExternalWalletAsset",
    "getContracts",
    "getContract",
    "getContractAsset",
    "getUsers",
    "getConsoleUsers",
    "getApiUsers",
];

/// The answer of an operation, if the books have one.
pub async fn answer(operation: &Operation, ask: Ask<'_>) -> Option<Result<Reply, ApiError>> {
    use protocol::model::whitelist::WhitelistKind::{Contract, External, Internal};

    Some(match operation.id.as_str() {
        "getPagedVaultAccounts" => accounts::paged(ask),
        "getVaultAccount" => accounts::one(ask),
        "getVaultAccountAsset" => accounts::wallet(ask),
        "getVaultAssets" => accounts::totals(ask),
        "getVaultBalanceByAsset" => accounts::total(ask),
        "getAssetWallets" => accounts::wallets(ask),
        "getVaultAccountAssetAddresses" => addresses::all(ask).await,
        "getVaultAccountAssetAddressesPaginated" => addresses::paged(ask).await,
        "getTransactions" => transactions::list(ask).await,
        "getTransaction" => transactions::one(ask).await,
        "getTransactionByExternalId" => transactions::by_external_id(ask).await,
        "getSupportedAssets" => assets::supported(ask),
        "listAssets" => assets::list(ask),
        "getAsset" => assets::one(ask),
        "listBlockchains" => assets::blockchains(ask),
        "getBlockchain" => assets::blockchain(ask),
        "getInternalWallets" => whitelists::all(ask, Internal),
        "getInternalWallet" => whitelists::one(ask, Internal),
        "getInternalWalletAsset" => whitelists::asset(ask, Internal),
        "getExternalWallets" => whitelists::all(ask, External),
        "getExternalWallet" => whitelists::one(ask, External),
        "getExternalWalletAsset" => whitelists::asset(ask, External),
        "getContracts" => whitelists::all(ask, Contract),
        "getContract" => whitelists::one(ask, Contract),
        "getContractAsset" => whitelists::asset(ask, Contract),
        "getUsers" => users::everybody(ask),
        "getConsoleUsers" => users::people(ask),
        "getApiUsers" => users::api_users(ask),
        _ => return None,
    })
}

/// A number of the query within bounds.
fn limit(
    ask: &Ask<'_>,
    name: &'static str,
    default: usize,
    least: usize,
    most: usize,
) -> Result<usize, ApiError> {
    let must = || ApiError::invalid(name, format_args!("a number from {least} to {most}"));
    match ask.query.read::<usize, _>(name, |_| must())? {
        None => Ok(default),
        Some(number) if (least..=most).contains(&number) => Ok(number),
        Some(_) => Err(must()),
    }
}
