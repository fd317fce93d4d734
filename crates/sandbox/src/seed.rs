//! A new sandbox's workspaces: one mainnet, one testnet, each a believable fund.

use ledger::{Books, Change, Version};
use protocol::time::Millis;
use store::{Store, StoreError};

use crate::people::{self, PEOPLE};
use crate::policy;
use crate::rows::house::{self, Fact};
use crate::rows::{self, KeyRow, WorkspaceRow};
use crate::start::{Config, StartError};
use crate::world::{self, Network};

/// The seed where none is asked for.
const USUAL: u64 = 1;

/// The workspaces, with those that are not there yet: also what an earlier start did not come to.
pub(crate) async fn workspaces(
    store: &Store,
    config: &Config,
    now: Millis,
) -> Result<(u64, Vec<WorkspaceRow>), StartError> {
    let read = |store: Store| async move { store.read(|reading| rows::workspaces(reading)).await };
    let seed = settled(store, config).await?;
    let there = read(store.clone()).await?;
    for network in [Network::Mainnet, Network::Testnet] {
        if there.iter().all(|row| row.network != network.name()) {
            one(store, network, seed, now).await?;
        }
    }
    Ok((seed, read(store.clone()).await?))
}

/// What the file's funds are made from: settled once, when it is made.
async fn settled(store: &Store, config: &Config) -> Result<u64, StartError> {
    let asked = config.seed.unwrap_or(USUAL);
    let write = store.write(move |writing| match house::find(writing, Fact::Seed)? {
        Some(made) => Ok(made.cast_unsigned()),
        None => house::keep(writing, Fact::Seed, asked.cast_signed()).map(|()| asked),
    });
    let made = write.await?;
    if config.seed.is_some_and(|seed| seed != made) {
        let file = config
            .data
            .as_deref()
            .map(|file| file.display().to_string());
        return Err(StartError::OtherSeed {
            file: file.unwrap_or_default(),
            made,
            asked,
        });
    }
    Ok(made)
}

/// Makes a workspace, whole or not at all.
async fn one(store: &Store, network: Network, seed: u64, now: Millis) -> Result<(), StartError> {
    let id_of = |name: &str| {
        people::named(name)
            .map(|person| person.id(network))
            .ok_or(StartError::Seed)
    };
    let (treasurer, officer) = (id_of("treasurer")?, id_of("signing-officer")?);
    let signers = [id_of("admin")?, id_of("signer")?];
    let workspace = people::workspace_id(network);
    let books = Books::open(store, workspace).await?;
    let initiator = officer.to_string();
    let fund = world::seeded(seed, network, now, &initiator, &initiator);
    let began = now.plus(-365 * Millis::DAY);
    let versioned = |change: Change| {
        let version = match &change {
            Change::Transaction(transaction, _) => Version::of_transaction(transaction),
            Change::Wallet(..) => Version::at(now),
            _ => Version::at(began),
        };
        (version, change)
    };
    let users = PEOPLE
        .iter()
        .map(|person| Change::User(person.user(network)));
    let changes: Vec<_> = users.chain(fund.changes).map(versioned).collect();
    let beside = world::beside(seed, workspace, network, now).map_err(|_| StartError::Seed)?;
    let rules = policy::seeded(&signers, treasurer, officer);
    let row = WorkspaceRow {
        id: workspace,
        name: match network {
            Network::Mainnet => "Example Fund".to_owned(),
            Network::Testnet => "Example Fund (testnet)".to_owned(),
        },
        network: network.name().to_owned(),
        policy: serde_json::to_string(&rules).map_err(|_| StartError::Seed)?,
    };
    let mut keys = Vec::new();
    for person in &PEOPLE {
        if let Some(key) = person.key() {
            keys.push((person.id(network), key?.public().spki_der().to_vec()));
        }
    }
    let made = books.transact(now, move |writing, batch| {
        for (version, change) in &changes {
            batch.apply(writing, *version, change)?;
        }
        for (user, spki) in &keys {
            let row = KeyRow {
                user: *user,
                workspace,
                spki: spki.clone(),
                addresses: String::new(),
            };
            rows::put_key(writing, &row)?;
        }
        for document in &beside {
            let (key, text) = (&document.key, &document.text);
            rows::shelf::put(writing, workspace, document.kind, key, text)?;
        }
        house::reached(writing, now)?;
        rows::add_workspace(writing, &row)
    });
    made.await.map_err(|error: StoreError| error.into())
}
