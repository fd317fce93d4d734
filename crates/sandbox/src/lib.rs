//! Fireblocks-compatible workspaces on localhost: books with an HTTP face, a simulated chain,
//! people who approve and sign, a policy, webhooks. Many workspaces in one server, chosen by API key.
//!
//! What may enter: what a workspace does. What may not: the gate, the connector, and anything that
//! only a demo would need.
//!
//! | room | what it holds |
//! |---|---|
//! | [`start`] | store, seed, servers: how a sandbox comes up |
//! | [`people`], [`world`] | the fixed users and keys; seeded funds |
//! | `hall`, `deed` | one workspace, and the one way to change it: a deed in one database transaction |
//! | `shelf` | what a workspace keeps beside its books, as documents of many kinds |
//! | `flight`, `policy` | which act leads to which status; what the policy says (pure) |
//! | `chain` | moves transactions on |
//! | `operations` | one file an area of the API |
//! | `control` | `/_sandbox`: people and chain, by hand |
//! | `outbox` | deliveries of webhooks |

mod chain;
mod chance;
mod clock;
mod control;
mod deed;
mod doors;
mod downloads;
mod flight;
mod hall;
mod operations;
mod outbox;
pub mod people;
mod policy;
mod rows;
mod seed;
mod server;
mod shelf;
pub mod start;
pub mod world;

pub use start::{Config, Running, StartError, start};
