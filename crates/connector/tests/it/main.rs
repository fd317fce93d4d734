//! A connector and an upstream that answers from books of its own, over real sockets.

#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod clients;
mod files;
mod status;
mod sync;
mod trade;
mod upstream;
mod world;
