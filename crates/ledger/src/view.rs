//! The one place that filters and masks.
//!
//! A [`Seen`] is what a reader may see of a row; it can be made nowhere else. In a scope that
//! hides something:
//!
//! - a transaction is seen where one of its sides is a wallet of the scope;
//! - a side outside the scope is an unknown peer; what the chain makes public (addresses, hash,
//!   amount, fee) stays, from when it is on the chain;
//! - where a side is not seen, nothing else tells its kind (`addressType`, `exchangeTxId`, a service's
//!   fee, upstream's words on what went wrong; a status or sub-status of third parties is that of a
//!   transaction on the chain which is as far);
//! - until it is on the chain, of several destinations those outside the scope are not there, and what
//!   comes from outside is the sum of those inside; what a source outside pays is not told;
//! - users (`createdBy`, `signedBy`, `rejectedBy`, `authorizationInfo`) are not seen unless that is
//!   granted, but that oneself has made what one proposed; nor what was signed or called beside the amount (`extraParameters`, `signedMessages`);
//! - words on accounts, addresses and whitelists (`customerRefId`, `description`) are seen where notes are
//!   granted; those on a transaction (`note`, `customerRefId`) by who proposed the transaction, and by others where
//!   that is granted; `externalTxId` by its proposer alone;
//! - a way that is not granted (in, out, within), and whoever else's transaction where only the
//!   reader's own are granted, is not seen at all; worth in USD is not, where it is not granted.

use std::borrow::Cow;

use bytes::Bytes;
use protocol::amount::Amount;
use protocol::ids::VaultAccountId;
use protocol::model::asset::{Asset, SupportedAsset};
use protocol::model::transaction::{Peer, PeerKind, Transaction, TransactionStatus};
use protocol::model::vault::VaultWalletAddress;
use protocol::model::whitelist::WhitelistedWallet;
use serde::Serialize;

use crate::change::Origin;
use crate::model::{Account, AccountJson};
use crate::scope::{AssetFilter, Scope};

/// What a reader may see of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<T>(T);

impl<T> Seen<T> {
    /// What is seen.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// What is seen.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: Serialize> Seen<T> {
    /// The same, as JSON.
    pub(crate) fn printed(&self) -> Option<Seen<Bytes>> {
        let json = serde_json::to_vec(&self.0).ok()?;
        Some(Seen(json.into()))
    }
}

/// A transaction, as the scope's reader may see it.
pub fn view_transaction(
    transaction: &Transaction,
    origin: &Origin,
    scope: &Scope,
) -> Option<Seen<Transaction>> {
    if scope.is_whole() {
        return Some(Seen(transaction.clone()));
    }
    if !covers(transaction, origin, scope) {
        return None;
    }
    let mut seen = transaction.clone();
    mask_sides(&mut seen, transaction, scope);
    let shown = scope.shown();
    if !shown.usd {
        seen.amount_info.amount_usd = None;
    }
    let own = scope.is_own(origin.proposer.as_deref());
    if !shown.users {
        if !own {
            seen.created_by = String::new();
        }
        seen.signed_by = Vec::new();
        seen.rejected_by = String::new();
        seen.authorization_info = None;
    }
    seen.destination_address_description = String::new();
    seen.extra_parameters = None;
    seen.signed_messages = Vec::new();
    if !own {
        seen.external_tx_id = None;
        if !shown.notes {
            seen.note = String::new();
            seen.customer_ref_id = None;
        }
    }
    Some(Seen(seen))
}

/// Whether a scope covers a transaction: one of its sides is a wallet of the scope, in its time, and
/// every way that it goes there is shown.
pub(crate) fn covers(transaction: &Transaction, origin: &Origin, scope: &Scope) -> bool {
    let within = |peer: &Peer| {
        peer.vault_account()
            .is_some_and(|id| scope.covers_wallet(id, &transaction.asset_id))
    };
    let parts = transaction.destinations.iter();
    let mut ends: Vec<bool> = parts.map(|part| within(&part.destination)).collect();
    // Where it has several destinations, the one of its own may say nothing.
    if ends.is_empty() || transaction.destination != Peer::UNKNOWN {
        ends.push(within(&transaction.destination));
    }
    let (starts, any, all) = (
        within(&transaction.source),
        ends.iter().any(|within| *within),
        ends.iter().all(|within| *within),
    );
    let ways = scope.directions();
    let goes = [
        (!starts && any, ways.incoming),
        (starts && !all, ways.outgoing),
        (starts && any, ways.internal),
    ];
    (starts || any)
        && goes.iter().all(|(goes, shown)| !goes || *shown)
        && scope.covers_time(transaction.created_at)
        && scope.covers_proposer(origin.proposer.as_deref())
}

/// Masks each side that is outside the scope, and whatever would tell what kind of place it is.
fn mask_sides(seen: &mut Transaction, transaction: &Transaction, scope: &Scope) {
    let public = is_public(transaction);
    let from_outside = mask_peer(&mut seen.source, transaction, scope);
    let mut hidden = from_outside;
    if from_outside && !public {
        seen.source_address = String::new();
        seen.fee_info.network_fee = None;
        seen.nonce = None;
    }
    if mask_peer(&mut seen.destination, transaction, scope) {
        hidden = true;
        if !public {
            seen.destination_address = String::new();
            seen.destination_tag = String::new();
        }
    }
    let parts = seen.destinations.len();
    seen.destinations.retain_mut(|part| {
        let outside = mask_peer(&mut part.destination, transaction, scope);
        hidden |= outside;
        public || !outside
    });
    // What leaves a wallet of the scope is all of it, wherever it goes.
    if from_outside && seen.destinations.len() < parts {
        let inside = seen.destinations.iter().map(|part| &part.amount);
        let sum = Amount::checked_sum(inside).filter(|_| !seen.destinations.is_empty());
        let amounts = &mut seen.amount_info;
        amounts.amount = amounts.amount.take().and(sum.clone());
        amounts.requested_amount = amounts.requested_amount.take().and(sum);
        amounts.net_amount = None;
        amounts.amount_usd = None;
    }
    if hidden {
        seen.status = neutral_status(transaction);
        seen.sub_status = neutral_sub_status(transaction).to_owned();
        // A whitelist, an exchange and a service betray themselves here; an error may name anybody.
        seen.address_type = String::new();
        seen.exchange_tx_id = String::new();
        seen.fee_info.service_fee = None;
        seen.error_description = String::new();
    }
}

/// Whether the chain has it: from then on its addresses, amounts and fee are no secret.
pub(crate) fn is_public(transaction: &Transaction) -> bool {
    !transaction.tx_hash.is_empty()
}

/// How far a transaction is, whoever is on its other side: third parties are waited for where otherwise
/// a signature is, or the chain.
pub(crate) fn neutral_status(transaction: &Transaction) -> TransactionStatus {
    use TransactionStatus as S;
    match transaction.status {
        S::Pending3rdParty | S::Pending3rdPartyManualApproval if is_public(transaction) => {
            S::Broadcasting
        }
        S::Pending3rdParty | S::Pending3rdPartyManualApproval => S::PendingSignature,
        other => other,
    }
}

/// Words of a sub-status that tell what kind of place is on the other side.
const TELLING: [&str; 5] = ["3RD_PARTY", "EXCHANGE", "FIAT", "UNMANAGED", "WHITELIST"];

/// Why it is so, whoever is on the other side: what tells is what a transaction on the chain has that is
/// as far.
pub(crate) fn neutral_sub_status(transaction: &Transaction) -> &str {
    use TransactionStatus as S;
    let said = transaction.sub_status.as_str();
    if !TELLING.iter().any(|word| said.contains(word)) {
        return said;
    }
    match transaction.status {
        S::Confirming => "PENDING_BLOCKCHAIN_CONFIRMATIONS",
        S::Completed => "CONFIRMED",
        S::Cancelled => "CANCELLED_BY_USER",
        S::Rejected => "REJECTED_BY_USER",
        S::Blocked => "BLOCKED_BY_POLICY",
        S::Failed => "INTERNAL_ERROR",
        _ => "",
    }
}

/// What a mask may show in place of each other, and of nothing else: how many transactions of a reader's
/// have one of these is no secret to it.
pub(crate) const MASKED: [TransactionStatus; 4] = [
    TransactionStatus::Pending3rdParty,
    TransactionStatus::Pending3rdPartyManualApproval,
    TransactionStatus::PendingSignature,
    TransactionStatus::Broadcasting,
];

/// Masks a side unless the scope covers it; whether it did.
fn mask_peer(peer: &mut Peer, transaction: &Transaction, scope: &Scope) -> bool {
    let seen = match peer.kind {
        PeerKind::VaultAccount => peer
            .vault_account()
            .is_some_and(|id| scope.covers_wallet(id, &transaction.asset_id)),
        PeerKind::InternalWallet | PeerKind::ExternalWallet | PeerKind::Contract => peer
            .id
            .as_deref()
            .and_then(|id| id.parse().ok())
            .is_some_and(|id| scope.covers_whitelist(id)),
        kind => peer
            .id
            .as_deref()
            .is_some_and(|id| scope.covers_account_of(kind, id)),
    };
    if !seen {
        *peer = Peer::UNKNOWN;
    }
    !seen
}

/// A whitelist entry, as the scope's reader may see it.
pub fn view_whitelisted(
    wallet: &WhitelistedWallet,
    scope: &Scope,
) -> Option<Seen<WhitelistedWallet>> {
    visit();
    if !scope.covers_whitelist(wallet.id) {
        return None;
    }
    let mut seen = wallet.clone();
    if !scope.shown().notes {
        seen.customer_ref_id = None;
    }
    if !scope.is_whole() {
        seen.assets.retain(|asset| scope.covers_asset(&asset.id));
    }
    Some(Seen(seen))
}

/// A wallet's balance, or what else of it holds no words of people's, where the scope covers the wallet.
pub(crate) fn view_of_wallet<T>(
    account: VaultAccountId,
    asset: &protocol::ids::AssetId,
    what: T,
    scope: &Scope,
) -> Option<Seen<T>> {
    scope.covers_wallet(account, asset).then_some(Seen(what))
}

/// A deposit address: what people call it, and the client's own name for its customer, are notes.
pub(crate) fn view_address(
    account: VaultAccountId,
    mut address: VaultWalletAddress,
    scope: &Scope,
) -> Option<Seen<VaultWalletAddress>> {
    if !scope.covers_wallet(account, &address.asset_id) {
        return None;
    }
    if !scope.shown().notes {
        address.description = String::new();
        address.customer_ref_id = None;
    }
    Some(Seen(address))
}

/// An account as JSON, with the wallets that the scope covers; the client's own name for its customer is
/// a note.
pub(crate) fn view_account<'m>(
    id: VaultAccountId,
    account: &'m Account,
    scope: &'m Scope,
) -> Option<Seen<AccountJson<'m>>> {
    account.facts()?;
    let assets = scope
        .as_part()
        .map_or(&AssetFilter::All, |part| &part.assets);
    let json = account.json(assets, scope.shown().notes);
    scope.covers_account(id).then_some(Seen(json))
}

/// What is its reader's own, and stands beside the books: handed in for that reader alone.
pub(crate) fn view_beside<T>(own: T) -> Seen<T> {
    Seen(own)
}

/// Whether every workspace knows an asset. What is not said to be of all is the workspace's own.
pub(crate) fn is_everybodys(asset: &Asset) -> bool {
    asset.metadata.scope.eq_ignore_ascii_case("GLOBAL")
}

/// Whether a reader may know of an asset. Of what the workspace registered itself: where the scope names
/// it, or is of all assets and has a wallet of it.
pub(crate) fn covers_listed(asset: &Asset, has_wallet: bool, scope: &Scope) -> bool {
    is_everybodys(asset)
        || scope.as_part().is_none_or(|part| match &part.assets {
            AssetFilter::All => has_wallet,
            AssetFilter::Only(assets) => assets.contains(&asset.legacy_id),
        })
}

/// An asset of the older list.
pub(crate) fn view_supported<'a>(
    (supported, asset): &'a (SupportedAsset, Asset),
    has_wallet: bool,
    scope: &Scope,
) -> Option<Seen<&'a SupportedAsset>> {
    covers_listed(asset, has_wallet, scope).then_some(Seen(supported))
}

/// An asset: what the workspace's people wrote on it is for who sees the whole.
pub(crate) fn view_asset<'a>(
    asset: &'a Asset,
    has_wallet: bool,
    scope: &Scope,
) -> Option<Seen<Cow<'a, Asset>>> {
    if !covers_listed(asset, has_wallet, scope) {
        return None;
    }
    if scope.is_whole() || asset.metadata.note.is_none() {
        return Some(Seen(Cow::Borrowed(asset)));
    }
    let mut asset = asset.clone();
    asset.metadata.note = None;
    Some(Seen(Cow::Owned(asset)))
}

/// What is no secret of the workspace's: blockchains.
pub(crate) fn public<T>(what: T) -> Seen<T> {
    Seen(what)
}

/// What a reader of the whole alone may see as it is: users, a transaction's print.
pub(crate) fn view_whole<T>(what: T, scope: &Scope) -> Option<Seen<T>> {
    scope.is_whole().then_some(Seen(what))
}

#[cfg(test)]
thread_local! {
    /// Rows in memory that this thread has looked at.
    pub(crate) static VISITED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// A row in memory is looked at: tests count these.
pub(crate) fn visit() {
    #[cfg(test)]
    VISITED.set(VISITED.get() + 1);
}

#[cfg(test)]
mod tests;
