//! The provider's side: a key per client, books filled from reports and kept by webhooks, proof
//! that they are complete, exports, and proposing.
//!
//! What may enter: everything a provider's engineer would otherwise build by hand around a client's
//! workspace, the same at a client's gate and straight at Fireblocks. What may not: the gate or the
//! sandbox (they are met over HTTP alone), clap, and any way to print a private key.
//!
//! | room | what it holds |
//! |---|---|
//! | [`operations`] | one operation a file: what the command line calls |
//! | [`keystore`] | one key a client, sealed; signatures come out, keys do not (P2, P3) |
//! | [`clients`] | each client: where it is, what is pinned, how far its books are |
//! | [`role_check`] | what a key may do, judged by reading alone (P1; the judgement is `sync::roles`) |
//! | [`import`] | the Console's exports (P5) |
//! | [`compare`] | whether books are equal, and what differs |
//! | [`export`] | the books for accountants and quants |
//! | [`egress`] | by which address we leave (P4) |
//! | [`settings`] | `connector.toml` |
//! | `reconcile` | keeping books equal, within the budget (P6) |
//! | `gate_api` | what a gate offers beside Fireblocks' operations |

mod client_name;
pub mod clients;
pub mod compare;
mod connector;
pub mod egress;
pub mod environment;
mod error;
pub mod export;
mod files;
mod gate_api;
pub mod import;
pub mod keystore;
mod nobody;
pub mod operations;
mod reconcile;
pub mod role_check;
pub mod settings;

pub use client_name::ClientName;
pub use connector::{Connector, ROOMS};
pub use error::Error;
pub use settings::Settings;
