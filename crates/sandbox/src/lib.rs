//! Whole workspaces on localhost.

pub mod people;
pub mod world;
