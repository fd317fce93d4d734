//! Proposals: what a provider asks for, until it is sent upstream once, or never. Pure here; the
//! dispatcher and the translation stand beside.

mod cancel;
mod dispatch;
mod evidence;
mod leave;
mod make;
mod probe;
mod stray;
mod translate;
mod tries;
mod trusted;

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use protocol::ids::{AssetId, TxId, UserId};
use protocol::model::transaction::{
    AmountInfo, AuthorizationInfo, Peer, Transaction, TransactionStatus,
};
use protocol::model::transaction_request::{PeerRequest, TransactionRequest};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use dispatch::{dispatch, look_up};
pub(crate) use evidence::keep as keep_evidence;
pub(crate) use make::{in_scope, make};
pub use probe::{Judgement, PROPOSER, Probe};
pub(crate) use stray::Known;
pub use stray::{Standing, Stopped, Stray, Why};
pub(crate) use translate::Translations;
pub(crate) use trusted::Trusted;

use crate::connections::Place;

/// What a provider asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The one public id, for everyone at the gate and for ever.
    pub id: TxId,
    /// Whose.
    pub connection: String,
    /// The asset, as the transfer names it.
    pub asset: AssetId,
    /// Exactly what is asked for, with the provider's own id (which never goes up).
    pub transfer: TransactionRequest,
    /// Where it is approved.
    pub place: Place,
    /// How far it is.
    pub state: State,
    /// When it was made.
    pub created_at: Millis,
    /// When it last changed here.
    pub updated_at: Millis,
    /// Who decided here, with the evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Who took it back after it was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_back: Option<TakenBack>,
    /// Who approved it upstream, where it is approved there: the workspace's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_upstream: Option<AuthorizationInfo>,
    /// Its id upstream, once it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_id: Option<TxId>,
    /// Why it ended here: for the client's people alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What its proposer reads of that; nothing: that it was rejected, or could not be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<String>,
    /// What it is for, where it is a probe of the policy, and what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// As which API users it was sent; more than one, where its connection had another Editor when it was
    /// sent again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub went_up_as: BTreeSet<UserId>,
}

/// How far a proposal is at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// Nobody has decided.
    Waiting,
    /// It may go up.
    Approved,
    /// It is on its way up; whether it arrived is not known.
    Sending,
    /// It is upstream.
    Sent,
    /// Somebody said no.
    Rejected,
    /// It cannot go up.
    Failed,
}

impl State {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Approved => "APPROVED",
            Self::Sending => "SENDING",
            Self::Sent => "SENT",
            Self::Rejected => "REJECTED",
            Self::Failed => "FAILED",
        }
    }

    /// Whether upstream may know it.
    pub const fn may_be_upstream(self) -> bool {
        matches!(self, Self::Sending | Self::Sent)
    }
}

/// What somebody decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Which operator.
    pub operator: String,
    /// When.
    pub at: Millis,
    /// The operator's signature over the digest, base64.
    pub signature: String,
}

/// An operator's no after the approval. What is on its way up then ends only once upstream has said
/// that it does not know it: until then nobody can tell whether the no came in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenBack {
    /// Who says so; the approval stands beside it.
    pub decision: Decision,
    /// Why, in the operator's words.
    pub why: String,
    /// What the proposer is to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<String>,
}

/// Why something ends here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// For the client's people: an operator's words, or upstream's.
    pub why: String,
    /// For the proposer; nothing: fixed words.
    pub told: Option<String>,
}

impl Reason {
    /// One that the proposer does not read.
    pub fn kept(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            told: None,
        }
    }

    /// One in the gate's own words, about nothing but the connection and what it proposed.
    pub fn open(why: impl Into<String>) -> Self {
        let why = why.into();
        Self {
            told: Some(why.clone()),
            why,
        }
    }
}

/// What happens to a proposal.
#[derive(Clone, Debug)]
pub enum Happening {
    /// An operator says yes.
    Approved(Decision),
    /// An operator says no.
    Rejected(Decision, Reason),
    /// Upstream does not know it, and never will: what was taken back is over.
    NeverArrived,
    /// It is about to be sent.
    Sending,
    /// Upstream has it.
    Sent(TxId),
    /// It cannot go up.
    Failed(Reason),
}

/// That cannot happen to it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proposal is {}: that cannot be done", .0.as_str())]
pub struct Unfit(pub State);

impl Proposal {
    /// The connection whose Editor upstream proposes it.
    pub(crate) fn goes_up_for(&self) -> &str {
        let probed = self.probe.as_ref();
        let probed = probed.and_then(|probe| probe.connection.as_deref());
        probed.unwrap_or(&self.connection)
    }

    /// The connection that asked for it; a probe is the client's own.
    pub(crate) fn asked_by(&self) -> Option<String> {
        self.probe.is_none().then(|| self.connection.clone())
    }

    /// What it is after something happened.
    pub fn on(&self, what: Happening, at: Millis) -> Result<Self, Unfit> {
        let mut next = Self {
            updated_at: at,
            ..self.clone()
        };
        match (self.state, what) {
            (State::Waiting, Happening::Approved(decision)) => {
                next.state = State::Approved;
                next.decision = Some(decision);
            }
            (State::Waiting, Happening::Rejected(decision, reason)) => {
                next.decision = Some(decision);
                next.ends(State::Rejected, reason);
            }
            (State::Approved, Happening::Rejected(decision, reason)) => {
                next.taken_back = Some(TakenBack::of(decision, reason.clone()));
                next.ends(State::Rejected, reason);
            }
            (State::Sending, Happening::Rejected(decision, reason))
                if self.taken_back.is_none() =>
            {
                next.taken_back = Some(TakenBack::of(decision, reason));
            }
            (State::Sending, Happening::NeverArrived) => {
                let Some(taken_back) = &self.taken_back else {
                    return Err(Unfit(self.state));
                };
                let reason = Reason {
                    why: taken_back.why.clone(),
                    told: taken_back.told.clone(),
                };
                next.ends(State::Rejected, reason);
            }
            (State::Approved, Happening::Sending) => next.state = State::Sending,
            (State::Sending, Happening::Sent(id)) => {
                next.state = State::Sent;
                next.upstream_id = Some(id);
            }
            (State::Approved | State::Sending, Happening::Failed(reason)) => {
                next.ends(State::Failed, reason);
            }
            (state, _) => return Err(Unfit(state)),
        }
        Ok(next)
    }

    fn ends(&mut self, state: State, reason: Reason) {
        self.state = state;
        self.why = Some(reason.why);
        self.told = reason.told;
    }

    /// One that was just made: it waits for the client's people, here or at Fireblocks.
    pub(crate) fn new(
        connection: String,
        asset: AssetId,
        transfer: TransactionRequest,
        place: Place,
        at: Millis,
    ) -> Self {
        Self {
            id: TxId(Uuid::new_v4()),
            connection,
            asset,
            transfer,
            place,
            state: match place {
                Place::Gate => State::Waiting,
                Place::Fireblocks => State::Approved,
            },
            created_at: at,
            updated_at: at,
            decision: None,
            taken_back: None,
            approved_upstream: None,
            upstream_id: None,
            why: None,
            told: None,
            probe: None,
            went_up_as: BTreeSet::new(),
        }
    }

    /// The initiator's id that goes up: made from the proposal's, so it can go up once only.
    pub fn up_external_id(&self) -> String {
        up_external_id(self.id)
    }

    /// What goes up: the approved value, under the gate's own external id.
    pub fn upstream_body(&self) -> TransactionRequest {
        TransactionRequest {
            external_tx_id: Some(self.up_external_id()),
            ..self.transfer.clone()
        }
    }

    /// Exactly what an approval is over, hex.
    pub fn digest(&self) -> String {
        let mut what = serde_json::json!({
            "proposal": self.id,
            "connection": self.connection,
            "transfer": self.transfer,
        });
        if let Some(probe) = &self.probe {
            what["expects"] = serde_json::json!(probe.expects);
            what["as"] = serde_json::json!(probe.editor);
        }
        hex::encode(digest(&SHA256, what.to_string().as_bytes()).as_ref())
    }

    /// Why it ended here, as its proposer reads it: never the client's words, unless they were meant for it.
    fn told_why(&self) -> &str {
        match (self.state, &self.told) {
            (State::Rejected | State::Failed, Some(told)) => told,
            (State::Rejected, None) => "the client rejected it",
            (State::Failed, None) => "it could not be sent",
            (State::Waiting | State::Approved | State::Sending | State::Sent, _) => "",
        }
    }

    /// As its proposer, who calls with this API key, sees it until upstream has it.
    pub fn shown(&self, by: UserId) -> Transaction {
        let (status, sub_status) = match self.state {
            State::Waiting | State::Approved | State::Sending | State::Sent => {
                (TransactionStatus::PendingAuthorization, "")
            }
            State::Rejected => (TransactionStatus::Cancelled, "REJECTED_BY_USER"),
            State::Failed => (TransactionStatus::Failed, "AUTHORIZATION_FAILED"),
        };
        let place = |peer: &Option<PeerRequest>| {
            peer.as_ref().map_or(Peer::UNKNOWN, |peer| Peer {
                kind: peer.kind,
                id: peer.id.clone(),
                name: String::new(),
                sub_type: String::new(),
            })
        };
        let amount = self.transfer.amount.clone();
        Transaction {
            external_tx_id: self.transfer.external_tx_id.clone(),
            status,
            sub_status: sub_status.to_owned(),
            note: self.transfer.note.clone().unwrap_or_default(),
            source: place(&self.transfer.source),
            destination: place(&self.transfer.destination),
            amount_info: AmountInfo {
                amount: amount.clone(),
                requested_amount: amount,
                net_amount: None,
                amount_usd: None,
            },
            last_updated: self.updated_at,
            created_by: by.to_string(),
            treat_as_gross_amount: self.transfer.treat_as_gross_amount.unwrap_or(false),
            error_description: self.told_why().to_owned(),
            ..Transaction::new(self.id, self.asset.clone(), self.created_at)
        }
    }
}

impl TakenBack {
    fn of(decision: Decision, reason: Reason) -> Self {
        Self {
            decision,
            why: reason.why,
            told: reason.told,
        }
    }
}

/// What `externalTxId` a proposal has upstream.
pub(crate) fn up_external_id(id: TxId) -> String {
    format!("{EXTERNAL_PREFIX}{id}")
}

/// What every such id begins with.
pub(crate) const EXTERNAL_PREFIX: &str = "vestibule-";

#[cfg(test)]
mod tests;
