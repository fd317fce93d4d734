//! Changes that let more through than before: asked for by one operator, made when the quorum has
//! signed. Pure; what narrows needs no quorum and is no change request.

use aws_lc_rs::digest::{SHA256, digest};
use protocol::ids::UserId;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::admin_api::{Name, may};
use crate::connections::{DAY, Move, Terms};
use crate::identities::Identity;
use crate::operators::OperatorRole;
use crate::proposals::Stopped;

/// How long a change may wait for its signatures.
pub const MAX_WAIT: i64 = 14 * DAY;
/// Most that must sign.
pub const MAX_QUORUM: u32 = 16;

/// What is to be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// An approved connection's door opens.
    Activate {
        /// Whose.
        connection: String,
        /// Under which terms.
        terms: Box<Terms>,
    },
    /// A suspended connection's door opens again.
    Resume {
        /// Whose.
        connection: String,
        /// Under which terms.
        terms: Box<Terms>,
    },
    /// A connection may do more.
    Terms {
        /// Whose.
        connection: String,
        /// What it may do now.
        before: Box<Terms>,
        /// What it may do then.
        after: Box<Terms>,
        /// Whether its door opens with that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opens: Option<Move>,
    },
    /// A connection gets another key.
    ReplaceKey {
        /// Whose.
        connection: String,
        /// Names its key of now.
        before: String,
        /// Names the new one.
        fingerprint: String,
        /// The new one, SubjectPublicKeyInfo in hex.
        spki: String,
        /// How long both are let in, in seconds.
        overlap_seconds: u64,
        /// Whether it may be one that was retired.
        again: bool,
    },
    /// A key is good for longer.
    KeyExpiry {
        /// Whose.
        connection: String,
        /// Names it.
        fingerprint: String,
        /// When it expires now; nothing: never.
        before: Option<Millis>,
        /// When it expires then.
        after: Option<Millis>,
    },
    /// A store that was put back serves again.
    Release(Comparison),
    /// Proposals are sent again, after this has stopped them.
    ResumeDispatch(Stopped),
    /// Upstream knows the gate as another than before.
    ReplaceUpstream {
        /// What takes what's place.
        replaced: Vec<Replaced>,
    },
    /// Somebody of the client's comes in.
    AddOperator {
        /// Its name.
        operator: String,
        /// What its tokens are made out to.
        id: UserId,
        /// What it may do.
        role: OperatorRole,
        /// Its public key, SubjectPublicKeyInfo in hex.
        spki: String,
        /// Names its key.
        fingerprint: String,
    },
    /// An operator's role becomes another.
    SetOperatorRole {
        /// Whose.
        operator: String,
        /// What it may do now.
        before: OperatorRole,
        /// What it may do then.
        after: OperatorRole,
    },
    /// An operator comes in no more.
    RemoveOperator {
        /// Who.
        operator: String,
    },
    /// Another number of operators must sign.
    SetQuorum {
        /// How many must sign now.
        before: u32,
        /// How many must sign then.
        after: u32,
    },
}

/// An id of the gate's upstream takes another's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// Of what.
    pub identity: Identity,
    /// The one of now.
    pub before: Uuid,
    /// The one of then.
    pub after: Uuid,
}

impl Replaced {
    /// It, in a few words.
    pub fn words(&self) -> String {
        let Self {
            identity,
            before,
            after,
        } = self;
        format!("{after} becomes {}, not {before}", identity.words())
    }
}

/// A copy of the store, held against a checkpoint that was kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// How many entries the checkpoint counts.
    pub size: u64,
    /// The root of its tree, hex.
    pub root: String,
    /// The life of the store that it was signed in.
    pub epoch: Option<Uuid>,
    /// How many of its entries the copy does not have.
    pub lost: u64,
}

impl Change {
    /// The operation that asks for it: whoever may ask may sign.
    pub const fn asked_by(&self) -> Name {
        match self {
            Self::Activate { .. } => Name::ApproveConnection,
            Self::Resume { .. } => Name::ResumeConnection,
            Self::Terms { .. } => Name::ChangeConnection,
            Self::ReplaceKey { .. } => Name::RotateKey,
            Self::KeyExpiry { .. } => Name::ExpireKey,
            Self::Release(_) => Name::Release,
            Self::ResumeDispatch(_) => Name::ResumeDispatch,
            Self::ReplaceUpstream { .. } => Name::SetUpstream,
            Self::AddOperator { .. } => Name::AddOperator,
            Self::SetOperatorRole { .. } => Name::SetOperatorRole,
            Self::RemoveOperator { .. } => Name::RemoveOperator,
            Self::SetQuorum { .. } => Name::SetQuorum,
        }
    }

    /// Whether an operator of this role may ask for it and sign it.
    pub fn may(&self, role: OperatorRole) -> bool {
        may(role, self.asked_by())
    }

    /// It, in a few words.
    pub fn words(&self) -> String {
        match self {
            Self::Activate { connection, .. } => format!("activate connection {connection}"),
            Self::Resume { connection, .. } => format!("resume connection {connection}"),
            Self::Terms {
                connection, opens, ..
            } => {
                let opens = opens.map(|what| format!(", and {} it", what.as_str()));
                format!("widen connection {connection}{}", opens.unwrap_or_default())
            }
            Self::ReplaceKey {
                connection,
                fingerprint,
                ..
            } => format!("let key {fingerprint} in for connection {connection}"),
            Self::KeyExpiry {
                connection,
                fingerprint,
                ..
            } => format!("let key {fingerprint} of connection {connection} be good for longer"),
            Self::Release(compared) => format!(
                "release the store that was put back: {} of {} entries lost",
                compared.lost, compared.size
            ),
            Self::ResumeDispatch(stopped) => format!("resume dispatch after {}", stopped.words()),
            Self::ReplaceUpstream { replaced } => {
                let words: Vec<_> = replaced.iter().map(Replaced::words).collect();
                words.join("; ")
            }
            Self::AddOperator { operator, role, .. } => {
                format!("add operator {operator} as {role}")
            }
            Self::SetOperatorRole {
                operator,
                before,
                after,
            } => format!("make operator {operator} {after}, not {before}"),
            Self::RemoveOperator { operator } => format!("remove operator {operator}"),
            Self::SetQuorum { before, after } => {
                format!("let {after} operators sign, not {before}")
            }
        }
    }
}

/// How far a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChangeState {
    /// More signatures are needed.
    Waiting,
    /// It was made.
    Made,
    /// An operator said no.
    Rejected,
}

impl ChangeState {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Made => "MADE",
            Self::Rejected => "REJECTED",
        }
    }
}

/// One operator's yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Whose.
    pub operator: String,
    /// When.
    pub at: Millis,
    /// The signature over [`signed_text`], base64; nothing for who asked: that call was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// A change that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRequest {
    /// Names it.
    pub id: Uuid,
    /// What is asked for.
    pub change: Change,
    /// Why.
    pub reason: String,
    /// When.
    pub asked_at: Millis,
    /// How far it is.
    pub state: ChangeState,
    /// Who has signed; the first is who asked.
    pub signed: Vec<Signed>,
    /// Who said no, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<(String, String)>,
}

/// Why a decision is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It was decided before.
    #[error("the change is {}: nothing is left to decide", .0.as_str())]
    Decided(ChangeState),
    /// It has waited too long.
    #[error("the change has waited longer than {} days: ask for it again", MAX_WAIT / DAY)]
    TooLate,
    /// One counts once.
    #[error("you have signed it already: another operator must")]
    Twice,
}

/// What an operator signs: the decision and exactly what it is over.
pub fn signed_text(approve: bool, id: Uuid, digest: &str) -> String {
    let word = if approve { "approve" } else { "reject" };
    format!("vestibule {word} change {id} {digest}")
}

impl ChangeRequest {
    /// What is asked for by somebody who may.
    pub fn new(change: Change, reason: String, operator: &str, at: Millis) -> Self {
        Self {
            id: Uuid::new_v4(),
            change,
            reason,
            asked_at: at,
            state: ChangeState::Waiting,
            signed: vec![Signed {
                operator: operator.to_owned(),
                at,
                signature: None,
            }],
            rejected: None,
        }
    }

    /// What a decision is over, hex: the change, why, and which one it is.
    pub fn digest(&self) -> String {
        let text =
            serde_json::to_string(&(self.id, &self.change, &self.reason)).unwrap_or_default();
        hex::encode(digest(&SHA256, text.as_bytes()).as_ref())
    }

    /// Whether it can be decided still.
    fn open(&self, now: Millis) -> Result<(), Unfit> {
        match self.state {
            ChangeState::Waiting if now >= self.asked_at.plus(MAX_WAIT) => Err(Unfit::TooLate),
            ChangeState::Waiting => Ok(()),
            state => Err(Unfit::Decided(state)),
        }
    }

    /// With one more signature.
    pub fn sign(mut self, by: Signed) -> Result<Self, Unfit> {
        self.open(by.at)?;
        if self.signed.iter().any(|one| one.operator == by.operator) {
            return Err(Unfit::Twice);
        }
        self.signed.push(by);
        Ok(self)
    }

    /// Turned down, by one.
    pub fn reject(mut self, operator: &str, reason: String, now: Millis) -> Result<Self, Unfit> {
        self.open(now)?;
        self.state = ChangeState::Rejected;
        self.rejected = Some((operator.to_owned(), reason));
        Ok(self)
    }

    /// How many signatures count: of operators that are there still and may.
    pub fn counts(&self, role_of: impl Fn(&str) -> Option<OperatorRole>) -> u32 {
        let counts =
            |one: &&Signed| role_of(&one.operator).is_some_and(|role| self.change.may(role));
        u32::try_from(self.signed.iter().filter(counts).count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
