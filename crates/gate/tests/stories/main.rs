//! Whole stories of a gate in front of a workspace: a real sandbox, a real gate, real sockets.

#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod ages;
mod attacks;
mod budgets;
mod caller;
mod certificates;
mod clock;
mod closing;
mod desk;
mod differential;
mod dimensions;
mod editors;
mod evidence;
mod forward;
mod gates;
mod grid;
mod hooks;
mod identities;
mod keys;
mod line;
mod log;
mod mail;
mod narrowed;
mod operators;
mod outages;
mod outside;
mod post_office;
mod probe;
mod processes;
mod provider;
mod quorum;
mod races;
mod reads;
mod recovery;
mod refusals;
mod reports;
mod roles;
mod rows;
mod sending;
mod sockets;
mod strays;
mod transactions;
mod webhooks;
mod witness;
mod world;
