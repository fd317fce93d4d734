//! Staking.

mod changes;
mod positions;
mod transactions;

use super::areas;

areas! {
    changes,
    positions,
}
