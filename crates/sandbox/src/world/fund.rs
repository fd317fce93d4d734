//! A fund: accounts, wallets, addresses, whitelists and a year of transactions, from a seed.
//!
//! The generator keeps a ledger of its own, in the assets' smallest units: what it hands out as
//! balances is the sum of the transactions that it hands out, never a number made up beside them.

use std::collections::BTreeMap;

use ledger::change::WalletFacts;
use ledger::{AccountFacts, Change};
use protocol::amount::Amount;
use protocol::ids::{AssetId, TxId, VaultAccountId, WalletId};
use protocol::model::transaction::{
    AmountInfo, BlockInfo, Peer, PeerKind, Transaction, TransactionStatus,
};
use protocol::model::vault::{VaultAsset, VaultWalletAddress};
use protocol::model::whitelist::{
    WhitelistKind, WhitelistStatus, WhitelistedAsset, WhitelistedWallet,
};
use protocol::time::Millis;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use super::addresses::{self, Address};
use super::assets::{self, AssetRow};
use super::keys::Keyring;
use super::network::Network;

/// Accounts of a seeded fund.
const ACCOUNTS: u32 = 36;
/// Transactions of its year.
const TRANSACTIONS: usize = 640;

/// A fund as it stands.
#[derive(Debug)]
pub struct Fund {
    /// Everything that is true of it, in an order in which it could have come true.
    pub changes: Vec<Change>,
}

type Wallets = BTreeMap<(u32, &'static str), i128>;

struct Maker {
    random: StdRng,
    keys: Keyring,
    assets: Vec<&'static AssetRow>,
    wallets: Wallets,
    addresses: BTreeMap<(u32, &'static str), Address>,
    payees: Vec<WhitelistedWallet>,
    transactions: Vec<Transaction>,
    initiator: String,
    approver: String,
}

/// A seeded fund. `now` is where its year of history ends; the same arguments give the same fund.
pub fn seeded(seed: u64, network: Network, now: Millis, initiator: &str, approver: &str) -> Fund {
    let test = network == Network::Testnet;
    let mut maker = Maker {
        random: StdRng::seed_from_u64(seed ^ if test { 0x7e57 } else { 0 }),
        keys: Keyring::of(seed, network),
        assets: assets::of_network(test).collect(),
        wallets: BTreeMap::new(),
        addresses: BTreeMap::new(),
        payees: Vec::new(),
        transactions: Vec::new(),
        initiator: initiator.to_owned(),
        approver: approver.to_owned(),
    };
    let mut changes = bare(network);
    for number in 0..ACCOUNTS {
        changes.push(Change::Account(AccountFacts {
            id: VaultAccountId::new(number),
            name: account_name(number),
            hidden_on_ui: number == ACCOUNTS - 1,
            customer_ref_id: (number >= 20).then(|| format!("client-{:03}", number - 19)),
            auto_fuel: number < 4,
            tags: Vec::new(),
        }));
    }
    let began = now.plus(-365 * Millis::DAY);
    maker.open_wallets();
    changes.extend(maker.whitelists());
    maker.live(began, now);
    changes.extend(maker.wallet_changes(began));
    changes.extend(
        maker
            .transactions
            .drain(..)
            .map(|t| Change::Transaction(Box::new(t), ledger::change::Origin::default())),
    );
    Fund { changes }
}

/// What every workspace of a network knows: its chains and assets.
pub fn bare(network: Network) -> Vec<Change> {
    let test = network == Network::Testnet;
    let chains = assets::chains_of_network(test).map(|chain| Change::Blockchain(chain.described()));
    let assets = assets::of_network(test)
        .map(AssetRow::described)
        .map(|(supported, asset)| Change::Asset(supported, asset));
    chains.chain(assets).collect()
}

/// The name of an account. Other tests and the demo know the first ones by it.
fn account_name(number: u32) -> String {
    match number {
        0 => "Treasury".to_owned(),
        1 => "Trading Desk 1".to_owned(),
        2 => "Trading Desk 2".to_owned(),
        3 => "Market Making".to_owned(),
        4..=9 => format!("Custody {}", number - 3),
        10..=14 => format!(
            "Fund {}",
            ["Alpha", "Beta", "Gamma", "Delta", "Epsilon"][(number - 10) as usize]
        ),
        15..=19 => format!("Operations {}", number - 14),
        _ => format!("Client {:03}", number - 19),
    }
}

impl Maker {
    fn bytes(&mut self) -> [u8; 32] {
        self.random.random()
    }

    fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.random.random()).into_uuid()
    }

    fn open_wallets(&mut self) {
        for number in 0..ACCOUNTS {
            for asset in self.assets.clone() {
                // The desks hold everything; the others some; a token never without its chain's own asset.
                let native_is_there =
                    asset.native == asset.id || self.wallets.contains_key(&(number, asset.native));
                let wanted = number < 4 || self.random.random_ratio(2, 5);
                if wanted && native_is_there {
                    self.wallets.insert((number, asset.id), 0);
                    if let Some(chain) = assets::chain_of(asset) {
                        let address = self.keys.address(chain, number, 0);
                        self.addresses.insert((number, asset.id), address);
                    }
                }
            }
        }
    }

    fn whitelists(&mut self) -> Vec<Change> {
        const PAYEES: [(&str, WhitelistKind); 9] = [
            ("Kraken deposit", WhitelistKind::External),
            ("Coinbase Prime", WhitelistKind::External),
            ("Auditor & Partners", WhitelistKind::External),
            ("Cloud hosting", WhitelistKind::External),
            ("OTC desk", WhitelistKind::External),
            ("Cold storage", WhitelistKind::Internal),
            ("Backup vault", WhitelistKind::Internal),
            ("Uniswap router", WhitelistKind::Contract),
            ("Staking deposit", WhitelistKind::Contract),
        ];
        let mut changes = Vec::new();
        for (name, kind) in PAYEES {
            let mut entries = Vec::new();
            for asset in self.assets.clone() {
                let bytes = self.bytes();
                let Some(chain) = assets::chain_of(asset) else {
                    continue;
                };
                if kind == WhitelistKind::Contract && chain.form != assets::AddressForm::Evm {
                    continue;
                }
                let id = asset.asset_id();
                let address = addresses::of_nobody(chain, &bytes);
                entries.push(WhitelistedAsset {
                    id,
                    status: WhitelistStatus::Approved,
                    balance: (kind == WhitelistKind::Internal).then(Amount::zero),
                    locked_amount: (kind == WhitelistKind::Internal).then(Amount::zero),
                    address: address.text,
                    tag: address.tag,
                    activation_time: None,
                });
            }
            let wallet = WhitelistedWallet {
                id: WalletId(self.uuid()),
                name: name.to_owned(),
                customer_ref_id: None,
                assets: entries,
            };
            if kind == WhitelistKind::External {
                self.payees.push(wallet.clone());
            }
            changes.push(Change::Whitelist(kind, wallet));
        }
        changes
    }

    fn live(&mut self, began: Millis, now: Millis) {
        let step = (now.0 - began.0) / i64::try_from(TRANSACTIONS + 1).unwrap_or(1);
        // First the money comes in: every wallet of the desks, so that they can pay fees.
        let desks: Vec<_> = self
            .wallets
            .keys()
            .filter(|(number, _)| *number < 4)
            .copied()
            .collect();
        for (at, (number, id)) in desks.into_iter().enumerate() {
            if let Some(asset) = self.assets.iter().find(|asset| asset.id == id).copied() {
                self.deposit(
                    number,
                    asset,
                    400_000_000,
                    began.plus(i64::try_from(at).unwrap_or(0) * Millis::MINUTE),
                );
            }
        }
        for turn in 1..=TRANSACTIONS {
            let jitter = self.random.random_range(0..step.max(2) / 2);
            let at = began.plus(i64::try_from(turn).unwrap_or(0) * step + jitter);
            let keys: Vec<_> = self.wallets.keys().copied().collect();
            let Some(&(number, id)) = keys.choose(&mut self.random) else {
                return;
            };
            let Some(asset) = self.assets.iter().find(|asset| asset.id == id).copied() else {
                continue;
            };
            match self.random.random_range(0..100) {
                0..40 => {
                    let cents = self.random.random_range(100_000..25_000_000);
                    self.deposit(number, asset, cents, at);
                }
                roll => self.send(number, asset, roll, at),
            }
        }
    }

    fn deposit(&mut self, number: u32, asset: &'static AssetRow, cents: u64, at: Millis) {
        let units = units_of(asset, cents);
        let bytes = self.bytes();
        let from = assets::chain_of(asset)
            .map(|chain| addresses::of_nobody(chain, &bytes).text)
            .unwrap_or_default();
        let mut transaction = self.blank(asset, units, at);
        transaction.source = Peer::UNKNOWN;
        transaction.source_address = from;
        transaction.destination = vault_peer(number);
        transaction.destination_address = self.address_text(number, asset.id);
        transaction.created_by = String::new();
        transaction.signed_by = Vec::new();
        finish(&mut transaction, TransactionStatus::Completed, "CONFIRMED");
        *self.wallets.entry((number, asset.id)).or_default() += units;
        self.transactions.push(transaction);
    }

    fn send(&mut self, number: u32, asset: &'static AssetRow, roll: u32, at: Millis) {
        let held = self.wallets.get(&(number, asset.id)).copied().unwrap_or(0);
        let fee_asset = self
            .assets
            .iter()
            .find(|row| row.id == asset.native)
            .copied()
            .unwrap_or(asset);
        let fee = units_of(fee_asset, self.random.random_range(20..400));
        let fuel = self
            .wallets
            .get(&(number, fee_asset.id))
            .copied()
            .unwrap_or(0);
        let units = held / i128::from(self.random.random_range(3_u32..30));
        let cost = if fee_asset.id == asset.id {
            units + fee
        } else {
            units
        };
        if units <= 0 || cost > held || fee > fuel {
            return;
        }
        let mut transaction = self.blank(asset, units, at);
        transaction.source = vault_peer(number);
        transaction.source_address = self.address_text(number, asset.id);
        let internal = (roll < 60)
            .then(|| self.other_account(number, asset.id))
            .flatten();
        match internal {
            Some(other) => {
                transaction.destination = vault_peer(other);
                transaction.destination_address = self.address_text(other, asset.id);
            }
            None => self.towards_payee(&mut transaction, asset),
        }
        match roll {
            95.. => finish(
                &mut transaction,
                TransactionStatus::Blocked,
                "BLOCKED_BY_POLICY",
            ),
            92..95 => finish(
                &mut transaction,
                TransactionStatus::Cancelled,
                "REJECTED_BY_USER",
            ),
            88..92 => finish(
                &mut transaction,
                TransactionStatus::Failed,
                "INSUFFICIENT_FUNDS_FOR_FEE",
            ),
            _ => {
                finish(&mut transaction, TransactionStatus::Completed, "CONFIRMED");
                transaction.fee_info.network_fee =
                    Some(Amount::from_units(fee, fee_asset.decimals));
                *self.wallets.entry((number, asset.id)).or_default() -= units;
                *self.wallets.entry((number, fee_asset.id)).or_default() -= fee;
                if let Some(other) = internal {
                    *self.wallets.entry((other, asset.id)).or_default() += units;
                }
            }
        }
        if transaction.status != TransactionStatus::Completed {
            transaction.tx_hash = String::new();
            transaction.block_info = None;
            transaction.num_of_confirmations = 0;
            transaction.signed_by = Vec::new();
        }
        self.transactions.push(transaction);
    }

    fn other_account(&mut self, number: u32, asset: &str) -> Option<u32> {
        let others: Vec<_> = self
            .wallets
            .keys()
            .filter(|(n, id)| *n != number && *id == asset)
            .map(|(n, _)| *n)
            .collect();
        others.choose(&mut self.random).copied()
    }

    fn towards_payee(&mut self, transaction: &mut Transaction, asset: &AssetRow) {
        let Some(payee) = self.payees.choose(&mut self.random) else {
            return;
        };
        transaction.destination = Peer {
            kind: PeerKind::ExternalWallet,
            id: Some(payee.id.to_string()),
            name: payee.name.clone(),
            sub_type: "External".to_owned(),
        };
        if let Some(entry) = payee
            .assets
            .iter()
            .find(|entry| entry.id.as_str() == asset.id)
        {
            transaction.destination_address = entry.address.clone();
            transaction.destination_tag = entry.tag.clone();
        }
        transaction.address_type = "WHITELISTED".to_owned();
        transaction.note = format!("Invoice {}", self.random.random_range(1_000..9_999));
    }

    fn address_text(&self, number: u32, asset: &'static str) -> String {
        self.addresses
            .get(&(number, asset))
            .map(|address| address.text.clone())
            .unwrap_or_default()
    }

    fn blank(&mut self, asset: &AssetRow, units: i128, at: Millis) -> Transaction {
        let amount = Amount::from_units(units, asset.decimals);
        let usd = usd_of(asset, units);
        let hash = hex::encode(self.bytes());
        let height = 19_000_000 + at.0 / 12_000 % 5_000_000;
        let id = TxId(self.uuid());
        Transaction {
            asset_type: asset.kind.to_owned(),
            amount_info: AmountInfo {
                amount: Some(amount.clone()),
                requested_amount: Some(amount.clone()),
                net_amount: Some(amount),
                amount_usd: Some(usd),
            },
            fee_currency: asset.native.parse().ok(),
            tx_hash: if asset.native.starts_with("ETH") {
                format!("0x{hash}")
            } else {
                hash.clone()
            },
            num_of_confirmations: 12,
            block_info: Some(BlockInfo {
                block_height: Some(height.to_string()),
                block_hash: Some(hash),
            }),
            last_updated: at.plus(95 * Millis::SECOND),
            created_by: self.initiator.clone(),
            signed_by: vec![self.approver.clone()],
            ..Transaction::new(id, asset.asset_id(), at)
        }
    }

    fn wallet_changes(&self, began: Millis) -> Vec<Change> {
        let mut changes = Vec::new();
        for (&(number, id), &units) in &self.wallets {
            let Some(asset) = self.assets.iter().find(|asset| asset.id == id) else {
                continue;
            };
            let asset_id = asset.asset_id();
            let account = VaultAccountId::new(number);
            let total = Amount::from_units(units, asset.decimals);
            let balance = VaultAsset {
                total: total.clone(),
                balance: Some(total.clone()),
                available: total,
                ..VaultAsset::empty(asset_id.clone())
            };
            changes.push(Change::Wallet(
                account,
                WalletFacts {
                    balance,
                    created_at: began,
                },
            ));
            let Some(address) = self.addresses.get(&(number, id)) else {
                continue;
            };
            changes.push(Change::Address(
                account,
                vault_address(asset_id, address, 0, ""),
            ));
        }
        changes
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

fn vault_peer(number: u32) -> Peer {
    Peer {
        kind: PeerKind::VaultAccount,
        id: Some(number.to_string()),
        name: account_name(number),
        sub_type: String::new(),
    }
}

fn finish(transaction: &mut Transaction, status: TransactionStatus, sub_status: &str) {
    transaction.status = status;
    transaction.sub_status = sub_status.to_owned();
}

/// How many of the asset's smallest units this many US cents buy.
pub(crate) fn units_of(asset: &AssetRow, cents: u64) -> i128 {
    i128::from(cents) * 10_i128.pow(u32::from(asset.decimals)) / i128::from(asset.cents.max(1))
}

/// What units are worth in US dollars.
fn usd_of(asset: &AssetRow, units: i128) -> Amount {
    let cents = units * i128::from(asset.cents) / 10_i128.pow(u32::from(asset.decimals));
    Amount::from_units(cents, 2)
}
