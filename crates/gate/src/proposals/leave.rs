//! The last look before a proposal leaves: connection, place, role and scope may have changed since it
//! was approved. Looked at in the transaction that lets it leave, as it is all written down then.

use std::sync::Arc;

use ledger::Fault;
use protocol::error::ApiError;
use protocol::ids::{TxId, UserId};
use protocol::model::transaction_request::PlainTransfer;
use protocol::role::ProviderRole;

use super::make::in_scope;
use super::{Happening, Proposal, Reason, State};
use crate::ages;
use crate::connections::Place;
use crate::gate::{Deed, Gate};
use crate::identities::UpstreamIds;
use crate::log::{Actor, Event};
use crate::rows;

/// What is to be done with a proposal that is on its way, and that upstream does not know.
pub(super) enum Leave {
    /// It is sent, as whom it was asked for.
    Goes(Box<Proposal>),
    /// Somebody has taken it back.
    TakenBack(Box<Proposal>),
    /// It may not go up any more.
    MayNot(Box<Proposal>, String),
    /// It is on its way no more.
    Over,
}

/// An approved proposal is on its way from now on, or has failed; or it waits, if there is nobody to send
/// it as.
pub(super) async fn begin(
    gate: &Arc<Gate>,
    id: TxId,
    editor: Option<UserId>,
) -> Result<Proposal, String> {
    let on = Arc::clone(gate);
    let work = move |deed: &mut Deed<'_, '_>| {
        let proposal = known(deed, id)?;
        nothing_holds(deed)?;
        let (what, event) = match why_not(&on, deed, &proposal)? {
            None if editor.is_none() => return Ok(proposal),
            None => (Happening::Sending, None),
            Some(why) => {
                let event = Event::ProposalFailed {
                    proposal: id,
                    connection: proposal.asked_by(),
                    why: why.clone(),
                };
                (Happening::Failed(Reason::open(why)), Some(event))
            }
        };
        let unfit = |unfit: super::Unfit| ApiError::uncoded(409, unfit.to_string());
        let next = proposal.on(what, deed.at).map_err(unfit)?;
        rows::proposals::update(deed.writing, deed.workspace, &next)?;
        if let Some(event) = event {
            deed.log(Actor::Gate, event)?;
        }
        Ok(next)
    };
    let done = gate.deed(work).await;
    done.map_err(|error| error.message().to_owned())
}

/// What is to be done with one that is on its way, if it is to be sent as this API user.
pub(super) async fn again(
    gate: &Arc<Gate>,
    id: TxId,
    editor: Option<UserId>,
) -> Result<Leave, String> {
    let on = Arc::clone(gate);
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut proposal = Box::new(known(deed, id)?);
        if proposal.state != State::Sending {
            return Ok(Leave::Over);
        }
        if proposal.taken_back.is_some() {
            return Ok(Leave::TakenBack(proposal));
        }
        if let Some(why) = why_not(&on, deed, &proposal)? {
            return Ok(Leave::MayNot(proposal, why));
        }
        nothing_holds(deed)?;
        let proposes = proposes(deed, &proposal)?;
        let Some(editor) = editor.filter(|editor| proposes == Some(*editor)) else {
            let why = "there is nobody to send it as, or somebody else by now";
            return Err(ApiError::uncoded(409, why).into());
        };
        // Whoever else makes a transaction of its id is not the gate.
        if proposal.went_up_as.insert(editor) {
            rows::proposals::update(deed.writing, deed.workspace, &proposal)?;
        }
        Ok(Leave::Goes(proposal))
    };
    let done = gate.deed(work).await;
    done.map_err(|error| error.message().to_owned())
}

fn known(deed: &mut Deed<'_, '_>, id: TxId) -> Result<Proposal, Fault> {
    let known = rows::proposals::one(deed.writing, deed.workspace, id)?;
    Ok(known.ok_or_else(ApiError::transaction_not_found)?)
}

/// The API user that proposes it, as it is written down now.
fn proposes(deed: &mut Deed<'_, '_>, proposal: &Proposal) -> Result<Option<UserId>, Fault> {
    let name = proposal.goes_up_for();
    let known = rows::connections::connection(deed.writing, deed.workspace, name)?;
    match known.and_then(|connection| connection.editor) {
        Some(own) => Ok(Some(own)),
        None => Ok(UpstreamIds::read(deed.writing, deed.workspace)?.editor),
    }
}

fn nothing_holds(deed: &mut Deed<'_, '_>) -> Result<(), Fault> {
    match rows::strays::held(deed.writing, deed.workspace)? {
        None => Ok(()),
        Some(why) => Err(ApiError::uncoded(409, why).into()),
    }
}

/// Why it may not go up any more, if it is so. It waits while the books are too old to judge it by.
fn why_not(
    gate: &Gate,
    deed: &mut Deed<'_, '_>,
    proposal: &Proposal,
) -> Result<Option<String>, Fault> {
    // The owner's signature over exactly this is all that a probe has.
    if let Some(probe) = &proposal.probe {
        let as_signed = probe.editor.is_none() || proposes(deed, proposal)? == probe.editor;
        let why = "it was to go up as an API user that proposes no more";
        return Ok((!as_signed).then(|| why.to_owned()));
    }
    let (workspace, name) = (deed.workspace, &proposal.connection);
    let why = |why: &str| Ok(Some(why.to_owned()));
    let Some(connection) = rows::connections::connection(deed.writing, workspace, name)? else {
        return why("the connection is gone");
    };
    if !connection.comes_in(deed.at) {
        let standing = connection.standing(deed.at);
        return Ok(Some(format!("the connection is {}", standing.as_str())));
    }
    if connection.role != ProviderRole::Editor {
        return why("the connection may not propose any more");
    }
    if connection.place == Place::Gate && proposal.decision.is_none() {
        return why(
            "what the connection proposes is approved at the gate now, and nobody has approved this: propose it again",
        );
    }
    let transfer = serde_json::to_value(&proposal.transfer).unwrap_or_default();
    let Ok(plain) = PlainTransfer::from_body(&transfer) else {
        return why("it is no plain transfer");
    };
    gate.fresh_for(&connection, &ages::PROPOSED)
        .map_err(ApiError::from)?;
    match in_scope(deed, &plain, &connection.scope(workspace)) {
        Ok(()) => Ok(None),
        Err(Fault::Refused(no)) => Ok(Some(format!(
            "it is out of the connection's scope now: {}",
            no.message()
        ))),
        Err(store) => Err(store),
    }
}

#[cfg(test)]
mod tests;
