//! Where money goes and comes from: whitelists, exchanges, fiat, the network.

pub(crate) mod exchange_accounts;
pub(in crate::operations) mod fiat_accounts;
pub(crate) mod network_connections;
pub(in crate::operations) mod network_ids;
pub(crate) mod whitelists;

use super::areas;

areas! {
    exchange_accounts,
    fiat_accounts,
    network_connections,
    network_ids,
    whitelists,
}
