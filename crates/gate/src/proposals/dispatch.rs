//! Sending approved proposals upstream: each at most once.
//!
//! A proposal is marked as on its way before it is sent, so after a crash its outcome is asked for
//! before anything is sent again; only when upstream says that it knows no such `externalTxId`, and
//! nobody has taken it back and its connection may still propose, is it sent again, with the same
//! one. A duplicate (1438) counts as found.
//!
//! The store says what is due; a notification only makes it sooner. So nothing waits for ever where
//! one got lost (its sender hung up, or the process ended).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use ledger::Fault;
use protocol::error::ApiError;
use protocol::ids::TxId;
use protocol::model::transaction::Transaction;
use protocol::model::transaction_request::CreateTransactionResponse;
use tokio_util::sync::CancellationToken;
use wire::client::{Client, ClientError, Once};

use super::leave::{self, Leave};
use super::tries::Tries;
use super::trusted::Trusted;
use super::{Happening, Proposal, Reason, State, probe, stray};
use crate::gate::{Deed, Gate};
use crate::gates::Lease;
use crate::log::{Actor, Event};
use crate::rows;

/// How often the store is looked at, whoever did or did not call.
const PAUSE: Duration = Duration::from_secs(5);
/// How long a gate that has just lost the lead may begin to send: it notices, and waits for its turn.
const HANDOVER: i64 = 60 * protocol::time::Millis::SECOND;
/// How often a probe that has just gone up is looked at, and for how long: then it is as any other.
const HASTE_PAUSE: Duration = Duration::from_millis(300);
const HASTE: i64 = protocol::time::Millis::MINUTE;
/// `externalTxId` exists already.
const DUPLICATE: i64 = 1438;
/// No such `externalTxId`.
const UNKNOWN: i64 = 1439;

/// Sends until told to end.
pub(crate) async fn dispatch(gate: Arc<Gate>, shutdown: CancellationToken) {
    // Another gate that led before may send for a while what it has begun to.
    let before = match gate.lease {
        Lease::Alone => 0,
        Lease::Shared { .. } => HANDOVER,
    };
    let mut tries = Tries::since(gate.clock.now().plus(before));
    loop {
        let haste = round(&gate, &mut tries).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "proposals wait");
            false
        });
        let pause = if haste { HASTE_PAUSE } else { PAUSE };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = gate.proposals.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Takes every proposal that is due one step further; whether the next round is due soon.
async fn round(gate: &Arc<Gate>, tries: &mut Tries) -> Result<bool, String> {
    if gate.is_quarantined() || !gate.may_serve() {
        return Ok(false);
    }
    let workspace = gate.workspace();
    let read = gate.store.read(move |reading| {
        let mut due = rows::proposals::in_state(reading, workspace, State::Sending.as_str())?;
        due.extend(rows::proposals::in_state(
            reading,
            workspace,
            State::Approved.as_str(),
        )?);
        Ok::<_, store::StoreError>(due)
    });
    let due = read.await.map_err(|error| error.to_string())?;
    let strays = stray::open(gate).await?;
    if due.is_empty() && strays.is_empty() && probe::under_way(gate).await?.is_empty() {
        return Ok(false);
    }
    let mut trusted = Trusted::new(gate);
    let looker = trusted.any().await;
    let mut haste = match &looker {
        Ok(looker) => stray::follow(gate, &looker.client, &strays).await,
        Err(why) => {
            tracing::warn!(waiting = due.len(), "proposals wait: {why}");
            false
        }
    };
    let held = held(gate).await?;
    if let Some(why) = &held {
        tracing::error!(waiting = due.len(), "proposals wait: {why}");
    }
    let mut way = Way {
        gate,
        trusted,
        tries,
    };
    for proposal in due {
        let taken = match proposal.state {
            State::Sending => way.settle(&proposal).await,
            _ if held.is_some() => continue,
            _ => way.send(&proposal).await,
        };
        if let Err(error) = taken {
            tracing::warn!(proposal = %proposal.id, %error, "a proposal waits");
        }
    }
    let Ok(looker) = looker else {
        return Ok(false);
    };
    let probes = probe::under_way(gate).await?;
    for proposal in &probes {
        if let Err(error) = probe::follow(gate, &looker.client, proposal).await {
            tracing::warn!(probe = %proposal.id, %error, "a probe cannot be looked at");
        }
    }
    let now = gate.clock.now();
    haste |= probes
        .iter()
        .any(|probe| now < probe.updated_at.plus(HASTE));
    Ok(haste)
}

/// Why nothing is sent now, if it is so.
async fn held(gate: &Gate) -> Result<Option<String>, String> {
    let workspace = gate.workspace();
    let read = gate
        .store
        .read(move |reading| rows::strays::held(reading, workspace));
    read.await
        .map_err(|error: store::StoreError| error.to_string())
}

/// Something happens to a proposal, and the log tells.
fn becomes(deed: &mut Deed<'_, '_>, id: TxId, what: Happening, event: Event) -> Result<(), Fault> {
    let known = rows::proposals::one(deed.writing, deed.workspace, id)?;
    let proposal = known.ok_or_else(ApiError::transaction_not_found)?;
    let next = proposal
        .on(what, deed.at)
        .map_err(|unfit| ApiError::uncoded(409, unfit.to_string()))?;
    rows::proposals::update(deed.writing, deed.workspace, &next)?;
    Ok(deed.log(Actor::Gate, event)?)
}

/// The way up: whose, as whom, and what is still under way on it.
struct Way<'a> {
    gate: &'a Arc<Gate>,
    trusted: Trusted<'a>,
    tries: &'a mut Tries,
}

impl Way<'_> {
    /// Sends an approved proposal, if it may still go up.
    async fn send(&mut self, proposal: &Proposal) -> Result<(), String> {
        self.gate.translations.know(proposal);
        let editor = self.trusted.editor_of(proposal.goes_up_for()).await;
        let user = editor.as_ref().ok().map(|editor| editor.user);
        let next = leave::begin(self.gate, proposal.id, user).await?;
        if next.state == State::Approved {
            return editor.map(drop);
        }
        if next.state != State::Sending {
            return Ok(());
        }
        self.tries.begin(next.id);
        self.post(&next).await
    }

    /// Finds out what became of a proposal whose outcome is not known.
    async fn settle(&mut self, proposal: &Proposal) -> Result<(), String> {
        self.gate.translations.know(proposal);
        if let Some(found) = self.look_up(proposal).await? {
            return self.found(proposal, found).await;
        }
        self.post(proposal).await
    }

    /// Its transaction, if upstream has it, as whoever may look.
    async fn look_up(&mut self, proposal: &Proposal) -> Result<Option<Transaction>, String> {
        let looker = match self.trusted.editor_of(proposal.goes_up_for()).await {
            Ok(editor) => editor,
            Err(_) => self.trusted.any().await?,
        };
        look_up(&looker.client, proposal).await
    }

    /// Sends what upstream does not know, unless it may not go up any more. Upstream was asked
    /// meanwhile, so it is read again: somebody may have taken it back.
    async fn post(&mut self, known: &Proposal) -> Result<(), String> {
        // Before the last look: after it nothing is waited for.
        let editor = self.trusted.editor_of(known.goes_up_for()).await;
        let user = editor.as_ref().ok().map(|editor| editor.user);
        let proposal = match leave::again(self.gate, known.id, user).await? {
            Leave::Goes(proposal) => proposal,
            Leave::TakenBack(proposal) => return self.never_arrived(&proposal).await,
            Leave::MayNot(proposal, why) => {
                return self.failed(&proposal, Reason::open(why)).await;
            }
            Leave::Over => return Ok(()),
        };
        let (proposal, editor) = (&*proposal, editor?);
        if !self.gate.may_serve() {
            return Err("whether its connection may still propose is not known now".to_owned());
        }
        let body =
            serde_json::to_vec(&proposal.upstream_body()).map_err(|error| error.to_string())?;
        let key = proposal.id.to_string();
        let sent = editor
            .client
            .write(
                Method::POST,
                "/v1/transactions",
                Bytes::from(body),
                Once::KeyedUnrepeated(&key),
            )
            .await;
        match sent.and_then(|answer| answer.json::<CreateTransactionResponse>()) {
            Ok(created) => self.arrived(proposal, created.id).await,
            // It is looked up in the next round.
            Err(error) if error.outcome_unknown() || error.code() == Some(DUPLICATE) => {
                self.tries.unknown(proposal.id, self.gate.clock.now());
                Ok(())
            }
            Err(ClientError::Status {
                status,
                code,
                message,
            }) if is_refusal(status, code) => {
                // An earlier try of unknown outcome may have arrived meanwhile: then this one is
                // refused because of that one, and nothing has failed.
                if let Some(found) = self.look_up(proposal).await? {
                    return self.found(proposal, found).await;
                }
                let reason = Reason {
                    why: format!("upstream refused it: {message}"),
                    told: Some("upstream refused it".to_owned()),
                };
                self.failed(proposal, reason).await
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Upstream has a transaction with its id: it has arrived, or another stands in its place for ever.
    async fn found(&mut self, proposal: &Proposal, found: Transaction) -> Result<(), String> {
        let Some(what) = stray::differs(self.gate, proposal, &found).await? else {
            return self.arrived(proposal, found.id).await;
        };
        let why =
            format!("upstream has another transaction under its id: the {what} is not its own");
        let (id, of) = (proposal.id, proposal.clone());
        let work = move |deed: &mut Deed<'_, '_>| {
            stray::astray(deed.writing, deed.workspace, (&of, &found), deed.at)?;
            let event = Event::ProposalFailed {
                proposal: id,
                connection: of.asked_by(),
                why: why.clone(),
            };
            becomes(
                deed,
                id,
                Happening::Failed(Reason::kept(why.as_str())),
                event,
            )
        };
        let done = self.gate.deed(work).await;
        done.map_err(|error| error.message().to_owned())?;
        self.tries.forget(id);
        Ok(())
    }

    async fn arrived(&mut self, proposal: &Proposal, upstream: TxId) -> Result<(), String> {
        let event = Event::ProposalSent {
            proposal: proposal.id,
            connection: proposal.asked_by(),
            upstream,
        };
        self.end(proposal, Happening::Sent(upstream), event).await
    }

    /// Upstream does not have it, and it may not go up.
    async fn failed(&mut self, proposal: &Proposal, reason: Reason) -> Result<(), String> {
        self.nothing_under_way(proposal)?;
        let event = Event::ProposalFailed {
            proposal: proposal.id,
            connection: proposal.asked_by(),
            why: reason.why.clone(),
        };
        self.end(proposal, Happening::Failed(reason), event).await
    }

    /// Upstream does not have it, and it was taken back.
    async fn never_arrived(&mut self, proposal: &Proposal) -> Result<(), String> {
        self.nothing_under_way(proposal)?;
        let taken_back = proposal.taken_back.as_ref();
        let event = Event::ProposalRejected {
            proposal: proposal.id,
            connection: proposal.asked_by(),
            reason: taken_back
                .map(|taken| taken.why.clone())
                .unwrap_or_default(),
            told: taken_back.and_then(|taken| taken.told.clone()),
        };
        self.end(proposal, Happening::NeverArrived, event).await
    }

    /// That upstream does not have it is final only once no earlier try can arrive any more.
    fn nothing_under_way(&self, proposal: &Proposal) -> Result<(), String> {
        if proposal.state == State::Sending
            && self.tries.under_way(proposal.id, self.gate.clock.now())
        {
            return Err("an earlier try may still arrive: it is looked up again".to_owned());
        }
        Ok(())
    }

    async fn end(
        &mut self,
        proposal: &Proposal,
        what: Happening,
        event: Event,
    ) -> Result<(), String> {
        let id = proposal.id;
        let work = move |deed: &mut Deed<'_, '_>| becomes(deed, id, what.clone(), event.clone());
        let done = self.gate.deed(work).await;
        done.map_err(|error| error.message().to_owned())?;
        self.tries.forget(id);
        Ok(())
    }
}

/// Whether upstream itself has said no, for good. Its refusals have a code; a page without one
/// comes from a machine on the way. A 401 is about the key, and a 429 about the moment.
fn is_refusal(status: u16, code: Option<i64>) -> bool {
    status == 400 || (matches!(status, 402..=499) && status != 429 && code.is_some())
}

/// The proposal's transaction, if upstream has it. `None` is upstream's own word that it has not.
pub(crate) async fn look_up(
    editor: &Client,
    proposal: &Proposal,
) -> Result<Option<Transaction>, String> {
    let target = format!(
        "/v1/transactions/external_tx_id/{}",
        proposal.up_external_id()
    );
    match editor
        .get(&target)
        .await
        .and_then(|answer| answer.json::<Transaction>())
    {
        Ok(found) => Ok(Some(found)),
        // Not any 404: a proxy has those, too.
        Err(error) if error.code() == Some(UNKNOWN) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
