//! A probe of the workspace's policy: prepared here, and sent only by an owner's signature over
//! exactly this transfer and these approvers (`operations::proposals::decide`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::{Fault, Scope};
use protocol::error::ApiError;
use protocol::ids::UserId;
use protocol::model::transaction_request::{PlainTransfer, TransactionRequest};
use protocol::time::Millis;
use serde::Deserialize;
use serde_json::json;

use super::connections::find;
use super::proposals::Shown;
use super::{Operator, reason, refused};
use crate::connections::Place;
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::proposals::{PROPOSER, Probe, Proposal, State, in_scope};
use crate::rows;

/// Most approvers that one is expected to ask.
const MAX_EXPECTED: usize = 100;

/// A probe that an owner wants.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// What is sent.
    pub asset: String,
    /// How much: so little that nobody minds it being sent.
    pub amount: String,
    /// From which vault account.
    pub from: String,
    /// To which.
    pub to: String,
    /// The connection whose own Editor proposes it; none: the gate's Editor does.
    #[serde(default)]
    pub connection: Option<String>,
    /// Who must be asked upstream, and nobody else: user ids of the workspace.
    pub expects: BTreeSet<UserId>,
    /// Why.
    pub reason: String,
}

/// Prepares one.
pub(crate) async fn probe(
    gate: &Arc<Gate>,
    operator: &Operator,
    wanted: Wanted,
) -> Result<Shown, ApiError> {
    let why = reason(&wanted.reason)?;
    if gate.is_quarantined() {
        return Err(refused(409, "the gate is in quarantine: nothing is sent"));
    }
    let editor = proposes_as(gate, wanted.connection.as_deref())?;
    check_expected(&wanted.expects, &gate.editors.load())?;
    if wanted.from == wanted.to {
        return Err(refused(400, "a probe goes from one account to another"));
    }
    let place = |id: &str| json!({"type": "VAULT_ACCOUNT", "id": id});
    let body = json!({
        "operation": "TRANSFER", "assetId": wanted.asset, "amount": wanted.amount,
        "source": place(&wanted.from), "destination": place(&wanted.to),
        "note": format!("probe of the policy by {}: it is cancelled", operator.name),
    });
    let plain = PlainTransfer::from_body(&body).map_err(|no| refused(400, no))?;
    if let Some(decimals) = gate.books.decimals(&plain.asset)
        && plain.amount.decimals() > u64::from(decimals)
    {
        return Err(ApiError::bad_amount());
    }
    let name = operator.name.clone();
    let work = move |deed: &mut Deed<'_, '_>| {
        in_scope(deed, &plain, &Scope::whole(deed.workspace))?;
        one_at_a_time(deed)?;
        let mut proposal = Proposal::new(
            PROPOSER.to_owned(),
            plain.asset.clone(),
            TransactionRequest::from(&plain),
            Place::Gate,
            deed.at,
        );
        proposal.probe = Some(Probe::new(
            wanted.expects.clone(),
            wanted.connection.clone(),
            editor,
        ));
        rows::proposals::add(deed.writing, deed.workspace, &proposal)?;
        let event = Event::ProbeMade {
            proposal: proposal.id,
            digest: proposal.digest(),
            reason: why.clone(),
        };
        deed.log(Actor::Operator(name.clone()), event)?;
        Ok(proposal)
    };
    let made = gate.deed(work).await?;
    Ok(Shown::of(gate, made))
}

/// As whom it goes up.
fn proposes_as(gate: &Gate, connection: Option<&str>) -> Result<UserId, ApiError> {
    let Some(name) = connection else {
        let editor = gate.editor().ok_or_else(|| {
            let why = "the gate has no Editor upstream to propose with: run `vestibule gate upstream --editor-api-key ID`";
            refused(409, why)
        });
        return Ok(editor?.user);
    };
    let own = find(gate, name)?.editor;
    let own = own.and_then(|user| gate.own_editor(name, user));
    let own = own.ok_or_else(|| {
        let why = format!(
            "connection {name} has no Editor of its own here: its transactions go up as the gate's"
        );
        refused(409, why)
    });
    Ok(own?.user)
}

/// Whoever is expected is somebody else than who asks.
fn check_expected(
    expects: &BTreeSet<UserId>,
    editors: &BTreeMap<UserId, Millis>,
) -> Result<(), ApiError> {
    if expects.is_empty() || expects.len() > MAX_EXPECTED {
        let why = "name who must be asked upstream: 1 to 100 user ids of the workspace";
        return Err(refused(400, why));
    }
    if expects.iter().any(|user| editors.contains_key(user)) {
        let why = "the gate's own Editor proposes: its approval would be nobody's";
        return Err(refused(400, why));
    }
    Ok(())
}

/// One probe at a time: two could be taken for each other.
fn one_at_a_time(deed: &mut Deed<'_, '_>) -> Result<(), Fault> {
    let all = rows::proposals::probes(deed.writing, deed.workspace)?;
    let goes_on = |one: &&Proposal| match one.state {
        State::Rejected | State::Failed => false,
        _ => one
            .probe
            .as_ref()
            .is_some_and(|probe| probe.ended.is_none()),
    };
    match all.iter().find(goes_on) {
        None => Ok(()),
        Some(one) => Err(refused(
            409,
            format_args!(
                "probe {} is {}: let it end, or reject it",
                one.id,
                one.state.as_str()
            ),
        )
        .into()),
    }
}
