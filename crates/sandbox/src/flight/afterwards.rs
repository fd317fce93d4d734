//! What can still happen to a transaction that has ended. Pure.

use protocol::amount::Amount;
use protocol::model::transaction::{PeerKind, Transaction, TransactionStatus};
use protocol::time::Millis;

use super::moves::{self, Credit};
use super::{Effect, Flight, Move, Pot, inflow, outflow};

/// What has ended, changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) transaction: Transaction,
    pub(crate) moves: Vec<Move>,
    /// What the workspace's places outside the vault do not get after all.
    pub(crate) lost: Vec<Credit>,
    /// What has not left such a place after all.
    pub(crate) kept: Option<Credit>,
}

/// One that has arrived, with its amount held back, or free again; nothing if it cannot be.
pub(crate) fn frozen(transaction: &Transaction, freezes: bool, at: Millis) -> Option<Changed> {
    use TransactionStatus as S;
    let mut changed = transaction.clone();
    changed.last_updated = at;
    let (from, to) = match (transaction.status, freezes) {
        (S::Completed, true) => {
            changed.status = S::Rejected;
            changed.sub_status = "FROZEN_MANUALLY".to_owned();
            (Pot::Available, Pot::Frozen)
        }
        (S::Rejected, false) => {
            changed.status = S::Completed;
            changed.sub_status = "CONFIRMED".to_owned();
            (Pot::Frozen, Pot::Available)
        }
        _ => return None,
    };
    let moves = inflow(Effect::Moves, transaction, from, to);
    // What went out is no longer there to be held back.
    let incoming = transaction.source.vault_account().is_none() && !moves.is_empty();
    incoming.then_some(Changed {
        transaction: changed,
        moves,
        lost: Vec::new(),
        kept: None,
    })
}

/// One that was final, and whose block the chain has given up; nothing if it was in none.
pub(crate) fn undone(transaction: &Transaction, at: Millis) -> Option<Changed> {
    if transaction.status != TransactionStatus::Completed || transaction.block_info.is_none() {
        return None;
    }
    let mut changed = transaction.clone();
    changed.last_updated = at;
    changed.status = TransactionStatus::Failed;
    changed.sub_status = "DROPPED_BY_BLOCKCHAIN".to_owned();
    let fee = changed.fee_info.network_fee.take().unwrap_or_default();
    let fee_asset = transaction.fee_currency.clone();
    let fee_asset = fee_asset.unwrap_or_else(|| transaction.asset_id.clone());
    let flight = Flight {
        effect: effect(&transaction.operation)?,
        ..Flight::costing(fee, fee_asset)
    };
    let mut moves = inflow(flight.effect, transaction, Pot::Available, Pot::Outside);
    moves.extend(outflow(&flight, transaction, Pot::Outside, Pot::Available));
    Some(Changed {
        lost: moves::credits(flight.effect, transaction),
        kept: sent(transaction, &flight.fee),
        transaction: changed,
        moves,
    })
}

/// What an operation did to the books; nothing: that is not taken back.
fn effect(operation: &str) -> Option<Effect> {
    match operation {
        "STAKE" => None,
        "MINT" => Some(Effect::Issues),
        "APPROVE" => Some(Effect::Costs),
        _ => Some(Effect::Moves),
    }
}

/// What had left a place of the workspace's outside the vault, with the fee that it paid.
fn sent(transaction: &Transaction, fee: &Amount) -> Option<Credit> {
    let source = &transaction.source;
    let amount = transaction.amount_info.amount.as_ref()?;
    // What came in from a wallet of its own was never taken from it.
    let sends = moves::holds_money(source.kind) && source.kind != PeerKind::InternalWallet;
    sends.then(|| Credit {
        kind: source.kind,
        id: source.id.clone().unwrap_or_default(),
        asset: transaction.asset_id.clone(),
        amount: amount.checked_add(fee).unwrap_or_default(),
    })
}
