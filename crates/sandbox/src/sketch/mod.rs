//! A sketch of somebody's workspace: how much of what there is, and nothing by which it could be
//! known again. Whatever tells of a workspace in changes of books can be sketched: an upstream that is
//! walked, exports that are read. Pure.
//!
//! What is kept of a thing is its kind, its assets and its size. Names, ids, addresses, tags' texts,
//! references, notes, hashes and users are not even taken in, but for the ids by which things are
//! told apart here, which are not written.

mod file;

use std::collections::{BTreeMap, BTreeSet};

use ledger::Change;
use protocol::amount::Amount;
use protocol::ids::{AssetId, TxId, VaultAccountId, WalletId};
use protocol::model::transaction::{Transaction, TransactionStatus};
use protocol::model::whitelist::WhitelistKind;
use protocol::time::Millis;

use crate::described::Kind;

pub use file::Factor;

/// What is known of a workspace.
#[derive(Clone, Debug, Default)]
pub struct Sketch {
    accounts: BTreeMap<VaultAccountId, Account>,
    wallets: BTreeMap<VaultAccountId, BTreeMap<AssetId, Amount>>,
    listed: BTreeMap<WalletId, (WhitelistKind, BTreeSet<AssetId>)>,
    tags: BTreeMap<String, Tag>,
    transactions: BTreeMap<TxId, Moved>,
}

/// What is kept of an account.
#[derive(Clone, Debug, Default)]
struct Account {
    hidden: bool,
    auto_fuel: bool,
    has_reference: bool,
    /// Ids.
    tags: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
struct Tag {
    protected: bool,
}

/// What is kept of a transaction.
#[derive(Clone, Debug)]
struct Moved {
    at: Millis,
    asset: AssetId,
    kind: Kind,
    usd: Option<Amount>,
}

/// How much of each kind of thing was sketched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counted {
    /// Vault accounts.
    pub accounts: usize,
    /// Wallets of theirs.
    pub wallets: usize,
    /// Entries of whitelists.
    pub whitelisted: usize,
    /// Transactions.
    pub transactions: usize,
}

impl Sketch {
    /// Takes in what became true; twice is as once.
    pub fn take(&mut self, change: &Change) {
        match change {
            Change::Account(facts) => {
                for tag in &facts.tags {
                    let protected = tag.is_protected;
                    self.tags.insert(tag.id.clone(), Tag { protected });
                }
                let account = Account {
                    hidden: facts.hidden_on_ui,
                    auto_fuel: facts.auto_fuel,
                    has_reference: facts.customer_ref_id.is_some(),
                    tags: facts.tags.iter().map(|tag| tag.id.clone()).collect(),
                };
                self.accounts.insert(facts.id, account);
            }
            Change::Wallet(account, facts) => {
                self.accounts.entry(*account).or_default();
                let balance = &facts.balance;
                let wallets = self.wallets.entry(*account).or_default();
                wallets.insert(balance.id.clone(), balance.total.clone());
            }
            Change::Whitelist(kind, wallet) => {
                let assets = wallet.assets.iter().map(|asset| asset.id.clone());
                self.listed.insert(wallet.id, (*kind, assets.collect()));
            }
            Change::WhitelistRemoved(_, id) => drop(self.listed.remove(id)),
            Change::Transaction(transaction, _) => {
                let moved = Moved {
                    at: transaction.created_at,
                    asset: transaction.asset_id.clone(),
                    kind: kind_of(transaction),
                    usd: transaction.amount_info.amount_usd.clone(),
                };
                self.transactions.insert(transaction.id, moved);
            }
            Change::Address(..) | Change::Asset(..) | Change::Blockchain(_) | Change::User(_) => {}
        }
    }

    /// How much there is of everything.
    pub fn counted(&self) -> Counted {
        Counted {
            accounts: self.accounts.len(),
            wallets: self.wallets.values().map(BTreeMap::len).sum(),
            whitelisted: self.listed.len(),
            transactions: self.transactions.len(),
        }
    }
}

/// Which kind of a history's transactions it is nearest to.
fn kind_of(transaction: &Transaction) -> Kind {
    use TransactionStatus::{Blocked, Cancelled, Failed, Rejected};
    let from = transaction.source.vault_account().is_some();
    let to = transaction.destination.vault_account().is_some();
    match transaction.status {
        Blocked => Kind::Blocked,
        Cancelled | Rejected => Kind::Rejected,
        Failed => Kind::Failed,
        _ if from && to => Kind::Internal,
        _ if from => Kind::Payment,
        _ => Kind::Deposit,
    }
}

#[cfg(test)]
mod tests;
