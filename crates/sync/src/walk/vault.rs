//! Vault accounts, their wallets and deposit addresses.

use ledger::change::WalletFacts;
use ledger::{AccountFacts, Change, Version};
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::vault::{AssetWallet, VaultAccount, VaultAsset, VaultWalletAddress};
use protocol::operations::Paging;
use protocol::time::Millis;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::pages::{absent, each_page, rows};
use super::{SyncError, Walker};
use crate::held;

#[derive(Deserialize)]
struct Accounts {
    accounts: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wallets {
    asset_wallets: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Addresses {
    addresses: Vec<Box<RawValue>>,
}

impl Walker<'_> {
    pub(super) async fn accounts(&mut self) -> Result<(), SyncError> {
        let target = "/v1/vault/accounts_paged?limit=500";
        each_page!(self, target, Paging::BeforeAfter, |page| {
            let read: Vec<VaultAccount> =
                rows(self, &page.answer.json::<Accounts>()?.accounts).await;
            let version = Version::at(page.as_of);
            let changes = read
                .iter()
                .map(|account| (version, Change::Account(AccountFacts::from(account))));
            self.apply(changes.collect()).await?;
        });
        Ok(())
    }

    pub(super) async fn wallets(&mut self) -> Result<(), SyncError> {
        let target = "/v1/vault/asset_wallets?limit=1000";
        each_page!(self, target, Paging::BeforeAfter, |page| {
            let read: Vec<AssetWallet> =
                rows(self, &page.answer.json::<Wallets>()?.asset_wallets).await;
            let mut changes = Vec::with_capacity(read.len());
            for wallet in read {
                let account = wallet.vault_id;
                match facts(wallet) {
                    Ok(facts) => {
                        changes.push((Version::at(page.as_of), Change::Wallet(account, facts)))
                    }
                    Err(why) => self.not_understood(why),
                }
            }
            self.apply(changes).await?;
        });
        Ok(())
    }

    /// A wallet that is gone meanwhile is passed over.
    pub(super) async fn all_addresses(&mut self) -> Result<(), SyncError> {
        for wallet in held::wallets(self.books, &self.scope).await? {
            match self.addresses(wallet.vault_id, &wallet.asset_id).await {
                Err(error) if absent(&error) => self.not_understood(error),
                other => other?,
            }
        }
        Ok(())
    }

    pub(super) async fn addresses(
        &mut self,
        account: VaultAccountId,
        asset: &AssetId,
    ) -> Result<(), SyncError> {
        let target = format!("/v1/vault/accounts/{account}/{asset}/addresses_paginated");
        each_page!(self, &target, Paging::BeforeAfter, |page| {
            let read: Vec<VaultWalletAddress> =
                rows(self, &page.answer.json::<Addresses>()?.addresses).await;
            let version = Version::at(page.as_of);
            let changes = read
                .into_iter()
                .map(|address| (version, Change::Address(account, address)));
            self.apply(changes.collect()).await?;
        });
        Ok(())
    }
}

fn facts(wallet: AssetWallet) -> Result<WalletFacts, String> {
    let made = wallet.creation_timestamp.parse().map_err(|_| {
        let (account, asset) = (wallet.vault_id, &wallet.asset_id);
        format!("wallet {account}/{asset}: creationTimestamp is no time")
    })?;
    Ok(WalletFacts {
        balance: VaultAsset {
            id: wallet.asset_id,
            balance: Some(wallet.total.clone()),
            total: wallet.total,
            available: wallet.available,
            pending: wallet.pending,
            frozen: wallet.frozen,
            locked_amount: wallet.locked_amount,
            staked: wallet.staked,
            block_height: wallet.block_height,
            block_hash: wallet.block_hash,
        },
        created_at: Millis(made),
    })
}
