//! Sending approved proposals upstream: each at most once.
//!
//! A proposal is marked as on its way before it is sent, so after a crash its outcome is asked for
//! before anything is sent again; only when upstream says that it knows no such `externalTxId` is
//! it sent again, with the same one. A duplicate (1438) counts as found.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use protocol::ids::TxId;
use protocol::model::transaction::Transaction;
use protocol::model::transaction_request::CreateTransactionResponse;
use protocol::role::ProviderRole;
use tokio_util::sync::CancellationToken;
use wire::client::{Client, ClientError, Once};

use super::{Happening, Proposal, State};
use crate::connections;
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::rows;
use ledger::Fault;

/// How long to wait when upstream cannot be reached.
const PAUSE: Duration = Duration::from_secs(5);
/// `externalTxId` exists already.
const DUPLICATE: i64 = 1438;
/// No such `externalTxId`.
const UNKNOWN: i64 = 1439;

/// Sends until told to end.
pub(crate) async fn dispatch(gate: Arc<Gate>, shutdown: CancellationToken) {
    loop {
        let rested = match round(&gate).await {
            Ok(left) => !left,
            Err(error) => {
                tracing::warn!(%error, "proposals wait");
                false
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = gate.proposals.notified() => {}
            () = tokio::time::sleep(PAUSE), if !rested => {}
        }
    }
}

/// Takes every proposal that is due one step further; whether any is left.
async fn round(gate: &Arc<Gate>) -> Result<bool, String> {
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
    if due.is_empty() {
        return Ok(false);
    }
    let Some(editor) = gate.editor() else {
        tracing::warn!(
            waiting = due.len(),
            "proposals wait: the Editor's API key is not set"
        );
        return Ok(true);
    };
    let key = gate.upstream.read().editor;
    let ours = gate.opens(&editor, key).await;
    ours.map_err(|error| error.to_string())?;
    let mut left = false;
    for proposal in due {
        let settled = match proposal.state {
            State::Sending => settle(gate, &editor, &proposal).await,
            _ => send(gate, &editor, &proposal).await,
        };
        match settled {
            Ok(settled) => left |= !settled,
            Err(error) => {
                tracing::warn!(proposal = %proposal.id, %error, "a proposal waits");
                left = true;
            }
        }
    }
    Ok(left)
}

async fn happen(
    gate: &Arc<Gate>,
    id: TxId,
    what: Happening,
    event: Option<Event>,
) -> Result<Proposal, String> {
    let work = move |deed: &mut Deed<'_, '_>| {
        let known = rows::proposals::one(deed.writing, deed.workspace, id)?;
        let proposal = known.ok_or_else(protocol::error::ApiError::transaction_not_found)?;
        let next = proposal
            .on(what.clone(), deed.at)
            .map_err(|unfit| protocol::error::ApiError::uncoded(409, unfit.to_string()))?;
        rows::proposals::update(deed.writing, deed.workspace, &next)?;
        if let Some(event) = &event {
            deed.log(Actor::Gate, event.clone())?;
        }
        Ok::<_, Fault>(next)
    };
    gate.deed(work)
        .await
        .map_err(|error| error.message().to_owned())
}

/// Sends an approved proposal; whether that settled it.
async fn send(gate: &Arc<Gate>, editor: &Client, proposal: &Proposal) -> Result<bool, String> {
    if let Err(why) = still_allowed(gate, proposal) {
        let event = Event::ProposalFailed {
            proposal: proposal.id,
            why: why.clone(),
        };
        happen(gate, proposal.id, Happening::Failed(why), Some(event)).await?;
        return Ok(true);
    }
    gate.translations.know(proposal);
    let proposal = happen(gate, proposal.id, Happening::Sending, None).await?;
    post(gate, editor, &proposal).await
}

/// Connection, role and scope once more: they may have changed since the approval.
fn still_allowed(gate: &Gate, proposal: &Proposal) -> Result<(), String> {
    let directory = gate.directory.load();
    let provider = directory
        .named(&proposal.connection)
        .ok_or("the connection is gone")?;
    let connection = &provider.connection;
    if connection.state != connections::State::Active {
        return Err(format!("the connection is {}", connection.state.as_str()));
    }
    if connection.role != ProviderRole::Editor {
        return Err("the connection may not propose any more".to_owned());
    }
    let source = proposal
        .transfer
        .source
        .as_ref()
        .and_then(|source| source.id.as_deref()?.parse().ok());
    let covered =
        source.is_some_and(|account| provider.scope.covers_wallet(account, &proposal.asset));
    if covered {
        Ok(())
    } else {
        Err("the source is out of the connection's scope now".to_owned())
    }
}

async fn post(gate: &Arc<Gate>, editor: &Client, proposal: &Proposal) -> Result<bool, String> {
    let body = serde_json::to_vec(&proposal.upstream_body()).map_err(|error| error.to_string())?;
    let key = proposal.id.to_string();
    let sent = editor
        .write(
            Method::POST,
            "/v1/transactions",
            Bytes::from(body),
            Once::KeyedUnrepeated(&key),
        )
        .await;
    match sent.and_then(|answer| answer.json::<CreateTransactionResponse>()) {
        Ok(created) => arrived(gate, proposal, created.id).await,
        // It is looked up in the next round.
        Err(error) if error.outcome_unknown() || error.code() == Some(DUPLICATE) => Ok(false),
        Err(ClientError::Status {
            status,
            code,
            message,
        }) if is_refusal(status, code) => {
            // An earlier try of unknown outcome may have arrived meanwhile: then this one is refused
            // because of that one, and nothing has failed.
            if let Some(found) = look_up(editor, proposal).await? {
                return arrived(gate, proposal, found.id).await;
            }
            let why = format!("upstream refused it: {message}");
            let event = Event::ProposalFailed {
                proposal: proposal.id,
                why: why.clone(),
            };
            happen(gate, proposal.id, Happening::Failed(why), Some(event)).await?;
            Ok(true)
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Whether upstream itself has said no, for good. Its refusals have a code; a page without one
/// comes from a machine on the way. A 401 is about the key, and a 429 about the moment.
fn is_refusal(status: u16, code: Option<i64>) -> bool {
    status == 400 || (matches!(status, 402..=499) && status != 429 && code.is_some())
}

async fn arrived(gate: &Arc<Gate>, proposal: &Proposal, upstream: TxId) -> Result<bool, String> {
    let event = Event::ProposalSent {
        proposal: proposal.id,
        upstream,
    };
    happen(gate, proposal.id, Happening::Sent(upstream), Some(event)).await?;
    Ok(true)
}

/// Finds out what became of a proposal whose outcome is not known.
async fn settle(gate: &Arc<Gate>, editor: &Client, proposal: &Proposal) -> Result<bool, String> {
    gate.translations.know(proposal);
    match look_up(editor, proposal).await? {
        Some(found) => arrived(gate, proposal, found.id).await,
        None => post(gate, editor, proposal).await,
    }
}

/// The proposal's transaction, if upstream has it. `None` is upstream's own word that it has not.
async fn look_up(editor: &Client, proposal: &Proposal) -> Result<Option<Transaction>, String> {
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
