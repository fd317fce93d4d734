//! Where a proposal is approved upstream, who approved it there is its evidence: kept and logged,
//! once, in the transaction of the event that tells it.

use ledger::Change;
use protocol::ids::WorkspaceId;
use protocol::model::transaction::Transaction;
use protocol::time::Millis;
use store::{StoreError, Writing};
use sync::inbox::Outcome;

use super::EXTERNAL_PREFIX;
use crate::connections::Place;
use crate::log::{self, Actor, Entry, Event};
use crate::rows;

/// A transaction upstream with an id of ours that no proposal here has sent: what a store that was put
/// back has forgotten, or somebody's with the gate's Editor. An alarm, once.
fn orphan(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    transaction: &Transaction,
    proposer: Option<&str>,
    at: Millis,
) -> Result<(), StoreError> {
    let external = transaction.external_tx_id.as_deref().unwrap_or_default();
    if proposer.is_some() || !external.starts_with(EXTERNAL_PREFIX) {
        return Ok(());
    }
    let event = Event::OrphanSeen {
        upstream: transaction.id.to_string(),
        external_id: external.to_owned(),
    };
    let told = rows::log::of_kind(writing, workspace, event.kind(), u64::MAX >> 1)?;
    let known = |payload: &String| {
        Entry::read(payload.as_bytes()).is_some_and(|entry| entry.event == event)
    };
    if told.iter().any(known) {
        return Ok(());
    }
    tracing::error!(upstream = %transaction.id, external, "a transaction with an id of ours that no proposal has sent");
    let actor = Actor::Gate;
    log::append(writing, workspace, at, &Entry { actor, event }).map(drop)
}

/// Keeps what an event tells of an approval.
pub(crate) fn keep(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    outcomes: &[Outcome],
    at: Millis,
) -> Result<(), StoreError> {
    for outcome in outcomes {
        let Change::Transaction(transaction, origin) = &outcome.change else {
            continue;
        };
        orphan(
            writing,
            workspace,
            transaction,
            origin.proposer.as_deref(),
            at,
        )?;
        let told = transaction.authorization_info.as_ref();
        let Some(info) = told.filter(|info| origin.proposer.is_some() && info.is_approved()) else {
            continue;
        };
        let known = rows::proposals::one(writing, workspace, transaction.id)?;
        let Some(mut proposal) = known.filter(|proposal| {
            proposal.place == Place::Fireblocks && proposal.approved_upstream.is_none()
        }) else {
            continue;
        };
        proposal.approved_upstream = Some(info.clone());
        rows::proposals::update(writing, workspace, &proposal)?;
        let event = Event::ProposalApproved {
            proposal: proposal.id,
            digest: proposal.digest(),
            place: "fireblocks".to_owned(),
            evidence: rows::doc(info)?,
        };
        let entry = Entry {
            actor: Actor::Gate,
            event,
        };
        log::append(writing, workspace, at, &entry)?;
    }
    Ok(())
}
