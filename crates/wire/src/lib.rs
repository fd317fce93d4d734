//! Fireblocks over HTTP, the four directions: serving it, calling it, taking its webhooks in,
//! sending webhooks out.
//!
//! What may enter: sockets, headers, limits, retries, the order of checks. What may not: books,
//! SQL, decisions about who may see what: those are the [`server::Workspace`]'s, the
//! [`hooks_in::Inbox`]'s and the [`hooks_out::Outbox`]'s.

pub mod client;
pub mod clock;
pub mod hooks_in;
pub mod hooks_out;
pub mod jwks;
pub mod server;
