//! Proposals: listed, shown, approved, rejected. A decision is signed with the operator's own key,
//! over the digest of exactly that transaction.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::error::ApiError;
use protocol::ids::TxId;
use protocol::model::transaction::PeerKind;
use protocol::model::transaction_request::PeerRequest;
use protocol::model::whitelist::WhitelistKind;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::StoreError;

use super::{MAX_REASON, Operator, reason, refused};
use crate::admin_api::page::{Page, Rows};
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::operators::OperatorRole;
use crate::proposals::{Decision, Happening, Proposal, Reason, State};
use crate::rows;

/// A proposal, with what a decision is over.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// The proposal.
    #[serde(flatten)]
    pub proposal: Proposal,
    /// What a decision is over, hex.
    pub digest: String,
    /// What the client calls the places it names.
    pub names: Names,
}

/// What the client calls the places of a proposal, as far as the books know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Names {
    /// Where it comes from.
    pub source: Option<String>,
    /// Where it goes.
    pub destination: Option<String>,
}

impl Shown {
    pub(super) fn of(gate: &Gate, proposal: Proposal) -> Self {
        let name = |peer: &Option<PeerRequest>| {
            let peer = peer.as_ref()?;
            let id = peer.id.as_deref()?;
            let listed = |kind| gate.books.whitelist_name(kind, id.parse().ok()?);
            match peer.kind {
                PeerKind::VaultAccount => gate.books.account_name(id.parse().ok()?),
                PeerKind::InternalWallet => listed(WhitelistKind::Internal),
                PeerKind::ExternalWallet => listed(WhitelistKind::External),
                _ => None,
            }
        };
        Self {
            digest: proposal.digest(),
            names: Names {
                source: name(&proposal.transfer.source),
                destination: name(&proposal.transfer.destination),
            },
            proposal,
        }
    }
}

/// The newest proposals.
pub(crate) async fn list(gate: &Gate, page: &Page) -> Result<Rows<Shown>, ApiError> {
    let workspace = gate.workspace();
    let after = page.key(|text| {
        let (at, id) = text.split_once(' ')?;
        Some((Millis(at.parse().ok()?), id.parse().ok()?))
    })?;
    let wanted = page.wanted();
    let read = gate
        .store
        .read(move |reading| rows::proposals::newest(reading, workspace, after, wanted));
    let list = read
        .await
        .map_err(|error: StoreError| refused(500, error))?;
    let shown = |proposal| Shown::of(gate, proposal);
    let key = |one: &Shown| format!("{} {}", one.proposal.created_at, one.proposal.id);
    Ok(page.cut(list.into_iter().map(shown).collect(), key))
}

/// One proposal.
pub(crate) async fn show(gate: &Gate, id: TxId) -> Result<Shown, ApiError> {
    let workspace = gate.workspace();
    let read = gate
        .store
        .read(move |reading| rows::proposals::one(reading, workspace, id));
    let found = read
        .await
        .map_err(|error: StoreError| refused(500, error))?;
    found
        .map(|proposal| Shown::of(gate, proposal))
        .ok_or_else(|| refused(404, "there is no such proposal"))
}

/// A decision, as it is sent in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// What it is over: the digest that the operator saw.
    pub digest: String,
    /// The operator's signature over [`signed_text`], base64.
    pub signature: String,
    /// Why not, for a rejection.
    #[serde(default)]
    pub reason: String,
}

impl Verdict {
    /// Whether this very operator has signed that text.
    pub(super) fn check(&self, operator: &Operator, text: &str) -> Result<(), ApiError> {
        let signed = STANDARD
            .decode(&self.signature)
            .is_ok_and(|signature| operator.key.verifies_rs256(text.as_bytes(), &signature));
        if signed {
            return Ok(());
        }
        let why = "the signature is not this operator's over this decision";
        Err(refused(400, why))
    }
}

/// A no to a proposal, as it is sent in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    /// What it is over: the digest that the operator saw.
    pub digest: String,
    /// The operator's signature over [`signed_text`], base64.
    pub signature: String,
    /// Why: for the client's people alone.
    #[serde(default)]
    pub reason: String,
    /// What the provider is to read; nothing: that the client rejected it.
    #[serde(default)]
    pub tell: Option<String>,
}

/// A decision over a proposal.
pub(crate) enum Word {
    /// It may go up.
    Yes(Verdict),
    /// It may not.
    No(Rejection),
}

impl Word {
    /// Who signed what, and of a no its reason.
    fn parts(self) -> Result<(Verdict, Option<Reason>), ApiError> {
        match self {
            Self::Yes(verdict) => Ok((verdict, None)),
            Self::No(no) => {
                let reason = Reason {
                    why: reason(&no.reason)?,
                    told: told(no.tell.as_deref())?,
                };
                let verdict = Verdict {
                    digest: no.digest,
                    signature: no.signature,
                    reason: no.reason,
                };
                Ok((verdict, Some(reason)))
            }
        }
    }
}

/// What a provider is to read, if it is more than fixed words.
fn told(text: Option<&str>) -> Result<Option<String>, ApiError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > MAX_REASON) {
        let why = format_args!("what a provider is told has at most {MAX_REASON} characters");
        return Err(refused(400, why));
    }
    Ok(text.map(str::to_owned))
}

/// What an operator signs: the decision and exactly what it is over.
pub fn signed_text(approve: bool, id: TxId, digest: &str) -> String {
    let word = if approve { "approve" } else { "reject" };
    format!("vestibule {word} {id} {digest}")
}

/// Decides.
pub(crate) async fn decide(
    gate: &Arc<Gate>,
    operator: &Operator,
    id: TxId,
    word: Word,
) -> Result<Shown, ApiError> {
    let (verdict, no) = word.parts()?;
    let approve = no.is_none();
    verdict.check(operator, &signed_text(approve, id, &verdict.digest))?;
    let (name, role) = (operator.name.clone(), operator.role);
    let work = move |deed: &mut Deed<'_, '_>| {
        let known = rows::proposals::one(deed.writing, deed.workspace, id)?
            .ok_or_else(|| refused(404, "there is no such proposal"))?;
        if known.digest() != verdict.digest {
            return Err(refused(409, "the digest is not this proposal's: look at it again").into());
        }
        if approve && known.probe.is_some() && role != OperatorRole::Owner {
            return Err(refused(403, "a probe may complete: an owner alone sends it").into());
        }
        let decision = Decision {
            operator: name.clone(),
            at: deed.at,
            signature: verdict.signature.clone(),
        };
        let happening = match &no {
            None => Happening::Approved(decision),
            Some(reason) => Happening::Rejected(decision, reason.clone()),
        };
        let next = known
            .on(happening, deed.at)
            .map_err(|unfit| refused(409, unfit))?;
        rows::proposals::update(deed.writing, deed.workspace, &next)?;
        let connection = next.asked_by();
        let event = match no.clone() {
            None => Event::ProposalApproved {
                proposal: id,
                connection,
                digest: verdict.digest.clone(),
                place: "gate".to_owned(),
                evidence: verdict.signature.clone(),
            },
            // Whether this came in time is not known yet: the dispatcher finds out.
            Some(no) if next.state == State::Sending => Event::ProposalTakenBack {
                proposal: id,
                connection,
                reason: no.why,
                told: no.told,
            },
            Some(no) => Event::ProposalRejected {
                proposal: id,
                connection,
                reason: no.why,
                told: no.told,
            },
        };
        deed.log(Actor::Operator(name.clone()), event)?;
        Ok(next)
    };
    let next = gate.deed(work).await?;
    gate.proposals.notify_one();
    Ok(Shown::of(gate, next))
}
