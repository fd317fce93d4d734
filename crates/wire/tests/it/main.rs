//! The server through real sockets: what is refused, in which order, and what it costs.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod asks;
mod bodies;
mod certificates;
mod crowd;
mod entrances;
mod lines;
mod targets;
mod token;
mod tokens;
mod world;
