//! The books take events in any order, any number of times; a scope hides what is outside it.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod beside;
mod changes;
mod made;
mod notes;
mod reports;
mod scopes;
