//! What the client's people do, one operation a file: input, effect, log entry. Whoever may come
//! in to the admin listener may do all of it; roles among operators are not told apart yet.

pub mod connections;
pub mod log_entries;
pub mod posture;
pub mod proposals;
pub mod report;
pub mod request;
pub mod status;
pub mod upstream;

use protocol::error::ApiError;

/// One of the client's people.
#[derive(Clone, Debug)]
pub struct Operator {
    /// The name that the log tells.
    pub name: String,
    /// Its key.
    pub key: protocol::keys::PublicKey,
}

/// An error of the admin API: what, and what to do.
pub(crate) fn refused(status: u16, why: impl std::fmt::Display) -> ApiError {
    ApiError::uncoded(status, why.to_string())
}

/// No such connection.
pub(crate) fn no_connection(name: &str) -> ApiError {
    refused(404, format_args!("there is no connection '{name}'"))
}
