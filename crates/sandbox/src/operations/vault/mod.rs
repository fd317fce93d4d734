//! The vault: accounts, wallets, addresses, coins and keys.

mod account_changes;
pub(crate) mod account_jobs;
pub(in crate::operations) mod accounts;
mod coins;
mod gas_stations;
mod keys;
pub(in crate::operations) mod mpc_keys;

use super::areas;

areas! {
    account_changes,
    account_jobs,
    accounts,
    coins,
    gas_stations,
    keys,
    mpc_keys,
}
