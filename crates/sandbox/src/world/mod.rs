//! Seeded worlds: from a number, a believable fund with a year of history whose books add up.

pub mod addresses;
pub mod assets;
mod beside;
mod collateral;
mod earn;
mod exchanges;
pub(crate) mod fiat;
mod gas_stations;
mod grown;
mod history;
pub(crate) mod keys;
mod made;
mod network;
mod nfts;
mod payments;
mod peers;
mod seeded;
mod things;
mod vault;
mod venues;

pub(crate) use beside::{Document, beside};
pub(crate) use grown::Grown;
pub(crate) use history::units_of;
pub(crate) use made::{
    Collateral, ConnectedAccount, EarnAction, EarnPosition, Execution, Flow, Opportunity, Order,
    Payout, Settlement, TradingProvider,
};
pub use network::Network;
pub use seeded::fund;
pub(crate) use vault::vault_address;
