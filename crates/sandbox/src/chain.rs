//! Moves transactions on: the policy engine and the queue always by themselves, people and chain
//! only where nobody said `--manual`.

use std::sync::Arc;
use std::time::Duration;

use protocol::error::ApiError;
use protocol::ids::TxId;
use protocol::model::event::EventType;
use protocol::model::transaction::{BlockInfo, Transaction, TransactionStatus};
use store::StoreError;
use tokio_util::sync::CancellationToken;

use crate::deed::Deed;
use crate::flight::{Act, Flight, PACE, PATIENCE, UnderWay, due, step};
use crate::hall::{Hall, doc};
use crate::policy;
use crate::rows::flights;
use crate::world::assets::{self, AssetRow};
use ledger::Fault;

/// Moves a workspace's transactions on until told to end.
pub(crate) async fn drive(hall: Arc<Hall>, shutdown: CancellationToken) {
    loop {
        let busy = match tick(&hall).await {
            Ok(Tick { under_way, .. }) => under_way,
            Err(error) => {
                stand_still(error);
                true
            }
        };
        let pause = if busy {
            Duration::from_millis(PACE.unsigned_abs() / 2)
        } else {
            Duration::from_secs(30)
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = hall.chain.notified(), if !busy => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Until nothing more happens by itself.
pub(crate) async fn settle(hall: &Arc<Hall>) {
    loop {
        match tick(hall).await {
            Ok(Tick { moved: true, .. }) => {}
            Ok(Tick { moved: false, .. }) => return,
            Err(error) => return stand_still(error),
        }
    }
}

fn stand_still(error: Fault) {
    let error = ApiError::from(error);
    tracing::error!(message = error.message(), "transactions stand still");
}

/// What a look at the transactions under way came to.
struct Tick {
    /// Whether any is under way.
    under_way: bool,
    /// Whether anything happened.
    moved: bool,
}

/// Takes each transaction under way one act further, where one is due.
async fn tick(hall: &Arc<Hall>) -> Result<Tick, Fault> {
    let id = hall.id();
    let all = hall
        .books
        .store()
        .read(move |reading| flights::all(reading, id))
        .await?;
    let mut moved = false;
    for transaction in due(&all, hall.house.clock.now(), hall.house.manual) {
        moved |= hall
            .change(move |deed| match next(deed, transaction)? {
                Some(act) => take(deed, transaction, act).map(|()| true),
                None => Ok(false),
            })
            .await?;
    }
    Ok(Tick {
        under_way: !all.is_empty(),
        moved,
    })
}

/// What happens next by itself, to one whose turn it is.
fn next(deed: &mut Deed<'_, '_>, id: TxId) -> Result<Option<Act>, Fault> {
    use TransactionStatus as S;
    let Some((transaction, flight)) = under_way(deed, id)? else {
        return Ok(None);
    };
    let by_itself = !deed.hall.house.manual;
    let patient = deed.at < transaction.last_updated.plus(PATIENCE);
    Ok(match transaction.status {
        S::Submitted => Some(Act::Judge(policy::judge(&deed.hall.policy, &transaction))),
        S::Queued => Some(Act::Turn),
        S::Cancelling => Some(Act::Cancelled),
        S::PendingAuthorization | S::PendingSignature if !patient => Some(Act::Expire),
        S::PendingAuthorization if by_itself => asked(&transaction).map(Act::Approve),
        S::PendingSignature if by_itself => flight.signer.map(Act::Sign),
        S::Broadcasting | S::Confirming if by_itself => Some(on_chain(&transaction, deed)),
        _ => None,
    })
}

/// What a block does to a transaction.
fn on_chain(transaction: &Transaction, deed: &mut Deed<'_, '_>) -> Act {
    if transaction.status == TransactionStatus::Confirming {
        return Act::Confirm;
    }
    let (hash, block) = assets::find(&transaction.asset_id)
        .map(|asset| block(asset, deed))
        .unwrap_or_default();
    Act::Include { hash, block }
}

/// A hash, and the block it is in.
pub(crate) fn block(asset: &AssetRow, deed: &mut Deed<'_, '_>) -> (String, BlockInfo) {
    let hash = hex::encode(deed.chance.bytes::<32>());
    let hash = if asset.native.starts_with("ETH") {
        format!("0x{hash}")
    } else {
        hash
    };
    let height = 19_000_000 + deed.at.0 / 12_000 % 5_000_000;
    let block = BlockInfo {
        block_height: Some(height.to_string()),
        block_hash: Some(hex::encode(deed.chance.bytes::<32>())),
    };
    (hash, block)
}

/// The first approver who has not answered.
pub(crate) fn asked(transaction: &Transaction) -> Option<String> {
    let info = transaction.authorization_info.as_ref()?;
    let mut users = info.groups.iter().flat_map(|group| &group.users);
    users
        .find(|(_, said)| *said == "PENDING_AUTHORIZATION")
        .map(|(user, _)| user.clone())
}

fn under_way(deed: &mut Deed<'_, '_>, id: TxId) -> Result<Option<(Transaction, Flight)>, Fault> {
    let Some(text) = flights::one(deed.writing, deed.hall.id(), id)? else {
        return Ok(None);
    };
    let flight = serde_json::from_str(&text).map_err(|_| ApiError::internal())?;
    let known = deed.batch.transaction(deed.writing, id)?;
    Ok(known.map(|(transaction, _)| (transaction, flight)))
}

/// Does something to a transaction.
pub(crate) fn take(deed: &mut Deed<'_, '_>, id: TxId, act: Act) -> Result<(), Fault> {
    let unfit = || match act {
        Act::Cancel => ApiError::cancel_failed(),
        _ => ApiError::uncoded(
            409,
            "The transaction is not at a point where that can be done",
        ),
    };
    let Some((transaction, flight)) = under_way(deed, id)? else {
        let known = deed.batch.transaction(deed.writing, id)?.is_some();
        return Err(if known {
            unfit()
        } else {
            ApiError::transaction_not_found()
        }
        .into());
    };
    let refused = unfit();
    let done = step(&flight, &transaction, act, deed.at).map_err(|_| refused)?;
    if done.approval {
        deed.transaction(
            EventType::TransactionApprovalStatusUpdated,
            &done.transaction,
        )?;
    }
    if done.transaction.status != transaction.status || !done.approval {
        deed.transaction(EventType::TransactionStatusUpdated, &done.transaction)?;
    }
    deed.moves(&done.moves)?;
    if let Some(credit) = &done.credit {
        deed.credit(credit)?;
    }
    if done.transaction.status.is_final() {
        Ok(flights::end(deed.writing, deed.hall.id(), id)?)
    } else {
        Ok(keep(deed, &done.transaction, &done.flight)?)
    }
}

/// Keeps what is under way.
pub(crate) fn keep(
    deed: &mut Deed<'_, '_>,
    transaction: &Transaction,
    flight: &Flight,
) -> Result<(), StoreError> {
    let under_way = UnderWay {
        id: transaction.id,
        since: deed.at,
        status: Some(transaction.status),
        lane: flight.lane.clone(),
    };
    flights::put(deed.writing, deed.hall.id(), &under_way, &doc(flight)?)
}

/// A person says yes: the one named, or the first who is asked.
pub(crate) fn approve(
    deed: &mut Deed<'_, '_>,
    id: TxId,
    user: Option<String>,
) -> Result<(), Fault> {
    let who = match user {
        Some(user) => Some(user),
        None => under_way(deed, id)?.and_then(|(transaction, _)| asked(&transaction)),
    };
    take(deed, id, Act::Approve(who.unwrap_or_default()))
}

/// The signer signs.
pub(crate) fn sign(deed: &mut Deed<'_, '_>, id: TxId, user: Option<String>) -> Result<(), Fault> {
    let who = match user {
        Some(user) => Some(user),
        None => under_way(deed, id)?.and_then(|(_, flight)| flight.signer),
    };
    take(deed, id, Act::Sign(who.unwrap_or_default()))
}

/// A person says no: the one named, or whoever is asked now.
pub(crate) fn reject(deed: &mut Deed<'_, '_>, id: TxId, user: Option<String>) -> Result<(), Fault> {
    let who = match user {
        Some(user) => Some(user),
        None => under_way(deed, id)?
            .and_then(|(transaction, flight)| asked(&transaction).or(flight.signer)),
    };
    take(deed, id, Act::Reject(who.unwrap_or_default()))
}

/// A block is mined: everything that waits for one moves on. How many did.
pub(crate) fn mine(deed: &mut Deed<'_, '_>) -> Result<usize, Fault> {
    let mut moved = 0;
    for UnderWay { id, .. } in flights::all(deed.writing, deed.hall.id())? {
        let Some((transaction, _)) = under_way(deed, id)? else {
            continue;
        };
        if matches!(
            transaction.status,
            TransactionStatus::Broadcasting | TransactionStatus::Confirming
        ) {
            let act = on_chain(&transaction, deed);
            take(deed, id, act)?;
            moved += 1;
        }
    }
    Ok(moved)
}
