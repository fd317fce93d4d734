//! A store that was put back serves again: once an owner has compared it with the newest checkpoint
//! that was kept elsewhere, and every approval that it has not sent was looked up upstream.

use std::cell::RefCell;
use std::sync::Arc;

use protocol::error::ApiError;
use protocol::ids::TxId;
use serde::{Deserialize, Serialize};
use store::StoreError;
use tlog_tiles::tlog::tree_hash;

use super::{Operator, refused};
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Checkpoint, Entry, Event, Stored};
use crate::proposals::{Happening, Proposal, State, look_up};
use crate::rows;

/// What an owner says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// The newest signed checkpoint that was kept elsewhere.
    pub checkpoint: String,
    /// How many entries are lost, where some are: said, so that nobody overlooks it.
    #[serde(default)]
    pub accept_lost: Option<u64>,
    /// Why it is right.
    pub reason: String,
}

/// A store that serves again.
#[derive(Debug, Serialize)]
pub struct Released {
    /// How many entries the copy had.
    pub kept: u64,
    /// How many the checkpoint counts.
    pub checkpoint: u64,
    /// How many of those are lost.
    pub lost: u64,
    /// Approvals that were not sent, as far as the copy knows, and whether upstream has them.
    pub looked_up: Vec<LookedUp>,
}

/// An approval that was looked up.
#[derive(Debug, Serialize)]
pub struct LookedUp {
    /// Which proposal.
    pub proposal: TxId,
    /// Its transaction upstream, if there is one.
    pub upstream: Option<TxId>,
}

/// Releases.
pub(crate) async fn release(
    gate: &Arc<Gate>,
    operator: &Operator,
    word: Word,
) -> Result<Released, ApiError> {
    if !gate.is_quarantined() {
        return Err(refused(409, "the gate is in no quarantine"));
    }
    if word.reason.trim().is_empty() {
        return Err(refused(400, "a release needs a reason"));
    }
    let checkpoint = Checkpoint::verify(&word.checkpoint, &gate.log_name())
        .map_err(|bad| refused(400, format_args!("the checkpoint: {bad}")))?;
    let (kept, unsent) = compared(gate, &checkpoint).await?;
    let lost = checkpoint.size.saturating_sub(kept);
    if lost != word.accept_lost.unwrap_or(0) {
        return Err(refused(
            409,
            format_args!(
                "the copy has {kept} entries, the checkpoint counts {}: {lost} are lost, and with them what they told: revocations, burned keys, approvals. Look at them elsewhere, do again what must hold, and say so with accept_lost {lost}",
                checkpoint.size
            ),
        ));
    }
    let looked_up = looked_up(gate, &unsent).await?;
    let (actor, count) = (
        Actor::Operator(operator.name.clone()),
        looked_up.len() as u64,
    );
    let size = checkpoint.size;
    let work = move |deed: &mut Deed<'_, '_>| {
        // What is marked as on its way is looked up before anything is sent.
        for proposal in
            rows::proposals::in_state(deed.writing, deed.workspace, State::Approved.as_str())?
        {
            let next = proposal
                .on(Happening::Sending, deed.at)
                .map_err(|unfit| refused(409, unfit))?;
            rows::proposals::update(deed.writing, deed.workspace, &next)?;
        }
        rows::connections::set_quarantine(deed.writing, deed.workspace, false)?;
        let released = Event::StoreReleased {
            checkpoint: size,
            lost,
            looked_up: count,
            reason: word.reason.clone(),
        };
        deed.log(actor.clone(), released)?;
        Ok(())
    };
    gate.deed(work).await?;
    gate.reload().await.map_err(|error| refused(500, error))?;
    gate.proposals.notify_one();
    gate.deliveries.notify_one();
    Ok(Released {
        kept,
        checkpoint: size,
        lost,
        looked_up,
    })
}

/// How many entries the copy had, if the checkpoint fits them; and what it has not sent.
async fn compared(gate: &Gate, checkpoint: &Checkpoint) -> Result<(u64, Vec<Proposal>), ApiError> {
    let (workspace, checkpoint) = (gate.workspace(), checkpoint.clone());
    let read = gate.store.read(move |reading| {
        let told = rows::log::of_kind(reading, workspace, "store_restored", u64::MAX >> 1)?;
        let newest = told.last().and_then(|payload| Entry::read(payload.as_bytes()));
        let Some(Entry { event: Event::StoreRestored { epoch, entries }, .. }) = newest else {
            return Ok(Err(refused(409, "the log does not tell that a copy was put back")));
        };
        if checkpoint.epoch == Some(epoch) {
            return Ok(Err(refused(
                409,
                "the checkpoint was signed after the copy was put back: name one of before, kept elsewhere",
            )));
        }
        if checkpoint.size <= entries {
            let reader = Stored(workspace, RefCell::new(&mut *reading));
            let root = tree_hash(checkpoint.size, &reader)
                .map_err(|error| StoreError::Engine(error.to_string()))?;
            if root.0 != checkpoint.root {
                return Ok(Err(refused(
                    409,
                    "the copy's entries are not those of the checkpoint: it is of another log, or was changed",
                )));
            }
        }
        let mut unsent = rows::proposals::in_state(reading, workspace, State::Sending.as_str())?;
        unsent.extend(rows::proposals::in_state(reading, workspace, State::Approved.as_str())?);
        Ok::<_, StoreError>(Ok((entries, unsent)))
    });
    read.await.map_err(|error| refused(500, error))?
}

/// Asks upstream for every approval that was not sent: one that it does not answer for stops all.
async fn looked_up(gate: &Gate, unsent: &[Proposal]) -> Result<Vec<LookedUp>, ApiError> {
    if unsent.is_empty() {
        return Ok(Vec::new());
    }
    let editor = gate.editor().ok_or_else(|| {
        refused(
            409,
            "approvals are not sent yet, and upstream cannot be asked for them: set the Editor's API key first",
        )
    })?;
    let mut all = Vec::new();
    for proposal in unsent {
        let found = look_up(&editor, proposal).await;
        let found = found.map_err(|error| {
            refused(
                503,
                format_args!(
                    "upstream does not answer for proposal {}: {error}",
                    proposal.id
                ),
            )
        })?;
        all.push(LookedUp {
            proposal: proposal.id,
            upstream: found.map(|found| found.id),
        });
    }
    Ok(all)
}
