//! The proof of invariant 7 over real sockets: what a connection of a narrow scope gets from the gate is
//! what a workspace answers that holds *only* what is in scope. Three processes: the workspace, the gate
//! in front of it, and a second workspace, whose books are made anew for each scope from those of the first,
//! by the words of [`reduced`](super::reduced). The books change between.

use ledger::change::Origin;
use ledger::{Change, PartScope, Version, fresh};
use protocol::ids::{TxId, VaultAccountId};
use protocol::model::whitelist::WhitelistKind;
use protocol::time::Millis;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sandbox::people;
use sandbox::world::Network;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::{Location, Query, Row, Store, StoreError, params};
use uuid::Uuid;

use super::reads::{Pool, Read};
use super::wire::{comparable, happens, is_beyond_the_contract, next, target};
use super::{PAGES, number, reduced, registered, scopes, still};

use crate::processes::Sandbox;
use crate::provider::viewer;
use crate::rows;
use crate::world::of_workspace;

/// Reads where nobody says how many, and reads of one scope.
const READS: usize = 300;
const OF_A_SCOPE: usize = 75;

fn parsed<T: DeserializeOwned>(doc: &str) -> T {
    serde_json::from_str(doc).expect("a document of the books")
}

fn fact(row: &Row) -> Result<Option<(Version, Change)>, StoreError> {
    let version = Version {
        time: Millis(row.int(2)?),
        rank: row.int(3)?,
    };
    let Some(doc) = row.opt_text(4)? else {
        return Ok(None);
    };
    let account = || -> Result<VaultAccountId, StoreError> {
        let number = row.opt_int(1)?.expect("an account");
        Ok(VaultAccountId::new(
            u32::try_from(number).expect("a number"),
        ))
    };
    let listed = |kind| Change::Whitelist(kind, parsed(doc));
    let change = match row.text(0)? {
        "account" => Change::Account(parsed(doc)),
        "wallet" => Change::Wallet(account()?, parsed(doc)),
        "address" => Change::Address(account()?, parsed(doc)),
        "internal" => listed(WhitelistKind::Internal),
        "external" => listed(WhitelistKind::External),
        "contract" => listed(WhitelistKind::Contract),
        "asset" => {
            let (supported, asset) = parsed(doc);
            Change::Asset(supported, asset)
        }
        "blockchain" => Change::Blockchain(parsed(doc)),
        "user" => Change::User(parsed(doc)),
        other => panic!("what is {other}?"),
    };
    Ok(Some((version, change)))
}

fn transaction(row: &Row) -> Result<(Version, Change), StoreError> {
    let version = Version {
        time: Millis(row.int(0)?),
        rank: row.int(1)?,
    };
    let upstream_id = row.opt_bytes(3)?;
    let origin = Origin {
        upstream_id: upstream_id.map(|id| TxId(Uuid::from_slice(id).expect("an id"))),
        proposer: row.opt_text(4)?.map(str::to_owned),
        ..Origin::default()
    };
    let transaction = parsed(row.text(2)?);
    Ok((version, Change::Transaction(Box::new(transaction), origin)))
}

async fn books_of(sandbox: &Sandbox) -> Store {
    let at = Location::SqliteFile(sandbox.file().to_owned());
    let store = Store::open(&at, &[ledger::ROOM]).await;
    store.expect("a workspace's books")
}

/// All that a workspace's books say now.
async fn plan_of(sandbox: &Sandbox) -> Vec<(Version, Change)> {
    let read = books_of(sandbox).await.read(|reading| {
        let workspace = params![people::workspace_id(Network::Mainnet).to_string()];
        let facts = reading.rows(rows::FACTS, &workspace)?;
        let facts: Result<Vec<_>, _> = facts.iter().map(fact).collect();
        let mut plan: Vec<_> = facts?.into_iter().flatten().collect();
        for row in &reading.rows(rows::TRANSACTIONS, &workspace)? {
            plan.push(transaction(row)?);
        }
        Ok::<_, StoreError>(plan)
    });
    read.await.expect("read")
}

/// The second workspace: from now on it holds this and nothing else. Its users stay: they ask.
async fn holds(sandbox: &mut Sandbox, plan: Vec<(Version, Change)>, now: Millis) {
    sandbox.stop().await;
    let write = books_of(sandbox).await.write(move |writing| {
        let workspace = people::workspace_id(Network::Mainnet);
        for emptied in rows::EMPTIED {
            writing.execute(emptied, &params![workspace.to_string()])?;
        }
        fresh::fill(writing, workspace, now, &plan)
    });
    write.await.expect("written");
    sandbox.start().await;
}

/// The scope, as it is granted.
fn grant(part: &PartScope) -> Value {
    json!({"scope": {
        "accounts": part.accounts, "assets": part.assets, "whitelists": part.whitelists,
        "exchange_accounts": part.exchange_accounts, "fiat_accounts": part.fiat_accounts,
        "shown": part.shown, "directions": part.directions, "history_from": part.history_from,
        "others": part.only_of.is_none(),
    }})
}

#[tokio::test]
async fn invariant_7_over_sockets_a_scope_is_read_as_a_workspace_that_holds_nothing_else() {
    let reads = number("DIFFERENTIAL_WIRE_READS", READS);
    let mut random = StdRng::seed_from_u64(number("DIFFERENTIAL_SEED", 1));
    let mut world = still().await;
    let home = tempfile::tempdir().expect("a folder");
    let mut second = Sandbox::new(home.path().join("second.db")).await;
    second.waits_to_be_told(true).await;
    for (symbol, holder) in [("TKNA", Some(1)), ("TKNB", Some(3)), ("TKNC", None)] {
        registered(&world, symbol, holder).await;
    }
    world.quiet().await;
    let plan = plan_of(&world.sandbox).await;
    let all = grant(&scopes::all(&plan));
    let everything = world.granting("everything", viewer(&[1], None), &all).await;
    let everything = everything.caller;
    let (mut compared, mut fine, mut scope) = (0, 0, 0);
    while compared < reads {
        happens(&world, &everything, &mut random).await;
        world.quiet().await;
        let plan = plan_of(&world.sandbox).await;
        let mut part = scopes::any(&plan, &mut random);
        if part.accounts.is_empty() {
            // The gate lets nobody in who may see nothing.
            continue;
        }
        scope += 1;
        let name = format!("scope-{scope}");
        part.only_of = part.only_of.map(|_| name.clone());
        let left = world
            .granting(&name, viewer(&[1], None), &grant(&part))
            .await;
        // Which transactions are shown is known once the gate has written it down: with the approval.
        holds(&mut second, reduced::leave_out(&plan, &part), Millis(0)).await;
        let right = of_workspace(&second, "viewer");
        let pool = Pool::of(&plan);
        for _ in 0..OF_A_SCOPE {
            let read = Read::any(&pool, &mut random);
            if is_beyond_the_contract(&read) {
                continue;
            }
            let mut asked = Some((target(&read), target(&read)));
            for _ in 0..=PAGES {
                let Some((here, there)) = asked.take() else {
                    break;
                };
                let (mine, theirs) = (left.caller.get(&here).await, right.get(&there).await);
                assert_eq!(
                    comparable(&mine),
                    comparable(&theirs),
                    "{here} in {}",
                    grant(&part)
                );
                compared += 1;
                fine += usize::from(mine.status == 200);
                asked = next(&read, &mine)
                    .zip(next(&read, &theirs))
                    .filter(|_| random.random_bool(0.7));
            }
        }
    }
    assert!(fine * 3 > compared, "{fine} of {compared}");
}
