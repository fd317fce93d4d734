//! How workspaces come to be: those that are there from the start, and those that others are copied
//! from.

use std::sync::Arc;

use ledger::fresh;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::{Store, StoreError, Writing};

use crate::clock::Pace;
use crate::described::Plan;
use crate::ground::{Files, Ground};
use crate::rows::clocks;
use crate::rows::house::{self, Fact};
use crate::rows::tables;
use crate::rows::{self, KeyRow, WorkspaceRow};
use crate::start::{Config, StartError};
use crate::world::{self, Document, Grown, Network};

/// The seed where none is asked for.
const USUAL: u64 = 1;
/// Most changes of one database transaction.
const BATCH: usize = 20_000;

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

/// What is there from the start, unless told otherwise.
fn usual() -> Vec<Ground> {
    [Network::Mainnet, Network::Testnet]
        .map(Ground::Fund)
        .into()
}

/// The workspaces, with those that are not there yet: also what an earlier start did not come to.
pub(crate) async fn workspaces(
    store: &Store,
    config: &Config,
    files: &Files,
    now: Millis,
) -> Result<(u64, Vec<WorkspaceRow>), StartError> {
    let read = |store: Store| async move { store.read(|reading| rows::workspaces(reading)).await };
    let seed = settled(store, config).await?;
    let there = read(store.clone()).await?;
    let wanted = if config.workspaces.is_empty() {
        usual()
    } else {
        config.workspaces.clone()
    };
    let order: Vec<_> = wanted.iter().map(Ground::workspace).collect();
    for ground in wanted {
        let workspace = ground.workspace();
        if there.iter().all(|row| row.id != workspace) {
            let (at, pace) = match config.frozen_at {
                Some(at) => (at, Pace::Frozen(at)),
                None => (now, Pace::Running(0)),
            };
            let plan = files.plan(&ground).ok_or(StartError::Seed)?;
            let row = WorkspaceRow {
                id: workspace,
                name: plan.name.clone(),
                network: plan.network.name().to_owned(),
                policy: policy_of(&plan, workspace)?,
                number: 0,
                origin: Some(
                    serde_json::to_string(&Origin::Grown { ground, at, pace })
                        .map_err(|_| StartError::Seed)?,
                ),
            };
            Seedling::new(plan, workspace, seed, at)?
                .grow(store, Some((row, pace)))
                .await?;
        }
    }
    // Those that were asked for first, in that order.
    let mut all = read(store.clone()).await?;
    all.sort_by_key(|row| {
        order
            .iter()
            .position(|id| *id == row.id)
            .unwrap_or(usize::MAX)
    });
    Ok((seed, all))
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
        return Err(StartError::OtherSeed {
            file: config.file(),
            made,
            asked,
        });
    }
    Ok(made)
}

/// A workspace that is about to be made from a plan.
pub(crate) struct Seedling {
    plan: Arc<Plan>,
    workspace: WorkspaceId,
    seed: u64,
    at: Millis,
    keys: Vec<KeyRow>,
    /// What it has beside its books.
    beside: Vec<Document>,
}

/// The first and the last of what is written.
struct Ends {
    keys: Vec<KeyRow>,
    beside: Vec<Document>,
    /// That it is a workspace, and how its clock goes.
    made: Option<(WorkspaceRow, Pace)>,
}

impl Seedling {
    pub(crate) fn new(
        plan: Arc<Plan>,
        workspace: WorkspaceId,
        seed: u64,
        at: Millis,
    ) -> Result<Self, StartError> {
        let beside = world::beside(&plan, seed, workspace, at);
        Ok(Self {
            keys: plan.keys(workspace),
            beside: beside.map_err(|_| StartError::Seed)?,
            plan,
            workspace,
            seed,
            at,
        })
    }

    /// Writes it down, batch by batch, and with the last one that it is a workspace. Until then its
    /// rows are nobody's: a process that is killed leaves what the next start sweeps away.
    async fn grow(
        self,
        store: &Store,
        made: Option<(WorkspaceRow, Pace)>,
    ) -> Result<(), StartError> {
        let (workspace, at) = (self.workspace, self.at);
        let ends = Arc::new(Ends {
            keys: self.keys,
            beside: self.beside,
            made,
        });
        let (batches, mut next) = tokio::sync::mpsc::channel(1);
        let making = tokio::task::spawn_blocking(move || {
            let mut grown = Grown::new(&self.plan, workspace, self.seed, at);
            loop {
                let batch: Vec<_> = grown.by_ref().take(BATCH).collect();
                let last = batch.len() < BATCH;
                // Nobody listens where a batch could not be written.
                if batches.blocking_send((batch, last)).is_err() || last {
                    break;
                }
            }
        });
        let mut first = true;
        while let Some((batch, last)) = next.recv().await {
            let ends = Arc::clone(&ends);
            let write = store.write(move |writing| {
                if first {
                    ends.begin(writing, workspace, at)?;
                }
                fresh::fill(writing, workspace, at, &batch)?;
                if last {
                    ends.end(writing, workspace)?;
                }
                Ok::<_, StoreError>(())
            });
            write.await?;
            first = false;
        }
        making.await.map_err(|_| StartError::Seed)
    }

    /// Writes it down, for workspaces to be copied from.
    pub(crate) async fn into_template(self, store: &Store) -> Result<(), StartError> {
        self.grow(store, None).await
    }
}

impl Ends {
    fn begin(
        &self,
        writing: &mut Writing<'_>,
        workspace: WorkspaceId,
        at: Millis,
    ) -> Result<(), StoreError> {
        // What an earlier try has left.
        tables::clear(writing, workspace)?;
        // What has a clock and is no workspace is swept away at the next start.
        clocks::reached(writing, workspace, at)?;
        for key in &self.keys {
            rows::put_key(writing, key)?;
        }
        for document in &self.beside {
            let (key, text) = (&document.key, &document.text);
            rows::shelf::put(writing, workspace, document.kind, key, text)?;
        }
        Ok(())
    }

    fn end(&self, writing: &mut Writing<'_>, workspace: WorkspaceId) -> Result<(), StoreError> {
        let Some((row, pace)) = &self.made else {
            return Ok(());
        };
        clocks::keep(writing, workspace, *pace)?;
        rows::add_workspace(writing, row)
    }
}

/// The policy of a new workspace, as it is kept.
pub(crate) fn policy_of(plan: &Plan, workspace: WorkspaceId) -> Result<String, StartError> {
    serde_json::to_string(&plan.policy(workspace)).map_err(|_| StartError::Seed)
}
