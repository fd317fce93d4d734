//! The vault of a described workspace while it is being made: its wallets, what each holds, and
//! where it takes money.

use std::collections::HashMap;
use std::sync::Arc;

use ledger::change::WalletFacts;
use ledger::{AccountFacts, Change};
use protocol::amount::Amount;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::transaction::{Peer, PeerKind};
use protocol::model::vault::{Tag, VaultAsset, VaultWalletAddress};
use protocol::time::Millis;
use rand::Rng;
use rand::rngs::StdRng;

use super::addresses::Address;
use super::assets::{self, AddressForm, AssetRow};
use super::keys::Keyring;
use crate::described::{Accounts, Plan};

/// A wallet, and what it holds in its asset's smallest units.
#[derive(Debug)]
pub(super) struct Wallet {
    pub(super) account: u32,
    pub(super) asset: &'static AssetRow,
    pub(super) units: i128,
    pub(super) address: Arc<Address>,
}

/// All of them, by account and asset.
#[derive(Debug)]
pub(super) struct Vault {
    plan: Arc<Plan>,
    keys: Keyring,
    /// The first account of each of the plan's blocks.
    blocks: Vec<u32>,
    pub(super) wallets: Vec<Wallet>,
    /// The first wallet of each account, and behind them the end.
    first: Vec<usize>,
    /// The wallets of each asset, by account.
    by_asset: HashMap<&'static str, Vec<usize>>,
}

impl Vault {
    /// Opens every wallet that is described.
    pub(super) fn open(plan: &Arc<Plan>, keys: Keyring, random: &mut StdRng) -> Self {
        let mut vault = Self {
            plan: Arc::clone(plan),
            keys,
            blocks: Vec::new(),
            wallets: Vec::new(),
            first: vec![0],
            by_asset: HashMap::new(),
        };
        let mut number = 0;
        for block in &plan.accounts {
            vault.blocks.push(number);
            for _ in 0..block.names.count() {
                vault.open_account(number, block, random);
                number += 1;
            }
        }
        for (at, wallet) in vault.wallets.iter().enumerate() {
            vault.by_asset.entry(wallet.asset.id).or_default().push(at);
        }
        vault
    }

    fn open_account(&mut self, account: u32, block: &Accounts, random: &mut StdRng) {
        let start = self.wallets.len();
        let mut known: Vec<(AddressForm, &'static str, Arc<Address>)> = Vec::new();
        for one in &block.wallets {
            let asset = one.asset;
            // A token never without its chain's own asset.
            let mut opened = self.wallets.get(start..).unwrap_or_default().iter();
            let native_is_there =
                asset.native == asset.id || opened.any(|wallet| wallet.asset.id == asset.native);
            let wanted = block
                .share
                .is_none_or(|share| random.random_ratio(share, 100));
            let Some(chain) = assets::chain_of(asset) else {
                continue;
            };
            if !wanted || !native_is_there {
                continue;
            }
            let (least, most) = one.holds;
            let units = if least < most {
                random.random_range(least..=most)
            } else {
                least
            };
            // Chains of Ethereum's kind share their addresses.
            let shares = |form: &AddressForm, native: &str| {
                native == asset.native || (*form == AddressForm::Evm && chain.form == *form)
            };
            let shared = known
                .iter()
                .find(|(form, native, _)| shares(form, native))
                .map(|(.., address)| Arc::clone(address));
            let address = shared.unwrap_or_else(|| {
                let address = Arc::new(self.keys.address(chain, account, 0));
                known.push((chain.form, asset.native, Arc::clone(&address)));
                address
            });
            self.wallets.push(Wallet {
                account,
                asset,
                units,
                address,
            });
        }
        if let Some(opened) = self.wallets.get_mut(start..) {
            opened.sort_by_key(|wallet| wallet.asset.id);
        }
        self.first.push(self.wallets.len());
    }

    /// How many accounts there are.
    pub(super) fn accounts(&self) -> u32 {
        u32::try_from(self.first.len() - 1).unwrap_or(u32::MAX)
    }

    /// The block that an account was described in, and its place there.
    fn block(&self, account: u32) -> Option<(&Accounts, u32)> {
        let at = self.blocks.partition_point(|first| *first <= account);
        let at = at.checked_sub(1)?;
        let first = self.blocks.get(at)?;
        Some((self.plan.accounts.get(at)?, account - first))
    }

    /// The wallet of an account and an asset, by its place.
    pub(super) fn find(&self, account: u32, asset: &str) -> Option<usize> {
        let account = usize::try_from(account).ok()?;
        let (start, end) = (*self.first.get(account)?, *self.first.get(account + 1)?);
        let own = self.wallets.get(start..end)?;
        let at = own.binary_search_by_key(&asset, |wallet| wallet.asset.id);
        at.ok().map(|at| start + at)
    }

    /// The wallets of an asset, by account.
    pub(super) fn of_asset(&self, asset: &str) -> &[usize] {
        self.by_asset.get(asset).map_or(&[], Vec::as_slice)
    }

    /// Another wallet of the same asset.
    pub(super) fn another(&self, than: usize, random: &mut StdRng) -> Option<usize> {
        let asset = self.wallets.get(than)?.asset.id;
        let all = self.of_asset(asset);
        let own = all.binary_search(&than).ok()?;
        let others = all.len() - 1;
        if others == 0 {
            return None;
        }
        let at = random.random_range(..others);
        all.get(if at < own { at } else { at + 1 }).copied()
    }

    /// What was sent to a wallet when history began, in US cents.
    pub(super) fn funded(&self, wallet: &Wallet) -> Option<u64> {
        self.block(wallet.account)?.0.funded
    }

    /// An account as a side of a transaction.
    pub(super) fn peer(&self, account: u32) -> Peer {
        let name = self.block(account).map(|(block, at)| block.names.name(at));
        Peer {
            kind: PeerKind::VaultAccount,
            id: Some(account.to_string()),
            name: name.unwrap_or_default(),
            sub_type: String::new(),
        }
    }

    /// An account as the books have it.
    pub(super) fn account(&self, account: u32, tags: &HashMap<String, Tag>) -> Option<Change> {
        let (block, at) = self.block(account)?;
        let reference = block.customer_ref_id.as_ref();
        Some(Change::Account(AccountFacts {
            id: VaultAccountId::new(account),
            name: block.names.name(at),
            hidden_on_ui: block.hidden,
            customer_ref_id: reference.map(|pattern| pattern.fill(block.names.number(at))),
            auto_fuel: block.auto_fuel,
            tags: block
                .tags
                .iter()
                .filter_map(|label| tags.get(label).cloned())
                .collect(),
        }))
    }

    /// A wallet as the books have it, and its addresses.
    pub(super) fn changes(&self, at: usize, began: Millis, into: &mut Vec<Change>) {
        let Some(wallet) = self.wallets.get(at) else {
            return;
        };
        let asset_id = wallet.asset.asset_id();
        let account = VaultAccountId::new(wallet.account);
        let total = Amount::from_units(wallet.units, wallet.asset.decimals);
        let balance = VaultAsset {
            total: total.clone(),
            balance: Some(total.clone()),
            available: total,
            ..VaultAsset::empty(asset_id.clone())
        };
        let facts = WalletFacts {
            balance,
            created_at: began,
        };
        into.push(Change::Wallet(account, facts));
        let first = vault_address(asset_id.clone(), &wallet.address, 0, "");
        into.push(Change::Address(account, first));
        let more = self
            .block(wallet.account)
            .map(|(block, _)| block.more_addresses);
        let Some(chain) = assets::chain_of(wallet.asset) else {
            return;
        };
        for index in 1..=more.unwrap_or(0) {
            let address = self.keys.address(chain, wallet.account, index);
            let further = vault_address(asset_id.clone(), &address, index, "");
            into.push(Change::Address(account, further));
        }
    }
}

/// A deposit address as the API shows it.
pub(crate) fn vault_address(
    asset: AssetId,
    address: &Address,
    index: u32,
    description: &str,
) -> VaultWalletAddress {
    VaultWalletAddress {
        asset_id: asset,
        address: address.text.clone(),
        description: description.to_owned(),
        tag: address.tag.clone(),
        kind: if index == 0 { "Permanent" } else { "Deposit" }.to_owned(),
        customer_ref_id: None,
        address_format: Some(address.format.to_owned()),
        legacy_address: address.legacy.clone(),
        enterprise_address: String::new(),
        bip44_address_index: index,
        user_defined: index > 0,
    }
}
