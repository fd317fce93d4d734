//! Whether a connection may do what it asks for. Pure; an error is a denial.

use protocol::error::ApiError;
use protocol::operations::{Access, Operation};
use protocol::role::ProviderRole;
use protocol::token::TokenError;

use crate::connections::{Connection, Mode, State};

/// Operations without a stated role that providers may call, each with why.
const OPEN: [(&str, &str); 4] = [
    (
        "listAssets",
        "assets are public: they tell nothing of the workspace",
    ),
    (
        "getAsset",
        "assets are public: they tell nothing of the workspace",
    ),
    (
        "listBlockchains",
        "blockchains are public: they tell nothing of the workspace",
    ),
    (
        "getBlockchain",
        "blockchains are public: they tell nothing of the workspace",
    ),
];

/// Leave to do one thing. It comes out of [`decide`] alone.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit(What);

/// What is permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A read of the books.
    Read,
    /// A proposal.
    Propose,
}

impl Permit {
    /// What is permitted.
    pub fn what(&self) -> What {
        self.0
    }
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The connection is not active.
    Closed,
    /// It is fed: it gets reports and webhooks, and reads nothing.
    Fed,
    /// Its role may not.
    Role,
    /// Known, but not offered at this gate: it writes something else than a proposal.
    Writes,
    /// Known, but not offered at this gate: the books do not hold it.
    NotHeld,
}

/// Decides.
pub fn decide(connection: &Connection, operation: &Operation) -> Result<Permit, Denial> {
    if connection.state != State::Active {
        return Err(Denial::Closed);
    }
    match connection.mode {
        Mode::Guarded => {}
        Mode::Fed => return Err(Denial::Fed),
        Mode::Watched => return Err(Denial::Closed),
    }
    let named = OPEN.iter().any(|(id, _)| *id == operation.id.as_str());
    let role = connection.role.role();
    let may = if operation.roles_stated {
        operation.roles.contains(role)
    } else {
        named
    };
    if !may {
        return Err(if operation.roles_stated {
            Denial::Role
        } else {
            Denial::NotHeld
        });
    }
    if operation.id.as_str() == "createTransaction" {
        // The role list says so, too; this is the one write, so it is said twice.
        return match connection.role {
            ProviderRole::Editor => Ok(Permit(What::Propose)),
            ProviderRole::Viewer => Err(Denial::Role),
        };
    }
    if operation.access != Access::Read {
        return Err(Denial::Writes);
    }
    if ledger::reads::SERVED.contains(&operation.id.as_str()) {
        Ok(Permit(What::Read))
    } else {
        Err(Denial::NotHeld)
    }
}

impl Denial {
    /// As the provider is told.
    pub fn told(self, operation: &Operation) -> ApiError {
        let id = operation.id.as_str();
        match self {
            Self::Closed => TokenError::NotAccepted.into(),
            Self::Role => TokenError::Role.into(),
            Self::Fed => ApiError::uncoded(
                403,
                format!(
                    "{id} is not offered to this connection: it is fed with reports and webhooks, and reads nothing"
                ),
            ),
            Self::Writes => ApiError::uncoded(
                403,
                format!(
                    "{id} is not offered by this gate: of all that writes, only a TRANSFER may be proposed, through createTransaction"
                ),
            ),
            Self::NotHeld => ApiError::uncoded(
                403,
                format!("{id} is not offered by this gate: ask the client for what you need"),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
