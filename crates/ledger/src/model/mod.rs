//! The read model in memory: accounts, wallets, totals, whitelists, assets, users. Hot reads touch
//! no SQL: an account's JSON is rendered once, when it changes.
//!
//! Changes may arrive in any order: each entry keeps its version, and the later one stays, exactly
//! as in the tables. So what is here follows the tables whoever's commit is told first.
//!
//! Size: about 600 bytes a wallet (its facts, its share of the account's JSON, where it stands there),
//! and about 300 an account for what finds it.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use protocol::amount::Amount;
use protocol::ids::{AssetId, UserId, VaultAccountId, WalletId};
use protocol::model::asset::{Asset, Blockchain, SupportedAsset};
use protocol::model::user::User;
use protocol::model::vault::{VaultAccount, VaultAsset};
use protocol::model::whitelist::{WhitelistKind, WhitelistedWallet};

use crate::change::{AccountFacts, Change, Version, WalletFacts};
use crate::scope::AssetFilter;
use crate::view::{is_everybodys, visit};

mod finder;
mod own;
mod print;

pub(crate) use finder::Wanted;
use finder::{Candidates, Finder};
pub(crate) use print::AccountJson;
use print::Print;

/// Everything but transactions and addresses.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) accounts: BTreeMap<VaultAccountId, Account>,
    pub(crate) totals: BTreeMap<AssetId, VaultAsset>,
    pub(crate) whitelists: BTreeMap<(WhitelistKind, WalletId), Entry<Option<WhitelistedWallet>>>,
    /// The assets that every workspace knows.
    pub(crate) assets: BTreeMap<AssetId, Entry<(SupportedAsset, Asset)>>,
    /// Those that this workspace registered itself.
    pub(crate) own_assets: BTreeMap<AssetId, Entry<(SupportedAsset, Asset)>>,
    /// Which of those each account holds, where it holds any.
    own_held: HashMap<VaultAccountId, Vec<AssetId>>,
    pub(crate) blockchains: BTreeMap<uuid::Uuid, Entry<Blockchain>>,
    pub(crate) users: BTreeMap<UserId, Entry<User>>,
    finder: Finder,
}

/// Something, and as of when.
#[derive(Debug)]
pub(crate) struct Entry<T> {
    pub(crate) version: Version,
    pub(crate) value: T,
}

/// An account and its wallets. Wallets may be known before the account itself is.
///
/// As large as one line of the processor's cache: a page without a filter touches of each account this,
/// and what it sends.
#[derive(Debug, Default)]
pub(crate) struct Account {
    facts: Option<Box<Entry<AccountFacts>>>,
    wallets: BTreeMap<AssetId, Entry<WalletFacts>>,
    print: Print,
}

const _: () = assert!(size_of::<Account>() <= 64);

impl Account {
    /// The account's own facts, once they are known.
    pub(crate) fn facts(&self) -> Option<&AccountFacts> {
        visit();
        self.facts.as_ref().map(|entry| &entry.value)
    }

    /// Its wallets, by asset.
    pub(crate) fn wallets(&self) -> impl Iterator<Item = &WalletFacts> {
        self.wallets
            .values()
            .inspect(|_| visit())
            .map(|entry| &entry.value)
    }

    /// One wallet.
    pub(crate) fn wallet(&self, asset: &AssetId) -> Option<&WalletFacts> {
        visit();
        self.wallets.get(asset).map(|entry| &entry.value)
    }

    /// The account as JSON, with its wallets of these assets, and with what people wrote on it or without.
    pub(crate) fn json<'m>(&'m self, assets: &'m AssetFilter, notes: bool) -> AccountJson<'m> {
        AccountJson {
            print: &self.print,
            assets,
            notes,
        }
    }

    /// The account with those of its wallets that are wanted.
    pub(crate) fn with_wallets(&self, wanted: impl Fn(&AssetId) -> bool) -> Option<VaultAccount> {
        let facts = self.facts()?;
        Some(VaultAccount {
            id: facts.id,
            name: facts.name.clone(),
            hidden_on_ui: facts.hidden_on_ui,
            customer_ref_id: facts.customer_ref_id.clone(),
            auto_fuel: facts.auto_fuel,
            tags: facts.tags.clone(),
            assets: self
                .wallets()
                .map(|wallet| &wallet.balance)
                .filter(|b| wanted(&b.id))
                .cloned()
                .collect(),
        })
    }

    fn render(&mut self) {
        self.print = Print::of(self).unwrap_or_default();
    }
}

/// Whether what is new replaces what is there. Of equal versions the greater text stays, so that
/// the outcome is the same in any order.
pub(crate) fn replaces(new: (Version, &str), old: (Version, &str)) -> bool {
    new > old
}

impl Model {
    /// Takes in a change that the tables have taken in.
    pub(crate) fn apply(&mut self, version: Version, change: &Change) {
        let account = match change {
            Change::Account(facts) => facts.id,
            Change::Wallet(id, _) => *id,
            Change::Asset(supported, _) => {
                let is_own = |model: &Self| model.own_assets.contains_key(&supported.id);
                let before = is_own(self);
                self.take(version, change);
                if is_own(self) != before {
                    self.file_holders(&supported.id);
                }
                return;
            }
            _ => return self.take(version, change),
        };
        if let Some(known) = self.accounts.get(&account) {
            self.finder.take(account, known);
        }
        self.take(version, change);
        self.settle(account);
    }

    /// Whether what a change tells is here already. What is not kept here (addresses, transactions) is not.
    pub(crate) fn holds(&self, change: &Change) -> bool {
        match change {
            Change::Account(facts) => {
                let account = self.accounts.get(&facts.id);
                account.and_then(Account::facts) == Some(facts)
            }
            Change::Wallet(id, facts) => {
                let account = self.accounts.get(id);
                account.and_then(|account| account.wallet(&facts.balance.id)) == Some(facts)
            }
            Change::Whitelist(kind, wallet) => {
                let entry = self.whitelists.get(&(*kind, wallet.id));
                entry.and_then(|entry| entry.value.as_ref()) == Some(wallet)
            }
            Change::WhitelistRemoved(kind, id) => {
                let entry = self.whitelists.get(&(*kind, *id));
                entry.is_some_and(|entry| entry.value.is_none())
            }
            Change::Asset(supported, asset) => {
                let known = self.asset(&supported.id);
                known.is_some_and(|known| known.0 == *supported && known.1 == *asset)
            }
            Change::Blockchain(chain) => {
                let entry = self.blockchains.get(&chain.id);
                entry.is_some_and(|entry| entry.value == *chain)
            }
            Change::User(user) => {
                let entry = self.users.get(&user.id);
                entry.is_some_and(|entry| entry.value == *user)
            }
            Change::Address(..) | Change::Transaction(..) => false,
        }
    }

    /// An asset, whoever listed it.
    pub(crate) fn asset(&self, id: &AssetId) -> Option<&(SupportedAsset, Asset)> {
        let entry = self.assets.get(id).or_else(|| self.own_assets.get(id));
        entry.map(|entry| &entry.value)
    }

    /// Renders and files every account, once all is taken in.
    pub(crate) fn settle_all(&mut self) {
        let ids: Vec<_> = self.accounts.keys().copied().collect();
        for id in ids {
            self.settle(id);
        }
    }

    /// Renders an account as it is now, and files it where lists look for it.
    fn settle(&mut self, id: VaultAccountId) {
        if let Some(account) = self.accounts.get_mut(&id) {
            account.render();
            self.finder.put(id, account);
        }
        self.file_own(id);
    }

    /// The accounts that a list is to look at, in a range of ids.
    pub(crate) fn candidates<'m>(
        &'m self,
        wanted: &Wanted<'_>,
        bounds: (Bound<VaultAccountId>, Bound<VaultAccountId>),
    ) -> Box<dyn DoubleEndedIterator<Item = (VaultAccountId, &'m Account)> + 'm> {
        let known = |id: VaultAccountId| Some((id, self.accounts.get(&id)?));
        match self.finder.candidates(wanted) {
            Candidates::All => {
                let range = self.accounts.range(bounds);
                Box::new(range.map(|(id, account)| (*id, account)))
            }
            Candidates::Kept(ids) => Box::new(ids.range(bounds).copied().filter_map(known)),
            Candidates::Gathered(ids) => {
                let ids: Vec<_> = ids.range(bounds).copied().collect();
                Box::new(ids.into_iter().filter_map(known))
            }
        }
    }

    /// Takes in a change; an account is neither rendered nor filed yet.
    pub(crate) fn take(&mut self, version: Version, change: &Change) {
        match change {
            Change::Account(facts) => {
                let account = self.accounts.entry(facts.id).or_default();
                if newer(account.facts.as_deref(), version, facts) {
                    account.facts = Some(Box::new(Entry {
                        version,
                        value: facts.clone(),
                    }));
                }
            }
            Change::Wallet(id, facts) => self.take_wallet(*id, version, facts),
            Change::Whitelist(kind, wallet) => {
                self.apply_whitelist((*kind, wallet.id), version, Some(wallet.clone()));
            }
            Change::WhitelistRemoved(kind, id) => self.apply_whitelist((*kind, *id), version, None),
            Change::Asset(supported, asset) => {
                let (mut to, mut from) = (&mut self.assets, &mut self.own_assets);
                if !is_everybodys(asset) {
                    std::mem::swap(&mut to, &mut from);
                }
                let (id, value) = (&supported.id, (supported.clone(), asset.clone()));
                if newer(from.get(id), version, &value) {
                    from.remove(id);
                    put(to, id.clone(), version, value);
                }
            }
            Change::Blockchain(chain) => {
                put(&mut self.blockchains, chain.id, version, chain.clone())
            }
            Change::User(user) => put(&mut self.users, user.id, version, user.clone()),
            Change::Address(..) | Change::Transaction(..) => {}
        }
    }

    fn take_wallet(&mut self, id: VaultAccountId, version: Version, facts: &WalletFacts) {
        let account = self.accounts.entry(id).or_default();
        let asset = &facts.balance.id;
        let old = account.wallets.get(asset);
        if !newer(old, version, facts) {
            return;
        }
        let total = self
            .totals
            .entry(asset.clone())
            .or_insert_with(|| VaultAsset::empty(asset.clone()));
        if let Some(old) = old {
            add(total, &old.value.balance, |sum, part| sum.checked_sub(part));
        }
        add(total, &facts.balance, |sum, part| sum.checked_add(part));
        account.wallets.insert(
            asset.clone(),
            Entry {
                version,
                value: facts.clone(),
            },
        );
    }

    fn apply_whitelist(
        &mut self,
        key: (WhitelistKind, WalletId),
        version: Version,
        value: Option<WhitelistedWallet>,
    ) {
        put(&mut self.whitelists, key, version, value);
    }
}

fn put<K: Ord, T: serde::Serialize>(
    map: &mut BTreeMap<K, Entry<T>>,
    key: K,
    version: Version,
    value: T,
) {
    if newer(map.get(&key), version, &value) {
        map.insert(key, Entry { version, value });
    }
}

fn newer<T: serde::Serialize>(old: Option<&Entry<T>>, version: Version, value: &T) -> bool {
    match old {
        None => true,
        Some(old) if old.version != version => version > old.version,
        Some(old) => {
            serde_json::to_string(value).unwrap_or_default()
                > serde_json::to_string(&old.value).unwrap_or_default()
        }
    }
}

/// Adds or takes away each balance. A sum that is no amount any more (beyond 40 digits) stays.
pub(crate) fn add(
    total: &mut VaultAsset,
    part: &VaultAsset,
    how: impl Fn(&Amount, &Amount) -> Option<Amount>,
) {
    let each = |sum: &mut Amount, part: &Amount| {
        if let Some(changed) = how(sum, part) {
            *sum = changed;
        }
    };
    each(&mut total.total, &part.total);
    each(&mut total.available, &part.available);
    each(&mut total.pending, &part.pending);
    each(&mut total.frozen, &part.frozen);
    each(&mut total.locked_amount, &part.locked_amount);
    each(&mut total.staked, &part.staked);
    total.balance = Some(total.total.clone());
}
