//! What a workspace begins with: a believable fund, or next to nothing.

use ledger::{Batch, Books, Change, Version};
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::{Store, StoreError, Writing};

use crate::clock::Pace;
use crate::people::{self, PEOPLE};
use crate::policy;
use crate::rows::clocks;
use crate::rows::house::{self, Fact};
use crate::rows::{self, KeyRow, WorkspaceRow};
use crate::start::{Config, StartError};
use crate::world::{self, Document, Network};

/// The seed where none is asked for.
const USUAL: u64 = 1;

/// What grows in a workspace by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ground {
    /// A fund with a year of history.
    Fund(Network),
    /// Users, chains and assets, and nothing else.
    Empty(Network),
}

/// What a workspace was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    /// What a seed gives, as of a time.
    Grown {
        ground: Ground,
        at: Millis,
        pace: Pace,
    },
    /// A snapshot, wherever it was taken.
    Snapshot { id: WorkspaceId, pace: Pace },
}

impl Ground {
    /// Of which network.
    pub(crate) const fn network(self) -> Network {
        match self {
            Self::Fund(network) | Self::Empty(network) => network,
        }
    }

    /// What a workspace of it is called where nobody says.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Fund(Network::Mainnet) => "Example Fund",
            Self::Fund(Network::Testnet) => "Example Fund (testnet)",
            Self::Empty(_) => "Empty Workspace",
        }
    }
}

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
        let workspace = people::workspace_id(network);
        if there.iter().all(|row| row.id != workspace) {
            let (at, pace) = match config.frozen_at {
                Some(at) => (at, Pace::Frozen(at)),
                None => (now, Pace::Running(0)),
            };
            let grown = Grown::new(Ground::Fund(network), workspace, seed, at)?;
            grown.into_workspace(store, pace).await?;
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

/// All that a seed gives a workspace.
pub(crate) struct Grown {
    ground: Ground,
    workspace: WorkspaceId,
    at: Millis,
    changes: Vec<(Version, Change)>,
    keys: Vec<KeyRow>,
    /// What it has beside its books.
    beside: Vec<Document>,
}

impl Grown {
    pub(crate) fn new(
        ground: Ground,
        workspace: WorkspaceId,
        seed: u64,
        at: Millis,
    ) -> Result<Self, StartError> {
        let officer = people::named("signing-officer").ok_or(StartError::Seed)?;
        let initiator = officer.id_in(workspace).to_string();
        let (made, beside) = match ground {
            Ground::Fund(network) => {
                let fund = world::seeded(seed, network, at, &initiator, &initiator);
                let beside = world::beside(seed, workspace, network, at);
                (fund.changes, beside.map_err(|_| StartError::Seed)?)
            }
            Ground::Empty(network) => (world::bare(network), Vec::new()),
        };
        let began = at.plus(-365 * Millis::DAY);
        let versioned = |change: Change| {
            let version = match &change {
                Change::Transaction(transaction, _) => Version::of_transaction(transaction),
                Change::Wallet(..) => Version::at(at),
                _ => Version::at(began),
            };
            (version, change)
        };
        let users = PEOPLE
            .iter()
            .map(|person| Change::User(person.user(workspace)));
        let mut keys = Vec::new();
        for person in &PEOPLE {
            if let Some(key) = person.key() {
                keys.push(KeyRow {
                    user: person.id_in(workspace),
                    workspace,
                    spki: key?.public().spki_der().to_vec(),
                    addresses: String::new(),
                });
            }
        }
        Ok(Self {
            ground,
            workspace,
            at,
            changes: users.chain(made).map(versioned).collect(),
            keys,
            beside,
        })
    }

    fn write(&self, writing: &mut Writing<'_>, batch: &mut Batch) -> Result<(), StoreError> {
        for (version, change) in &self.changes {
            batch.apply(writing, *version, change)?;
        }
        for key in &self.keys {
            rows::put_key(writing, key)?;
        }
        for document in &self.beside {
            let (key, text) = (&document.key, &document.text);
            rows::shelf::put(writing, self.workspace, document.kind, key, text)?;
        }
        clocks::reached(writing, self.workspace, self.at)
    }

    /// Writes it down, and that it is a workspace; whole or not at all.
    async fn into_workspace(self, store: &Store, pace: Pace) -> Result<(), StartError> {
        let books = Books::open(store, self.workspace).await?;
        let origin = Origin::Grown {
            ground: self.ground,
            at: self.at,
            pace,
        };
        let row = WorkspaceRow {
            id: self.workspace,
            name: self.ground.title().to_owned(),
            network: self.ground.network().name().to_owned(),
            policy: policy_of(self.workspace)?,
            number: 0,
            origin: Some(serde_json::to_string(&origin).map_err(|_| StartError::Seed)?),
        };
        let made = books.transact(self.at, move |writing, batch| {
            self.write(writing, batch)?;
            clocks::keep(writing, self.workspace, pace)?;
            rows::add_workspace(writing, &row)
        });
        made.await.map_err(|error: StoreError| error.into())
    }

    /// Writes it down, for workspaces to be copied from.
    pub(crate) async fn into_template(self, store: &Store) -> Result<(), StartError> {
        let books = Books::open(store, self.workspace).await?;
        let made = books.transact(self.at, move |writing, batch| self.write(writing, batch));
        made.await.map_err(|error: StoreError| error.into())
    }
}

/// The policy of a new workspace, as it is kept.
pub(crate) fn policy_of(workspace: WorkspaceId) -> Result<String, StartError> {
    let id_of = |name: &str| {
        people::named(name)
            .map(|person| person.id_in(workspace))
            .ok_or(StartError::Seed)
    };
    let signers = [id_of("admin")?, id_of("signer")?];
    let rules = policy::seeded(&signers, id_of("treasurer")?, id_of("signing-officer")?);
    serde_json::to_string(&rules).map_err(|_| StartError::Seed)
}
