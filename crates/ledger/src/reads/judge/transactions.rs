use std::collections::BTreeSet;

use protocol::exchange::Params;
use protocol::ids::VaultAccountId;
use protocol::model::transaction::{Peer, PeerKind, Transaction};
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use serde_json::Value;
use store::on_both;

use super::walk::{List, Style, some};
use super::world::{ASSETS, NOW, WORKSPACE, World, books};
use crate::books::Books;
use crate::rows::{LISTS, ROOM};
use crate::scope::{AssetFilter, PartScope, Scope};

const DAY: i64 = 86_400_000;
const FILTERS: [&str; 9] = [
    "status",
    "sourceType",
    "sourceId",
    "destType",
    "destId",
    "assets",
    "txHash",
    "before",
    "after",
];

/// A question: its query, and what the maker of the rows takes it to mean.
#[derive(Default)]
pub(super) struct Question {
    filters: Vec<(&'static str, String)>,
    by_update: bool,
    ascending: bool,
}

impl Question {
    /// One that some rows fit, as a rule: its values are those of a row.
    fn random(world: &mut World) -> Self {
        let row = world
            .transactions
            .choose(&mut world.random)
            .expect("one")
            .clone();
        let names = match world.random.random_range(0..6) {
            0 => vec!["before", "after"],
            _ => some(&mut world.random, &FILTERS),
        };
        let mut value = |name: &str| match name {
            "status" => row.status.as_str().to_owned(),
            "sourceType" => row.source.kind.as_str().to_owned(),
            "destType" => row.destination.kind.as_str().to_owned(),
            "sourceId" => row.source.id.clone().unwrap_or("1".to_owned()),
            "destId" => row.destination.id.clone().unwrap_or("1".to_owned()),
            "assets" => {
                let some = ASSETS.choose_multiple(&mut world.random, 2);
                let some: Vec<_> = some.copied().chain([row.asset_id.as_str()]).collect();
                some[world.random.random_range(0..3)..].join(",")
            }
            "txHash" if row.tx_hash.is_empty() => "0x1".to_owned(),
            "txHash" => row.tx_hash.clone(),
            "before" if world.random.random() => (row.created_at.0 + 5 * DAY).to_string(),
            _ => (row.created_at.0 + world.random.random_range(-1..=1)).to_string(),
        };
        let mut filters = Vec::new();
        for name in names {
            filters.push((name, value(name)));
        }
        if world.random.random_bool(0.5) && !filters.iter().any(|(name, _)| *name == "after") {
            filters.push(("after", "0".to_owned()));
        }
        Self {
            filters,
            by_update: world.random.random(),
            ascending: world.random.random(),
        }
    }

    pub(super) fn query(&self) -> String {
        let mut query: String = self
            .filters
            .iter()
            .map(|(name, value)| format!("{name}={value}&"))
            .collect();
        if self.by_update {
            query.push_str("orderBy=lastUpdated&");
        }
        query
            + if self.ascending {
                "sort=ASC"
            } else {
                "sort=DESC"
            }
    }

    fn one(&self, name: &str) -> Option<&str> {
        let found = self.filters.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn takes(&self, it: &Transaction, scope: &Scope) -> bool {
        let time = |name| {
            self.one(name)
                .map(|text| text.parse::<i64>().expect("a time"))
        };
        let (source, destination) = (
            side(&it.source, it, scope),
            side(&it.destination, it, scope),
        );
        let is = |name, value: &str| self.one(name).is_none_or(|wanted| wanted == value);
        let after = time("after").unwrap_or(if self.one("before").is_some() {
            i64::MIN
        } else {
            NOW.0 - 90 * DAY
        });
        is("status", it.status.as_str())
            && is("sourceType", source.kind.as_str())
            && is("destType", destination.kind.as_str())
            && is("sourceId", source.id.as_deref().unwrap_or_default())
            && is("destId", destination.id.as_deref().unwrap_or_default())
            && is("txHash", &it.tx_hash)
            && self
                .one("assets")
                .is_none_or(|all| all.split(',').any(|one| one == it.asset_id.as_str()))
            && it.created_at.0 > after
            && time("before").is_none_or(|before| it.created_at.0 < before)
    }

    /// Its rows' ids, in order.
    pub(super) fn rows(&self, world: &World, scope: &Scope) -> Vec<String> {
        let fits = |it: &&Transaction| is_covered(it, scope) && self.takes(it, scope);
        let mut rows: Vec<_> = world.transactions.iter().filter(fits).collect();
        rows.sort_by_key(|it| {
            (
                if self.by_update {
                    it.last_updated
                } else {
                    it.created_at
                },
                it.id,
            )
        });
        if !self.ascending {
            rows.reverse();
        }
        rows.iter().map(|it| it.id.to_string()).collect()
    }
}

fn is_wallet(peer: &Peer, it: &Transaction, scope: &Scope) -> bool {
    let Some(part) = scope.as_part() else {
        return true;
    };
    let account = peer.kind == PeerKind::VaultAccount
        && part
            .accounts
            .iter()
            .any(|id| peer.id.as_deref() == Some(&id.to_string()));
    account
        && match &part.assets {
            AssetFilter::All => true,
            AssetFilter::Only(assets) => assets.contains(&it.asset_id),
        }
}

fn is_covered(it: &Transaction, scope: &Scope) -> bool {
    is_wallet(&it.source, it, scope) || is_wallet(&it.destination, it, scope)
}

/// A side as the reader sees it.
fn side(peer: &Peer, it: &Transaction, scope: &Scope) -> Peer {
    if is_wallet(peer, it, scope) {
        peer.clone()
    } else {
        Peer::UNKNOWN
    }
}

pub(super) fn list<'a>(books: &'a Books, scope: &'a Scope) -> List<'a> {
    List {
        books,
        scope,
        operation: "getTransactions",
        params: Params::default(),
        style: Style::Headers,
        rows: "",
        key: |row| row["id"].as_str().expect("an id").to_owned(),
    }
}

pub(super) fn scopes() -> Vec<Scope> {
    let part = |accounts: &[u32], assets| {
        let accounts = accounts.iter().copied().map(VaultAccountId::new).collect();
        Scope::part(
            WORKSPACE,
            PartScope {
                accounts,
                assets,
                ..PartScope::default()
            },
        )
    };
    let some = ["ETH", "SOL"].map(|asset| asset.parse().expect("an asset"));
    vec![
        Scope::whole(WORKSPACE),
        part(&[0, 1, 2, 7, 20], AssetFilter::All),
        part(&[1, 3, 21], AssetFilter::Only(BTreeSet::from(some))),
    ]
}

on_both! {
    rooms: &[ROOM, LISTS],
    async fn transactions_are_those_of_their_maker_in_every_order_and_page(store: TestStore) {
        // Times at few moments, so that many rows share one.
        let mut world = World::new(3, (150 * DAY, DAY / 2));
        let changes = (0..500).map(|_| world.transaction()).collect();
        let books = books(&store, changes).await;
        let mut found = 0;
        for scope in scopes() {
            books.register(&scope).await.expect("registered");
            let list = list(&books, &scope);
            for _ in 0..120 {
                let question = Question::random(&mut world);
                let expected = question.rows(&world, &scope);
                found += expected.len();
                let limit = [1 + expected.len() / 3, 7, 500][world.random.random_range(0..3)];
                list.to_the_end_and_back(&question.query(), limit, &expected).await;
            }
        }
        assert!(found > 5_000, "the questions find something: {found}");
    }

    rooms: &[ROOM, LISTS],
    async fn pages_of_transactions_stay_whole_while_some_are_added(store: TestStore) {
        let mut world = World::new(4, (80 * DAY, DAY));
        let changes = (0..120).map(|_| world.transaction()).collect();
        let books = books(&store, changes).await;
        for scope in scopes() {
            books.register(&scope).await.expect("registered");
            for round in 0..12 {
                let question = if round < 4 {
                    Question { by_update: round % 2 == 0, ascending: round > 1, ..Question::default() }
                } else {
                    Question::random(&mut world)
                };
                let there = question.rows(&world, &scope);
                let add = || vec![world.transaction(), world.transaction()];
                list(&books, &scope).while_rows_are_added(&question.query(), 9, &there, add).await;
            }
        }
    }

    rooms: &[ROOM, LISTS],
    async fn a_list_shows_what_was_written(store: TestStore) {
        let mut world = World::new(5, (80 * DAY, 1));
        let changes = (0..50).map(|_| world.transaction()).collect();
        let books = books(&store, changes).await;
        let scope = Scope::whole(WORKSPACE);
        let page = list(&books, &scope).page("limit=500").await;
        assert_eq!(page.rows.len(), 50);
        for row in &page.rows {
            let made = world.transactions.iter().find(|it| row["id"] == it.id.to_string());
            let made = serde_json::to_value(made.expect("it")).expect("JSON");
            assert_eq!(*row, made);
            // Read and printed again it is the same text: a document is its print.
            let text = made.to_string();
            let read: Transaction = serde_json::from_str(&text).expect("a transaction");
            assert_eq!(serde_json::to_string(&read).expect("JSON"), text);
        }
    }
}

#[tokio::test]
async fn what_no_answer_said_is_refused() {
    let store = store::Store::open(&store::Location::SqliteMemory, &[ROOM]);
    let books = books(&store.await.expect("a store"), Vec::new()).await;
    let scope = Scope::whole(WORKSPACE);
    for bad in [
        "orderBy=id",
        "sort=UP",
        "limit=0",
        "limit=501",
        "before=now",
        "status=DONE",
        "next=7b7d",
        "next=a&prev=b",
    ] {
        let reply = list(&books, &scope).reply(bad).await;
        assert_eq!(reply.status, 400, "{bad}");
    }
    let nobody = list(&books, &scope).reply("sourceWalletId=1").await;
    assert_eq!(
        serde_json::from_slice::<Value>(&nobody.body).expect("JSON"),
        serde_json::json!([])
    );
}
