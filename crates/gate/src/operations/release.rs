//! A store that was put back serves again: once an owner has compared it with the newest checkpoint
//! that was kept elsewhere, and every approval that it has not sent was looked up upstream. It lets everybody in again, so
//! the quorum signs it.

use std::cell::RefCell;
use std::sync::Arc;

use ledger::Fault;
use protocol::error::ApiError;
use protocol::ids::{TxId, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::{Query, StoreError};
use tlog_tiles::tlog::tree_hash;

use super::{Operator, changes, reason, refused};
use crate::changes::{Change, ChangeState, Comparison};
use crate::gate::{Deed, Gate};
use crate::log::{Checkpoint, Entry, Event, Stored};
use crate::proposals::{Happening, Proposal, State, Trusted, look_up};
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

/// A store that serves again, or will once the quorum has signed.
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
    /// What is to be signed, where it is not released yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<changes::Shown>,
}

/// An approval that was looked up.
#[derive(Debug, Serialize)]
pub struct LookedUp {
    /// Which proposal.
    pub proposal: TxId,
    /// Its transaction upstream, if there is one.
    pub upstream: Option<TxId>,
}

/// Asks to release it.
pub(crate) async fn release(
    gate: &Arc<Gate>,
    operator: &Operator,
    word: Word,
) -> Result<Released, ApiError> {
    if !gate.is_quarantined() {
        return Err(refused(409, NO_QUARANTINE));
    }
    let why = reason(&word.reason)?;
    let checkpoint = Checkpoint::verify(&word.checkpoint, &gate.log_name())
        .map_err(|bad| refused(400, format_args!("the checkpoint: {bad}")))?;
    newest_known(gate, &checkpoint)?;
    let compared = Comparison {
        size: checkpoint.size,
        root: hex::encode(checkpoint.root),
        epoch: checkpoint.epoch,
        lost: word.accept_lost.unwrap_or(0),
    };
    let (workspace, told) = (gate.workspace(), compared.clone());
    let read = gate
        .store
        .read(move |reading| against(reading, workspace, &told));
    let kept = read.await?;
    let looked_up = looked_up(gate).await?;
    let (size, lost) = (compared.size, compared.lost);
    let change = Change::Release(compared);
    let done = changes::ask_prepared(gate, operator, change, why).await?;
    Ok(Released {
        kept,
        checkpoint: size,
        lost,
        looked_up,
        change: Some(done).filter(|done| done.request.state == ChangeState::Waiting),
    })
}

/// Whether it is no older than what this machine knew whenever a copy was put back: of the same life of the
/// log, by its size; of a later one, none may be known.
fn newest_known(gate: &Gate, named: &Checkpoint) -> Result<(), ApiError> {
    for file in gate.folder.checkpoints_before_restores() {
        let note = gate.folder.read(&file).ok();
        let Some(known) = note.and_then(|note| Checkpoint::verify(&note, &gate.log_name()).ok())
        else {
            continue;
        };
        let (size, file) = (known.size, file.display());
        if known.epoch != named.epoch && known.at > named.at {
            let why = format!(
                "this machine knew a later life of the log, with a checkpoint of {size} entries, when a copy was put back ({file}): name the newest of that one, or move that file away if the gate was never released in it"
            );
            return Err(refused(409, why));
        }
        if known.epoch == named.epoch && named.size < size {
            let why = format!(
                "this machine knew a checkpoint of {size} entries of that log when a copy was put back ({file}), and this one is of {}: name the newest",
                named.size
            );
            return Err(refused(409, why));
        }
    }
    Ok(())
}

/// Whether it is no older than the copy itself: its life of the log is the one that the copy was made in, and
/// counts no fewer entries than the copy's own newest checkpoint, or is one that the copy does not know.
fn no_older_than_the_copy(
    query: &mut impl Query,
    workspace: WorkspaceId,
    compared: &Comparison,
    restored: &[u64],
) -> Result<(), Fault> {
    let mut lives = Vec::new();
    for entries in restored {
        if let Some((size, note)) = rows::log::newest_within(query, workspace, *entries)? {
            lives.push((Checkpoint::epoch_of(&note), size));
        }
    }
    let Some((own, size)) = lives.pop() else {
        return Ok(());
    };
    if own == compared.epoch {
        return if compared.size < size {
            let why = format!(
                "the copy itself has a checkpoint of {size} entries, and this one is of {}: name the newest",
                compared.size
            );
            Err(refused(409, why).into())
        } else {
            Ok(())
        };
    }
    if lives.iter().any(|(life, _)| *life == compared.epoch) {
        let why = "the copy was made in a later life of the log than the checkpoint, after another copy was put back: name the newest";
        return Err(refused(409, why).into());
    }
    Ok(())
}

const NO_QUARANTINE: &str = "the gate is in no quarantine";

/// Whether it can be released as things are now.
pub(super) fn check(deed: &mut Deed<'_, '_>, compared: &Comparison) -> Result<(), Fault> {
    if !rows::connections::quarantined(deed.writing, deed.workspace)? {
        return Err(refused(409, NO_QUARANTINE).into());
    }
    against(deed.writing, deed.workspace, compared).map(drop)
}

/// Releases it; what is marked as on its way is looked up before anything is sent.
pub(super) fn make(
    deed: &mut Deed<'_, '_>,
    compared: &Comparison,
    reason: String,
) -> Result<Event, Fault> {
    let looked_up = unsent(deed.writing, deed.workspace)?.len() as u64;
    for proposal in
        rows::proposals::in_state(deed.writing, deed.workspace, State::Approved.as_str())?
    {
        let next = proposal
            .on(Happening::Sending, deed.at)
            .map_err(|unfit| refused(409, unfit))?;
        rows::proposals::update(deed.writing, deed.workspace, &next)?;
    }
    rows::connections::set_quarantine(deed.writing, deed.workspace, false)?;
    // What the copy has forgotten was sent before.
    rows::strays::begin(deed.writing, deed.workspace, deed.at)?;
    Ok(Event::StoreReleased {
        checkpoint: compared.size,
        lost: compared.lost,
        looked_up,
        reason,
    })
}

/// How many entries the copy had, if what is said of it is so.
fn against(
    query: &mut impl Query,
    workspace: WorkspaceId,
    compared: &Comparison,
) -> Result<u64, Fault> {
    let told = rows::log::of_kind(query, workspace, "store_restored", u64::MAX >> 1)?;
    let restored = |payload: &String| match Entry::read(payload.as_bytes())?.event {
        Event::StoreRestored { epoch, entries } => Some((epoch, entries)),
        _ => None,
    };
    let restored: Vec<_> = told.iter().filter_map(restored).collect();
    let Some((epoch, entries)) = restored.last().copied() else {
        return Err(refused(409, "the log does not tell that a copy was put back").into());
    };
    if compared.epoch == Some(epoch) {
        let why = "the checkpoint was signed after the copy was put back: name one of before, kept elsewhere";
        return Err(refused(409, why).into());
    }
    let restored: Vec<_> = restored.iter().map(|(_, entries)| *entries).collect();
    no_older_than_the_copy(query, workspace, compared, &restored)?;
    if compared.size <= entries {
        let reader = Stored(workspace, RefCell::new(query));
        let root = tree_hash(compared.size, &reader)
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        if hex::encode(root.0) != compared.root {
            let why = "the copy's entries are not those of the checkpoint: it is of another log, or was changed";
            return Err(refused(409, why).into());
        }
    }
    let lost = compared.size.saturating_sub(entries);
    if lost != compared.lost {
        let why = format!(
            "the copy has {entries} entries, the checkpoint counts {}: {lost} are lost, and with them what they told: revocations, burned keys, approvals. Look at them elsewhere, do again what must hold, and say so with accept_lost {lost}",
            compared.size
        );
        return Err(refused(409, why).into());
    }
    Ok(entries)
}

/// Approvals that were not sent, as far as the copy knows.
fn unsent(query: &mut impl Query, workspace: WorkspaceId) -> Result<Vec<Proposal>, StoreError> {
    let mut unsent = rows::proposals::in_state(query, workspace, State::Sending.as_str())?;
    unsent.extend(rows::proposals::in_state(
        query,
        workspace,
        State::Approved.as_str(),
    )?);
    Ok(unsent)
}

/// Asks upstream for every approval that was not sent: one that it does not answer for stops all.
pub(super) async fn looked_up(gate: &Gate) -> Result<Vec<LookedUp>, ApiError> {
    let workspace = gate.workspace();
    let read = gate.store.read(move |reading| unsent(reading, workspace));
    let unsent = read.await.map_err(|error| refused(500, error))?;
    if unsent.is_empty() {
        return Ok(Vec::new());
    }
    let editor = Trusted::new(gate).any().await.map_err(|why| {
        refused(
            409,
            format_args!(
                "approvals are not sent yet, and upstream cannot be asked for them: {why}"
            ),
        )
    })?;
    let mut all = Vec::new();
    for proposal in &unsent {
        let found = look_up(&editor.client, proposal).await;
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
