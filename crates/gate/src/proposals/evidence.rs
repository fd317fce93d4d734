//! Where a proposal is approved upstream, who approved it there is its evidence: kept and logged,
//! once, in the transaction of the event that tells it.

use ledger::Change;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{StoreError, Writing};
use sync::inbox::Outcome;

use super::stray::{Known, is_approved, notice};
use crate::connections::Place;
use crate::log::{self, Actor, Entry, Event};
use crate::rows;

/// Keeps what an event tells of an approval; whether it tells of a stray.
pub(crate) fn keep(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    outcomes: &[Outcome],
    known: &Known,
    at: Millis,
) -> Result<bool, StoreError> {
    let mut strays = false;
    for outcome in outcomes {
        let Change::Transaction(transaction, origin) = &outcome.change else {
            continue;
        };
        strays |= notice(writing, workspace, (transaction, origin), known, at)?;
        let told = transaction.authorization_info.as_ref();
        let Some(info) = told.filter(|info| origin.proposer.is_some() && is_approved(info)) else {
            continue;
        };
        let found = rows::proposals::one(writing, workspace, transaction.id)?;
        let Some(mut proposal) = found.filter(|proposal| {
            proposal.place == Place::Fireblocks && proposal.approved_upstream.is_none()
        }) else {
            continue;
        };
        proposal.approved_upstream = Some(info.clone());
        rows::proposals::update(writing, workspace, &proposal)?;
        let event = Event::ProposalApproved {
            proposal: proposal.id,
            connection: proposal.asked_by(),
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
    Ok(strays)
}
