//! The history of a described workspace: transactions spread over a time, one at a turn.
//!
//! It moves what the wallets hold, in the assets' smallest units: what they hold at the end is what
//! they held when it began and the sum of the transactions, never a number made up beside them.

use protocol::amount::Amount;
use protocol::ids::TxId;
use protocol::model::transaction::{
    AmountInfo, BlockInfo, Peer, PeerKind, Transaction, TransactionStatus,
};
use protocol::model::whitelist::WhitelistedWallet;
use protocol::time::Millis;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use uuid::Uuid;

use super::addresses;
use super::assets::{self, AssetRow};
use super::vault::Vault;
use crate::described::{History, Kind};

/// Who acts in a history, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Actors {
    pub(super) initiator: String,
    pub(super) signer: String,
}

/// A history on its way.
#[derive(Debug)]
pub(super) struct Life {
    plan: History,
    random: StdRng,
    pub(super) vault: Vault,
    payees: Vec<WhitelistedWallet>,
    actors: Actors,
    began: Millis,
    now: Millis,
    /// Wallets that are sent something when it begins.
    funded: Vec<usize>,
    /// How many of these had their turn, and how many turns there were since.
    turns: (usize, u32),
}

impl Life {
    pub(super) fn new(
        plan: History,
        random: StdRng,
        vault: Vault,
        payees: Vec<WhitelistedWallet>,
        actors: Actors,
        now: Millis,
    ) -> Self {
        let wallets = vault.wallets.iter().enumerate();
        let funded = wallets
            .filter(|(_, wallet)| vault.funded(wallet).is_some())
            .map(|(at, _)| at)
            .collect();
        Self {
            began: began(Some(&plan), now),
            plan,
            random,
            vault,
            payees,
            actors,
            now,
            funded,
            turns: (0, 0),
        }
    }

    /// The next transaction.
    pub(super) fn next(&mut self) -> Option<Transaction> {
        let span = self.now.0 - self.began.0;
        if let Some(&wallet) = self.funded.get(self.turns.0) {
            let place = i64::try_from(self.turns.0).unwrap_or(0);
            let all = i64::try_from(self.funded.len()).unwrap_or(i64::MAX - 1);
            self.turns.0 += 1;
            let cents = self.vault.wallets.get(wallet);
            let cents = cents.and_then(|wallet| self.vault.funded(wallet));
            let apart = Millis::MINUTE.min(span / (all + 1));
            return self.deposit(wallet, cents.unwrap_or(0), self.began.plus(place * apart));
        }
        let step = span / (i64::from(self.plan.transactions) + 1);
        while self.turns.1 < self.plan.transactions {
            self.turns.1 += 1;
            let jitter = self.random.random_range(0..step.max(2) / 2);
            let at = self.began.plus(i64::from(self.turns.1) * step + jitter);
            let wallet = self.pick()?;
            if let Some(made) = self.turn(wallet, at) {
                return Some(made);
            }
        }
        None
    }

    /// The wallet whose turn it is.
    fn pick(&mut self) -> Option<usize> {
        if self.plan.assets.is_empty() {
            let all = self.vault.wallets.len();
            return (all > 0).then(|| self.random.random_range(..all));
        }
        let (asset, _) = *self
            .plan
            .assets
            .choose_weighted(&mut self.random, |(_, weight)| *weight)
            .ok()?;
        self.vault
            .of_asset(asset.id)
            .choose(&mut self.random)
            .copied()
    }

    fn turn(&mut self, wallet: usize, at: Millis) -> Option<Transaction> {
        let total = u32::try_from(self.plan.kinds.total()).ok()?;
        let mut roll = self.random.random_range(0..total);
        let mut kind = Kind::Deposit;
        for (one, weight) in self.plan.kinds.all() {
            kind = one;
            match roll.checked_sub(weight) {
                Some(rest) => roll = rest,
                None => break,
            }
        }
        if kind != Kind::Deposit {
            let sent = self.send(wallet, kind, at);
            if sent.is_some() || self.plan.skips {
                return sent;
            }
        }
        let (least, most) = self.plan.deposits;
        let cents = self.random.random_range(least..most);
        self.deposit(wallet, cents, at)
    }

    fn deposit(&mut self, wallet: usize, cents: u64, at: Millis) -> Option<Transaction> {
        let bytes = self.random.random();
        let to = self.vault.wallets.get_mut(wallet)?;
        let (asset, account, address) = (to.asset, to.account, to.address.text.clone());
        let units = units_of(asset, cents);
        to.units += units;
        let mut transaction = self.blank(asset, units, at);
        let from = assets::chain_of(asset).map(|chain| addresses::of_nobody(chain, &bytes).text);
        transaction.source = Peer::UNKNOWN;
        transaction.source_address = from.unwrap_or_default();
        transaction.destination = self.vault.peer(account);
        transaction.destination_address = address;
        transaction.created_by = String::new();
        transaction.signed_by = Vec::new();
        finish(&mut transaction, TransactionStatus::Completed, "CONFIRMED");
        Some(transaction)
    }

    fn send(&mut self, wallet: usize, kind: Kind, at: Millis) -> Option<Transaction> {
        let from = self.vault.wallets.get(wallet)?;
        let (asset, account, held) = (from.asset, from.account, from.units);
        let address = from.address.text.clone();
        let pays = self.vault.find(account, asset.native);
        let fuel = pays.and_then(|at| self.vault.wallets.get(at));
        let (fee_asset, fuel) = fuel.map_or((asset, 0), |wallet| (wallet.asset, wallet.units));
        let fee = units_of(fee_asset, self.random.random_range(20..400));
        let units = held / i128::from(self.random.random_range(3_u32..30));
        let cost = if fee_asset.id == asset.id {
            units + fee
        } else {
            units
        };
        if units <= 0 || cost > held || fee > fuel {
            return None;
        }
        let mut transaction = self.blank(asset, units, at);
        transaction.source = self.vault.peer(account);
        transaction.source_address = address;
        let internal = (kind == Kind::Internal)
            .then(|| self.vault.another(wallet, &mut self.random))
            .flatten();
        match internal.and_then(|at| self.vault.wallets.get(at)) {
            Some(other) => {
                transaction.destination = self.vault.peer(other.account);
                transaction.destination_address = other.address.text.clone();
            }
            None => self.towards_payee(&mut transaction, asset),
        }
        let (status, sub_status) = match kind {
            Kind::Blocked => (TransactionStatus::Blocked, "BLOCKED_BY_POLICY"),
            Kind::Rejected => (TransactionStatus::Cancelled, "REJECTED_BY_USER"),
            Kind::Failed => (TransactionStatus::Failed, "INSUFFICIENT_FUNDS_FOR_FEE"),
            Kind::Deposit | Kind::Internal | Kind::Payment => {
                (TransactionStatus::Completed, "CONFIRMED")
            }
        };
        finish(&mut transaction, status, sub_status);
        if status == TransactionStatus::Completed {
            transaction.fee_info.network_fee = Some(Amount::from_units(fee, fee_asset.decimals));
            self.moved(wallet, -units);
            if let Some(pays) = pays {
                self.moved(pays, -fee);
            }
            if let Some(other) = internal {
                self.moved(other, units);
            }
        } else {
            transaction.tx_hash = String::new();
            transaction.block_info = None;
            transaction.num_of_confirmations = 0;
            transaction.signed_by = Vec::new();
        }
        Some(transaction)
    }

    fn moved(&mut self, wallet: usize, units: i128) {
        if let Some(wallet) = self.vault.wallets.get_mut(wallet) {
            wallet.units += units;
        }
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

    fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.random.random()).into_uuid()
    }

    fn blank(&mut self, asset: &AssetRow, units: i128, at: Millis) -> Transaction {
        let amount = Amount::from_units(units, asset.decimals);
        let usd = usd_of(asset, units);
        let hash = hex::encode(self.random.random::<[u8; 32]>());
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
            created_by: self.actors.initiator.clone(),
            signed_by: vec![self.actors.signer.clone()],
            ..Transaction::new(id, asset.asset_id(), at)
        }
    }
}

/// When a history began that ends now.
pub(super) fn began(plan: Option<&History>, now: Millis) -> Millis {
    const USUAL: u32 = 365;
    let days = plan.map_or(USUAL, |plan| plan.days);
    now.plus(-i64::from(days) * Millis::DAY)
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
