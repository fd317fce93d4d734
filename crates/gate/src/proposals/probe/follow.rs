//! Following a probe that is upstream: looked at until the policy has decided, cancelled, and looked
//! at until it is over. What the store says is under way goes on after a restart.

use std::sync::Arc;

use ledger::Fault;
use protocol::ids::TxId;
use protocol::model::transaction::TransactionStatus;
use store::StoreError;
use wire::client::Client;

use super::Judgement;
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::proposals::cancel::{can_be_cancelled, cancel, is_over};
use crate::proposals::stray::{Standing, Stray, Why, raise, skipped};
use crate::proposals::{Proposal, look_up};
use crate::rows;

/// Probes that are upstream, and not over.
pub(in crate::proposals) async fn under_way(gate: &Gate) -> Result<Vec<Proposal>, String> {
    let workspace = gate.workspace();
    let read = gate
        .store
        .read(move |reading| rows::proposals::probes(reading, workspace));
    let sent = read.await.map_err(|error: StoreError| error.to_string())?;
    let goes_on = |one: &Proposal| {
        let probe = one.probe.as_ref();
        one.state.may_be_upstream() && probe.is_some_and(|probe| probe.ended.is_none())
    };
    Ok(sent.into_iter().filter(goes_on).collect())
}

/// Takes one of them a step further.
pub(in crate::proposals) async fn follow(
    gate: &Arc<Gate>,
    editor: &Client,
    proposal: &Proposal,
) -> Result<(), String> {
    let (Some(probe), Some(upstream)) = (&proposal.probe, proposal.upstream_id) else {
        return Ok(());
    };
    let Some(seen) = look_up(editor, proposal).await? else {
        return Ok(());
    };
    let waited = gate.clock.now().0.saturating_sub(proposal.updated_at.0);
    if probe.judged.is_none() {
        let Some(judgement) = probe.judge(&seen, waited) else {
            return Ok(());
        };
        let astray = skipped(&seen).then(|| stray(proposal, upstream, seen.status));
        judged(gate, proposal.id, judgement, astray).await?;
    }
    if is_over(seen.status) {
        return ended(gate, proposal.id, seen.status).await;
    }
    if can_be_cancelled(seen.status)
        && let Err(error) = cancel(editor, upstream).await
    {
        tracing::warn!(probe = %proposal.id, %error, "the probe is not cancelled yet");
    }
    Ok(())
}

/// It went on without anybody's approval: whether an event tells of that or not.
fn stray(proposal: &Proposal, upstream: TxId, status: TransactionStatus) -> Stray {
    Stray {
        upstream,
        external_id: Some(proposal.up_external_id()),
        proposal: Some(proposal.id),
        why: Why::SkippedAuthorization,
        standing: Standing::Raised,
        seen_at: proposal.updated_at,
        status,
    }
}

async fn judged(
    gate: &Arc<Gate>,
    id: TxId,
    judgement: Judgement,
    astray: Option<Stray>,
) -> Result<(), String> {
    if judgement.held == Some(false) {
        tracing::error!(probe = %id, saw = judgement.saw, "the workspace's policy does not hold");
    }
    let work = move |deed: &mut Deed<'_, '_>| {
        if let Some(stray) = &astray {
            let stray = Stray {
                seen_at: deed.at,
                ..stray.clone()
            };
            if rows::strays::add(deed.writing, deed.workspace, &stray)? {
                raise(deed.writing, deed.workspace, &stray, deed.at)?;
            }
        }
        let event = Event::ProbeJudged {
            proposal: id,
            held: judgement.held,
            saw: judgement.saw.clone(),
        };
        note(deed, id, event, |probe| {
            probe.judged = Some(judgement.clone())
        })
    };
    let done = gate.deed(work).await;
    done.map_err(|error| error.message().to_owned())
}

async fn ended(gate: &Arc<Gate>, id: TxId, status: TransactionStatus) -> Result<(), String> {
    let work = move |deed: &mut Deed<'_, '_>| {
        let event = Event::ProbeEnded {
            proposal: id,
            status: status.as_str().to_owned(),
        };
        note(deed, id, event, |probe| probe.ended = Some(status))
    };
    let done = gate.deed(work).await;
    done.map_err(|error| error.message().to_owned())
}

fn note(
    deed: &mut Deed<'_, '_>,
    id: TxId,
    event: Event,
    change: impl FnOnce(&mut super::Probe),
) -> Result<(), Fault> {
    let known = rows::proposals::one(deed.writing, deed.workspace, id)?;
    let Some(mut proposal) = known else {
        return Ok(());
    };
    if let Some(probe) = &mut proposal.probe {
        change(probe);
    }
    rows::proposals::update(deed.writing, deed.workspace, &proposal)?;
    Ok(deed.log(Actor::Gate, event)?)
}
