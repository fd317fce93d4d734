//! The proof of invariant 7 that asks: for thousands of random reads, a reader of a part of a workspace
//! gets what a reader of the whole gets from a workspace that holds nothing but that part, byte for
//! byte after sorting keys. The second workspace is made from the plan of the first by leaving out what
//! is not in scope, in this test's own words: what [`reduced`] cannot leave out stops it.
//!
//! `cargo xtask differential --reads 100000` runs the long form: `DIFFERENTIAL_READS` reads from the
//! seed `DIFFERENTIAL_SEED`, of books and scopes that change.

#![expect(clippy::panic, reason = "a comparison that cannot be made stops")]

mod narrow;
mod reads;
mod reduced;
mod scopes;
mod wire;

use ledger::reads::{Ask, answer};
use ledger::{Books, Change, PartScope, Scope, Version, fresh};
use protocol::exchange::{Query, Reply};
use protocol::ids::WorkspaceId;
use protocol::operations;
use protocol::time::Millis;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sandbox::world::{Network, fund};
use serde_json::{Value, json};
use store::testing::{Engine, TestStore};
use uuid::Uuid;

use crate::world::World;
use reads::{Pool, Read};
use reduced::READER;

const WORKSPACE: WorkspaceId = WorkspaceId(Uuid::from_u128(0xd1ff));
const NOW: Millis = Millis(1_790_000_000_000);
/// Reads where nobody says how many.
const READS: usize = 1_500;
/// Reads of one scope.
const OF_A_SCOPE: usize = 75;
/// Reads between two changes of the books.
const BETWEEN_CHANGES: usize = 15;
/// Pages that are followed from one list.
const PAGES: usize = 3;

fn number<T: std::str::FromStr>(name: &str, usual: T) -> T {
    let told = std::env::var(name).ok();
    told.map_or(usual, |text| {
        text.parse().ok().expect("a number in the environment")
    })
}

/// A gate that is asked as often as one likes, before a workspace where nothing happens but what is told to.
async fn still() -> World {
    let mut world = World::with(|config| {
        config.serve.calls_per_second = config.serve.calls_per_second.saturating_add(100_000);
    })
    .await;
    world.sandbox.waits_to_be_told(true).await;
    world
}

/// The workspace registers a token of its own, and an account gets a wallet of it; the token's id.
async fn registered(world: &World, symbol: &str, holder: Option<u32>) -> String {
    let place: String = symbol.bytes().map(|byte| format!("{byte:02x}")).collect();
    let new =
        json!({"blockchainId": "ETH", "address": format!("0x{place:0>40}"), "symbol": symbol});
    let token = world.admin.post("/v1/assets", &new).await.fine();
    let id = crate::reads::text(&token["legacyId"]).to_owned();
    if let Some(account) = holder {
        let wallet = format!("/v1/vault/accounts/{account}/{id}");
        world.admin.post(&wallet, &json!({})).await.fine();
    }
    id
}

/// Books of these changes, and their store.
async fn books(changes: &[(Version, Change)]) -> (TestStore, Books) {
    let store = TestStore::new(Engine::Sqlite, &[ledger::ROOM]).await;
    let changes = changes.to_vec();
    let filled = store.write(move |writing| fresh::fill(writing, WORKSPACE, NOW, &changes));
    filled.await.expect("filled");
    let books = Books::open(&store, WORKSPACE).await.expect("open");
    (store, books)
}

async fn asked(books: &Books, scope: &Scope, read: &Read) -> Reply {
    let operation = operations::by_id(read.operation).expect("an operation");
    let query = Query::parse(&read.query).expect("a query");
    let ask = Ask {
        books,
        scope,
        params: &read.params.iter().cloned().collect(),
        query: &query,
        origin: "https://fireblocks.example",
        now: NOW,
        beside: &[],
        seal: None,
    };
    let answered = answer(operation, ask).await.expect("served");
    answered.unwrap_or_else(Into::into)
}

/// Everything of an answer: keys sorted, headers too.
fn whole(reply: &Reply) -> (u16, Vec<(&'static str, String)>, String) {
    let mut headers = reply.headers.clone();
    headers.sort();
    let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
    (reply.status, headers, body.to_string())
}

/// How many of the answers had something in them: a comparison of nothing proves nothing.
#[derive(Debug, Default)]
struct Tally {
    reads: usize,
    fine: usize,
    with_rows: usize,
    refused: usize,
}

impl Tally {
    fn take(&mut self, reply: &Reply) {
        self.reads += 1;
        if reply.status != 200 {
            self.refused += 1;
            return;
        }
        self.fine += 1;
        let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
        let rows = |value: &Value| value.as_array().is_some_and(|rows| !rows.is_empty());
        let filled = rows(&body)
            || body.get("id").is_some()
            || body
                .as_object()
                .is_some_and(|fields| fields.values().any(rows));
        self.with_rows += usize::from(filled);
    }
}

#[tokio::test]
async fn invariant_7_a_scope_is_read_as_a_workspace_that_holds_nothing_else() {
    let (reads, seed) = (
        number("DIFFERENTIAL_READS", READS),
        number("DIFFERENTIAL_SEED", 1_u64),
    );
    let mut random = StdRng::seed_from_u64(seed);
    let mut plan = fund(Network::Mainnet, WORKSPACE, seed, NOW);
    reduced::propose_some(&mut plan, &mut random);
    reduced::divert_some(&mut plan, &mut random);
    reduced::register_some(&mut plan, &mut random);
    reduced::write_on_some(&mut plan, &mut random);
    let (_kept, left) = books(&plan).await;
    let mut tally = Tally::default();
    while tally.reads < reads {
        let part = scopes::any(&plan, &mut random);
        let scope = Scope::part(WORKSPACE, part.clone()).for_reader(READER);
        left.register(&scope).await.expect("registered");
        let (_also, right) = books(&reduced::leave_out(&plan, &part)).await;
        of_one_scope(
            &left,
            &right,
            &scope,
            &part,
            &mut plan,
            &mut random,
            &mut tally,
        )
        .await;
    }
    // What is compared is mostly something.
    assert!(tally.with_rows * 3 > tally.reads, "{tally:?}");
    assert!(tally.refused * 20 > tally.reads, "{tally:?}");
}

async fn of_one_scope(
    left: &Books,
    right: &Books,
    scope: &Scope,
    part: &PartScope,
    plan: &mut [(Version, Change)],
    random: &mut StdRng,
    tally: &mut Tally,
) {
    let whole_of_it = Scope::whole(WORKSPACE);
    let mut pool = Pool::of(plan);
    for at in 0..OF_A_SCOPE {
        if at % BETWEEN_CHANGES == BETWEEN_CHANGES - 1 {
            let change = reduced::change_one(plan, random);
            let kept = reduced::leave_out(std::slice::from_ref(&change), part);
            left.apply(NOW, vec![change]).await.expect("applied");
            right.apply(NOW, kept).await.expect("applied");
            pool = Pool::of(plan);
        }
        let mut read = Some(Read::any(&pool, random));
        for _ in 0..=PAGES {
            let Some(now) = read.take() else { break };
            let (here, there) = (
                asked(left, scope, &now).await,
                asked(right, &whole_of_it, &now).await,
            );
            assert_eq!(
                whole(&here),
                whole(&there),
                "{now:?} in {}",
                serde_json::to_string(part).expect("JSON")
            );
            tally.take(&here);
            read = now.onward(&here).filter(|_| random.random_bool(0.7));
        }
    }
}
