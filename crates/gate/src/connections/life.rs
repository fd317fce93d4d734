//! How far a connection is, and what may become of it. Pure; `docs/gate.md` draws it.

use protocol::time::Millis;
use serde::{Deserialize, Serialize};

/// A day, in milliseconds.
pub const DAY: i64 = 24 * 60 * 60 * 1000;
/// How many days a connection lives where nobody says otherwise.
pub const DEFAULT_DAYS: i64 = 90;
/// How many days it may live at most, counted from when its end is set.
pub const MAX_DAYS: i64 = 366;

/// How far a connection is, as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// The client has not decided.
    Requested,
    /// What it may see is decided; the quorum has not opened the door yet.
    Approved,
    /// It may come in.
    Active,
    /// It may not come in now.
    Suspended,
    /// It never comes in again.
    Revoked,
}

/// How far a connection is at a moment: its end date counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Standing {
    /// The client has not decided.
    Requested,
    /// Decided, and waiting for the quorum.
    Approved,
    /// It may come in.
    Active,
    /// It may not come in now.
    Suspended,
    /// Its end date has passed: it may not come in until it has a later one.
    Expired,
    /// It never comes in again.
    Revoked,
}

/// What is done to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Move {
    /// What it may see is decided.
    Approve,
    /// The door opens.
    Activate,
    /// It may not come in for now.
    Suspend,
    /// It may come in again.
    Resume,
    /// It may never come in again.
    Revoke,
}

impl Move {
    /// Every move.
    pub const ALL: [Self; 5] = [
        Self::Approve,
        Self::Activate,
        Self::Suspend,
        Self::Resume,
        Self::Revoke,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Activate => "activate",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Revoke => "revoke",
        }
    }

    /// Whether it lets somebody in who could not come in before.
    pub const fn opens(self) -> bool {
        match self {
            Self::Activate | Self::Resume => true,
            Self::Approve | Self::Suspend | Self::Revoke => false,
        }
    }
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Requested,
        Self::Approved,
        Self::Active,
        Self::Suspended,
        Self::Revoked,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Approved => "APPROVED",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Revoked => "REVOKED",
        }
    }

    /// The state after a move; nothing where the move does not fit.
    pub const fn after(self, what: Move) -> Option<Self> {
        match (self, what) {
            (Self::Requested, Move::Approve) => Some(Self::Approved),
            (Self::Approved, Move::Activate) | (Self::Suspended, Move::Resume) => {
                Some(Self::Active)
            }
            (Self::Active, Move::Suspend) => Some(Self::Suspended),
            (Self::Requested | Self::Approved | Self::Active | Self::Suspended, Move::Revoke) => {
                Some(Self::Revoked)
            }
            _ => None,
        }
    }

    /// What opens the door of a connection that is at this point; nothing where none of these does.
    pub const fn opened_by(self) -> Option<Move> {
        match self {
            Self::Approved => Some(Move::Activate),
            Self::Suspended => Some(Move::Resume),
            Self::Requested | Self::Active | Self::Revoked => None,
        }
    }

    /// How it stands, if it ends then.
    pub fn at(self, now: Millis, until: Millis) -> Standing {
        match self {
            Self::Revoked => Standing::Revoked,
            _ if now >= until => Standing::Expired,
            Self::Requested => Standing::Requested,
            Self::Approved => Standing::Approved,
            Self::Active => Standing::Active,
            Self::Suspended => Standing::Suspended,
        }
    }
}

impl Standing {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Approved => "APPROVED",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Expired => "EXPIRED",
            Self::Revoked => "REVOKED",
        }
    }
}

/// How a provider works with the workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It calls the gate: reads in scope, proposes.
    #[default]
    Guarded,
    /// It gets reports and relayed webhooks, and reads nothing else.
    Fed,
    /// Its key is straight at Fireblocks, enrolled and audited from here: nobody comes in here.
    Watched,
}

impl Mode {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guarded => "guarded",
            Self::Fed => "fed",
            Self::Watched => "watched",
        }
    }
}

#[cfg(test)]
mod tests;
