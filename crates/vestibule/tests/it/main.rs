//! Whole-product stories: the binary as a user has it, through real sockets on free ports.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a story that cannot go on has failed"
)]

mod backup;
mod commands;
mod crash;
mod crowded;
mod declared;
mod follow;
#[cfg(target_os = "linux")]
mod full;
mod gate;
mod interrupted;
mod posture;
#[cfg(target_os = "linux")]
mod review;
mod rotation;
mod scenarios;
mod tour;
mod troubles;
mod words;
mod world;
