//! What is on the wire, one concept a file. Field names, types and optionality follow the newest
//! official clients, which are stricter than the contract (`Webhook.createdAt` is a number, an
//! external wallet has no balance).
//!
//! Types are closed: a field that is not named here is not carried on. What may be read leniently
//! (missing, `null`, a number where a string is meant) is read leniently; what is printed has one
//! form: compact JSON in the order of the declarations.

pub mod asset;
pub mod event;
pub mod policy;
pub mod policy_v2;
pub mod report;
pub mod transaction;
pub mod transaction_request;
pub mod user;
pub mod vault;
pub mod webhook;
pub mod whitelist;
pub mod workspace;

use serde::{Deserialize, Deserializer};

/// `null` and a missing field read as the default.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
