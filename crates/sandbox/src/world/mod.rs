//! Seeded worlds: from a number, a believable fund with a year of history whose books add up.

pub mod addresses;
pub mod assets;
mod beside;
mod exchanges;
pub(crate) mod fiat;
mod fund;
pub(crate) mod keys;
mod gas_stations;
mod network;
mod nfts;
mod peers;

pub(crate) use beside::beside;
pub use fund::{Fund, seeded};
pub(crate) use fund::{units_of, vault_address};
pub use network::Network;
