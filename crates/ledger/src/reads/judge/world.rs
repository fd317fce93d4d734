//! Books of random rows. Their maker keeps what he made.

use protocol::ids::{AssetId, VaultAccountId, WorkspaceId};
use protocol::model::transaction::Transaction;
use protocol::model::vault::{Tag, VaultAsset, VaultWalletAddress};
use protocol::time::Millis;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use store::{Store, StoreError};
use uuid::Uuid;

use crate::books::Books;
use crate::change::{AccountFacts, Change, Origin, Version, WalletFacts};
use crate::fresh;

pub(super) const NOW: Millis = Millis(1_790_000_000_000);
pub(super) const WORKSPACE: WorkspaceId = WorkspaceId(Uuid::from_u128(7));
pub(super) const ASSETS: [&str; 5] = ["ETH", "BTC", "USDC", "SOL", "XRP"];
/// Assets that the workspace registered itself: the first is the scope's, account 7 has a wallet of the
/// second.
pub(super) const REGISTERED: [&str; 2] = ["OURS", "HIDDEN"];
const STATUSES: [&str; 5] = ["FAILED", "CANCELLED", "BLOCKED", "REJECTED", "BROADCASTING"];

/// What was made.
pub(super) struct World {
    pub(super) accounts: Vec<AccountFacts>,
    pub(super) wallets: Vec<(VaultAccountId, WalletFacts)>,
    pub(super) addresses: Vec<(VaultAccountId, VaultWalletAddress)>,
    pub(super) transactions: Vec<Transaction>,
    pub(super) random: StdRng,
    /// Transactions were created within so many milliseconds before now, at multiples of so many.
    span: (i64, i64),
}

impl World {
    pub(super) fn new(seed: u64, span: (i64, i64)) -> Self {
        Self {
            accounts: Vec::new(),
            wallets: Vec::new(),
            addresses: Vec::new(),
            transactions: Vec::new(),
            random: StdRng::seed_from_u64(seed),
            span,
        }
    }

    /// Whether something comes true that does so many times in a hundred.
    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(&mut self.random).expect("some")
    }

    pub(super) fn account(&mut self) -> (Version, Change) {
        let number = u32::try_from(self.accounts.len()).expect("a few");
        let name = self.one(&["Desk", "Deposit", "Deposits of a", "Cold"]);
        let tags = ["red", "blue", "green"].map(|id| (id, self.chance(30)));
        let tag = |(id, has): (&str, bool)| {
            let tag = json!({"id": id, "label": id});
            has.then(|| serde_json::from_value::<Tag>(tag).expect("a tag"))
        };
        let facts = AccountFacts {
            id: VaultAccountId::new(number),
            name: format!("{name} {}", self.random.random_range(0..30)),
            hidden_on_ui: false,
            customer_ref_id: None,
            auto_fuel: false,
            tags: tags.into_iter().filter_map(tag).collect(),
        };
        self.accounts.push(facts.clone());
        (Version::at(NOW), Change::Account(facts))
    }

    /// One that the account, the last if none is named, has not yet; nothing if it has all.
    pub(super) fn wallet(&mut self, account: Option<VaultAccountId>) -> Option<(Version, Change)> {
        let account = account.or(self.accounts.last().map(|last| last.id))?;
        let has = |asset: &str| {
            let mut wallets = self.wallets.iter();
            wallets.any(|(id, it)| *id == account && it.balance.id.as_str() == asset)
        };
        let missing: Vec<_> = ASSETS.into_iter().filter(|asset| !has(asset)).collect();
        let asset = *missing.choose(&mut self.random)?;
        let total = match self.chance(30) {
            true => "0".to_owned(),
            false => format!(
                "{}.{:03}",
                self.random.random_range(0..40),
                self.random.random_range(0..1_000)
            ),
        };
        let total: protocol::amount::Amount = total.parse().expect("an amount");
        let facts = WalletFacts {
            balance: VaultAsset {
                total: total.clone(),
                available: total,
                ..VaultAsset::empty(asset.parse().expect("an asset"))
            },
            created_at: NOW,
        };
        self.wallets.push((account, facts.clone()));
        Some((Version::at(NOW), Change::Wallet(account, facts)))
    }

    /// One more of a wallet.
    pub(super) fn address(
        &mut self,
        account: VaultAccountId,
        asset: &AssetId,
    ) -> (Version, Change) {
        let before = self.addresses.iter();
        let count = before
            .filter(|(id, it)| *id == account && it.asset_id == *asset)
            .count();
        let text = format!("{asset}-{:08x}", self.random.random::<u32>());
        let address = json!({"assetId": asset, "address": text, "bip44AddressIndex": count});
        let address: VaultWalletAddress = serde_json::from_value(address).expect("an address");
        self.addresses.push((account, address.clone()));
        (Version::at(NOW), Change::Address(account, address))
    }

    fn side(&mut self, outside: [&str; 2]) -> Value {
        if self.chance(55) {
            let most = if self.chance(50) { 4 } else { 200 };
            let id = self.random.random_range(0..most).to_string();
            return json!({"type": "VAULT_ACCOUNT", "id": id, "name": format!("Account {id}")});
        }
        let [whitelist, nowhere] = outside;
        if self.chance(40) {
            let id = Uuid::from_u128(self.random.random_range(1..6));
            return json!({"type": whitelist, "id": id, "name": "Somebody"});
        }
        json!({"type": nowhere})
    }

    pub(super) fn transaction(&mut self) -> (Version, Change) {
        let (span, apart) = self.span;
        let created = NOW.0 - self.random.random_range(0..span) / apart * apart;
        // Most are soon what they stay; some take long.
        let lateness = match self.random.random_range(0..100) {
            0..80 => 60_000,
            80..95 => 3_600_000,
            95..99 => 86_400_000,
            _ => 60 * 86_400_000_i64,
        };
        let updated =
            created + self.random.random_range(0..lateness) / apart.min(20_000) * apart.min(20_000);
        let status = if self.chance(92) {
            "COMPLETED"
        } else {
            self.one(&STATUSES)
        };
        let hash = match self.random.random_range(0..100) {
            0..90 => format!("0x{:032x}", self.random.random::<u128>()),
            90..95 => format!("0x{}", self.random.random_range(0..3)),
            _ => String::new(),
        };
        let asset = if self.chance(60) {
            "ETH"
        } else {
            self.one(&ASSETS)
        };
        let (source, destination) = (
            self.side(["EXCHANGE_ACCOUNT", "UNKNOWN"]),
            self.side(["EXTERNAL_WALLET", "ONE_TIME_ADDRESS"]),
        );
        let doc = json!({
            "id": Uuid::from_u128(self.random.random()), "status": status, "assetId": asset, "source": source,
            "destination": destination, "amountInfo": {"amount": "1.50"}, "feeInfo": {"networkFee": "0.01"}, "txHash": hash,
            "note": "for rent", "createdBy": "somebody", "createdAt": created, "lastUpdated": updated,
            "extraParameters": {"ratio": 1.10, "memo": "\u{fc}"},
        });
        let transaction: Transaction = serde_json::from_value(doc).expect("a transaction");
        self.transactions.push(transaction.clone());
        let version = Version::of_transaction(&transaction);
        (
            version,
            Change::Transaction(Box::new(transaction), Origin::default()),
        )
    }
}

/// The id of an asset in the newer list.
pub(super) fn newer_id(asset: &str) -> Uuid {
    let all = ASSETS.iter().chain(&REGISTERED).zip(900..);
    let (_, number) = all.into_iter().find(|(id, _)| **id == asset).expect("one");
    Uuid::from_u128(number)
}

/// An asset, and whose it is.
pub(super) fn listed_asset(id: &str, vouched_for: &str) -> (Version, Change) {
    let supported = json!({"id": id, "name": id, "type": "BASE_ASSET"});
    let asset = json!({
        "id": newer_id(id), "legacyId": id, "displayName": id, "displaySymbol": id, "assetClass": "NATIVE",
        "metadata": {"scope": vouched_for, "verified": true, "deprecated": false},
    });
    let both = (
        serde_json::from_value(supported).expect("an asset"),
        serde_json::from_value(asset).expect("an asset"),
    );
    (Version::at(NOW), Change::Asset(both.0, both.1))
}

/// An empty wallet.
pub(super) fn wallet_of(account: u32, asset: &str) -> (Version, Change) {
    let facts = WalletFacts {
        balance: VaultAsset::empty(asset.parse().expect("an asset")),
        created_at: NOW,
    };
    let account = VaultAccountId::new(account);
    (Version::at(NOW), Change::Wallet(account, facts))
}

/// Books with these rows.
pub(super) async fn books(store: &Store, changes: Vec<(Version, Change)>) -> Books {
    let fill =
        move |writing: &mut store::Writing<'_>| fresh::fill(writing, WORKSPACE, NOW, &changes);
    store.write::<_, StoreError>(fill).await.expect("filled");
    Books::open(store, WORKSPACE).await.expect("books")
}
