//! What can become true of a workspace, and as of when.

use protocol::ids::{AssetId, TxId, UserId, VaultAccountId, WalletId};
use protocol::model::asset::{Asset, Blockchain, SupportedAsset};
use protocol::model::transaction::Transaction;
use protocol::model::user::User;
use protocol::model::vault::{Tag, VaultAccount, VaultAsset, VaultWalletAddress};
use protocol::model::whitelist::{WhitelistKind, WhitelistedWallet};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

/// As of when something is true. Of two, the later stays; of two of the same time, the higher rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Upstream's time.
    pub time: Millis,
    /// The place among those of one time.
    pub rank: i64,
}

impl Version {
    /// As of a time, with nothing to tell it from others of that time.
    pub const fn at(time: Millis) -> Self {
        Self { time, rank: 0 }
    }

    /// A transaction's own: when it was last updated, then how far it is, then how confirmed.
    pub fn of_transaction(transaction: &Transaction) -> Self {
        let rank = i64::from(transaction.status.rank()) << 32
            | i64::from(transaction.num_of_confirmations);
        Self {
            time: transaction.last_updated,
            rank,
        }
    }
}

/// A vault account without its wallets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFacts {
    /// Its number.
    pub id: VaultAccountId,
    /// Its name.
    pub name: String,
    /// Whether the Console hides it.
    pub hidden_on_ui: bool,
    /// The client's own name for its customer.
    pub customer_ref_id: Option<String>,
    /// Whether a gas station refuels it.
    pub auto_fuel: bool,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl From<&VaultAccount> for AccountFacts {
    fn from(account: &VaultAccount) -> Self {
        Self {
            id: account.id,
            name: account.name.clone(),
            hidden_on_ui: account.hidden_on_ui,
            customer_ref_id: account.customer_ref_id.clone(),
            auto_fuel: account.auto_fuel,
            tags: account.tags.clone(),
        }
    }
}

/// The balances of a wallet, and when the wallet was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletFacts {
    /// The balances.
    pub balance: VaultAsset,
    /// When it was made.
    pub created_at: Millis,
}

/// Something that became true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A vault account is like this.
    Account(AccountFacts),
    /// A wallet holds this.
    Wallet(VaultAccountId, WalletFacts),
    /// A wallet has this address.
    Address(VaultAccountId, VaultWalletAddress),
    /// A whitelist has this entry.
    Whitelist(WhitelistKind, WhitelistedWallet),
    /// A whitelist has no such entry any more.
    WhitelistRemoved(WhitelistKind, WalletId),
    /// There is this asset.
    Asset(SupportedAsset, Asset),
    /// There is this blockchain.
    Blockchain(Blockchain),
    /// There is this user.
    User(User),
    /// A transaction is like this.
    Transaction(Box<Transaction>, Origin),
}

/// What the books know of a transaction beside what it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Its id upstream, where that is not its public one.
    pub upstream_id: Option<TxId>,
    /// Which connection proposed it.
    pub proposer: Option<String>,
    /// Who made it upstream, where another is shown; not kept.
    pub created_by: Option<String>,
}

/// What a fact is about: its kind and its key within the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FactKey {
    pub(crate) kind: FactKind,
    pub(crate) key: String,
    pub(crate) account: Option<VaultAccountId>,
    pub(crate) asset: Option<AssetId>,
    /// What else it is found by: an account's name, an address.
    pub(crate) label: Option<String>,
    /// An address's place among its wallet's.
    pub(crate) place: Option<u32>,
}

/// The kinds of fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FactKind {
    Account,
    Wallet,
    Address,
    Internal,
    External,
    Contract,
    Asset,
    Blockchain,
    User,
}

impl FactKind {
    /// What the read model holds, in the order in which it is read.
    pub(crate) const IN_MODEL: [Self; 8] = [
        Self::Account,
        Self::Wallet,
        Self::Internal,
        Self::External,
        Self::Contract,
        Self::Asset,
        Self::Blockchain,
        Self::User,
    ];

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        let found = |kind: &Self| kind.as_str() == word;
        Self::IN_MODEL.into_iter().find(found)
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Wallet => "wallet",
            Self::Address => "address",
            Self::Internal => "internal",
            Self::External => "external",
            Self::Contract => "contract",
            Self::Asset => "asset",
            Self::Blockchain => "blockchain",
            Self::User => "user",
        }
    }

    pub(crate) const fn of(kind: WhitelistKind) -> Self {
        match kind {
            WhitelistKind::Internal => Self::Internal,
            WhitelistKind::External => Self::External,
            WhitelistKind::Contract => Self::Contract,
        }
    }
}

impl FactKey {
    pub(crate) fn account(id: VaultAccountId) -> Self {
        Self {
            kind: FactKind::Account,
            key: id.to_string(),
            account: Some(id),
            asset: None,
            label: None,
            place: None,
        }
    }

    /// The same, for who writes it down.
    pub(crate) fn of_account(facts: &AccountFacts) -> Self {
        Self {
            label: Some(facts.name.clone()),
            ..Self::account(facts.id)
        }
    }

    pub(crate) fn wallet(account: VaultAccountId, asset: &AssetId) -> Self {
        let key = format!("{account}/{asset}");
        Self {
            kind: FactKind::Wallet,
            key,
            account: Some(account),
            asset: Some(asset.clone()),
            label: None,
            place: None,
        }
    }

    pub(crate) fn address(account: VaultAccountId, address: &VaultWalletAddress) -> Self {
        let key = format!(
            "{account}/{}/{}/{}",
            address.asset_id, address.address, address.tag
        );
        Self {
            kind: FactKind::Address,
            key,
            account: Some(account),
            asset: Some(address.asset_id.clone()),
            label: Some(address.address.clone()),
            place: Some(address.bip44_address_index),
        }
    }

    pub(crate) fn plain(kind: FactKind, key: impl ToString) -> Self {
        Self {
            kind,
            key: key.to_string(),
            account: None,
            asset: None,
            label: None,
            place: None,
        }
    }

    pub(crate) fn user(id: UserId) -> Self {
        Self::plain(FactKind::User, id)
    }
}
