//! NFTs.

pub(in crate::operations) mod changes;
mod tokens;

use super::areas;

areas! {
    changes,
    tokens,
}
