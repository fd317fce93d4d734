//! What a batch may look up while it writes: what is true at that point of its own transaction.

use protocol::ids::{AssetId, TxId, UserId, VaultAccountId, WalletId};
use protocol::model::asset::{Asset, Blockchain, SupportedAsset};
use protocol::model::transaction::Transaction;
use protocol::model::user::User;
use protocol::model::vault::VaultWalletAddress;
use protocol::model::whitelist::{WhitelistKind, WhitelistedWallet};
use serde::de::DeserializeOwned;
use store::{Query, StoreError};
use uuid::Uuid;

use crate::books::Batch;
use crate::change::{AccountFacts, FactKey, FactKind, Origin, WalletFacts};
use crate::docs::parse;
use crate::rows;

impl Batch {
    /// A transaction by its public id, with what the books know beside it.
    pub fn transaction(
        &self,
        query: &mut impl Query,
        id: TxId,
    ) -> Result<Option<(Transaction, Origin)>, StoreError> {
        Ok(rows::transaction(query, self.workspace, id)?.map(|row| (row.transaction, row.origin)))
    }

    /// Every vault account.
    pub fn accounts(&self, query: &mut impl Query) -> Result<Vec<AccountFacts>, StoreError> {
        rows::facts(query, self.workspace, FactKind::Account)?
            .iter()
            .filter_map(|fact| fact.doc.as_deref())
            .map(|doc| parse("account", doc))
            .collect()
    }

    /// A vault account.
    pub fn account(
        &self,
        query: &mut impl Query,
        id: VaultAccountId,
    ) -> Result<Option<AccountFacts>, StoreError> {
        self.look_up(query, "account", &FactKey::account(id))
    }

    /// A wallet.
    pub fn wallet(
        &self,
        query: &mut impl Query,
        account: VaultAccountId,
        asset: &AssetId,
    ) -> Result<Option<WalletFacts>, StoreError> {
        self.look_up(query, "wallet", &FactKey::wallet(account, asset))
    }

    /// The addresses of a wallet.
    pub fn addresses(
        &self,
        query: &mut impl Query,
        account: VaultAccountId,
        asset: &AssetId,
    ) -> Result<Vec<VaultWalletAddress>, StoreError> {
        rows::addresses(query, self.workspace, account, asset)?
            .iter()
            .filter_map(|fact| fact.doc.as_deref())
            .map(|doc| parse("address", doc))
            .collect()
    }

    /// A deposit address, as its key names it.
    pub fn address(
        &self,
        query: &mut impl Query,
        account: VaultAccountId,
        like: &VaultWalletAddress,
    ) -> Result<Option<VaultWalletAddress>, StoreError> {
        self.look_up(query, "address", &FactKey::address(account, like))
    }

    /// An asset, in both its forms.
    pub fn asset(
        &self,
        query: &mut impl Query,
        id: &AssetId,
    ) -> Result<Option<(SupportedAsset, Asset)>, StoreError> {
        self.look_up(query, "asset", &FactKey::plain(FactKind::Asset, id))
    }

    /// A blockchain.
    pub fn blockchain(
        &self,
        query: &mut impl Query,
        id: Uuid,
    ) -> Result<Option<Blockchain>, StoreError> {
        self.look_up(
            query,
            "blockchain",
            &FactKey::plain(FactKind::Blockchain, id),
        )
    }

    /// Every entry of a whitelist.
    pub fn whitelist(
        &self,
        query: &mut impl Query,
        kind: WhitelistKind,
    ) -> Result<Vec<WhitelistedWallet>, StoreError> {
        rows::facts(query, self.workspace, FactKind::of(kind))?
            .iter()
            .filter_map(|fact| fact.doc.as_deref())
            .map(|doc| parse("whitelist", doc))
            .collect()
    }

    /// An entry of a whitelist.
    pub fn whitelisted(
        &self,
        query: &mut impl Query,
        kind: WhitelistKind,
        id: WalletId,
    ) -> Result<Option<WhitelistedWallet>, StoreError> {
        let key = FactKey::plain(FactKind::of(kind), id);
        self.look_up(query, "whitelist", &key)
    }

    /// Every user, people and API keys.
    pub fn users(&self, query: &mut impl Query) -> Result<Vec<User>, StoreError> {
        rows::facts(query, self.workspace, FactKind::User)?
            .iter()
            .filter_map(|fact| fact.doc.as_deref())
            .map(|doc| parse("user", doc))
            .collect()
    }

    /// A user.
    pub fn user(&self, query: &mut impl Query, id: UserId) -> Result<Option<User>, StoreError> {
        self.look_up(query, "user", &FactKey::user(id))
    }

    fn look_up<T: DeserializeOwned>(
        &self,
        query: &mut impl Query,
        what: &'static str,
        key: &FactKey,
    ) -> Result<Option<T>, StoreError> {
        rows::one_fact(query, self.workspace, key)?
            .and_then(|fact| fact.doc)
            .map(|doc| parse(what, &doc))
            .transpose()
    }
}
