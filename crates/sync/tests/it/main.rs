//! Events and walks into the books, through real stores and sockets.

#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod inbox;
mod walk;
mod world;
