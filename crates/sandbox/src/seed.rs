//! A new sandbox's workspaces: one mainnet, one testnet, each a believable fund.

use ledger::{Books, Change, Version};
use protocol::time::Millis;
use store::{Store, StoreError};

use crate::people::{self, PEOPLE};
use crate::policy;
use crate::rows::{self, KeyRow, WorkspaceRow};
use crate::start::StartError;
use crate::world::{self, Network};

/// Changes of one database transaction.
const BATCH: usize = 500;

/// Makes both workspaces.
pub(crate) async fn both(store: &Store, seed: u64, now: Millis) -> Result<(), StartError> {
    for network in [Network::Mainnet, Network::Testnet] {
        one(store, network, seed, now).await?;
    }
    Ok(())
}

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
    let mut changes: Vec<_> = users.chain(fund.changes).map(versioned).collect();
    while !changes.is_empty() {
        let rest = changes.split_off(BATCH.min(changes.len()));
        books.apply(now, changes).await?;
        changes = rest;
    }
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
    // The workspace's own row comes last: without it the next start begins anew.
    let write = store.write(move |writing| {
        for (user, spki) in &keys {
            let row = KeyRow {
                user: *user,
                workspace,
                spki: spki.clone(),
                addresses: String::new(),
            };
            rows::put_key(writing, &row)?;
        }
        rows::add_workspace(writing, &row)
    });
    write.await.map_err(|error: StoreError| error.into())
}
