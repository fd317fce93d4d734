//! What can still happen to a transaction that has ended. Pure.

use protocol::model::transaction::{Transaction, TransactionStatus};
use protocol::time::Millis;

use super::{Effect, Flight, Move, Pot, inflow, outflow};

/// One that has arrived, with its amount held back, or free again; nothing if it cannot be.
pub(crate) fn frozen(
    transaction: &Transaction,
    freezes: bool,
    at: Millis,
) -> Option<(Transaction, Vec<Move>)> {
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
    incoming.then_some((changed, moves))
}

/// One that was final, and whose block the chain has given up; nothing if it was in none.
pub(crate) fn undone(transaction: &Transaction, at: Millis) -> Option<(Transaction, Vec<Move>)> {
    if transaction.status != TransactionStatus::Completed || transaction.block_info.is_none() {
        return None;
    }
    let mut changed = transaction.clone();
    changed.last_updated = at;
    changed.status = TransactionStatus::Failed;
    changed.sub_status = "DROPPED_BY_BLOCKCHAIN".to_owned();
    let fee = changed.fee_info.network_fee.take().unwrap_or_default();
    let fee_asset = transaction.fee_currency.clone();
    let flight = Flight::costing(
        fee,
        fee_asset.unwrap_or_else(|| transaction.asset_id.clone()),
    );
    let mut moves = inflow(Effect::Moves, transaction, Pot::Available, Pot::Outside);
    moves.extend(outflow(&flight, transaction, Pot::Outside, Pot::Available));
    Some((changed, moves))
}
