//! What befalls transactions by a fault of the chain, or by people after they have ended.

use ledger::Fault;
use ledger::change::WalletFacts;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::ids::TxId;
use protocol::model::event::EventType;
use protocol::model::transaction::Transaction;
use protocol::time::Millis;

use super::{take, under_way};
use crate::coins::has_coins;
use crate::deed::Deed;
use crate::flight::{Act, Changed, FAILURES, Flight, Move, Pot, frozen, on_chain, undone};
use crate::stakes;
use crate::world::assets;

/// Freezes what has arrived, or frees it again.
pub(crate) fn freeze(deed: &mut Deed<'_, '_>, id: TxId, freezes: bool) -> Result<(), Fault> {
    let refused = || match freezes {
        true => ApiError::new(400, 1434, "The transaction cannot be frozen"),
        false => ApiError::new(400, 1426, "The transaction is not frozen"),
    };
    let change = |transaction: &Transaction, at| frozen(transaction, freezes, at);
    after_the_end(deed, id, change, refused)
}

/// The chain gives up the block that a transaction is in.
pub(crate) fn reorganise(deed: &mut Deed<'_, '_>, id: TxId) -> Result<(), Fault> {
    if under_way(deed, id)?.is_some() {
        let sub_status = "DROPPED_BY_BLOCKCHAIN".to_owned();
        return take(deed, id, Act::Fail { sub_status });
    }
    let change = |transaction: &Transaction, at| {
        // The coins that it spent are forgotten.
        let asset = assets::find(&transaction.asset_id);
        let spent_coins =
            asset.is_some_and(has_coins) && transaction.source.vault_account().is_some();
        undone(transaction, at).filter(|_| !spent_coins)
    };
    after_the_end(deed, id, change, || {
        ApiError::uncoded(409, "The transaction is in no block that could be given up")
    })
}

/// Changes a transaction that had ended, where the places concerned still hold what it moves.
fn after_the_end(
    deed: &mut Deed<'_, '_>,
    id: TxId,
    change: impl Fn(&Transaction, Millis) -> Option<Changed>,
    refused: impl Fn() -> ApiError,
) -> Result<(), Fault> {
    let Some((transaction, _)) = deed.batch.transaction(deed.writing, id)? else {
        return Err(ApiError::transaction_not_found().into());
    };
    let changed = change(&transaction, deed.at).ok_or_else(&refused)?;
    let there = hold(deed, &changed.moves)? && deed.has_coins_of(&transaction)?;
    if !there || stakes::concerns(deed, &transaction)? {
        return Err(refused().into());
    }
    for credit in &changed.lost {
        if !deed.debit(credit)? {
            return Err(refused().into());
        }
    }
    if let Some(kept) = &changed.kept {
        deed.credit(kept)?;
    }
    let transaction = changed.transaction;
    deed.transaction(EventType::TransactionStatusUpdated, &transaction)?;
    let flight = Flight::costing(Amount::zero(), transaction.asset_id.clone());
    deed.follow(&transaction, &flight)?;
    deed.moves(&changed.moves)
}

/// Whether the wallets hold what is to leave them, all of it together.
fn hold(deed: &mut Deed<'_, '_>, moves: &[Move]) -> Result<bool, Fault> {
    for one in moves {
        let same = |other: &&Move| {
            (other.account, &other.asset, other.from) == (one.account, &one.asset, one.from)
        };
        let all = Amount::checked_sum(moves.iter().filter(same).map(|other| &other.amount));
        let wallet = deed.batch.wallet(deed.writing, one.account, &one.asset)?;
        let enough = |wallet: WalletFacts| {
            let held = match one.from {
                Pot::Available => &wallet.balance.available,
                Pot::Frozen => &wallet.balance.frozen,
                _ => return true,
            };
            all.is_some_and(|all| *held >= all)
        };
        if !wallet.is_some_and(enough) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// It fails, as a fault would have it.
pub(crate) fn break_down(deed: &mut Deed<'_, '_>, id: TxId, sub_status: &str) -> Result<(), Fault> {
    let known = FAILURES.iter().find(|known| **known == sub_status);
    let known = known.ok_or_else(|| {
        ApiError::uncoded(
            400,
            format!("subStatus must be one of {}", FAILURES.join(", ")),
        )
    })?;
    // A chain of coins executes nothing.
    let found = deed.batch.transaction(deed.writing, id)?;
    let asset = found.and_then(|(found, _)| assets::find(&found.asset_id));
    if on_chain(known) && asset.is_some_and(has_coins) {
        let why = "Transactions of this chain execute nothing that could fail";
        return Err(ApiError::uncoded(409, why).into());
    }
    let sub_status = (*known).to_owned();
    take(deed, id, Act::Fail { sub_status })
}
