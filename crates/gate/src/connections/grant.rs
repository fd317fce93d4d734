//! What a client grants where it is not what was asked for: each dimension by itself. Pure.

use std::collections::BTreeSet;

use ledger::{AssetFilter, PartScope};
use protocol::ids::{VaultAccountId, WalletId};
use serde::{Deserialize, Serialize};

/// A scope in place of the one asked for; what is not named stays as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScopeGrant {
    /// The vault accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<BTreeSet<VaultAccountId>>,
    /// Their assets. All of them is a word of its own: it is never meant by saying nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assets: Option<AssetFilter>,
    /// The whitelisted wallets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whitelists: Option<BTreeSet<WalletId>>,
}

impl ScopeGrant {
    /// What is granted of what was asked for.
    pub fn of(&self, asked: &PartScope) -> PartScope {
        PartScope {
            accounts: self.accounts.as_ref().unwrap_or(&asked.accounts).clone(),
            assets: self.assets.as_ref().unwrap_or(&asked.assets).clone(),
            whitelists: self
                .whitelists
                .as_ref()
                .unwrap_or(&asked.whitelists)
                .clone(),
            history_from: asked.history_from,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::accounts;

    fn asked() -> PartScope {
        PartScope {
            assets: assets(&["BTC", "ETH"]),
            whitelists: [wallet(3)].into(),
            ..accounts([1, 2])
        }
    }

    fn assets(ids: &[&str]) -> AssetFilter {
        let id = |id: &&str| id.parse().expect("an asset");
        AssetFilter::Only(ids.iter().map(id).collect())
    }

    fn wallet(number: u128) -> WalletId {
        WalletId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn invariant_2_what_is_not_named_stays_as_it_was_asked_for() {
        let nothing = ScopeGrant::default();
        assert_eq!(nothing.of(&asked()), asked());
        let asset = ScopeGrant {
            assets: Some(assets(&["BTC"])),
            ..ScopeGrant::default()
        };
        let narrow = PartScope {
            assets: assets(&["BTC"]),
            ..asked()
        };
        assert_eq!(asset.of(&asked()), narrow, "the accounts stay");
        let account = ScopeGrant {
            accounts: Some(accounts([1]).accounts),
            ..ScopeGrant::default()
        };
        let narrow = PartScope {
            accounts: accounts([1]).accounts,
            ..asked()
        };
        assert_eq!(account.of(&asked()), narrow, "the assets stay");
        let none = ScopeGrant {
            whitelists: Some(BTreeSet::new()),
            ..ScopeGrant::default()
        };
        assert!(none.of(&asked()).whitelists.is_empty());
        assert_eq!(none.of(&asked()).assets, asked().assets);
    }

    #[test]
    fn only_the_explicit_word_is_every_asset() {
        let read = |value| serde_json::from_value::<ScopeGrant>(value);
        let grant = read(json!({"accounts": ["1"]})).expect("a grant");
        assert_eq!(grant.of(&asked()).assets, asked().assets);
        let all = read(json!({"assets": "all"})).expect("a grant");
        assert_eq!(all.of(&asked()).assets, AssetFilter::All);
        assert!(read(json!({"vault_account": ["1"]})).is_err());
    }
}
