//! What a transaction moves, in which wallets. Pure.

use protocol::amount::Amount;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::transaction::{Peer, PeerKind, Transaction};
use serde::{Deserialize, Serialize};

use super::Flight;

/// What an operation does to the books, beside its fee.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Effect {
    /// The amount leaves the source and arrives at the destination.
    #[default]
    Moves,
    /// The amount arrives, and is made there.
    Issues,
    /// Nothing but the fee.
    Costs,
    /// The amount stays in its wallet, staked.
    Stakes,
    /// Nothing at all: messages are signed, and no chain sees them.
    Signs,
}

/// A change of a wallet's balances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) account: VaultAccountId,
    pub(crate) asset: AssetId,
    pub(crate) amount: Amount,
    pub(crate) from: Pot,
    pub(crate) to: Pot,
}

/// What has arrived at a place of the workspace's outside its vault accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credit {
    pub(crate) kind: PeerKind,
    pub(crate) id: String,
    pub(crate) asset: AssetId,
    pub(crate) amount: Amount,
}

/// Where in a wallet an amount is. `Outside` is no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pot {
    Outside,
    Available,
    Pending,
    Locked,
    Frozen,
    Staked,
}

/// What leaves the source: the amount, and the fee where it is not part of the amount.
pub(crate) fn outflow(flight: &Flight, transaction: &Transaction, from: Pot, to: Pot) -> Vec<Move> {
    let amount = matches!(flight.effect, Effect::Moves | Effect::Stakes)
        .then(|| transaction.amount_info.amount.clone())
        .flatten();
    let fee = (!transaction.treat_as_gross_amount).then(|| flight.fee.clone());
    leave(flight, transaction, amount, fee, from, to)
}

/// What has left the source to be staked.
pub(super) fn stake(effect: Effect, transaction: &Transaction) -> Option<Move> {
    let staked = transaction.amount_info.amount.clone();
    Some(Move {
        account: transaction.source.vault_account()?,
        asset: transaction.asset_id.clone(),
        amount: staked.filter(|_| effect == Effect::Stakes)?,
        from: Pot::Outside,
        to: Pot::Staked,
    })
}

/// The fee alone leaves the source, also where it is part of the amount.
pub(crate) fn fee(flight: &Flight, transaction: &Transaction, from: Pot, to: Pot) -> Vec<Move> {
    leave(
        flight,
        transaction,
        None,
        Some(flight.fee.clone()),
        from,
        to,
    )
}

fn leave(
    flight: &Flight,
    transaction: &Transaction,
    amount: Option<Amount>,
    fee: Option<Amount>,
    from: Pot,
    to: Pot,
) -> Vec<Move> {
    let Some(account) = transaction.source.vault_account() else {
        return Vec::new();
    };
    let amount = amount.map(|amount| (transaction.asset_id.clone(), amount));
    let fee = fee.map(|fee| (flight.fee_asset.clone(), fee));
    let parts = amount.into_iter().chain(fee);
    let parts = parts.filter(|(_, amount)| amount.is_positive());
    parts
        .map(|(asset, amount)| Move {
            account,
            asset,
            amount,
            from,
            to,
        })
        .collect()
}

/// How much goes to which place.
pub(crate) fn parts(transaction: &Transaction) -> Vec<(&Peer, Amount)> {
    if transaction.destinations.is_empty() {
        let net = transaction.amount_info.net_amount.clone();
        let one = net.map(|net| (&transaction.destination, net));
        return one.into_iter().collect();
    }
    let each = transaction.destinations.iter();
    each.map(|part| (&part.destination, part.amount.clone()))
        .collect()
}

/// What arrives at destinations that are the workspace's.
pub(crate) fn inflow(effect: Effect, transaction: &Transaction, from: Pot, to: Pot) -> Vec<Move> {
    if !matches!(effect, Effect::Moves | Effect::Issues) {
        return Vec::new();
    }
    parts(transaction)
        .into_iter()
        .filter(|(_, amount)| amount.is_positive())
        .filter_map(|(peer, amount)| {
            Some(Move {
                account: peer.vault_account()?,
                asset: transaction.asset_id.clone(),
                amount,
                from,
                to,
            })
        })
        .collect()
}

/// Whether a place of this kind outside the vault accounts holds money of the workspace's.
pub(super) const fn holds_money(kind: PeerKind) -> bool {
    matches!(
        kind,
        PeerKind::InternalWallet
            | PeerKind::ExchangeAccount
            | PeerKind::FiatAccount
            | PeerKind::GasStation
    )
}

/// What arrives at destinations that hold money of the workspace's outside its vault accounts.
pub(crate) fn credits(effect: Effect, transaction: &Transaction) -> Vec<Credit> {
    if !matches!(effect, Effect::Moves | Effect::Issues) {
        return Vec::new();
    }
    parts(transaction)
        .into_iter()
        .filter(|(peer, _)| holds_money(peer.kind))
        .filter_map(|(peer, amount)| {
            Some(Credit {
                kind: peer.kind,
                id: peer.id.clone()?,
                asset: transaction.asset_id.clone(),
                amount,
            })
        })
        .collect()
}
