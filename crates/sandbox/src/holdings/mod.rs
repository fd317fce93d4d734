//! What a workspace has outside its vault accounts: gas stations, exchange and fiat accounts,
//! peers, NFTs, stakes. What each may do, without a database. Pure.

pub(crate) mod exchange;
pub(crate) mod fiat;
pub(crate) mod gas_station;
pub(crate) mod network;
pub(crate) mod nft;
mod purse;
pub(crate) mod stake;

pub(crate) use purse::Purse;
