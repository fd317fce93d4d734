//! What the books know of a name, from the read model: for who grants a scope, makes a proposal or
//! shows one to the client's own people. Providers' answers come from `reads`.

use protocol::ids::{AssetId, UserId, VaultAccountId, WalletId};
use protocol::model::asset::{Asset, Blockchain};
use protocol::model::user::User;
use protocol::model::whitelist::WhitelistKind;

use crate::books::Books;
use crate::change::AccountFacts;
use crate::reads;
use crate::scope::{AssetFilter, PartScope, Scope};

/// What a part of a workspace names and the workspace does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Absent {
    /// Vault accounts.
    pub accounts: Vec<String>,
    /// Assets.
    pub assets: Vec<String>,
    /// Whitelisted wallets and contracts.
    pub whitelists: Vec<String>,
}

/// The whitelists there are.
const WHITELISTS: [WhitelistKind; 3] = [
    WhitelistKind::Internal,
    WhitelistKind::External,
    WhitelistKind::Contract,
];

impl Books {
    /// What of this part the books do not hold.
    pub fn absent(&self, part: &PartScope) -> Absent {
        let model = self.model();
        let account = |id: &VaultAccountId| {
            let known = model.accounts.get(id);
            known.is_some_and(|account| account.facts().is_some())
        };
        let asset = |id: &AssetId| model.asset(id).is_some() || model.totals.contains_key(id);
        let listed = |id: &WalletId| {
            WHITELISTS.iter().any(|kind| {
                let known = model.whitelists.get(&(*kind, *id));
                known.is_some_and(|entry| entry.value.is_some())
            })
        };
        let assets = match &part.assets {
            AssetFilter::All => Vec::new(),
            AssetFilter::Only(assets) => without(assets, asset),
        };
        Absent {
            accounts: without(&part.accounts, account),
            assets,
            whitelists: without(&part.whitelists, listed),
        }
    }

    /// The vault accounts in scope.
    pub fn accounts(&self, scope: &Scope) -> Vec<AccountFacts> {
        let model = self.model();
        let known = model.accounts.iter();
        known
            .filter(|(id, _)| scope.covers_account(**id))
            .filter_map(|(_, account)| account.facts().cloned())
            .collect()
    }

    /// The assets, with what the workspace's people wrote on them: for the client's own people.
    pub fn assets(&self) -> Vec<Asset> {
        let model = self.model();
        let assets = model.assets.values().chain(model.own_assets.values());
        assets.map(|entry| entry.value.1.clone()).collect()
    }

    /// Whether the reader may know of an asset.
    pub fn has_asset(&self, scope: &Scope, id: &AssetId) -> bool {
        reads::has_asset(&self.model(), scope, id)
    }

    /// The blockchains.
    pub fn blockchains(&self) -> Vec<Blockchain> {
        let model = self.model();
        let chains = model.blockchains.values();
        chains.map(|entry| entry.value.clone()).collect()
    }

    /// Whether a vault account is known, and in scope.
    pub fn has_account(&self, scope: &Scope, id: VaultAccountId) -> bool {
        let model = self.model();
        let known = model.accounts.get(&id);
        scope.covers_account(id) && known.is_some_and(|account| account.facts().is_some())
    }

    /// How many places an asset has, if it is known.
    pub fn decimals(&self, asset: &AssetId) -> Option<u8> {
        let model = self.model();
        // The older list says 0 where it says nothing.
        let (_, asset) = model.asset(asset)?;
        let onchain = || asset.onchain.as_ref().map(|onchain| onchain.decimals);
        asset.decimals.or_else(onchain)
    }

    /// A vault account's name, if it is known.
    pub fn account_name(&self, id: VaultAccountId) -> Option<String> {
        let model = self.model();
        Some(model.accounts.get(&id)?.facts()?.name.clone())
    }

    /// A user, if it is known.
    pub fn user(&self, id: UserId) -> Option<User> {
        Some(self.model().users.get(&id)?.value.clone())
    }

    /// The name of an entry of a whitelist, if it is known.
    pub fn whitelist_name(&self, kind: WhitelistKind, id: WalletId) -> Option<String> {
        let model = self.model();
        let entry = model.whitelists.get(&(kind, id))?;
        Some(entry.value.as_ref()?.name.clone())
    }
}

fn without<'a, T: ToString + 'a>(
    names: impl IntoIterator<Item = &'a T>,
    known: impl Fn(&T) -> bool,
) -> Vec<String> {
    let unknown = names.into_iter().filter(|name| !known(name));
    unknown.map(ToString::to_string).collect()
}
