//! What becomes of a stake once the transaction that asks something of it has ended. As long as it
//! is under way, nothing else is asked of its position.

use ledger::Fault;
use protocol::model::transaction::{Transaction, TransactionStatus};

use crate::deed::Deed;
use crate::flight::{Flight, Move, Pot};
use crate::holdings::stake::{Errand, Outcome, Position, Progress};

/// The positions that an errand concerns, free for it.
fn concerned(
    deed: &mut Deed<'_, '_>,
    errand: &Errand,
) -> Result<Option<(Position, Option<Position>)>, Fault> {
    let Some(mut position) = deed.kept::<Position>(&errand.position)? else {
        return Ok(None);
    };
    let mut other = match errand.task.other() {
        Some(id) => deed.kept::<Position>(id)?,
        None => None,
    };
    for one in [Some(&mut position), other.as_mut()].into_iter().flatten() {
        one.busy = None;
    }
    Ok(Some((position, other)))
}

/// Whether the chain executes a transaction without success, for what its position has become.
pub(crate) fn refuses(deed: &mut Deed<'_, '_>, flight: &Flight) -> Result<bool, Fault> {
    let Some(errand) = &flight.errand else {
        return Ok(false);
    };
    let Some((mut position, mut other)) = concerned(deed, errand)? else {
        return Ok(true);
    };
    let tried = errand.task.done(&mut position, other.as_mut(), deed.at);
    Ok(tried.is_err())
}

/// The transaction has ended: what it asked for comes about, or does not.
pub(crate) fn after(
    deed: &mut Deed<'_, '_>,
    transaction: &Transaction,
    flight: &Flight,
) -> Result<(), Fault> {
    let Some(errand) = &flight.errand else {
        return Ok(());
    };
    let Some((mut position, mut other)) = concerned(deed, errand)? else {
        return Ok(());
    };
    let done = match transaction.status {
        TransactionStatus::Completed => {
            let done = errand.task.done(&mut position, other.as_mut(), deed.at);
            done.ok()
        }
        _ => None,
    };
    if done.is_none() {
        errand.task.failed(&mut position, deed.at);
    }
    let id = transaction.id.to_string();
    if let Some(related) = position.related.iter_mut().find(|one| one.tx_id == id) {
        related.tx_hash.clone_from(&transaction.tx_hash);
        related.progress = match &done {
            Some(_) => Progress::Completed,
            None => Progress::Failed,
        };
        let out = done.as_ref().and_then(Outcome::paid);
        related.amount = out.unwrap_or_else(|| related.amount.clone());
    }
    if let Some(other) = &other {
        deed.keep(other)?;
    }
    deed.keep(&position)?;
    let Some(outcome) = done else {
        return Ok(());
    };
    if let Some(part) = &outcome.part {
        deed.keep(part)?;
    }
    let paid = [
        (outcome.principal, Pot::Staked),
        (outcome.rewards, Pot::Outside),
    ];
    let moves = paid.into_iter().filter(|(amount, _)| amount.is_positive());
    let moves: Vec<_> = moves
        .map(|(amount, from)| Move {
            account: position.account,
            asset: transaction.asset_id.clone(),
            amount,
            from,
            to: Pot::Available,
        })
        .collect();
    deed.moves(&moves)
}

/// Whether a transaction is one of a position's: what it did to it is not taken back.
pub(crate) fn concerns(deed: &mut Deed<'_, '_>, transaction: &Transaction) -> Result<bool, Fault> {
    let id = transaction.id.to_string();
    let all = deed.all_kept::<Position>()?;
    let mut related = all.iter().flat_map(|position| &position.related);
    Ok(related.any(|one| one.tx_id == id))
}
