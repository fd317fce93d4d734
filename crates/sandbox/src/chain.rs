//! Moves transactions on: the policy engine and the queue always by themselves, people and chain
//! only where nobody said `--manual`.

mod afterwards;
mod people;
mod replacing;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::error::ApiError;
use protocol::ids::TxId;
use protocol::model::event::EventType;
use protocol::model::transaction::{BlockInfo, Transaction, TransactionStatus};
use store::StoreError;
use tokio_util::sync::CancellationToken;

use crate::coins::has_coins;
use crate::cosigner;
use crate::deed::Deed;
use crate::flight::{Act, Effect, Flight, PACE, Signed, Step, UnderWay, due, fail, occupies, step};
use crate::fuelling;
use crate::hall::{Hall, doc};
use crate::jobs;
use crate::operations::Message;
use crate::operations::workspace::{self, Standing};
use crate::quorum;
use crate::rows::flights;
use crate::screening;
use crate::stakes;
use crate::world::assets::{self, AddressForm, AssetRow};
use ledger::{Fault, positions};

pub(crate) use afterwards::{break_down, freeze, reorganise};
pub(crate) use people::{approve, hold, orphan, pass, process, reject, sign};
use replacing::settle_replaced;
pub(crate) use replacing::{of_hash, replaced_by, sent};

/// Moves a workspace's transactions on until told to end.
pub(crate) async fn drive(hall: Arc<Hall>, shutdown: CancellationToken) {
    loop {
        // Where time stands and all wait to be told, nothing happens but what follows from a call.
        let busy = if hall.house.manual && hall.clock.is_frozen() {
            false
        } else {
            match tick(&hall).await {
                Ok(Tick { under_way, .. }) => under_way,
                Err(error) => {
                    stand_still(error);
                    true
                }
            }
        };
        let busy = busy | jobs::go_on(&hall).await;
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

/// Most transactions that are taken further at once: in one commit, where the store can.
const TOGETHER: usize = 64;

/// Until nothing more happens by itself. One caller at a time: what one has settled, the next need
/// not.
pub(crate) async fn settle(hall: &Arc<Hall>) {
    let _turn = hall.settling.lock().await;
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

/// Takes each transaction under way one act further, where one is due; and what the quorum has been
/// asked for too long ago comes to its end.
async fn tick(hall: &Arc<Hall>) -> Result<Tick, Fault> {
    let id = hall.id();
    let all = hall
        .books
        .store()
        .read(move |reading| flights::in_play(reading, id))
        .await?;
    let mut moved = quorum::expire(hall).await?;
    let due = due(&all, hall.clock.now(), hall.house.manual);
    let further = |transaction| {
        hall.change(move |deed| match next(deed, transaction)? {
            Some(act) => take(deed, transaction, act).map(|()| true),
            None => Ok(false),
        })
    };
    // They are handed to the store, and answered by it, in this order.
    let mut acts = stream::iter(due.into_iter().map(further)).buffered(TOGETHER);
    while let Some(one) = acts.try_next().await? {
        moved |= one;
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
    if !moves_in_frost(transaction.status) && workspace::standing(deed)? == Standing::Frozen {
        return Ok(None);
    }
    let patient = deed.at < transaction.last_updated.plus(flight.patience());
    Ok(match transaction.status {
        S::Submitted | S::PendingAmlScreening | S::PendingEnrichment => {
            screening::next(deed, &transaction, &flight)?
        }
        S::Queued => is_free(deed, &flight)?.then_some(Act::Turn),
        S::Cancelling => Some(Act::Cancelled),
        S::PendingAuthorization | S::PendingSignature if !patient => Some(Act::Expire),
        S::PendingAuthorization if by_itself => {
            cosigner::approver(deed, &transaction)?.map(Act::Approve)
        }
        S::PendingSignature if by_itself => match cosigner::signer(deed, &flight)? {
            Some(user) => Some(Act::Sign {
                user,
                signed: signed(deed, &transaction, &flight)?,
            }),
            None => None,
        },
        S::Pending3rdParty if by_itself => Some(processed(deed, &transaction)?),
        S::Broadcasting | S::Confirming if by_itself => on_chain(&transaction, &flight, deed),
        _ => None,
    })
}

/// Whether nothing occupies a transaction's lane: another may have got its turn since somebody looked
/// whose turn it is.
fn is_free(deed: &mut Deed<'_, '_>, flight: &Flight) -> Result<bool, StoreError> {
    let Some(lane) = &flight.lane else {
        return Ok(true);
    };
    let others = flights::of_lane(deed.writing, deed.hall.id(), lane)?;
    Ok(!others.into_iter().any(occupies))
}

/// Whether a transaction that is so far goes on while the workspace is frozen: what the chain has,
/// and what is on its way to an end.
const fn moves_in_frost(status: TransactionStatus) -> bool {
    use TransactionStatus as S;
    matches!(status, S::Broadcasting | S::Confirming | S::Cancelling)
}

/// What a block does to a transaction; nothing to one whose place another one is about to take.
fn on_chain(transaction: &Transaction, flight: &Flight, deed: &mut Deed<'_, '_>) -> Option<Act> {
    if transaction.status == TransactionStatus::Confirming {
        return Some(Act::Confirm);
    }
    (flight.replaced_by.is_none()).then(|| Act::Include { block: block(deed) })
}

/// A hash, as the asset's chain writes it.
pub(crate) fn hash(asset: &AssetRow, deed: &mut Deed<'_, '_>) -> String {
    let hash = hex::encode(deed.chance.bytes::<32>());
    if asset.native.starts_with("ETH") {
        format!("0x{hash}")
    } else {
        hash
    }
}

/// The block of this moment.
pub(crate) fn block(deed: &mut Deed<'_, '_>) -> BlockInfo {
    let height = 19_000_000 + deed.at.0 / 12_000 % 5_000_000;
    BlockInfo {
        block_height: Some(height.to_string()),
        block_hash: Some(hex::encode(deed.chance.bytes::<32>())),
    }
}

/// What a third party makes of a transaction that it sends.
fn processed(deed: &mut Deed<'_, '_>, transaction: &Transaction) -> Result<Act, Fault> {
    let asset = assets::find(&transaction.asset_id).ok_or_else(ApiError::internal)?;
    Ok(Act::Process {
        hash: hash(asset, deed),
        reference: deed.chance.uuid().to_string(),
    })
}

/// What a signature leads to: a transaction on the chain, or signed messages.
fn signed(
    deed: &mut Deed<'_, '_>,
    transaction: &Transaction,
    flight: &Flight,
) -> Result<Signed, Fault> {
    let asset = assets::find(&transaction.asset_id).ok_or_else(ApiError::internal)?;
    let account = transaction.source.vault_account();
    let account = account.ok_or_else(ApiError::internal)?;
    if flight.effect == Effect::Signs {
        let keys = deed.hall.keys();
        let sign = |message: &Message| message.signed(&keys, asset, account.number());
        return Ok(Signed::Messages(flight.messages.iter().map(sign).collect()));
    }
    let evm = assets::chain_of(asset).is_some_and(|chain| chain.form == AddressForm::Evm);
    let replaced = match flight.replaces {
        Some(id) => deed.batch.transaction(deed.writing, id)?,
        None => None,
    };
    let nonce = match replaced.and_then(|(old, _)| old.nonce) {
        Some(nonce) => Some(nonce),
        None if evm => {
            let counter = format!("nonce {account} {}", flight.fee_asset);
            let next = positions::bump(deed.writing, deed.hall.id(), &counter)?;
            Some((next - 1).to_string())
        }
        None => None,
    };
    let hash = hash(asset, deed);
    Ok(Signed::Sent { hash, nonce })
}

pub(crate) fn under_way(
    deed: &mut Deed<'_, '_>,
    id: TxId,
) -> Result<Option<(Transaction, Flight)>, Fault> {
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
    let Some((transaction, mut flight)) = under_way(deed, id)? else {
        let known = deed.batch.transaction(deed.writing, id)?.is_some();
        return Err(if known {
            unfit()
        } else {
            ApiError::transaction_not_found()
        }
        .into());
    };
    if !moves_in_frost(transaction.status) {
        workspace::check_standing(deed, "")?;
    }
    if matches!(act, Act::Include { .. }) && stakes::refuses(deed, &flight)? {
        flight.doom = Some("SMART_CONTRACT_EXECUTION_FAILED".to_owned());
    }
    let refused = unfit();
    let mut done = step(&flight, &transaction, act, deed.at).map_err(|_| refused)?;
    if done.transaction.status == TransactionStatus::PendingSignature {
        spend(deed, &mut done)?;
    }
    if done.approval {
        deed.transaction(
            EventType::TransactionApprovalStatusUpdated,
            &done.transaction,
        )?;
    }
    if done.transaction.status != transaction.status || !done.approval {
        deed.transaction(EventType::TransactionStatusUpdated, &done.transaction)?;
    }
    deed.follow(&done.transaction, &done.flight)?;
    deed.moves(&done.moves)?;
    for credit in &done.credits {
        deed.credit(credit)?;
    }
    if done.transaction.status.is_final() {
        stakes::after(deed, &done.transaction, &done.flight)?;
        fuelling::after(deed, &done.transaction, &done.flight)?;
    }
    if let Some(replaced) = done.flight.replaces {
        settle_replaced(deed, replaced, &done.transaction)?;
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
        expires: matches!(
            transaction.status,
            TransactionStatus::PendingAuthorization | TransactionStatus::PendingSignature
        )
        .then(|| deed.at.plus(flight.patience())),
    };
    flights::put(deed.writing, deed.hall.id(), &under_way, &doc(flight)?)
}

/// Chooses the coins that a transaction spends, now that its turn has come.
fn spend(deed: &mut Deed<'_, '_>, done: &mut Step) -> Result<(), Fault> {
    let Some(asset) = assets::find(&done.transaction.asset_id).filter(|asset| has_coins(asset))
    else {
        return Ok(());
    };
    let amount = done.transaction.amount_info.amount.clone();
    let (Some(account), Some(amount)) = (done.transaction.source.vault_account(), amount) else {
        return Ok(());
    };
    if done.flight.effect != Effect::Moves || !done.flight.inputs.is_empty() {
        return Ok(());
    }
    let need = match done.transaction.treat_as_gross_amount {
        true => Some(amount),
        false => amount.checked_add(&done.flight.fee),
    };
    match deed.choose(account, asset, &done.flight.coins, |_| need.clone())? {
        Ok(selection) => done.flight.inputs = selection.inputs,
        Err(_) => fail(done, "INSUFFICIENT_FUNDS"),
    }
    Ok(())
}

/// A block is mined: everything that waits for one moves on. How many did.
pub(crate) fn mine(deed: &mut Deed<'_, '_>) -> Result<usize, Fault> {
    let mut moved = 0;
    for UnderWay { id, .. } in flights::all(deed.writing, deed.hall.id())? {
        let Some((transaction, flight)) = under_way(deed, id)? else {
            continue;
        };
        let on_its_way = matches!(
            transaction.status,
            TransactionStatus::Broadcasting | TransactionStatus::Confirming
        );
        if on_its_way && let Some(act) = on_chain(&transaction, &flight, deed) {
            take(deed, id, act)?;
            moved += 1;
        }
    }
    Ok(moved)
}
