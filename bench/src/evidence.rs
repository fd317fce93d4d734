//! How fast the log is verified, by the product's own commands from the start of the process to its
//! end; and how soon a workspace's posture is judged.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, ensure};
use gate::Folder;
use gate::log::{Actor, Entry, Event};
use gate::posture::workspace::{Handed, Seen, judge};
use protocol::ids::WorkspaceId;
use protocol::model::user::User;
use serde_json::json;
use store::{Location, Store, StoreError, Writing};
use wire::clock::{SystemClock, WallClock};

use crate::cores;
use crate::figures::{self, Figures};
use crate::product::{Product, until_within};
use crate::world::{FILLED, World};

/// Entries that are made.
pub(crate) const ENTRIES: u64 = 200_000;
/// Entries of one database transaction.
const AT_ONCE: u64 = 5_000;
/// API users of the workspace whose posture is told.
pub(crate) const USERS: usize = 1_000;
/// Rules of its policy, each of which names them all.
pub(crate) const RULES: usize = 200;

/// Entries a second, and seconds.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// `log verify` of an exported copy.
    pub(crate) copy: Figures,
    /// `log verify` of the gate's own store.
    pub(crate) store: Figures,
    /// Judging a workspace, in seconds: from what the API answers to the verdicts.
    pub(crate) posture: Figures,
}

/// Measures.
pub(crate) fn measure(world: &mut World, rounds: u32) -> anyhow::Result<Evidence> {
    println!("--- evidence: {ENTRIES} entries, {USERS} API users, {rounds} rounds");
    let mut evidence = Evidence::default();
    grow(world)?;
    let (gate, folder) = (&world.product, world.folder.path());
    let copy = folder.join("copy").display().to_string();
    gate.run(&gate.gate(&["log", "export", &copy]))?;
    let key = gate.run(&gate.gate(&["log", "key"]))?;
    let key = key.get("key").and_then(serde_json::Value::as_str);
    let key = key.context("the log's key")?;
    for _ in 0..rounds {
        let verify = ["log", "verify", &copy, "--key", key];
        evidence.copy.add(verified(gate, &gate.gate(&verify))?);
        let verify = ["log", "verify"];
        evidence.store.add(verified(gate, &gate.gate(&verify))?);
        evidence.posture.add(judged()?);
    }
    Ok(evidence)
}

/// Makes the world's log long: its gate stands still meanwhile, and signs what was added afterwards.
fn grow(world: &mut World) -> anyhow::Result<()> {
    let product = world.product.clone();
    world.gate.take().context("the gate runs")?.end()?;
    let folder = Folder::new(product.gate_folder());
    let workspace: WorkspaceId = world.workspace.workspace_id.parse()?;
    cores::wait(append(folder, workspace))?;
    let serve = Command::new(product.program());
    let (gate, ..) = product.serve_within(FILLED, serve, &product.gate(&["run"]))?;
    until_within(FILLED, "all of it is signed", || {
        let verified = product.run(&product.gate(&["log", "verify"])).ok();
        let size = verified.and_then(|of| of.pointer("/newest/size")?.as_u64());
        Ok(size.filter(|size| *size > ENTRIES))
    })?;
    world.gate = Some(gate);
    Ok(())
}

async fn append(folder: Folder, workspace: WorkspaceId) -> anyhow::Result<()> {
    let at = Location::SqliteFile(folder.database());
    let store = Store::open(&at, &gate::start::ROOMS).await?;
    let now = SystemClock.now();
    let mut made = 0;
    while made < ENTRIES {
        let work = move |writing: &mut Writing<'_>| {
            for number in made..made + AT_ONCE {
                let entry = Entry {
                    actor: Actor::Operator("owner".to_owned()),
                    event: Event::ConnectionSuspended {
                        connection: "bench".to_owned(),
                        reason: format!("reason {number}"),
                    },
                };
                gate::log::append(writing, workspace, now, &entry)?;
            }
            Ok::<_, StoreError>(())
        };
        store.write(work).await?;
        made += AT_ONCE;
    }
    Ok(())
}

/// Entries a second of the whole command.
fn verified(product: &Product, arguments: &[String]) -> anyhow::Result<f64> {
    let began = Instant::now();
    let told = product.run(arguments)?;
    let took = began.elapsed();
    let entries = told.get("entries").and_then(serde_json::Value::as_u64);
    let entries = entries.context("how many entries were verified")?;
    ensure!(entries > ENTRIES, "every entry is verified");
    figures::per_second(usize::try_from(entries)?, took)
}

/// Judges a workspace of so many API users, each a third party's with a CSR of its own, and rules that
/// name them all: from the JSON that the API answers to the verdicts.
fn judged() -> anyhow::Result<f64> {
    let name = |number: usize| format!("third party {number}");
    let id = |number: usize| uuid::Uuid::from_u128(number as u128);
    let users: Vec<_> = (1..=USERS)
        .map(|number| {
            json!({"id": id(number), "name": name(number), "role": "EDITOR", "enabled": true,
                "status": "READY", "userType": "API"})
        })
        .collect();
    let ids: Vec<_> = (1..=USERS).map(id).collect();
    let rule = json!({"name": "r", "id": "1", "type": "TRANSFER", "initiator": {"users": ids},
        "source": {}, "verdict": {"action": "2-TIER"}});
    let (users, rules) = (
        json!(users).to_string(),
        json!(vec![rule; RULES]).to_string(),
    );
    let handed = |number| {
        let fingerprint = Some(format!("{number:064x}"));
        let evidence = "sound".to_owned();
        (
            name(number),
            Handed {
                fingerprint,
                evidence,
            },
        )
    };
    let handed = (1..=USERS).map(handed).collect();
    let third: Vec<_> = (1..=USERS).map(name).collect();

    let began = Instant::now();
    let users: Vec<User> = serde_json::from_str(&users)?;
    let lists = users
        .iter()
        .map(|user| (user.id, Ok(vec!["203.0.113.7".to_owned()])));
    let seen = Seen {
        addresses: lists.collect(),
        users: Ok(users),
        rules: Ok(serde_json::from_str(&rules)?),
        handed,
        ..Seen::nothing("not asked")
    };
    let findings = judge(&seen, &third);
    let took = began.elapsed().as_secs_f64();
    ensure!(
        findings.len() >= 7 * USERS,
        "each user is judged by each practice"
    );
    Ok(took)
}
