//! Seeded worlds: from a number, a believable fund with a year of history whose books add up.

pub mod addresses;
pub mod assets;
mod fund;

pub use fund::{Fund, Network, seeded};
pub(crate) use fund::{units_of, vault_address};
