//! What a seed has made and nothing moves: a provider reads it, and a full simulation would be a project
//! of its own.

mod connected_accounts;
mod earn;
mod off_exchange;
mod payments;
mod trading;

use super::areas;

areas! {
    connected_accounts,
    earn,
    off_exchange,
    payments,
    trading,
}
