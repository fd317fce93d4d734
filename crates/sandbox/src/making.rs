//! Workspaces made and taken away by a call: one per test, many at once.

use std::sync::Arc;

use protocol::error::ApiError;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Store, Writing};
use uuid::Uuid;
use wire::clock::{SystemClock, WallClock};

use crate::chance::Chance;
use crate::clock::Pace;
use crate::described::Plan;
use crate::ground::Ground;
use crate::hall::{Hall, doc};
use crate::halls::Halls;
use crate::names::Names;
use crate::rows::house::{self, Fact};
use crate::rows::tables::{self, Extent};
use crate::rows::{self, WorkspaceRow, clocks, snapshots};
use crate::seed::{self, Origin};
use crate::snapshots::Taken;
use crate::start::StartError;
use ledger::Fault;

/// Most workspaces of a sandbox.
const MOST: usize = 10_000;
/// Longest name, in characters.
const MAX_NAME: usize = 100;

/// A workspace that is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) name: Option<String>,
    pub(crate) source: Source,
    /// What its clock shows; nothing: what a new one's shows.
    pub(crate) at: Option<Millis>,
    /// Whether its clock stands.
    pub(crate) frozen: bool,
}

/// What it is made from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Ground(Ground),
    Snapshot { of: WorkspaceId, name: String },
}

/// What a workspace is copied from.
struct Pattern {
    /// As which workspace its rows are kept.
    rows: WorkspaceId,
    ground: Option<(Ground, Arc<Plan>)>,
    /// The moment of its last change.
    latest: Millis,
}

fn failed(error: StartError) -> ApiError {
    match error {
        StartError::Store(error) => Fault::from(error).into(),
        error => {
            tracing::error!(%error, "a workspace could not be made");
            ApiError::internal()
        }
    }
}

impl Halls {
    /// Makes a workspace.
    pub(crate) async fn make(&self, wanted: Wanted) -> Result<Arc<Hall>, ApiError> {
        if self.count() >= MOST {
            let text = format!("a sandbox has at most {MOST} workspaces");
            return Err(ApiError::uncoded(409, text));
        }
        let long = |name: &String| name.trim().is_empty() || name.chars().count() > MAX_NAME;
        if wanted.name.as_ref().is_some_and(long) {
            let text = format!("name must have 1 to {MAX_NAME} characters");
            return Err(ApiError::uncoded(400, text));
        }
        let now = SystemClock.now();
        let frozen = wanted.frozen || self.house.frozen_at.is_some();
        let at = wanted.at.or(self.house.frozen_at);
        let pattern = match &wanted.source {
            Source::Ground(ground) => self.grown(ground, at, now).await?,
            Source::Snapshot { of, name } => self.kept(*of, name).await?,
        };
        if at.is_some_and(|at| at < pattern.latest) {
            let text = format!(
                "the snapshot's last change was at {}: later than that",
                pattern.latest
            );
            return Err(ApiError::uncoded(409, text));
        }
        let pace = match at {
            Some(at) if frozen => Some(Pace::Frozen(at)),
            Some(at) => Some(Pace::Running(at.0.saturating_sub(now.0))),
            None if wanted.frozen => Some(Pace::Frozen(now.max(pattern.latest))),
            // A snapshot's clock goes on as it went.
            None => pattern.ground.as_ref().map(|_| Pace::Running(0)),
        };
        let row = self.copied(pattern, wanted.name, pace).await?;
        self.open(row).await.map_err(failed)
    }

    async fn grown(
        &self,
        ground: &Ground,
        at: Option<Millis>,
        now: Millis,
    ) -> Result<Pattern, ApiError> {
        let unknown = || {
            let names = self.house.files.names().join(", ");
            let text = format!("no such workspace file was given: there are {names}");
            ApiError::uncoded(404, text)
        };
        let plan = self.house.files.plan(ground).ok_or_else(unknown)?;
        let template = match at {
            Some(at) => self.templates.as_of(self, ground, at).await,
            None => self.templates.recent(self, ground, now).await,
        };
        let template = template.map_err(failed)?;
        Ok(Pattern {
            rows: template.id,
            ground: Some((ground.clone(), plan)),
            latest: template.at,
        })
    }

    async fn kept(&self, of: WorkspaceId, name: &str) -> Result<Pattern, ApiError> {
        let name = name.to_owned();
        let read = self.store.read(move |reading| {
            let Some(row) = snapshots::named(reading, of, &name)? else {
                return Err(Fault::from(ApiError::uncoded(404, "no such snapshot")));
            };
            let (_, latest) = clocks::find(reading, row.id)?;
            Ok(Pattern {
                rows: row.id,
                ground: None,
                latest,
            })
        });
        Ok(read.await?)
    }

    /// Copies a pattern to a new workspace.
    async fn copied(
        &self,
        pattern: Pattern,
        name: Option<String>,
        pace: Option<Pace>,
    ) -> Result<WorkspaceRow, ApiError> {
        let seed = self.house.seed;
        let told = self.patterns.told(&self.store, pattern.rows).await?;
        let write = self.store.write(move |writing| {
            let number = house::bump(writing, Fact::Made)?;
            let id = Chance::of(seed, WorkspaceId(Uuid::nil()), number).uuid();
            let id = WorkspaceId(id);
            let names = Names::of_copy(writing, pattern.rows, id)?;
            if clocks::find(writing, pattern.rows)?.1 != pattern.latest {
                return Err(ApiError::uncoded(409, "what it is made from has just changed").into());
            }
            let (from, pairs) = (pattern.rows, names.pairs());
            tables::copy(writing, from, id, pairs, Extent::Inherited, Some(&told))?;
            if let Some(pace) = pace {
                clocks::keep(writing, id, pace)?;
            }
            let (pace, _) = clocks::find(writing, id)?;
            let mut row = match &pattern.ground {
                Some((ground, plan)) => WorkspaceRow {
                    id,
                    name: plan.name.clone(),
                    network: plan.network.name().to_owned(),
                    policy: seed::policy_of(plan, id).map_err(failed)?,
                    number,
                    origin: Some(doc(&Origin::Grown {
                        ground: ground.clone(),
                        at: pattern.latest,
                        pace,
                    })?),
                },
                None => {
                    let taken = Taken::find(writing, pattern.rows)?;
                    WorkspaceRow {
                        id,
                        policy: names.change(&taken.policy),
                        name: taken.name,
                        network: taken.network,
                        number,
                        origin: Some(doc(&Origin::Snapshot {
                            id: pattern.rows,
                            pace,
                        })?),
                    }
                }
            };
            if let Some(name) = &name {
                row.name.clone_from(name);
            }
            rows::add_workspace(writing, &row)?;
            Ok::<_, Fault>(row)
        });
        Ok(write.await?)
    }

    /// Takes a workspace away, with its snapshots. Those that were there from the start stay.
    pub(crate) async fn remove(&self, hall: &Hall) -> Result<(), ApiError> {
        if hall.number == 0 {
            let text = "this workspace is the sandbox's own: it can be reset, not taken away";
            return Err(ApiError::uncoded(409, text));
        }
        self.close(hall);
        erase(&self.store, hall.id()).await.map_err(ApiError::from)
    }
}

async fn erase(store: &Store, id: WorkspaceId) -> Result<(), Fault> {
    let work = move |writing: &mut Writing<'_>| {
        for snapshot in snapshots::of(writing, id)? {
            tables::clear(writing, snapshot.id)?;
            snapshots::remove(writing, snapshot.id)?;
        }
        tables::clear(writing, id)?;
        rows::remove_workspace(writing, id)?;
        Ok(())
    };
    store.write(work).await
}
