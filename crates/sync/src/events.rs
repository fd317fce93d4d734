//! What an event means for the books. Pure: what is known already is handed in.
//!
//! | event | what follows |
//! |---|---|
//! | `transaction.*` | the transaction, in its own version |
//! | `vault_account.created` | the account, unless it is known: whatever is known of it came later |
//! | `vault_account.asset.added` | an empty wallet, unless it is known; a look at its addresses |
//! | `vault_account.asset.balance_updated` | the balance; when the wallet was made stays as known |
//! | `*_wallet.asset.*` | a look at the whitelists: the event tells one entry's one address only |
//! | any other | nothing |

use std::collections::{BTreeMap, BTreeSet};

use ledger::change::WalletFacts;
use ledger::{AccountFacts, Books, Change, LedgerError, Scope, Version};
use protocol::amount::Amount;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::event::{AssetAdded, BalanceUpdated, Envelope, EventType, WalletAssetChanged};
use protocol::model::transaction::Transaction;
use protocol::model::vault::{VaultAccount, VaultAsset};
use protocol::time::Millis;
use serde::de::DeserializeOwned;

use crate::area::Area;
use crate::held;
use crate::translate::Translate;

/// Of a moment's events, a wallet's making comes before its balance.
const MADE: i64 = -1;

/// What follows from an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// What became true.
    pub changes: Vec<(Version, Change)>,
    /// What is to be looked at, since the event does not tell it whole.
    pub walk: BTreeSet<Area>,
}

/// An event of a known type whose data cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the data of {event} cannot be read: {why}")]
pub struct NotUnderstood {
    /// The event's type.
    pub event: EventType,
    /// What is wrong.
    pub why: String,
}

/// What is known beforehand of the things that events are about.
#[derive(Clone, Debug, Default)]
pub struct Known {
    accounts: BTreeSet<VaultAccountId>,
    wallets: BTreeMap<(VaultAccountId, AssetId), Millis>,
}

impl Known {
    /// What the books know of the things that these events are about.
    pub async fn of(books: &Books, envelopes: &[&Envelope]) -> Result<Self, LedgerError> {
        let ages = Millis(i64::MAX);
        let scope = Scope::whole(books.workspace());
        let mut known = Self::default();
        for envelope in envelopes {
            match about(envelope) {
                Some(About::Account(id)) => {
                    let asked = held::knows_account(books, &scope, id).await;
                    if asked.map_err(|_| LedgerError::Unwritable("an answer of the books"))? {
                        known.accounts.insert(id);
                    }
                }
                Some(About::Wallet(id, asset)) => {
                    let facts = books.wallet_as_of(&scope, id, &asset, ages, ages);
                    if let Some(facts) = facts.await? {
                        known.wallets.insert((id, asset), facts.created_at);
                    }
                }
                None => {}
            }
        }
        Ok(known)
    }

    /// Takes in what an event before has told.
    pub fn learn(&mut self, effects: &Effects) {
        for (_, change) in &effects.changes {
            match change {
                Change::Account(facts) => {
                    self.accounts.insert(facts.id);
                }
                Change::Wallet(id, facts) => {
                    self.wallets
                        .insert((*id, facts.balance.id.clone()), facts.created_at);
                }
                _ => {}
            }
        }
    }
}

enum About {
    Account(VaultAccountId),
    Wallet(VaultAccountId, AssetId),
}

/// What must be known before an event can be judged.
fn about(envelope: &Envelope) -> Option<About> {
    match envelope.event_type {
        EventType::VaultAccountCreated => {
            let account: VaultAccount = data(envelope).ok()?;
            Some(About::Account(account.id))
        }
        EventType::VaultAccountAssetAdded => {
            let added: AssetAdded = data(envelope).ok()?;
            Some(About::Wallet(added.account_id, added.asset_id))
        }
        EventType::VaultAccountAssetBalanceUpdated => {
            let updated: BalanceUpdated = data(envelope).ok()?;
            Some(About::Wallet(updated.vault_account_id, updated.asset_id))
        }
        _ => None,
    }
}

/// What follows from an event.
pub fn effects(
    envelope: &Envelope,
    known: &Known,
    translate: &dyn Translate,
) -> Result<Effects, NotUnderstood> {
    let at = envelope.created_at;
    match envelope.event_type {
        EventType::TransactionCreated
        | EventType::TransactionStatusUpdated
        | EventType::TransactionApprovalStatusUpdated
        | EventType::TransactionNetworkRecordsProcessingCompleted => {
            Ok(transaction(data(envelope)?, translate))
        }
        EventType::VaultAccountCreated => Ok(account(&data(envelope)?, at, known)),
        EventType::VaultAccountAssetAdded => {
            let added: AssetAdded = data(envelope)?;
            Ok(wallet_added(added.account_id, added.asset_id, at, known))
        }
        EventType::VaultAccountAssetBalanceUpdated => balance(data(envelope)?, at, known)
            .ok_or_else(|| NotUnderstood {
                event: envelope.event_type.clone(),
                why: "its balances are no amounts together".to_owned(),
            }),
        EventType::ExternalWalletAssetAdded
        | EventType::ExternalWalletAssetRemoved
        | EventType::InternalWalletAssetAdded
        | EventType::InternalWalletAssetRemoved
        | EventType::ContractWalletAssetAdded
        | EventType::ContractWalletAssetRemoved => {
            data::<WalletAssetChanged>(envelope)?;
            Ok(Effects {
                walk: BTreeSet::from([Area::Whitelists]),
                ..Effects::default()
            })
        }
        EventType::VaultAccountNftBalanceUpdated | EventType::Other(_) => Ok(Effects::default()),
    }
}

fn data<T: DeserializeOwned>(envelope: &Envelope) -> Result<T, NotUnderstood> {
    serde_json::from_str(envelope.data.get()).map_err(|error| NotUnderstood {
        event: envelope.event_type.clone(),
        why: error.to_string(),
    })
}

fn transaction(transaction: Transaction, translate: &dyn Translate) -> Effects {
    let (transaction, origin) = translate.transaction(transaction);
    let version = Version::of_transaction(&transaction);
    Effects {
        changes: vec![(version, Change::Transaction(Box::new(transaction), origin))],
        walk: BTreeSet::new(),
    }
}

/// The event carries neither `customerRefId` nor `autoFuel`: what is known is never put back by it.
fn account(account: &VaultAccount, at: Millis, known: &Known) -> Effects {
    let mut effects = Effects::default();
    if !known.accounts.contains(&account.id) {
        let facts = AccountFacts::from(account);
        effects
            .changes
            .push((Version::at(at), Change::Account(facts)));
    }
    if !account.assets.is_empty() {
        effects.walk.insert(Area::AssetWallets);
    }
    effects
}

fn wallet_added(account: VaultAccountId, asset: AssetId, at: Millis, known: &Known) -> Effects {
    let mut effects = Effects {
        changes: Vec::new(),
        walk: BTreeSet::from([Area::AddressesOf(account, asset.clone())]),
    };
    let key = (account, asset);
    if !known.wallets.contains_key(&key) {
        let facts = WalletFacts {
            balance: VaultAsset::empty(key.1),
            created_at: at,
        };
        let version = Version {
            time: at,
            rank: MADE,
        };
        effects
            .changes
            .push((version, Change::Wallet(account, facts)));
    }
    effects
}

fn balance(updated: BalanceUpdated, at: Millis, known: &Known) -> Option<Effects> {
    let mut effects = Effects::default();
    let account = updated.vault_account_id;
    let made = known.wallets.get(&(account, updated.asset_id.clone()));
    if made.is_none() {
        // Only a look tells when the wallet was made; until then it is as old as its first balance.
        effects.walk.insert(Area::AssetWallets);
        effects
            .walk
            .insert(Area::AddressesOf(account, updated.asset_id.clone()));
    }
    let available = match updated.available {
        Some(available) => available,
        None => rest(
            &updated.total,
            [
                &updated.pending,
                &updated.frozen,
                &updated.locked_amount,
                &updated.staked,
            ],
        )?,
    };
    let facts = WalletFacts {
        balance: VaultAsset {
            id: updated.asset_id,
            balance: Some(updated.total.clone()),
            total: updated.total,
            available,
            pending: updated.pending,
            frozen: updated.frozen,
            locked_amount: updated.locked_amount,
            staked: updated.staked,
            block_height: updated.block_height,
            block_hash: updated.block_hash,
        },
        created_at: made.copied().unwrap_or(at),
    };
    effects
        .changes
        .push((Version::at(at), Change::Wallet(account, facts)));
    Some(effects)
}

fn rest(total: &Amount, parts: [&Amount; 4]) -> Option<Amount> {
    parts
        .into_iter()
        .try_fold(total.clone(), |rest, part| rest.checked_sub(part))
}

#[cfg(test)]
mod tests;
