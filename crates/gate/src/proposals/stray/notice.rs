//! Noticing strays in what events and walks tell, in the transaction that takes it into the books.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::change::Origin;
use protocol::ids::{TxId, UserId, WorkspaceId};
use protocol::model::transaction::Transaction;
use protocol::time::Millis;
use store::{StoreError, Writing};

use super::{Seen, Standing, Stopped, Stray, Why, judge};
use crate::log::{self, Actor, Entry, Event};
use crate::proposals::{EXTERNAL_PREFIX, Proposal};
use crate::rows;

/// What the gate knows of itself.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Every API user that ever was an Editor of the gate's, and since when.
    pub(crate) editors: Arc<BTreeMap<UserId, Millis>>,
    /// Whether a copy of the store was put back.
    pub(crate) quarantined: bool,
}

impl Known {
    /// Since when this user is an Editor of the gate's, if it is one or was.
    pub(super) fn editor(&self, created_by: &str) -> Option<Millis> {
        let user = created_by.parse().ok()?;
        self.editors.get(&user).copied()
    }
}

/// Looks at one transaction as the books take it in; whether it is a new stray.
pub(crate) fn notice(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    (transaction, origin): (&Transaction, &Origin),
    known: &Known,
    at: Millis,
) -> Result<bool, StoreError> {
    let external = transaction.external_tx_id.as_deref();
    let ours = external.and_then(|id| id.strip_prefix(EXTERNAL_PREFIX));
    let (named, proposal) = match &origin.proposer {
        // The books have it under its proposal's id.
        Some(_) => (true, Some(transaction.id)),
        None => (ours.is_some(), ours.and_then(|id| id.parse::<TxId>().ok())),
    };
    let created_by = origin.created_by.as_ref();
    let created_by = created_by.unwrap_or(&transaction.created_by);
    let by_editor = known.editor(created_by);
    if !named && by_editor.is_none() {
        return Ok(false);
    }
    let found = match proposal {
        Some(id) => rows::proposals::one(writing, workspace, id)?,
        None => None,
    };
    let seen = Seen {
        transaction,
        maker: created_by.parse().ok(),
        by_editor,
        named,
        proposal: found.as_ref(),
    };
    let since = rows::strays::since(writing, workspace)?;
    let Some((why, standing)) = judge(seen, known.quarantined, since) else {
        return Ok(false);
    };
    let stray = Stray {
        upstream: origin.upstream_id.unwrap_or(transaction.id),
        external_id: match found.as_ref() {
            Some(proposal) => Some(proposal.up_external_id()),
            None => transaction.external_tx_id.clone(),
        },
        proposal: found.map(|proposal| proposal.id),
        why,
        standing,
        seen_at: at,
        status: transaction.status,
    };
    if !rows::strays::add(writing, workspace, &stray)? {
        return Ok(false);
    }
    match standing {
        Standing::Raised => raise(writing, workspace, &stray, at)?,
        Standing::Told => tell(writing, workspace, &stray, at)?,
        _ => {}
    }
    Ok(true)
}

/// What upstream has under a sent proposal's id is another: an alarm, unless it was noticed before.
pub(in crate::proposals) fn astray(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    (proposal, found): (&Proposal, &Transaction),
    at: Millis,
) -> Result<(), StoreError> {
    let stray = Stray {
        upstream: found.id,
        external_id: Some(proposal.up_external_id()),
        proposal: Some(proposal.id),
        why: Why::Differs,
        standing: Standing::Raised,
        seen_at: at,
        status: found.status,
    };
    if rows::strays::add(writing, workspace, &stray)? {
        raise(writing, workspace, &stray, at)?;
    }
    Ok(())
}

/// An alarm, and nothing more is sent.
pub(in crate::proposals) fn raise(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    stray: &Stray,
    at: Millis,
) -> Result<(), StoreError> {
    let stopped = Stopped {
        at,
        upstream: stray.upstream,
        why: stray.why,
    };
    tracing::error!(
        upstream = %stray.upstream, external = ?stray.external_id,
        "DISPATCH IS STOPPED: {}. See `vestibule gate status`", stopped.words()
    );
    rows::strays::stop(writing, workspace, &stopped)?;
    let event = Event::DispatchStopped {
        upstream: stray.upstream,
        external_id: stray.external_id.clone(),
        proposal: stray.proposal,
        why: stray.why,
    };
    let actor = Actor::Gate;
    log::append(writing, workspace, at, &Entry { actor, event }).map(drop)
}

fn tell(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    stray: &Stray,
    at: Millis,
) -> Result<(), StoreError> {
    let external = stray.external_id.clone().unwrap_or_default();
    tracing::error!(
        upstream = %stray.upstream, external,
        "a transaction upstream looks like the gate's: {}", stray.why.words()
    );
    let event = Event::OrphanSeen {
        upstream: stray.upstream.to_string(),
        external_id: external,
    };
    let actor = Actor::Gate;
    log::append(writing, workspace, at, &Entry { actor, event }).map(drop)
}
