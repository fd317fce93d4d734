//! The two networks that workspaces are of.

use serde::{Deserialize, Serialize};

/// Mainnet or testnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Real assets.
    Mainnet,
    /// Test assets.
    Testnet,
}

impl Network {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Testnet => "testnet",
        }
    }

    /// The one of that word.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Mainnet, Self::Testnet]
            .into_iter()
            .find(|network| network.name() == name)
    }
}
