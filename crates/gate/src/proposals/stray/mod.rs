//! Strays: transactions upstream that are the gate's own, by their maker or by their id, and that
//! nobody let go: no proposal is behind them, or nobody approved it. Each is an alarm, is cancelled
//! where upstream still lets it, and stops dispatch until the client's people resume it. Pure here.

mod differs;
mod follow;
mod notice;

use protocol::ids::{TxId, UserId};
use protocol::model::transaction::{AuthorizationInfo, Transaction, TransactionStatus};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use differs::difference;
pub(super) use follow::{differs, follow, open};
pub(crate) use notice::{Known, notice};
pub(super) use notice::{astray, raise};

use super::{Proposal, State};

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stray {
    /// Its id upstream.
    pub upstream: TxId,
    /// Its initiator's id there, as far as it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The proposal that it is, or passes for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<TxId>,
    /// What is wrong with it.
    pub why: Why,
    /// How far the gate is with it.
    pub standing: Standing,
    /// When it was noticed.
    pub seen_at: Millis,
    /// How far it was when it was looked at last.
    pub status: TransactionStatus,
}

/// What is wrong with a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Why {
    /// The gate knows nothing of it.
    NoProposal,
    /// Its proposal was not sent: nobody approved it, or it was taken back.
    NotSent,
    /// It has the id of a proposal that was sent, and is not what was approved.
    Differs,
    /// It must wait for approvers upstream, and went on without.
    SkippedAuthorization,
}

impl Why {
    /// It, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoProposal => "no proposal is behind it",
            Self::NotSent => "its proposal was not sent from here",
            Self::Differs => "it has a proposal's id, and is not what was approved",
            Self::SkippedAuthorization => "it went on upstream without anybody's approval",
        }
    }
}

/// How far the gate is with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Standing {
    /// It is looked up before it is judged; nothing is sent meanwhile.
    Suspected,
    /// It was none.
    Cleared,
    /// An alarm and no more: the gate may have forgotten it, or it is somebody else's.
    Told,
    /// It has stopped dispatch, and is cancelled.
    Raised,
    /// Nothing more comes of it.
    Ended,
}

impl Standing {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suspected => "SUSPECTED",
            Self::Cleared => "CLEARED",
            Self::Told => "TOLD",
            Self::Raised => "RAISED",
            Self::Ended => "ENDED",
        }
    }
}

/// Why nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Since when.
    pub at: Millis,
    /// Which transaction upstream stopped it, the latest of several.
    pub upstream: TxId,
    /// What is wrong with that.
    pub why: Why,
}

impl Stopped {
    /// It, in words.
    pub fn words(&self) -> String {
        format!(
            "transaction {} upstream: {}",
            self.upstream,
            self.why.words()
        )
    }
}

/// A transaction upstream that may be the gate's own.
#[derive(Clone, Copy)]
struct Seen<'a> {
    transaction: &'a Transaction,
    /// Who made it, if that can be told.
    maker: Option<UserId>,
    /// Since when that is an Editor of the gate's, if it is one or was.
    by_editor: Option<Millis>,
    /// Whether it has an id as the gate gives them.
    named: bool,
    /// The proposal that its id names.
    proposal: Option<&'a Proposal>,
}

impl Seen<'_> {
    /// What of it is not as its proposal says. Before `since` the gate may have had another Editor.
    fn differs(&self, proposal: &Proposal, since: Millis) -> Option<&'static str> {
        let sent_as = &proposal.went_up_as;
        let by_another = if sent_as.is_empty() {
            self.by_editor.is_none() && self.transaction.created_at >= since
        } else {
            !self.maker.is_some_and(|maker| sent_as.contains(&maker))
        };
        difference(proposal, self.transaction).or(by_another.then_some("initiator"))
    }
}

/// Whether it is one, and how far the gate goes with it. Before `since` the gate's store does not know
/// of everything that its Editor did.
fn judge(seen: Seen<'_>, quarantined: bool, since: Millis) -> Option<(Why, Standing)> {
    let why = match seen.proposal {
        None => Why::NoProposal,
        // What a copy takes for unsent is looked up before the copy is released.
        Some(one) if quarantined && one.state == State::Approved => return None,
        Some(one) if !one.state.may_be_upstream() => Why::NotSent,
        Some(one) if seen.differs(one, since).is_some() => Why::Differs,
        Some(one) if waits_upstream(one) && skipped(seen.transaction) => Why::SkippedAuthorization,
        Some(_) => return None,
    };
    let standing = match why {
        _ if quarantined => Standing::Told,
        // An event may leave things out.
        Why::Differs | Why::SkippedAuthorization => Standing::Suspected,
        _ if seen
            .by_editor
            .is_some_and(|own| seen.transaction.created_at >= own.max(since)) =>
        {
            Standing::Raised
        }
        _ if seen.named => Standing::Told,
        _ => return None,
    };
    Some((why, standing))
}

/// Whether the workspace's own approvers must let it go: nobody here has, or it is there to show that
/// they do.
fn waits_upstream(proposal: &Proposal) -> bool {
    let approved_here = proposal.decision.is_some() && proposal.probe.is_none();
    !approved_here && proposal.approved_upstream.is_none()
}

/// Whether it went on without anybody's word, as far as is shown of it.
pub(super) fn skipped(seen: &Transaction) -> bool {
    let approved = seen.authorization_info.as_ref().is_some_and(is_approved);
    went_on(seen.status) && !approved
}

/// Whether it is past whoever must approve it.
const fn went_on(status: TransactionStatus) -> bool {
    use TransactionStatus as S;
    matches!(
        status,
        S::Queued
            | S::PendingSignature
            | S::Pending3rdPartyManualApproval
            | S::Pending3rdParty
            | S::Broadcasting
            | S::Confirming
            | S::Completed
    )
}

/// Whether somebody's word is needed.
pub(super) fn needs_somebody(info: &AuthorizationInfo) -> bool {
    let mut needs = info.groups.iter().map(|group| group.th > 0);
    match info.logic.as_str() {
        "OR" => !info.groups.is_empty() && needs.all(|needs| needs),
        _ => needs.any(|needs| needs),
    }
}

/// Whether somebody's word was needed, and given.
pub(super) fn is_approved(info: &AuthorizationInfo) -> bool {
    needs_somebody(info) && info.is_approved()
}

#[cfg(test)]
mod tests;
