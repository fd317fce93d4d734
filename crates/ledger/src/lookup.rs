//! What a batch may look up while it writes: what is true at that point of its own transaction.

use protocol::ids::{AssetId, TxId, UserId, VaultAccountId, WalletId, WorkspaceId};
use protocol::model::asset::{Asset, Blockchain, SupportedAsset};
use protocol::model::transaction::{PeerKind, Transaction};
use protocol::model::user::User;
use protocol::model::vault::VaultWalletAddress;
use protocol::model::whitelist::{WhitelistKind, WhitelistedWallet};
use protocol::time::Millis;
use serde::de::DeserializeOwned;
use store::{Query, StoreError};
use uuid::Uuid;

use crate::batch::Batch;
use crate::books::Books;
use crate::change::{AccountFacts, FactKey, FactKind, Origin, WalletFacts};
use crate::docs::parse;
use crate::rows;
use crate::scope::Scope;

/// Rows read at once.
const PAGE: i64 = 1_000;

/// Which transactions a look back is about: created between two moments, both excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookBack {
    /// After this one.
    pub after: Millis,
    /// Before this one.
    pub before: Millis,
    /// From there; nothing: from anywhere.
    pub source: Option<(PeerKind, String)>,
    /// To there; nothing: to anywhere.
    pub destination: Option<(PeerKind, String)>,
    /// Of these assets; none: of all.
    pub assets: Vec<AssetId>,
}

impl Books {
    /// A transaction by its public id, for whoever acts in the whole workspace.
    pub fn transaction(
        &self,
        query: &mut impl Query,
        id: TxId,
    ) -> Result<Option<Transaction>, StoreError> {
        Ok(rows::transaction(query, self.workspace(), id)?.map(|row| row.transaction))
    }
}

/// Every user of a workspace, people and API keys.
pub fn users(query: &mut impl Query, workspace: WorkspaceId) -> Result<Vec<User>, StoreError> {
    rows::facts(query, workspace, FactKind::User)?
        .iter()
        .filter_map(|fact| fact.doc.as_deref())
        .map(|doc| parse("user", doc))
        .collect()
}

impl Batch {
    /// The transactions of a look back, the oldest first. Costs the rows created in that time.
    pub fn look_back(
        &self,
        query: &mut impl Query,
        wanted: &LookBack,
    ) -> Result<Vec<Transaction>, StoreError> {
        let side = |side: &Option<(PeerKind, String)>| side.clone().unzip();
        let (source_kind, source_id) = side(&wanted.source);
        let (destination_kind, destination_id) = side(&wanted.destination);
        let filter = rows::Filter {
            after: Some(wanted.after),
            before: Some(wanted.before),
            source_kind,
            source_id,
            destination_kind,
            destination_id,
            assets: wanted.assets.clone(),
            ..rows::Filter::default()
        };
        let whole = Scope::whole(self.workspace);
        let (mut found, mut past) = (Vec::new(), None);
        loop {
            let order = rows::Order {
                by_update: false,
                ascending: true,
                past,
                limit: PAGE,
            };
            let page = rows::page(query, &whole, &filter, &order)?;
            let Some(last) = page.last() else {
                return Ok(found);
            };
            past = Some(last.key);
            for row in &page {
                found.push(row.transaction()?);
            }
        }
    }

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

    /// A vault account of that name.
    pub fn account_named(
        &self,
        query: &mut impl Query,
        name: &str,
    ) -> Result<Option<VaultAccountId>, StoreError> {
        rows::account_named(query, self.workspace, name)
    }

    /// The number of the next vault account.
    pub fn next_account(&self, query: &mut impl Query) -> Result<VaultAccountId, StoreError> {
        let last = rows::last_account(query, self.workspace)?;
        let number = last.map_or(0, |last| last.number().saturating_add(1));
        Ok(VaultAccountId::new(number))
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

    /// The first address of a wallet.
    pub fn first_address(
        &self,
        query: &mut impl Query,
        account: VaultAccountId,
        asset: &AssetId,
    ) -> Result<Option<VaultWalletAddress>, StoreError> {
        rows::first_address(query, self.workspace, account, asset)?
            .and_then(|fact| fact.doc)
            .map(|doc| parse("address", &doc))
            .transpose()
    }

    /// Where the next address of a wallet stands in its derivation.
    pub fn next_address_index(
        &self,
        query: &mut impl Query,
        account: VaultAccountId,
        asset: &AssetId,
    ) -> Result<u32, StoreError> {
        let last = rows::last_place(query, self.workspace, account, asset)?;
        Ok(last.map_or(0, |last| last.saturating_add(1)))
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
        users(query, self.workspace)
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
