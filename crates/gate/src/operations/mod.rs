//! What the client's people do, one operation a file: input, effect, log entry. Who may is told by
//! the table of `admin_api`, before anything of an operation runs.

pub mod backup;
mod certificate;
pub mod changes;
pub mod connections;
pub mod editor;
pub(crate) mod examined;
mod follow;
pub mod handed_in;
pub mod keys;
pub mod life;
pub mod log_entries;
pub mod operators;
pub mod posture;
pub mod preview;
pub mod probe;
pub mod proposals;
pub mod record;
pub mod release;
pub mod report;
pub mod request;
pub mod resume;
pub mod review;
pub mod status;
mod turned_away;
pub mod upstream;

use protocol::error::ApiError;
use serde::{Deserialize, Deserializer};

pub(crate) use follow::follow;

pub use crate::operators::Operator;

/// What is named, were it nothing; what is not named is the default.
pub(crate) fn named<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Longest reason.
const MAX_REASON: usize = 500;

/// Why an operator does something: the log keeps it, so there must be one.
pub(crate) fn reason(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(refused(400, "say why: a reason is missing")),
        length if length > MAX_REASON => Err(refused(
            400,
            format_args!("a reason has at most {MAX_REASON} characters"),
        )),
        _ => Ok(text.to_owned()),
    }
}

/// An error of the admin API: what, and what to do.
pub(crate) fn refused(status: u16, why: impl std::fmt::Display) -> ApiError {
    ApiError::uncoded(status, why.to_string())
}

/// No such connection.
pub(crate) fn no_connection(name: &str) -> ApiError {
    refused(404, format_args!("there is no connection '{name}'"))
}
