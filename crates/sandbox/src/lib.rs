//! Fireblocks-compatible workspaces on localhost: books with an HTTP face, a simulated chain,
//! people who approve and sign, a policy, webhooks. Many workspaces in one server, chosen by API key.
//!
//! What may enter: what a workspace does. What may not: the gate, the connector, and anything that
//! only a demo would need.
//!
//! | room | what it holds |
//! |---|---|
//! | [`start`], `lock`, `seed` | how a sandbox comes up: its file, what a new one holds, servers |
//! | `clock`, `chance` | its time, and what looks random in it: both go on where they were |
//! | [`people`], [`world`] | the fixed users and keys; seeded funds |
//! | `hall`, `deed` | one workspace, and the one way to change it: a deed in one database transaction |
//! | `shelf` | what a workspace keeps beside its books, as documents of many kinds |
//! | `holdings`, `outside` | what the workspace has outside its vault accounts (pure), and how it moves |
//! | `prices` | what things are worth |
//! | `findings` | what is not as safe as it could be (pure) |
//! | `flight`, `policy` | which act leads to which status; what the policy says (pure) |
//! | `fees`, `climate`, `utxo`, `coins` | what the chain costs; which coins a transaction spends |
//! | `chain` | moves transactions on |
//! | `quorum`, `lives` | what waits for the Admin Quorum, and what follows; the life of a user |
//! | `jobs` | long work, done part by part |
//! | `audit` | the audit log: what is told, written with what happened |
//! | `cosigner` | the machines that sign for API users, and whom they ask before |
//! | `operations` | one file an area of the API |
//! | `contract`, `openapi` | what a call must look like; the document of what is served |
//! | `control` | `/_sandbox`: people and chain, by hand |
//! | `hooks`, `outbox` | webhooks as they are kept, and what goes wrong with them; their deliveries |

mod audit;
mod chain;
mod chance;
mod climate;
mod clock;
mod coins;
mod contract;
mod control;
mod cosigner;
mod deed;
mod doors;
mod downloads;
mod fees;
mod findings;
mod flight;
mod fuelling;
mod hall;
mod holdings;
mod hooks;
mod jobs;
mod lives;
mod lock;
mod openapi;
mod operations;
mod outbox;
mod outside;
pub mod people;
mod policy;
mod prices;
mod quorum;
mod rows;
mod seed;
mod server;
mod shelf;
pub mod start;
mod utxo;
pub mod world;

pub use start::{Config, Opened, Running, StartError, open, start};
