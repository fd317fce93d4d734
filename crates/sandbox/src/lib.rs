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
//! | [`people`], [`world`] | the fixed users and keys; what plans are made into |
//! | [`described`], `ground` | workspaces described in files; the files there are |
//! | [`sketch`] | what is kept of somebody's workspace, to make a file of |
//! | `halls`, `making`, `templates`, `snapshots`, `names` | the workspaces that are open; made, kept as they were, gone back to |
//! | `hall`, `deed` | one workspace, and the one way to change it: a deed in one database transaction |
//! | `shelf` | what a workspace keeps beside its books, as documents of many kinds |
//! | `holdings`, `outside`, `stakes` | what the workspace has outside its vault accounts (pure), and how it moves |
//! | `prices` | what things are worth |
//! | `findings` | what is not as safe as it could be (pure) |
//! | `screening` | services that transactions wait for |
//! | `flight`, `policy` | which act leads to which status; what the policy says (pure) |
//! | `fees`, `climate`, `utxo`, `coins` | what the chain costs; which coins a transaction spends |
//! | `chain` | moves transactions on |
//! | `quorum`, `lives` | what waits for the Admin Quorum, and what follows; the life of a user |
//! | `jobs` | long work, done part by part |
//! | `audit` | the audit log: what is told, written with what happened |
//! | `cosigner` | the machines that sign for API users, and whom they ask before |
//! | `operations` | one file an area of the API |
//! | `contract`, `openapi`, `page` | what a call must look like; what is served, for programs and for people |
//! | `control` | `/_sandbox`: people and chain, by hand |
//! | `hooks`, `outbox` | webhooks as they are kept, and what goes wrong with them; their deliveries |
//! | `onlooker`, `happenings` | every call and change, told as it happens; why a call was refused |
//! | `faults`, `rates` | what goes wrong on purpose; how often may be called |
//! | `outbox` | deliveries of webhooks |
//! | [`scenario`], [`hosts`] | what is asked and must be seen, played and compared; who is never called |

mod audit;
mod chain;
mod chance;
mod climate;
mod clock;
mod coins;
mod contract;
pub mod control;
mod cosigner;
mod deed;
pub mod described;
mod doors;
mod downloads;
mod faults;
mod fees;
mod findings;
mod flight;
mod fuelling;
mod ground;
mod hall;
mod halls;
mod happenings;
#[cfg(test)]
mod histories;
mod holdings;
mod hooks;
pub mod hosts;
mod jobs;
mod lives;
mod lock;
mod making;
mod names;
mod onlooker;
mod openapi;
mod operations;
mod outbox;
mod outside;
mod page;
mod patterns;
pub mod people;
mod policy;
mod prices;
mod quorum;
pub mod rates;
mod rows;
pub mod scenario;
mod screening;
mod seed;
mod server;
mod shelf;
pub mod sketch;
mod snapshots;
mod stakes;
pub mod start;
mod templates;
mod utxo;
pub mod world;

pub use control::ControlToken;
pub use ground::{File, Ground};
pub use start::{ApiUser, Config, Opened, Running, StartError, open, start};
