//! Seeded worlds: from a number, a believable fund with a year of history whose books add up.

pub mod addresses;
pub mod assets;
mod fund;
pub(crate) mod keys;
mod network;

pub use fund::{Fund, bare, seeded};
pub(crate) use fund::{units_of, vault_address};
pub use network::Network;
