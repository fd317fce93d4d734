//! What a page of transactions costs, counted in the steps of SQLite's machine: not a clock's word.

use std::collections::BTreeSet;

use protocol::exchange::{Params, Query};
use protocol::ids::VaultAccountId;
use protocol::model::transaction::{Transaction, TransactionStatus};
use store::testing::{Cost, Counted, Engine, TestStore};

use super::world::{NOW, WORKSPACE, World, books};
use crate::books::Books;
use crate::reads::transactions::{Place, Wanted, collect};
use crate::reads::{Ask, cursor};
use crate::rows::{self, Filter, LISTS, Order, ROOM};
use crate::scope::{PartScope, Scope};
use crate::view::{MASKED, view_transaction};

/// Rows of a page.
const LIMIT: usize = 20;
/// Transactions are spread over so many milliseconds.
const YEAR: i64 = 365 * 86_400_000;

struct Judge {
    store: TestStore,
    books: Books,
    counted: Counted,
    world: World,
    scope: Scope,
}

impl Judge {
    async fn new(transactions: usize, scope: Scope) -> Self {
        let store = TestStore::new(Engine::Sqlite, &[ROOM, LISTS]).await;
        let mut world = World::new(1, (YEAR, 1));
        let changes = (0..transactions).map(|_| world.transaction()).collect();
        let books = books(&store, changes).await;
        books.register(&scope).await.expect("registered");
        let counted = store.counted();
        Self {
            store,
            books,
            counted,
            world,
            scope,
        }
    }

    /// A page's rows and what they cost.
    fn page(&mut self, query: &str) -> (Vec<(i64, String)>, Cost) {
        let ask = Ask {
            books: &self.books,
            scope: &self.scope,
            params: &Params::default(),
            query: &Query::parse(&format!("limit={LIMIT}&{query}")).expect("a query"),
            origin: "",
            now: NOW,
            beside: &[],
            seal: None,
        };
        let wanted = Wanted::of(&ask).expect("a page");
        let most = wanted.limit + 1;
        let counted = &mut self.counted;
        let page = collect(counted, &self.scope, &wanted.filter, wanted.order, most);
        let page = page.expect("a page");
        let rows = page.iter().map(|line| (line.key.0, line.key.1.to_string()));
        (rows.collect(), self.counted.cost())
    }
}

/// A filter's values, from rows in the middle, and rare ones.
fn filters(world: &World) -> Vec<String> {
    let middle = &world.transactions[world.transactions.len() / 2..];
    let first =
        |what: fn(&Transaction) -> Option<String>| middle.iter().find_map(what).expect("one");
    let source = first(|it| it.source.id.clone());
    let destination = first(|it| it.destination.id.clone());
    let hash = first(|it| (it.tx_hash.len() > 9).then(|| it.tx_hash.clone()));
    [
        "",
        "status=COMPLETED",
        "status=BLOCKED",
        "status=BROADCASTING",
        "status=PENDING_SIGNATURE",
        "sourceType=VAULT_ACCOUNT",
        "sourceType=EXCHANGE_ACCOUNT",
        "sourceType=GAS_STATION",
        "destType=VAULT_ACCOUNT",
        "destType=EXTERNAL_WALLET",
        "sourceId=1",
        "sourceId=150",
        "sourceId=9999",
        &format!("sourceId={source}"),
        "destId=2",
        "destId=160",
        "destId=9999",
        &format!("destId={destination}"),
        "assets=ETH",
        "assets=XRP",
        "assets=DOGE",
        "assets=SOL,XRP",
        "txHash=0x1",
        "txHash=0xabc",
        &format!("txHash={hash}"),
    ]
    .map(|filter| format!("after=0&{filter}"))
    .into_iter()
    .chain([String::new(), format!("before={}", NOW.0)])
    .chain([10, 50, 90].into_iter().flat_map(|percent| {
        let at = NOW.0 - YEAR / 100 * percent;
        [format!("after={at}"), format!("before={at}")]
    }))
    .collect()
}

/// Places in the list, of the rows that the maker knows: where a page begins, forwards and back.
fn places(world: &mut World, by_update: bool) -> Vec<String> {
    let mut keys: Vec<_> = world
        .transactions
        .iter()
        .map(|it| {
            (
                if by_update {
                    it.last_updated
                } else {
                    it.created_at
                }
                .0,
                it.id,
            )
        })
        .collect();
    keys.sort_unstable();
    let mut places = vec![String::new()];
    for part in 0..=4 {
        let (time, id) = keys[(keys.len() - 1) * part / 4];
        for (name, back) in [("next", false), ("prev", true)] {
            places.push(format!(
                "{name}={}",
                cursor::make(None, &Place { time, id, back })
            ));
        }
    }
    places
}

/// Steps of a page in a large workspace, at most, as a multiple of those of a small one's first
/// page: where one statement reads it, and where several do.
const MOST: (i32, i32) = (3, 7);

#[tokio::test]
async fn any_page_with_one_filter_costs_what_the_first_of_a_small_workspace_does() {
    let whole = Scope::whole(WORKSPACE);
    let (_, small) = Judge::new(100, whole.clone()).await.page("");
    let mut judge = Judge::new(20_000, whole).await;
    let filters = filters(&judge.world);
    let (mut dear, mut dearest) = (Vec::new(), 0);
    for by_update in [false, true] {
        let places = places(&mut judge.world, by_update);
        let by = if by_update {
            "&orderBy=lastUpdated"
        } else {
            ""
        };
        for filter in &filters {
            for sort in ["ASC", "DESC"] {
                for place in &places {
                    let query = format!("{filter}{by}&sort={sort}&{place}");
                    let (rows, cost) = judge.page(&query);
                    dearest = dearest.max(cost.steps);
                    let most = if cost.statements == 1 { MOST.0 } else { MOST.1 };
                    if cost.steps > most * small.steps || cost.scanned > 0 || cost.sorts > 0 {
                        dear.push(format!("{query}: {} rows, {cost:?}", rows.len()));
                    }
                }
            }
        }
    }
    assert!(
        dear.is_empty(),
        "{small:?}, {} of:\n{}",
        dear.len(),
        dear.join("\n")
    );
    assert!(dearest > small.steps / 2, "it is counted");
    drop(judge.store);
}

/// What a part's reader asks costs by the part's own rows: as much whether a hundred others'
/// transactions stand beside them or thousands.
#[tokio::test]
async fn invariant_7_a_parts_pages_cost_the_same_whatever_is_outside() {
    let accounts = BTreeSet::from([VaultAccountId::new(150), VaultAccountId::new(160)]);
    let scope = Scope::part(
        WORKSPACE,
        PartScope {
            accounts,
            ..PartScope::default()
        },
    );
    let mut large = Judge::new(4_000, scope.clone()).await;
    let mut queries = Vec::new();
    for filter in filters(&large.world) {
        for order in [
            "",
            "&sort=ASC",
            "&orderBy=lastUpdated",
            "&orderBy=lastUpdated&sort=ASC",
        ] {
            for place in places(&mut large.world, order.contains("Updated"))
                .iter()
                .step_by(4)
            {
                queries.push(format!("{filter}{order}&{place}"));
            }
        }
    }
    // The same rows of its own, and fewer beside them.
    let own = |it: &Transaction| crate::view::covers(it, &crate::change::Origin::default(), &scope);
    let mut world = World::new(1, (YEAR, 1));
    let all: Vec<_> = (0..4_000).map(|_| world.transaction()).collect();
    let mut others = 0;
    let few = all
        .into_iter()
        .zip(&world.transactions)
        .filter_map(|(change, it)| {
            others += usize::from(!own(it));
            (own(it) || others <= 100).then_some(change)
        });
    let store = TestStore::new(Engine::Sqlite, &[ROOM, LISTS]).await;
    let books = books(&store, few.collect()).await;
    books.register(&scope).await.expect("registered");
    let counted = store.counted();
    let mut small = Judge {
        store,
        books,
        counted,
        world,
        scope: scope.clone(),
    };
    let own = large.world.transactions.iter().filter(|it| own(it)).count();
    assert!(own > 10, "{own}");
    let mut costs = BTreeSet::new();
    for query in &queries {
        let (here, there) = (large.page(query), small.page(query));
        assert_eq!(here, there, "{query}");
        costs.insert(here.1.steps);
    }
    assert!(costs.len() > 10, "it is counted: {costs:?}");
}

/// Where a status is asked for that a mask may change, no more is looked at than what has one of its kind:
/// as many as the reader sees of them, whatever each is shown with.
#[tokio::test]
async fn invariant_7_a_status_that_a_mask_may_change_is_looked_for_among_its_kind_alone() {
    let accounts = (0..200).map(VaultAccountId::new).collect();
    let part = PartScope {
        accounts,
        ..PartScope::default()
    };
    let mut judge = Judge::new(4_000, Scope::part(WORKSPACE, part)).await;
    let origin = crate::change::Origin::default();
    let transactions = judge.world.transactions.iter();
    let seen: Vec<_> = transactions
        .filter_map(|it| view_transaction(it, &origin, &judge.scope))
        .map(|seen| seen.into_inner().status)
        .collect();
    let of =
        |wanted: &dyn Fn(&TransactionStatus) -> bool| seen.iter().filter(|it| wanted(it)).count();
    let of_the_kind = of(&|it| MASKED.contains(it));
    assert!(
        of_the_kind > 10 && of_the_kind * 20 < seen.len(),
        "{of_the_kind} of {}",
        seen.len()
    );
    let order = Order {
        by_update: false,
        ascending: false,
        past: None,
        limit: 4_001,
    };
    for status in MASKED {
        let filter = Filter {
            status: Some(status),
            ..Filter::default()
        };
        let looked_at = rows::page(
            &mut judge.counted,
            &judge.scope,
            &filter.without_masked(),
            &order,
        );
        assert_eq!(looked_at.expect("rows").len(), of_the_kind, "{status:?}");
        let listed = collect(
            &mut judge.counted,
            &judge.scope,
            &filter,
            order.clone(),
            4_000,
        );
        let (listed, expected) = (listed.expect("a list").len(), of(&|it| *it == status));
        assert_eq!(listed, expected, "{status:?}");
    }
}
