//! Internal wallets, external wallets and contracts: whole lists, so that what is gone shows too.

use std::collections::BTreeSet;

use ledger::{Change, Version};
use protocol::model::whitelist::{WhitelistKind, WhitelistedWallet};
use serde_json::value::RawValue;

use super::pages::rows;
use super::{SyncError, Walker};
use crate::held;

impl Walker<'_> {
    pub(super) async fn whitelists(&mut self) -> Result<(), SyncError> {
        for (kind, target) in [
            (WhitelistKind::Internal, "/v1/internal_wallets"),
            (WhitelistKind::External, "/v1/external_wallets"),
            (WhitelistKind::Contract, "/v1/contracts"),
        ] {
            self.whitelist(kind, target).await?;
        }
        Ok(())
    }

    async fn whitelist(&mut self, kind: WhitelistKind, target: &str) -> Result<(), SyncError> {
        let page = self.get(target).await?;
        let version = Version::at(page.as_of);
        let listed: Vec<Box<RawValue>> = page.answer.json()?;
        let read: Vec<WhitelistedWallet> = rows(self, &listed).await;
        // Where a row was not understood, nothing is known to be gone.
        let whole = read.len() == listed.len();
        let there: BTreeSet<_> = read.iter().map(|wallet| wallet.id).collect();
        let mut changes: Vec<_> = read
            .into_iter()
            .map(|wallet| (version, Change::Whitelist(kind, wallet)))
            .collect();
        if whole {
            let before = held::whitelist(self.books, &self.scope, kind).await?;
            changes.extend(
                before
                    .iter()
                    .filter(|wallet| !there.contains(&wallet.id))
                    .map(|wallet| (version, Change::WhitelistRemoved(kind, wallet.id))),
            );
        }
        self.apply(changes).await
    }
}
