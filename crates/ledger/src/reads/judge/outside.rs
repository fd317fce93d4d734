//! What is there and outside a scope, and what is not there at all: the same answer at the same cost,
//! counted in rows of the model and steps of SQLite. No clock is asked.

use std::collections::{BTreeMap, BTreeSet};

use protocol::exchange::{Params, Query, Reply};
use protocol::ids::{TxId, VaultAccountId, WalletId};
use protocol::model::whitelist::{WhitelistKind, WhitelistedWallet};
use protocol::operations;
use serde_json::json;
use store::testing::{Cost, Engine, TestStore};
use uuid::Uuid;

use super::world::{
    ASSETS, NOW, REGISTERED, WORKSPACE, World, books, listed_asset, newer_id, wallet_of,
};
use crate::books::Books;
use crate::change::{Change, Version};
use crate::reads::transactions::{Wanted, collect};
use crate::reads::{Ask, SERVED, answer};
use crate::rows::{self, ROOM};
use crate::scope::{AssetFilter, PartScope, Scope};
use crate::view::VISITED;

/// Names and values.
type Parameters = Vec<(&'static str, String)>;

/// Who reads.
const READER: &str = "acme";
/// Accounts with wallets and addresses; the first two are the scope's.
const ACCOUNTS: u32 = 12;
const TRANSACTIONS: usize = 600;
const KINDS: [WhitelistKind; 3] = [
    WhitelistKind::Internal,
    WhitelistKind::External,
    WhitelistKind::Contract,
];
/// Entries of each whitelist; the first is the scope's.
const LISTED: u128 = 5;
/// What is public, or never a part's reader's.
const NOT_JUDGED: [&str; 5] = [
    "listBlockchains",
    "getBlockchain",
    "getUsers",
    "getConsoleUsers",
    "getApiUsers",
];

fn listed(kind: WhitelistKind, number: u128) -> WalletId {
    let of_kind = KINDS.iter().position(|one| *one == kind).expect("a kind");
    WalletId(Uuid::from_u128(
        100 * (u128::try_from(of_kind).expect("few") + 1) + number,
    ))
}

fn scope() -> Scope {
    let assets = ["ETH", "BTC", REGISTERED[0]].map(|asset| asset.parse().expect("an asset"));
    Scope::part(
        WORKSPACE,
        PartScope {
            accounts: BTreeSet::from([VaultAccountId::new(0), VaultAccountId::new(1)]),
            assets: AssetFilter::Only(assets.into()),
            whitelists: KINDS.map(|kind| listed(kind, 0)).into(),
            ..PartScope::default()
        },
    )
    .for_reader(READER)
}

pub(super) struct Judge {
    store: TestStore,
    pub(super) books: Books,
    pub(super) scope: Scope,
    world: World,
    /// Ids of initiators' own: whose they are.
    external: BTreeMap<String, Option<&'static str>>,
}

impl Judge {
    /// Books with all of it, or with what is the scope's own and as many transactions.
    pub(super) async fn new(all: bool) -> Self {
        let scope = scope();
        let mut world = World::new(3, (1_000_000, 1));
        let mut changes = Vec::new();
        for number in 0..ACCOUNTS {
            let account = VaultAccountId::new(number);
            changes.push(world.account());
            while let Some(wallet) = world.wallet(Some(account)) {
                changes.push(wallet);
            }
            for asset in ASSETS {
                let asset = asset.parse().expect("an asset");
                changes.push(world.address(account, &asset));
                changes.push(world.address(account, &asset));
            }
        }
        let assets = ["ETH", "SOL"].map(|id| json!({"id": id, "status": "APPROVED"}));
        for kind in KINDS {
            for number in 0..LISTED {
                let wallet =
                    json!({"id": listed(kind, number), "name": "Somebody", "assets": assets});
                let wallet: WhitelistedWallet = serde_json::from_value(wallet).expect("a wallet");
                changes.push((Version::at(NOW), Change::Whitelist(kind, wallet)));
            }
        }
        changes.extend(ASSETS.map(|id| listed_asset(id, "GLOBAL")));
        changes.extend(REGISTERED.map(|id| listed_asset(id, "LOCAL")));
        changes.push(wallet_of(7, REGISTERED[1]));
        if !all {
            changes.retain(|(_, change)| match change {
                Change::Account(facts) => scope.covers_account(facts.id),
                Change::Wallet(account, _) | Change::Address(account, _) => {
                    scope.covers_account(*account)
                }
                Change::Whitelist(_, wallet) => scope.covers_whitelist(wallet.id),
                Change::Asset(supported, _) => supported.id.as_str() != REGISTERED[1],
                _ => true,
            });
        }
        let mut external = BTreeMap::new();
        for number in 0..TRANSACTIONS {
            let (version, mut change) = world.transaction();
            if let Change::Transaction(one, origin) = &mut change {
                let proposer = [Some(READER), Some("rival"), None][number % 3];
                origin.proposer = proposer.map(str::to_owned);
                one.external_tx_id = Some(format!("external-{number:04}"));
                external.insert(format!("external-{number:04}"), proposer);
            }
            changes.push((version, change));
        }
        let store = TestStore::new(Engine::Sqlite, &[ROOM]).await;
        let books = books(&store, changes).await;
        books.register(&scope).await.expect("registered");
        Self {
            store,
            books,
            scope,
            world,
            external,
        }
    }

    /// An answer, and how many rows of the model were looked at for it.
    pub(super) async fn asked(
        &self,
        operation: &str,
        params: &[(&'static str, String)],
        query: &str,
    ) -> (Reply, usize) {
        let ask = Ask {
            books: &self.books,
            scope: &self.scope,
            params: &params.iter().cloned().collect::<Params>(),
            query: &Query::parse(query).expect("a query"),
            origin: "",
            now: NOW,
            beside: &[],
            seal: None,
        };
        let known = operations::by_id(operation).expect("an operation");
        VISITED.set(0);
        let answered = answer(known, ask).await.expect("served");
        (answered.unwrap_or_else(Into::into), VISITED.get())
    }

    /// A transaction of the scope's, or one that is outside.
    fn transaction(&self, inside: bool) -> &protocol::model::transaction::Transaction {
        let origin = crate::change::Origin::default();
        let mut all = self.world.transactions.iter();
        all.find(|one| crate::view::covers(one, &origin, &self.scope) == inside)
            .expect("one")
    }

    fn external_id(&self, of: &str) -> String {
        let mut own = self
            .external
            .iter()
            .filter(|(_, whose)| **whose == Some(of));
        let seen = |id: &str| {
            let mut all = self.world.transactions.iter().enumerate();
            all.any(|(number, one)| {
                format!("external-{number:04}") == id
                    && crate::view::covers(one, &crate::change::Origin::default(), &self.scope)
            })
        };
        let found = own.find(|(id, _)| of != READER || seen(id));
        found.expect("one").0.clone()
    }

    /// For each operation about one thing: what is inside, what is outside, what is nowhere.
    fn cases(&self) -> Vec<(&'static str, [Parameters; 3])> {
        let account = |id: &str| vec![("vaultAccountId", id.to_owned())];
        let asset = |id: &str| ("assetId", id.to_owned());
        let wallet = |id: &str, of: &str| [account(id), vec![asset(of)]].concat();
        let accounts = [account("1"), account("7"), account("999")];
        let wallets = [wallet("1", "ETH"), wallet("7", "ETH"), wallet("999", "ETH")];
        let assets = [wallet("1", "ETH"), wallet("1", "SOL"), wallet("1", "DOGE")];
        let asset_id = |id: &str| vec![("id", id.to_owned())];
        let of_newer = [
            newer_id(REGISTERED[0]),
            newer_id(REGISTERED[1]),
            Uuid::nil(),
        ];
        let mut cases = vec![
            (
                "getAsset",
                [
                    asset_id(REGISTERED[0]),
                    asset_id(REGISTERED[1]),
                    asset_id("NOSUCH"),
                ],
            ),
            ("getAsset", of_newer.map(|id| asset_id(&id.to_string()))),
            ("getVaultAccount", accounts),
            (
                "getVaultBalanceByAsset",
                [vec![asset("ETH")], vec![asset("SOL")], vec![asset("DOG")]],
            ),
            (
                "getTransaction",
                [
                    self.transaction(true).id,
                    self.transaction(false).id,
                    TxId(Uuid::from_u128(1)),
                ]
                .map(|id| vec![("txId", id.to_string())]),
            ),
            (
                "getTransactionByExternalId",
                [
                    self.external_id(READER),
                    self.external_id("rival"),
                    "external-9999".to_owned(),
                ]
                .map(|id| vec![("externalTxId", id)]),
            ),
        ];
        for operation in [
            "getVaultAccountAsset",
            "getVaultAccountAssetAddresses",
            "getVaultAccountAssetAddressesPaginated",
        ] {
            cases.push((operation, wallets.clone()));
            cases.push((operation, assets.clone()));
        }
        for (kind, name, one, its_asset) in [
            (
                KINDS[0],
                "walletId",
                "getInternalWallet",
                "getInternalWalletAsset",
            ),
            (
                KINDS[1],
                "walletId",
                "getExternalWallet",
                "getExternalWalletAsset",
            ),
            (KINDS[2], "contractId", "getContract", "getContractAsset"),
        ] {
            let of = [listed(kind, 0), listed(kind, 1), listed(kind, 77)];
            let of = of.map(|id| vec![(name, id.to_string())]);
            let with = |of: &str| of_asset(&of_first(name, kind), of);
            cases.push((one, of.clone()));
            cases.push((
                its_asset,
                of.clone().map(|of| [of, vec![asset("ETH")]].concat()),
            ));
            cases.push((its_asset, [with("ETH"), with("SOL"), with("DOG")]));
            if kind == WhitelistKind::Internal {
                cases.push(("getInternalWalletAssetsPaginated", of));
            }
        }
        cases
    }
}

fn of_first(name: &'static str, kind: WhitelistKind) -> (&'static str, String) {
    (name, listed(kind, 0).to_string())
}

fn of_asset(first: &(&'static str, String), asset: &str) -> Vec<(&'static str, String)> {
    vec![first.clone(), ("assetId", asset.to_owned())]
}

/// Queries of each list: what they filter by is outside, and nowhere.
const LISTS_ASKED: [(&str, &[(&str, &str)]); 9] = [
    (
        "getPagedVaultAccounts",
        &[
            ("", ""),
            ("limit=1", "limit=1"),
            ("assetId=SOL", "assetId=DOG"),
            (
                "assetId=SOL&minAmountThreshold=1",
                "assetId=DOG&minAmountThreshold=1",
            ),
        ],
    ),
    (
        "getAssetWallets",
        &[
            ("", ""),
            ("limit=1", "limit=1"),
            ("assetId=SOL", "assetId=DOG"),
        ],
    ),
    (
        "getVaultAssets",
        &[
            ("", ""),
            ("accountNamePrefix=Cold", "accountNamePrefix=Warm"),
        ],
    ),
    ("getSupportedAssets", &[("", "")]),
    (
        "listAssets",
        &[
            ("", ""),
            ("scope=LOCAL", "scope=NONE"),
            ("ids=HIDDEN", "ids=NOSUCH"),
            ("symbol=HIDDEN", "symbol=NOSUCH"),
        ],
    ),
    ("getInternalWallets", &[("", "")]),
    ("getExternalWallets", &[("", "")]),
    ("getContracts", &[("", "")]),
    // Of the store: below.
    ("getTransactions", &[]),
];

#[tokio::test]
async fn invariant_7_what_is_outside_is_answered_and_costs_as_what_is_not_there() {
    let judge = Judge::new(true).await;
    let cases = judge.cases();
    let judged: BTreeSet<_> = cases.iter().map(|(operation, _)| *operation).collect();
    let judged = judged.into_iter().chain(LISTS_ASKED.map(|(list, _)| list));
    let mut judged: Vec<_> = judged.chain(NOT_JUDGED).collect();
    let mut served = SERVED.to_vec();
    judged.sort_unstable();
    served.sort_unstable();
    assert_eq!(judged, served, "each is judged");
    let mut looked_at = 0;
    for (operation, [inside, outside, absent]) in cases {
        let (fine, visited) = judge.asked(operation, &inside, "").await;
        assert_eq!(fine.status, 200, "{operation} {inside:?}");
        looked_at += visited;
        let (mut outside_s, visited) = judge.asked(operation, &outside, "").await;
        let (absent_s, of_absent) = judge.asked(operation, &absent, "").await;
        assert!(absent_s.status >= 400, "{operation} {absent:?}");
        assert_eq!(visited, of_absent, "{operation} {outside:?}");
        if operation == "getVaultBalanceByAsset" {
            // It names what was asked for.
            let text = String::from_utf8(outside_s.body.to_vec()).expect("UTF-8");
            outside_s.body = text.replace("SOL", "DOG").into_bytes().into();
        }
        assert_eq!(outside_s, absent_s, "{operation} {outside:?}");
    }
    assert!(looked_at > 20, "it is counted: {looked_at}");
}

/// Single transactions are looked for in the store: by the scope's own rows, so that SQLite takes the
/// same steps for what is outside.
#[tokio::test]
async fn invariant_7_what_is_outside_costs_the_store_what_is_not_there_does() {
    let judge = Judge::new(true).await;
    let mut counted = judge.store.counted();
    let (mut by_id, mut by_external) = (Vec::new(), Vec::new());
    for id in [
        judge.transaction(true).id,
        judge.transaction(false).id,
        TxId(Uuid::from_u128(1)),
        TxId(Uuid::from_u128(u128::MAX)),
    ] {
        let found = rows::transaction_in(&mut counted, &judge.scope, id).expect("read");
        by_id.push((found.is_some(), counted.cost()));
    }
    let rivals = judge
        .external
        .iter()
        .filter(|(_, of)| **of == Some("rival"));
    let nobodys = judge.external.iter().filter(|(_, of)| of.is_none());
    for id in [
        judge.external_id(READER).as_str(),
        rivals.map(|(id, _)| id.as_str()).next().expect("one"),
        nobodys.map(|(id, _)| id.as_str()).next().expect("one"),
        "external-9999",
        "a",
    ] {
        let found = rows::by_external_id(&mut counted, &judge.scope, id).expect("read");
        by_external.push((found.is_some(), counted.cost()));
    }
    for costs in [by_id, by_external] {
        let [(true, inside), (false, outside), rest @ ..] = costs.as_slice() else {
            panic!("{costs:?}");
        };
        assert!(
            rest.iter().all(|other| *other == (false, *outside)),
            "{costs:?}"
        );
        assert!(
            inside.steps > outside.steps && outside.statements == 1,
            "{costs:?}"
        );
    }
    // Filters of the list.
    let outside = judge.transaction(false);
    let side = outside
        .source
        .id
        .as_deref()
        .or(outside.destination.id.as_deref());
    let hashes = judge
        .world
        .transactions
        .iter()
        .map(|one| one.tx_hash.as_str());
    let origin = crate::change::Origin::default();
    let own = judge.world.transactions.iter();
    let own = own.filter(|one| crate::view::covers(one, &origin, &judge.scope));
    let own: BTreeSet<_> = own.map(|one| one.tx_hash.as_str()).collect();
    let hash = hashes
        .into_iter()
        .find(|hash| hash.len() > 9 && !own.contains(hash));
    for (outside, absent) in [
        (
            format!("txHash={}", hash.expect("one of others")),
            "txHash=0xnothing".to_owned(),
        ),
        (
            format!("sourceId={}", side.expect("a side")),
            "sourceId=99999".to_owned(),
        ),
        ("destId=77".to_owned(), "destId=99999".to_owned()),
        ("assets=SOL".to_owned(), "assets=DOG".to_owned()),
    ] {
        let costs = [&outside, &absent].map(|query| {
            let ask = Ask {
                books: &judge.books,
                scope: &judge.scope,
                params: &Params::default(),
                query: &Query::parse(&format!("after=0&{query}")).expect("a query"),
                origin: "",
                now: NOW,
                beside: &[],
                seal: None,
            };
            let wanted = Wanted::of(&ask).expect("a page");
            let page = collect(
                &mut counted,
                &judge.scope,
                &wanted.filter,
                wanted.order,
                wanted.limit + 1,
            );
            (page.expect("a page").len(), counted.cost())
        });
        assert_eq!(costs[0], costs[1], "{outside}");
        assert_ne!(costs[0].1, Cost::default(), "{outside}");
    }
}

/// A list looks at the scope's own rows, whatever else there is; and at as many for a filter on what is
/// outside as for one on what is not there.
#[tokio::test]
async fn invariant_7_a_list_looks_at_its_own_rows_alone() {
    let (all, own) = (Judge::new(true).await, Judge::new(false).await);
    for (list, queries) in LISTS_ASKED {
        for (outside, absent) in queries {
            let (there, visited) = all.asked(list, &[], outside).await;
            let (alone, of_own) = own.asked(list, &[], outside).await;
            assert_eq!(there.body, alone.body, "{list}?{outside}");
            assert_eq!(visited, of_own, "{list}?{outside}");
            let (_, of_absent) = all.asked(list, &[], absent).await;
            assert_eq!(visited, of_absent, "{list}?{outside}");
            assert!(visited > 0, "{list}: it is counted");
        }
    }
}
