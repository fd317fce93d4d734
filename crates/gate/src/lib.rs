//! The client's side: what stands in front of the workspace. Providers read in scope from the
//! gate's own books, hear of events by webhooks, and propose; the client's people approve.
//!
//! What may enter: connections, decisions, the log, the upstream of one workspace. What may not: a
//! signing key of the workspace, the sandbox, the connector, the command line.
//!
//! | room | what it holds |
//! |---|---|
//! | [`init`], [`start`] | how a gate is made, and how it comes up |
//! | [`access`] | may a connection do this? (pure) |
//! | [`ages`] | as of when the books are, subject by subject, and when that is too old (pure) |
//! | [`connections`] | states, addresses, intake of hand-over files |
//! | [`proposals`] | what providers ask for, until it is sent once (pure), and the dispatcher |
//! | [`forward`] | what the books do not hold, asked upstream |
//! | `gates` | several gates over one store: leases, who leads |
//! | `identities` | what upstream knows the gate as |
//! | `reminders` | before a connection ends |
//! | `relay` | events in scope, to providers |
//! | [`log`] | the append-only Merkle log |
//! | [`enroll`] | a provider that is let in directly, with a key given for the run |
//! | [`posture`] | the practices, checked (pure) |
//! | [`operators`], [`changes`] | the client's people, and what several of them must sign (pure) |
//! | [`declared`] | what is to be, as a file says it (pure) |
//! | [`operations`], [`admin_api`] | what the client's people do, and its HTTP face |
//! | `provider` | the providers' HTTP face |
//! | [`mail`] | letters to both sides before a connection ends |
//! | `meters` | what each connection has used of its budgets |
//! | [`records`] | what was read: access records, a segment a file |
//! | `refusals` | what was refused, until the log tells of it |
//! | [`restore`] | a copy of the store, put back |
//! | `trust` | whether the gate's own keys are what they must be |
//! | `upstream` | keeps the books equal to the workspace |
//! | `witnesses` | whoever cosigns the log's head, asked |
//! | `rows` | the tables |

pub mod access;
pub mod admin_api;
pub mod ages;
mod callers;
pub mod changes;
pub mod config;
pub mod connections;
pub mod declared;
pub mod enroll;
mod folder;
pub mod forward;
mod gate;
pub(crate) mod gates;
mod identities;
pub mod init;
pub mod log;
pub mod mail;
mod meters;
pub mod operations;
pub mod operators;
pub mod posture;
pub mod proposals;
mod provider;
pub mod records;
mod refusals;
mod relay;
mod reminders;
pub mod restore;
mod rows;
mod scopes;
pub mod start;
#[cfg(test)]
mod testing;
mod trust;
mod upstream;
mod witnesses;

pub use config::Config;
pub use folder::{Folder, FolderError, KeyName};
pub use gates::{BadName, GateName};
pub use identities::{Identity, UpstreamIds};
pub use start::{Running, StartError, start};
