//! What of an upstream can be walked by itself.

use std::fmt;

use protocol::ids::{AssetId, TxId, VaultAccountId};
use protocol::time::Millis;

/// What of an upstream can be walked by itself. In this order: later ones build on earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// The blockchains.
    Blockchains,
    /// The assets.
    Assets,
    /// The vault accounts, without their wallets.
    Accounts,
    /// Every wallet's balances, and when it was made.
    AssetWallets,
    /// The deposit addresses of every wallet that the books hold: one call a wallet.
    Addresses,
    /// The deposit addresses of one wallet.
    AddressesOf(VaultAccountId, AssetId),
    /// Internal wallets, external wallets and contracts.
    Whitelists,
    /// The transactions made at that time and later. There is no default: one would hide history.
    Transactions {
        /// The first moment.
        after: Millis,
    },
    /// One transaction, by its upstream id.
    Transaction(TxId),
}

impl Area {
    /// Everything, with the history since `after`.
    pub fn all(after: Millis) -> Vec<Self> {
        vec![
            Self::Blockchains,
            Self::Assets,
            Self::Accounts,
            Self::AssetWallets,
            Self::Addresses,
            Self::Whitelists,
            Self::Transactions { after },
        ]
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blockchains => f.write_str("blockchains"),
            Self::Assets => f.write_str("assets"),
            Self::Accounts => f.write_str("accounts"),
            Self::AssetWallets => f.write_str("wallets"),
            Self::Addresses => f.write_str("addresses"),
            Self::AddressesOf(account, asset) => write!(f, "addresses of {account}/{asset}"),
            Self::Whitelists => f.write_str("whitelists"),
            Self::Transaction(id) => write!(f, "transaction {id}"),
            Self::Transactions { after } => write!(f, "transactions since {after}"),
        }
    }
}
