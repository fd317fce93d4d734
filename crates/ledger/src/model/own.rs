//! Which accounts hold assets that the workspace registered itself: few do, and a part's reader asks of each
//! of its accounts, without going through their wallets.

use protocol::ids::{AssetId, VaultAccountId};

use super::Model;
use crate::view::visit;

impl Model {
    /// What an account holds of the workspace's own assets.
    pub(crate) fn own_held(&self, account: VaultAccountId) -> &[AssetId] {
        visit();
        self.own_held.get(&account).map_or(&[], Vec::as_slice)
    }

    /// Writes down what an account holds of them now.
    pub(super) fn file_own(&mut self, id: VaultAccountId) {
        if self.own_assets.is_empty() {
            self.own_held.clear();
            return;
        }
        let account = self.accounts.get(&id);
        let wallets = account.into_iter().flat_map(|it| it.wallets.keys());
        let own = wallets.filter(|asset| self.own_assets.contains_key(*asset));
        let held: Vec<_> = own.cloned().collect();
        if held.is_empty() {
            self.own_held.remove(&id);
        } else {
            self.own_held.insert(id, held);
        }
    }

    /// The same of every account that holds this asset.
    pub(super) fn file_holders(&mut self, asset: &AssetId) {
        let holders: Vec<_> = self.finder.holders(asset).collect();
        for id in holders {
            self.file_own(id);
        }
    }
}
