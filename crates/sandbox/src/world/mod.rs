//! Seeded worlds: from a number, a believable fund with a year of history whose books add up.

pub mod addresses;
pub mod assets;
mod beside;
mod collateral;
mod earn;
mod exchanges;
pub(crate) mod fiat;
mod fund;
mod gas_stations;
pub(crate) mod keys;
mod made;
mod network;
mod nfts;
mod payments;
mod peers;
mod venues;

pub(crate) use beside::{Document, beside};
pub use fund::{Fund, bare, seeded};
pub(crate) use fund::{units_of, vault_address};
pub(crate) use made::{
    Collateral, ConnectedAccount, EarnAction, EarnPosition, Execution, Flow, Opportunity, Order,
    Payout, Settlement, TradingProvider,
};
pub use network::Network;
