//! Transactions that take the place of others on the chain.

use ledger::Fault;
use protocol::error::ApiError;
use protocol::ids::TxId;
use protocol::model::transaction::{Transaction, TransactionStatus};

use super::{keep, take, under_way};
use crate::deed::Deed;
use crate::flight::{Act, Flight, UnderWay};
use crate::rows::flights;

/// A transaction that was sent and that no block has taken in, by its hash.
pub(crate) fn sent(
    deed: &mut Deed<'_, '_>,
    hash: &str,
) -> Result<Option<(Transaction, Flight)>, Fault> {
    for id in of_hash(deed, hash)? {
        if let Some((transaction, flight)) = under_way(deed, id)?
            && transaction.status == TransactionStatus::Broadcasting
            && flight.replaced_by.is_none()
        {
            return Ok(Some((transaction, flight)));
        }
    }
    Ok(None)
}

/// The transactions under way that have this hash.
pub(crate) fn of_hash(deed: &mut Deed<'_, '_>, hash: &str) -> Result<Vec<TxId>, Fault> {
    let mut found = Vec::new();
    for UnderWay { id, .. } in flights::all(deed.writing, deed.hall.id())? {
        let known = deed.batch.transaction(deed.writing, id)?;
        if known.is_some_and(|(transaction, _)| transaction.tx_hash == hash && !hash.is_empty()) {
            found.push(id);
        }
    }
    Ok(found)
}

/// Another transaction is to take a sent one's place.
pub(crate) fn replaced_by(deed: &mut Deed<'_, '_>, id: TxId, by: TxId) -> Result<(), Fault> {
    let Some((transaction, mut flight)) = under_way(deed, id)? else {
        return Err(ApiError::transaction_not_found().into());
    };
    flight.replaced_by = Some(by);
    Ok(keep(deed, &transaction, &flight)?)
}

/// Once one that takes another's place is in a block, the other is gone; if it ends before, the
/// other goes on.
pub(super) fn settle_replaced(
    deed: &mut Deed<'_, '_>,
    id: TxId,
    by: &Transaction,
) -> Result<(), Fault> {
    let Some((transaction, mut flight)) = under_way(deed, id)? else {
        return Ok(());
    };
    if flight.replaced_by != Some(by.id) {
        return Ok(());
    }
    if by.block_info.is_some() {
        let sub_status = "DROPPED_BY_BLOCKCHAIN".to_owned();
        take(deed, id, Act::Fail { sub_status })
    } else if by.status.is_final() {
        flight.replaced_by = None;
        Ok(keep(deed, &transaction, &flight)?)
    } else {
        Ok(())
    }
}
