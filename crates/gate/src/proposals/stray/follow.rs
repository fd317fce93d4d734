//! Following strays: what is suspected is looked up, what was raised is cancelled and looked at until
//! it is over. What the store says is open goes on after a restart.

use std::sync::Arc;

use protocol::model::transaction::{Transaction, TransactionStatus};
use protocol::time::Millis;
use store::StoreError;
use wire::client::Client;

use super::{Seen, Standing, Stray, Why, is_approved, raise};
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::proposals::Proposal;
use crate::proposals::cancel::{can_be_cancelled, cancel, is_over};
use crate::rows;

/// For how long one that was just noticed is looked at often.
const HASTE: i64 = Millis::MINUTE;

/// Takes each of these a step further; whether the next one is due soon.
pub(in crate::proposals) async fn follow(
    gate: &Arc<Gate>,
    editor: &Client,
    open: &[Stray],
) -> bool {
    let mut haste = false;
    for stray in open {
        if let Err(error) = step(gate, editor, stray).await {
            tracing::warn!(upstream = %stray.upstream, %error, "a stray transaction cannot be looked at");
        }
        haste |= gate.clock.now() < stray.seen_at.plus(HASTE);
    }
    haste
}

async fn step(gate: &Arc<Gate>, editor: &Client, stray: &Stray) -> Result<(), String> {
    let target = format!("/v1/transactions/{}", stray.upstream);
    let answer = editor.get(&target).await;
    let seen: Transaction = answer
        .and_then(|answer| answer.json())
        .map_err(|error| error.to_string())?;
    if stray.standing == Standing::Suspected && is_cleared(gate, stray, &seen).await? {
        return settled(gate, stray, Standing::Cleared, seen.status).await;
    }
    if stray.standing == Standing::Suspected || stray.status != seen.status {
        settled(gate, stray, Standing::Raised, seen.status).await?;
    }
    if is_over(seen.status) {
        return settled(gate, stray, Standing::Ended, seen.status).await;
    }
    if can_be_cancelled(seen.status)
        && let Err(error) = cancel(editor, stray.upstream).await
    {
        tracing::error!(upstream = %stray.upstream, %error, "a stray transaction is not cancelled yet");
    }
    Ok(())
}

/// The event that told of it may have left out what upstream shows now: what it is, and who approved it.
async fn is_cleared(gate: &Gate, stray: &Stray, seen: &Transaction) -> Result<bool, String> {
    match stray.why {
        Why::NoProposal | Why::NotSent => Ok(false),
        Why::SkippedAuthorization => Ok(seen.authorization_info.as_ref().is_some_and(is_approved)),
        Why::Differs => {
            let (workspace, id) = (gate.workspace(), stray.proposal);
            let read = gate.store.read(move |reading| match id {
                Some(id) => rows::proposals::one(reading, workspace, id),
                None => Ok(None),
            });
            let proposal = read.await.map_err(|error: StoreError| error.to_string())?;
            match proposal {
                Some(proposal) => Ok(differs(gate, &proposal, seen).await?.is_none()),
                None => Ok(false),
            }
        }
    }
}

/// What of upstream's transaction with a proposal's id is not as the proposal says.
pub(in crate::proposals) async fn differs(
    gate: &Gate,
    proposal: &Proposal,
    found: &Transaction,
) -> Result<Option<&'static str>, String> {
    let workspace = gate.workspace();
    let read = gate
        .store
        .read(move |reading| rows::strays::since(reading, workspace));
    let since = read.await.map_err(|error: StoreError| error.to_string())?;
    let seen = Seen {
        transaction: found,
        maker: found.created_by.parse().ok(),
        by_editor: gate.known().editor(&found.created_by),
        named: true,
        proposal: Some(proposal),
    };
    Ok(seen.differs(proposal, since))
}

async fn settled(
    gate: &Arc<Gate>,
    stray: &Stray,
    standing: Standing,
    status: TransactionStatus,
) -> Result<(), String> {
    let next = Stray {
        standing,
        status,
        ..stray.clone()
    };
    let fresh = stray.standing == Standing::Suspected;
    let work = move |deed: &mut Deed<'_, '_>| {
        rows::strays::put(deed.writing, deed.workspace, &next)?;
        match standing {
            Standing::Raised if fresh => raise(deed.writing, deed.workspace, &next, deed.at)?,
            Standing::Ended => {
                let event = Event::StrayEnded {
                    upstream: next.upstream,
                    status: next.status.as_str().to_owned(),
                };
                deed.log(Actor::Gate, event)?;
            }
            _ => {}
        }
        Ok(())
    };
    let done = gate.deed(work).await;
    done.map_err(|error| error.message().to_owned())
}

/// Strays that are not over.
pub(in crate::proposals) async fn open(gate: &Gate) -> Result<Vec<Stray>, String> {
    let workspace = gate.workspace();
    let read = gate
        .store
        .read(move |reading| rows::strays::open(reading, workspace));
    read.await.map_err(|error: StoreError| error.to_string())
}
