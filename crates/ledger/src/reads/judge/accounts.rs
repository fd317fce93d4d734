//! Accounts, wallets and addresses.

use protocol::amount::Amount;
use protocol::exchange::Params;
use protocol::ids::{AssetId, VaultAccountId};
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use serde_json::Value;
use store::on_both;

use super::transactions::scopes;
use super::walk::{List, Style, some};
use super::world::{World, books};
use crate::books::Books;
use crate::change::{AccountFacts, Change, Version, WalletFacts};
use crate::rows::{LISTS, ROOM};
use crate::scope::{AssetFilter, Scope};

fn list<'a>(books: &'a Books, scope: &'a Scope, operation: &'static str) -> List<'a> {
    let (rows, key): (_, fn(&Value) -> String) = match operation {
        "getPagedVaultAccounts" => ("/accounts", |row| row["id"].to_string()),
        "getAssetWallets" => ("/assetWallets", |row| {
            format!("{}/{}", row["vaultId"], row["assetId"])
        }),
        _ => ("/addresses", |row| row["address"].to_string()),
    };
    List {
        books,
        scope,
        operation,
        params: Params::default(),
        style: Style::Between,
        rows,
        key,
    }
}

fn sees_account(scope: &Scope, id: VaultAccountId) -> bool {
    scope
        .as_part()
        .is_none_or(|part| part.accounts.contains(&id))
}

fn sees_wallet(scope: &Scope, (id, wallet): &(VaultAccountId, WalletFacts)) -> bool {
    let asset = scope.as_part().is_none_or(|part| match &part.assets {
        AssetFilter::All => true,
        AssetFilter::Only(assets) => assets.contains(&wallet.balance.id),
    });
    asset && sees_account(scope, *id)
}

/// A question: its filters and whether it goes up.
struct Question {
    filters: Vec<(&'static str, String)>,
    upwards: bool,
}

impl Question {
    fn random(world: &mut World, names: &[&'static str]) -> Self {
        let account = world
            .accounts
            .choose(&mut world.random)
            .expect("one")
            .clone();
        let (_, wallet) = world
            .wallets
            .choose(&mut world.random)
            .expect("one")
            .clone();
        let name = account.name;
        let at = world.random.random_range(1..name.len());
        let mut filters = Vec::new();
        for filter in some(&mut world.random, names) {
            let value = match filter {
                "namePrefix" => name[..at].to_owned(),
                "nameSuffix" if filters.iter().any(|(name, _)| *name == "namePrefix") => continue,
                "nameSuffix" => name[at..].to_owned(),
                "assetId" => wallet.balance.id.to_string(),
                "includeTagIds" | "tagIds" | "excludeTagIds" => {
                    let tags = ["red", "blue", "green"];
                    (*tags.choose(&mut world.random).expect("one")).to_owned()
                }
                _ => wallet.balance.total.to_string(),
            };
            filters.push((filter, value.replace(' ', "%20")));
        }
        Self {
            filters,
            upwards: world.random.random(),
        }
    }

    fn query(&self) -> String {
        let filters = self
            .filters
            .iter()
            .map(|(name, value)| format!("{name}={value}&"));
        filters.collect::<String>()
            + if self.upwards {
                "orderBy=ASC"
            } else {
                "orderBy=DESC"
            }
    }

    fn one(&self, name: &str) -> Option<String> {
        let found = self.filters.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.replace("%20", " "))
    }

    fn takes_wallet(&self, wallet: &WalletFacts, amount: &str) -> bool {
        let total = |text: String| text.parse::<Amount>().expect("an amount");
        self.one("assetId")
            .is_none_or(|asset| wallet.balance.id.as_str() == asset)
            && self
                .one(amount)
                .is_none_or(|least| wallet.balance.total > total(least))
    }

    fn takes_account(&self, world: &World, scope: &Scope, account: &AccountFacts) -> bool {
        let has = |name: &str| {
            self.one(name)
                .map(|id| account.tags.iter().any(|tag| tag.id == id))
        };
        let included = [has("includeTagIds"), has("tagIds")];
        let mut wallets = world
            .wallets
            .iter()
            .filter(|it| it.0 == account.id && sees_wallet(scope, it));
        let asked = self.one("assetId").is_some() || self.one("minAmountThreshold").is_some();
        sees_account(scope, account.id)
            && self.one("namePrefix").is_none_or(|it| account.name.starts_with(&it))
            && self.one("nameSuffix").is_none_or(|it| account.name.ends_with(&it))
            // Any of the tags asked for.
            && (included.iter().all(Option::is_none) || included.contains(&Some(true)))
            && has("excludeTagIds") != Some(true)
            && (!asked || wallets.any(|(_, it)| self.takes_wallet(it, "minAmountThreshold")))
    }

    fn in_order<T: Ord>(&self, mut rows: Vec<T>) -> Vec<T> {
        rows.sort();
        if !self.upwards {
            rows.reverse();
        }
        rows
    }

    fn accounts(&self, world: &World, scope: &Scope) -> Vec<String> {
        let fits = world
            .accounts
            .iter()
            .filter(|it| self.takes_account(world, scope, it));
        let rows = self.in_order(fits.map(|it| it.id.number()).collect());
        rows.iter().map(|id| format!("\"{id}\"")).collect()
    }

    fn wallets(&self, world: &World, scope: &Scope) -> Vec<String> {
        let fits = world.wallets.iter().filter(|it| {
            sees_wallet(scope, it) && self.takes_wallet(&it.1, "totalAmountLargerThan")
        });
        let rows = fits.map(|(id, it)| (id.number(), it.balance.id.to_string()));
        let rows = self.in_order(rows.collect());
        rows.iter()
            .map(|(id, asset)| format!("\"{id}\"/\"{asset}\""))
            .collect()
    }
}

const OF_ACCOUNTS: [&str; 7] = [
    "namePrefix",
    "nameSuffix",
    "assetId",
    "minAmountThreshold",
    "includeTagIds",
    "tagIds",
    "excludeTagIds",
];
const OF_WALLETS: [&str; 2] = ["assetId", "totalAmountLargerThan"];

fn account(world: &mut World) -> Vec<(Version, Change)> {
    let mut changes = vec![world.account()];
    for _ in 0..world.random.random_range(0..5) {
        changes.extend(world.wallet(None));
    }
    changes
}

on_both! {
    rooms: &[ROOM, LISTS],
    async fn accounts_and_wallets_are_those_of_their_maker_in_every_order_and_page(store: TestStore) {
        let mut world = World::new(6, (1, 1));
        let changes = (0..60).flat_map(|_| account(&mut world)).collect();
        let books = books(&store, changes).await;
        let mut found = 0;
        for scope in scopes() {
            for _ in 0..150 {
                let limit = [1, 4, 200][world.random.random_range(0..3)];
                let question = Question::random(&mut world, &OF_ACCOUNTS);
                let expected = question.accounts(&world, &scope);
                found += expected.len();
                let of = |operation| list(&books, &scope, operation);
                of("getPagedVaultAccounts").to_the_end_and_back(&question.query(), limit, &expected).await;
                let question = Question::random(&mut world, &OF_WALLETS);
                let expected = question.wallets(&world, &scope);
                found += expected.len();
                of("getAssetWallets").to_the_end_and_back(&question.query(), limit, &expected).await;
            }
        }
        assert!(found > 5_000, "the questions find something: {found}");
    }

    rooms: &[ROOM, LISTS],
    async fn pages_of_accounts_and_wallets_stay_whole_while_some_are_added(store: TestStore) {
        let mut world = World::new(7, (1, 1));
        let changes = (0..40).flat_map(|_| account(&mut world)).collect();
        let books = books(&store, changes).await;
        for scope in scopes() {
            for _ in 0..8 {
                let of = |operation| list(&books, &scope, operation);
                let question = Question::random(&mut world, &OF_ACCOUNTS);
                let there = question.accounts(&world, &scope);
                let add = || account(&mut world);
                of("getPagedVaultAccounts").while_rows_are_added(&question.query(), 3, &there, add).await;
                let question = Question::random(&mut world, &OF_WALLETS);
                let there = question.wallets(&world, &scope);
                let add = || {
                    let some = world.random.random_range(0..world.accounts.len());
                    let some = world.accounts[some].id;
                    world.wallet(Some(some)).into_iter().collect()
                };
                of("getAssetWallets").while_rows_are_added(&question.query(), 5, &there, add).await;
            }
        }
    }

    rooms: &[ROOM, LISTS],
    async fn addresses_come_in_the_order_of_their_derivation(store: TestStore) {
        let mut world = World::new(8, (1, 1));
        let mut changes: Vec<_> = (0..3).flat_map(|_| account(&mut world)).collect();
        let (id, wallet) = world.wallets.last().expect("one").clone();
        let asset: AssetId = wallet.balance.id;
        changes.extend((0..23).map(|_| world.address(id, &asset)));
        let books = books(&store, changes).await;
        for scope in scopes().into_iter().filter(|scope| sees_account(scope, id) && scope.covers_asset(&asset)) {
            let mut list = list(&books, &scope, "getVaultAccountAssetAddressesPaginated");
            list.params = [("vaultAccountId", id.to_string()), ("assetId", asset.to_string())].into_iter().collect();
            let there = |world: &World| -> Vec<_> {
                world.addresses.iter().map(|(_, it)| format!("\"{}\"", it.address)).collect()
            };
            for limit in [1, 5, 23, 100] {
                list.to_the_end_and_back("", limit, &there(&world)).await;
            }
            let before = there(&world);
            list.while_rows_are_added("", 4, &before, || vec![world.address(id, &asset)]).await;
        }
    }
}

#[tokio::test]
async fn what_no_answer_said_is_refused() {
    let store = store::Store::open(&store::Location::SqliteMemory, &[ROOM]);
    let books = books(&store.await.expect("a store"), Vec::new()).await;
    let scope = Scope::whole(super::world::WORKSPACE);
    let common = [
        "limit=0",
        "limit=x",
        "after=x",
        "before=!!",
        "before=e30",
        "after=MQ&before=MQ",
        "orderBy=UP",
        "assetId=a%20b",
    ];
    for (operation, own) in [
        (
            "getPagedVaultAccounts",
            [
                "limit=501",
                "namePrefix=a&nameSuffix=b",
                "minAmountThreshold=x",
            ],
        ),
        (
            "getAssetWallets",
            [
                "limit=1001",
                "totalAmountLargerThan=x",
                "totalAmountLargerThan=1e400",
            ],
        ),
    ] {
        for bad in common.iter().chain(&own) {
            let reply = list(&books, &scope, operation).reply(bad).await;
            assert_eq!(reply.status, 400, "{operation} {bad}");
        }
    }
}
