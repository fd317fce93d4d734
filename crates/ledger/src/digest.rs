//! What proves that two books are equal: a count and a sum of hashes, kept per cell.
//!
//! A row's canonical text is a JSON array of strings; its hash is SHA-256 over that text; a cell
//! is the count of its rows and the sum of their hashes mod 2^256. A scope's digest is the sum of
//! its cells. The rows:
//!
//! - `["balance", account, asset, total, available, pending, frozen, locked, staked]`
//! - `["address", account, asset, address, tag]`
//! - `["leg", transaction, account, asset, "in"|"out", amount, fee, status, sub-status, hash, lastUpdated]`,
//!   one for each vault account that a transaction touches; amount and fee from when it is on the chain,
//!   status and sub-status as they are whoever is on the other side
//!
//! They hold what any reader of the account may see, never names, notes, users, USD or the
//! counterpart: so no mask changes a digest. Who changes what a leg holds raises [`FORMULA`]: books that were
//! counted by another are counted anew when they are opened, and whoever compares says which is whose.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use protocol::amount::Amount;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::transaction::Transaction;
use protocol::model::vault::{VaultAsset, VaultWalletAddress};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use crate::view::{is_public, neutral_status, neutral_sub_status};

/// Which formula this release counts digests by. 1: a leg held the status and the amounts that its reader
/// saw. 2: it holds what is the same for every reader.
pub const FORMULA: u32 = 2;

/// What says no formula is of the first.
pub const fn first_formula() -> u32 {
    1
}

/// Digests by another formula say nothing of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the gate counts digests by formula {0}, this connector by {FORMULA}: update the older one"
)]
pub struct OtherFormula(pub u32);

impl OtherFormula {
    /// Only digests by the formula of this release are compared.
    pub const fn check(theirs: u32) -> Result<(), Self> {
        if theirs == FORMULA {
            Ok(())
        } else {
            Err(Self(theirs))
        }
    }
}

/// A count of rows and the sum of their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// How many rows.
    pub count: i64,
    /// The sum of their hashes mod 2^256.
    pub sum: Sum,
}

/// A number mod 2^256, big-endian.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum([u8; 32]);

impl Sum {
    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The number with these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    fn add(&mut self, other: &[u8; 32]) {
        let mut carry = 0_u16;
        for (mine, theirs) in self.0.iter_mut().zip(other).rev() {
            let sum = u16::from(*mine) + u16::from(*theirs) + carry;
            [_, *mine] = sum.to_be_bytes();
            carry = sum >> 8;
        }
    }

    fn negated(&self) -> [u8; 32] {
        let mut negated = Self(self.0.map(|byte| !byte));
        let mut one = [0; 32];
        one[31] = 1;
        negated.add(&one);
        negated.0
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sum({self})")
    }
}

impl FromStr for Sum {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Sum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl Digest {
    /// The digest of one row.
    fn of_row(row: &[&str]) -> Self {
        let text = serde_json::to_string(row).unwrap_or_default();
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Self {
            count: 1,
            sum: Sum(hash),
        }
    }

    /// With the rows of another.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.count += other.count;
        self.sum.add(&other.sum.0);
        self
    }

    /// Without the rows of another.
    #[must_use]
    pub fn minus(mut self, other: &Self) -> Self {
        self.count -= other.count;
        self.sum.add(&other.sum.negated());
        self
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows, {}", self.count, self.sum)
    }
}

/// Which rows a cell holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// The account.
    pub account: VaultAccountId,
    /// The asset.
    pub asset: AssetId,
    /// Balances, addresses, or transactions in or out.
    pub kind: CellKind,
    /// Transactions alone: the month they were made in, UTC, as a number such as 202611.
    pub month: i64,
}

/// What kind of rows a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CellKind {
    /// The balance.
    Balance,
    /// The addresses.
    Address,
    /// What came in.
    In,
    /// What went out.
    Out,
}

impl CellKind {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Balance => "balance",
            Self::Address => "address",
            Self::In => "in",
            Self::Out => "out",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Balance, Self::Address, Self::In, Self::Out]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// The cells of what a scope covers, in the reader's own snapshot. A scope that is no union of
/// cells (it hides a way, or other people's transactions) has cells of its own: summed over its own
/// rows, so it costs them all.
pub fn cells(
    query: &mut impl store::Query,
    scope: &crate::Scope,
) -> Result<Vec<(Cell, Digest)>, store::StoreError> {
    let mut cells = crate::rows::cells(query, scope)?;
    if scope
        .as_part()
        .is_none_or(crate::PartScope::is_union_of_cells)
    {
        return Ok(cells);
    }
    cells.retain(|(cell, _)| matches!(cell.kind, CellKind::Balance | CellKind::Address));
    let mut legs: BTreeMap<Cell, Digest> = BTreeMap::new();
    crate::rows::each_seen(query, scope, |seen| {
        for (cell, digest) in of_transaction(seen.get()) {
            let sum = legs.entry(cell).or_default();
            *sum = sum.plus(&digest);
        }
        Ok(())
    })?;
    cells.extend(legs);
    cells.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(cells)
}

/// Counts the cells of transactions anew, unless they are by the formula of this release.
pub(crate) fn count_anew(
    writing: &mut store::Writing<'_>,
    workspace: protocol::ids::WorkspaceId,
) -> Result<(), store::StoreError> {
    if crate::rows::is_counted_here(writing, workspace)? {
        return Ok(());
    }
    crate::rows::forget_legs(writing, workspace)?;
    let mut cells: BTreeMap<Cell, Digest> = BTreeMap::new();
    crate::rows::each_seen(writing, &crate::Scope::whole(workspace), |seen| {
        for (cell, digest) in of_transaction(seen.get()) {
            let sum = cells.entry(cell).or_default();
            *sum = sum.plus(&digest);
        }
        Ok(())
    })?;
    for (cell, digest) in &cells {
        crate::rows::add_cell(writing, workspace, cell, digest)?;
    }
    crate::rows::count_from_now(writing, workspace)
}

/// The cell and digest of a balance.
pub(crate) fn of_balance(account: VaultAccountId, balance: &VaultAsset) -> (Cell, Digest) {
    let amounts = [
        &balance.total,
        &balance.available,
        &balance.pending,
        &balance.frozen,
        &balance.locked_amount,
        &balance.staked,
    ];
    let [total, available, pending, frozen, locked, staked] = amounts.map(ToString::to_string);
    let id = account.to_string();
    let row = [
        "balance",
        &id,
        balance.id.as_str(),
        &total,
        &available,
        &pending,
        &frozen,
        &locked,
        &staked,
    ];
    let cell = Cell {
        account,
        asset: balance.id.clone(),
        kind: CellKind::Balance,
        month: 0,
    };
    (cell, Digest::of_row(&row))
}

/// The cell and digest of an address.
pub(crate) fn of_address(account: VaultAccountId, address: &VaultWalletAddress) -> (Cell, Digest) {
    let id = account.to_string();
    let row = [
        "address",
        &id,
        address.asset_id.as_str(),
        &address.address,
        &address.tag,
    ];
    let cell = Cell {
        account,
        asset: address.asset_id.clone(),
        kind: CellKind::Address,
        month: 0,
    };
    (cell, Digest::of_row(&row))
}

/// The cells and digests of a transaction's legs: one for each vault account that it touches.
pub(crate) fn of_transaction(transaction: &Transaction) -> Vec<(Cell, Digest)> {
    let public = is_public(transaction);
    let text = |amount: &Option<Amount>| {
        let amount = amount.as_ref().filter(|_| public);
        amount.map(ToString::to_string).unwrap_or_default()
    };
    let leg = |account: VaultAccountId, kind: CellKind| {
        let (id, number) = (transaction.id.to_string(), account.to_string());
        let (amount, fee) = (
            text(&transaction.amount_info.amount),
            text(&transaction.fee_info.network_fee),
        );
        let updated = transaction.last_updated.to_string();
        let row = [
            "leg",
            &id,
            &number,
            transaction.asset_id.as_str(),
            kind.as_str(),
            &amount,
            &fee,
            neutral_status(transaction).as_str(),
            neutral_sub_status(transaction),
            &transaction.tx_hash,
            &updated,
        ];
        let cell = Cell {
            account,
            asset: transaction.asset_id.clone(),
            kind,
            month: month(transaction.created_at),
        };
        (cell, Digest::of_row(&row))
    };
    let out = transaction
        .source
        .vault_account()
        .map(|account| leg(account, CellKind::Out));
    let into = transaction
        .destination
        .vault_account()
        .map(|account| leg(account, CellKind::In));
    out.into_iter().chain(into).collect()
}

/// The month of a moment, UTC, as a number such as 202611.
pub fn month(at: Millis) -> i64 {
    let date = jiff::Timestamp::from_millisecond(at.0)
        .unwrap_or_default()
        .to_zoned(jiff::tz::TimeZone::UTC);
    i64::from(date.year()) * 100 + i64::from(date.month())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn months_are_utc() {
        assert_eq!(month(Millis(0)), 197_001);
        assert_eq!(month(Millis(1_798_761_599_999)), 202_612);
    }

    proptest! {
        #[test]
        fn sums_commute_and_what_is_taken_out_is_gone(rows in proptest::collection::vec(".{0,20}", 0..20)) {
            let digests: Vec<_> = rows.iter().map(|row| Digest::of_row(&[row])).collect();
            let forward = digests.iter().fold(Digest::default(), |sum, row| sum.plus(row));
            let backward = digests.iter().rev().fold(Digest::default(), |sum, row| sum.plus(row));
            prop_assert_eq!(forward, backward);
            let nothing = digests.iter().fold(forward, |sum, row| sum.minus(row));
            prop_assert_eq!(nothing, Digest::default());
            prop_assert_eq!(forward.sum.to_string().parse(), Ok(forward.sum));
        }
    }
}
