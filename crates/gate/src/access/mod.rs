//! Whether a connection may do what it asks for. Pure; an error is a denial.
//!
//! Two locks: the table of [`Class`]es, which says of every operation what it is to a provider, and
//! the roles that the contract states. Of an operation without a stated role the table alone decides.

mod table;

use protocol::error::ApiError;
use protocol::operations::Operation;
use protocol::token::TokenError;

pub use table::{Class, Reason, Row, class, rows};

use crate::connections::{Connection, Mode, State};

/// Leave to do one thing. It comes out of [`decide`] alone.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit(What);

/// What is permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A read of the books.
    Read,
    /// A question to upstream.
    Forward,
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
    /// Nobody has said what the operation is to a provider.
    NotClassified,
    /// It is never for a provider.
    Never(Reason),
    /// It is asked upstream, and this connection was not granted that.
    NotGranted,
    /// What it tells of a wallet would tell of transactions that the scope hides.
    Hidden,
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
    if operation.roles_stated && !operation.roles.contains(connection.role.role()) {
        return Err(Denial::Role);
    }
    let what = match class(operation).ok_or(Denial::NotClassified)? {
        Class::Books => What::Read,
        Class::Propose => What::Propose,
        Class::Forward | Class::Filter if !connection.forward => return Err(Denial::NotGranted),
        Class::Filter if connection.part.hides_transactions() => return Err(Denial::Hidden),
        Class::Forward | Class::Filter => What::Forward,
        Class::Never(reason) => return Err(Denial::Never(reason)),
    };
    Ok(Permit(what))
}

impl Denial {
    /// As the provider is told.
    pub fn told(self, operation: &Operation) -> ApiError {
        let id = operation.id.as_str();
        let not_offered =
            |why: &str| ApiError::uncoded(403, format!("{id} is not offered by this gate: {why}"));
        match self {
            Self::Closed => TokenError::NotAccepted.into(),
            Self::Role => TokenError::Role.into(),
            Self::Fed => ApiError::uncoded(
                403,
                format!(
                    "{id} is not offered to this connection: it is fed with reports and webhooks, and reads nothing"
                ),
            ),
            Self::NotClassified => not_offered("it is not classified"),
            Self::Never(reason) => not_offered(reason.told()),
            Self::NotGranted => not_offered(
                "it is asked upstream, which the client grants by itself: ask the client",
            ),
            Self::Hidden => not_offered(
                "it tells of all transactions of a wallet, and this connection's scope does not show them all",
            ),
        }
    }
}

#[cfg(test)]
mod tests;
