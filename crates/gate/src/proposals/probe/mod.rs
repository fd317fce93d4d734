//! Probes: a dust transfer between two of the client's own accounts that shows what the workspace's
//! policy does. It is a proposal like any other, by the gate itself, that only an owner's signature
//! sends; it must wait for the expected approvers, and is cancelled. Pure here.

mod follow;

use std::collections::BTreeSet;

use protocol::ids::UserId;
use protocol::model::transaction::{AuthorizationInfo, Transaction, TransactionStatus};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use super::stray::needs_somebody;

pub(super) use follow::{follow, under_way};

/// Whose proposals probes are. No connection has such a name.
pub const PROPOSER: &str = "doctor:probe";
/// How long the policy may take to decide.
const PATIENCE: i64 = Millis::MINUTE;

/// What a probe is for, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The connection whose own Editor proposes it; none: the gate's Editor does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Which API user that is: as another it is not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub editor: Option<UserId>,
    /// Who must be asked, by the workspace's user ids: these and nobody else.
    pub expects: BTreeSet<UserId>,
    /// What the policy did, once that is seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judgement>,
    /// How the transaction ended upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<TransactionStatus>,
}

/// What the policy did with a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Whether it held; nothing: that cannot be told.
    pub held: Option<bool>,
    /// What was seen.
    pub saw: String,
}

impl Judgement {
    fn new(held: impl Into<Option<bool>>, saw: impl Into<String>) -> Self {
        Self {
            held: held.into(),
            saw: saw.into(),
        }
    }
}

impl Probe {
    /// One that expects these, proposed as a connection's own Editor or the gate's.
    pub fn new(expects: BTreeSet<UserId>, connection: Option<String>, editor: UserId) -> Self {
        Self {
            connection,
            editor: Some(editor),
            expects,
            judged: None,
            ended: None,
        }
    }

    /// What the policy did, as far as the transaction shows it; nothing: it has not decided.
    fn judge(&self, seen: &Transaction, waited: i64) -> Option<Judgement> {
        use TransactionStatus as S;
        let groups = |info: &&AuthorizationInfo| !info.groups.is_empty();
        if let Some(info) = seen.authorization_info.as_ref().filter(groups) {
            return Some(self.asked(seen.status, info));
        }
        let sub = |word: &str| match seen.sub_status.as_str() {
            "" => word.to_owned(),
            sub => format!("{word} ({sub})"),
        };
        let status = sub(seen.status.as_str());
        match seen.status {
            S::Submitted
            | S::PendingAmlScreening
            | S::PendingEnrichment
            | S::PendingAuthorization => {
                let late = || {
                    Judgement::new(
                        None,
                        format!("after a minute it is {status}, and nobody is named who was asked"),
                    )
                };
                (waited > PATIENCE).then(late)
            }
            S::Cancelling | S::Cancelled | S::Rejected | S::Failed => Some(Judgement::new(
                None,
                format!(
                    "it ended as {status} before anybody was asked: nothing is shown of the approvers"
                ),
            )),
            S::Blocked => Some(Judgement::new(
                false,
                format!(
                    "the policy blocks it ({status}): nothing moves, and nobody is asked either"
                ),
            )),
            _ => Some(Judgement::new(
                false,
                format!("the policy let it through: nobody was asked, and it is {status}"),
            )),
        }
    }

    /// Somebody was asked: whether these are the ones.
    fn asked(&self, status: TransactionStatus, info: &AuthorizationInfo) -> Judgement {
        let users = info.groups.iter().flat_map(|group| group.users.keys());
        let asked: BTreeSet<&str> = users.map(String::as_str).collect();
        let expects: BTreeSet<String> = self.expects.iter().map(UserId::to_string).collect();
        let expected: BTreeSet<&str> = expects.iter().map(String::as_str).collect();
        let waits = status == TransactionStatus::PendingAuthorization;
        if !needs_somebody(info) {
            return Judgement::new(false, "the policy asks approvers, and needs none of them");
        }
        if status > TransactionStatus::PendingAuthorization
            && status <= TransactionStatus::Completed
            && status != TransactionStatus::Cancelling
            && !info.is_approved()
        {
            let saw = format!("it went on to {} without the approvals", status.as_str());
            return Judgement::new(false, saw);
        }
        if asked != expected {
            let list = |of: Vec<&&str>| match of.as_slice() {
                [] => "nobody".to_owned(),
                some => some.iter().map(|one| **one).collect::<Vec<_>>().join(", "),
            };
            let missing = list(expected.difference(&asked).collect());
            let more = list(asked.difference(&expected).collect());
            let saw = format!(
                "it asks others: expected and not asked: {missing}; asked and not expected: {more}"
            );
            return Judgement::new(false, saw);
        }
        let saw = if waits {
            "it waits for exactly the expected approvers"
        } else if info.is_approved() {
            "exactly the expected approvers were asked, and they approved it before it was cancelled"
        } else {
            "exactly the expected approvers were asked, and it was ended before they approved"
        };
        Judgement::new(true, saw)
    }
}

#[cfg(test)]
mod tests;
