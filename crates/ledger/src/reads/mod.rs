//! Reads of the books, one file an area: parameters -> [`crate::Seen`] -> answer.
//!
//! Sandbox and gate serve the same reads; that is where equal answers come from. To add one: a
//! function here, and its operationId in [`answer`].

mod accounts;
mod addresses;
mod assets;
mod cursor;
#[cfg(test)]
mod judge;
mod transactions;
mod users;
mod wallets;
mod whitelists;

pub(crate) use assets::has_asset;
pub use cursor::Seal;

use std::ops::Bound;

use bytes::{BufMut, BytesMut};
use protocol::amount::{Amount, MAX_DIGITS};
use protocol::error::ApiError;
use protocol::exchange::{Params, Query, Reply};
use protocol::ids::{TxId, VaultAccountId};
use protocol::model::transaction::Transaction;
use protocol::operations::Operation;
use protocol::time::Millis;

use crate::books::{Books, LedgerError};
use crate::docs::Json;
use crate::model::{Account, Model, Wanted};
use crate::rows;
use crate::scope::Scope;
use crate::view::{Seen, covers, view_transaction};

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
    /// Transactions that this reader alone sees, beside the books: what it proposed and what is
    /// not upstream yet.
    pub beside: &'a [Transaction],
    /// What binds cursors to their reader; nothing where there is one reader alone.
    pub seal: Option<&'a Seal>,
}

impl From<LedgerError> for ApiError {
    fn from(_: LedgerError) -> Self {
        Self::internal()
    }
}

/// The operations that [`answer`] answers.
pub const SERVED: [&str; 29] = [
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
    "getInternalWalletAssetsPaginated",
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
        "getAssetWallets" => wallets::list(ask),
        "getVaultAccountAssetAddresses" => Box::pin(addresses::all(ask)).await,
        "getVaultAccountAssetAddressesPaginated" => Box::pin(addresses::paged(ask)).await,
        "getTransactions" => Box::pin(transactions::list(ask)).await,
        "getTransaction" => Box::pin(transactions::one(ask)).await,
        "getTransactionByExternalId" => Box::pin(transactions::by_external_id(ask)).await,
        "getSupportedAssets" => assets::supported(ask),
        "listAssets" => assets::list(ask),
        "getAsset" => assets::one(ask),
        "listBlockchains" => assets::blockchains(ask),
        "getBlockchain" => assets::blockchain(ask),
        "getInternalWallets" => whitelists::all(ask, Internal),
        "getInternalWallet" => whitelists::one(ask, Internal),
        "getInternalWalletAsset" => whitelists::asset(ask, Internal),
        "getInternalWalletAssetsPaginated" => whitelists::assets(ask),
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

/// An account that the reader may know of. The scope is asked first: of an account outside nothing is
/// looked at, as of one that is not there.
fn account_in<'m>(model: &'m Model, scope: &Scope, id: VaultAccountId) -> Option<&'m Account> {
    let known = scope
        .covers_account(id)
        .then(|| model.accounts.get(&id))
        .flatten();
    known.filter(|account| account.facts().is_some())
}

/// The accounts in scope that a list is to look at, in a range of ids. In a part, the part's own
/// accounts are visited and no others.
fn accounts_in<'m>(
    model: &'m Model,
    scope: &'m Scope,
    wanted: &Wanted<'_>,
    bounds: (Bound<VaultAccountId>, Bound<VaultAccountId>),
) -> Box<dyn DoubleEndedIterator<Item = (VaultAccountId, &'m Account)> + 'm> {
    match scope.as_part() {
        None => model.candidates(wanted, bounds),
        Some(part) => {
            let own = part.accounts.range(bounds);
            Box::new(own.filter_map(|id| Some((*id, model.accounts.get(id)?))))
        }
    }
}

/// Whether the books hold a transaction of this public id that the scope covers.
pub fn holds(
    query: &mut impl store::Query,
    scope: &Scope,
    id: TxId,
) -> Result<bool, store::StoreError> {
    let row = rows::transaction(query, scope.workspace(), id)?;
    Ok(row.is_some_and(|row| covers(&row.transaction, &row.origin, scope)))
}

/// A transaction of this public id as the books have it, as far as the scope shows it.
pub fn seen(
    query: &mut impl store::Query,
    scope: &Scope,
    id: TxId,
) -> Result<Option<Seen<Transaction>>, store::StoreError> {
    let row = rows::transaction(query, scope.workspace(), id)?;
    Ok(row.and_then(|row| view_transaction(&row.transaction, &row.origin, scope)))
}

/// JSON that begins so and goes on with an array of these.
fn array<'a, J: Json + 'a>(head: &[u8], items: impl Iterator<Item = &'a J> + Clone) -> BytesMut {
    /// Room for what follows.
    const TAIL: usize = 512;
    let len: usize = items.clone().map(|item| item.room() + 1).sum();
    let mut json = BytesMut::with_capacity(head.len() + len + TAIL);
    json.put_slice(head);
    json.put_u8(b'[');
    for (at, item) in items.enumerate() {
        if at > 0 {
            json.put_u8(b',');
        }
        item.put(&mut json);
    }
    json.put_u8(b']');
    json
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

/// Whether a list goes downwards: `orderBy`, down unless told otherwise.
fn descending(ask: &Ask<'_>) -> Result<bool, ApiError> {
    match ask.query.one("orderBy") {
        None | Some("DESC") => Ok(true),
        Some("ASC") => Ok(false),
        Some(_) => Err(ApiError::invalid("orderBy", "ASC or DESC")),
    }
}

/// `true` or `false`, where it is asked for.
fn flag(ask: &Ask<'_>, name: &'static str) -> Result<Option<bool>, ApiError> {
    ask.query
        .read(name, |_| ApiError::invalid(name, "true or false"))
}

/// An amount that a filter compares with. Clients send a float's text here: `1e-07` is taken too.
fn threshold(ask: &Ask<'_>, name: &'static str) -> Result<Option<Amount>, ApiError> {
    let Some(text) = ask.query.one(name) else {
        return Ok(None);
    };
    let read = without_exponent(text).map(|plain| plain.parse::<Amount>());
    match read {
        Some(Ok(amount)) => Ok(Some(amount)),
        Some(Err(error)) => Err(ApiError::invalid(name, error)),
        None => Err(ApiError::invalid(name, "a number")),
    }
}

/// A number's text written plain; nothing if it would be longer than any amount.
fn without_exponent(text: &str) -> Option<String> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return Some(text.to_owned());
    };
    let shift: i32 = exponent.parse().ok()?;
    let places = usize::try_from(shift.unsigned_abs()).ok()?;
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || places > MAX_DIGITS || digits.len() > 2 * MAX_DIGITS {
        return None;
    }
    let zeros = "0".repeat(places);
    let all = format!("{zeros}{whole}{part}{zeros}");
    let point = places + whole.len();
    let point = if shift < 0 {
        point - places
    } else {
        point + places
    };
    let (whole, part) = all.split_at_checked(point)?;
    let whole = whole.trim_start_matches('0');
    let part = part.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let dot = if part.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{dot}{part}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floats_text_is_an_amount_of_bounded_length() {
        for (text, plain) in [
            ("1e-07", Some("0.0000001")),
            ("-1.5e-3", Some("-0.0015")),
            ("1.25e+16", Some("12500000000000000")),
            ("1.25E1", Some("12.5")),
            ("0.0e5", Some("0")),
            ("12.5", Some("12.5")),
            ("1e300", None),
            ("1e2000000000", None),
            ("1e99999999999999999999", None),
            ("1e", None),
        ] {
            assert_eq!(without_exponent(text).as_deref(), plain, "{text}");
        }
        for bad in ["xe1", "e5", "1.2.3e1", "\u{fc}e1"] {
            let plain = without_exponent(bad).unwrap_or_default();
            assert!(plain.parse::<Amount>().is_err(), "{bad}: {plain}");
        }
    }
}
