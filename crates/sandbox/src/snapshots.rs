//! A workspace as it was: taken under a name, gone back to, made others from.
//!
//! The rows of a snapshot lie beside the workspace's own, as those of a workspace that nobody comes
//! in to. So whatever a workspace keeps is in it, and going back is one database transaction.

use std::sync::Arc;

use protocol::error::ApiError;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::{Query, Writing};
use uuid::Uuid;

use crate::chance::Chance;
use crate::clock::Pace;
use crate::ground::Ground;
use crate::hall::{Hall, doc};
use crate::halls::Halls;
use crate::names::Names;
use crate::rows::house::{self, Fact};
use crate::rows::snapshots::{self as rows, SnapshotRow};
use crate::rows::tables::{self, Extent};
use crate::rows::{clocks, workspaces};
use crate::seed::Origin;
use ledger::Fault;

/// Most snapshots of a workspace.
const MOST: usize = 100;
/// Longest name, in characters.
const MAX_NAME: usize = 100;

/// What is known of a snapshot beside its rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Taken {
    pub(crate) name: String,
    pub(crate) network: String,
    pub(crate) policy: String,
    /// What the workspace's names are in it.
    names: Names,
}

impl Taken {
    fn read(row: &SnapshotRow) -> Result<Self, Fault> {
        serde_json::from_str(&row.doc).map_err(|_| ApiError::internal().into())
    }

    /// That of the snapshot of this id, in its own names.
    pub(crate) fn find(query: &mut impl Query, id: WorkspaceId) -> Result<Self, Fault> {
        let gone = || ApiError::uncoded(409, "the snapshot that it was made from is gone");
        let row = rows::find(query, id)?.ok_or_else(gone)?;
        let taken = Self::read(&row)?;
        Ok(Self {
            policy: taken.names.change(&taken.policy),
            ..taken
        })
    }
}

/// Where a workspace goes back to.
enum Back {
    Snapshot(String),
    Origin(WorkspaceId, Pace),
}

impl Hall {
    /// Takes a snapshot; one of the same name is replaced.
    pub(crate) async fn take_snapshot(self: &Arc<Self>, name: &str) -> Result<(), ApiError> {
        if name.trim().is_empty() || name.chars().count() > MAX_NAME {
            let text = format!("a snapshot's name has 1 to {MAX_NAME} characters");
            return Err(ApiError::uncoded(400, text));
        }
        let (hall, name) = (Arc::clone(self), name.to_owned());
        let work = move |writing: &mut Writing<'_>| {
            let owner = hall.id();
            if let Some(old) = rows::named(writing, owner, &name)? {
                tables::clear(writing, old.id)?;
                rows::remove(writing, old.id)?;
            } else if rows::of(writing, owner)?.len() >= MOST {
                let text = format!("a workspace has at most {MOST} snapshots");
                return Err(Fault::from(ApiError::uncoded(409, text)));
            }
            let number = house::bump(writing, Fact::Made)?;
            let id =
                WorkspaceId(Chance::of(hall.house.seed, WorkspaceId(Uuid::nil()), number).uuid());
            let names = Names::of_copy(writing, owner, id)?;
            tables::copy(writing, owner, id, names.pairs(), Extent::Whole, None)?;
            let taken = Taken {
                name: hall.name.clone(),
                network: hall.network.name().to_owned(),
                policy: doc(&hall.first_policy)?,
                names,
            };
            let row = SnapshotRow {
                owner,
                name: name.clone(),
                id,
                made_at: hall.clock.now(),
                doc: doc(&taken)?,
            };
            Ok(rows::put(writing, &row)?)
        };
        Ok(self.books.store().write(work).await?)
    }

    /// The workspace's snapshots, by name.
    pub(crate) async fn snapshots(&self) -> Result<Vec<SnapshotRow>, ApiError> {
        let id = self.id();
        let read = self
            .books
            .store()
            .read(move |reading| rows::of(reading, id));
        Ok(read.await.map_err(Fault::from)?)
    }

    /// Forgets a snapshot.
    pub(crate) async fn drop_snapshot(&self, name: &str) -> Result<(), ApiError> {
        let (owner, name) = (self.id(), name.to_owned());
        let work = move |writing: &mut Writing<'_>| {
            let found = rows::named(writing, owner, &name)?;
            let found = found.ok_or_else(|| ApiError::uncoded(404, "no such snapshot"))?;
            tables::clear(writing, found.id)?;
            Ok::<_, Fault>(rows::remove(writing, found.id)?)
        };
        Ok(self.books.store().write(work).await?)
    }

    /// Goes back to a snapshot: everything is as it was then, also the clock.
    pub(crate) async fn restore(self: &Arc<Self>, name: &str) -> Result<(), ApiError> {
        self.go_back(Back::Snapshot(name.to_owned())).await
    }

    async fn go_back(self: &Arc<Self>, to: Back) -> Result<(), ApiError> {
        let hall = Arc::clone(self);
        let work = move |writing: &mut Writing<'_>| {
            let id = hall.id();
            if hall.over.is_cancelled() {
                return Err(Fault::from(ApiError::uncoded(404, "The workspace is gone")));
            }
            match &to {
                Back::Snapshot(name) => {
                    let found = rows::named(writing, id, name)?;
                    let found = found.ok_or_else(|| ApiError::uncoded(404, "no such snapshot"))?;
                    let names = Taken::read(&found)?.names.back();
                    tables::clear(writing, id)?;
                    tables::copy(writing, found.id, id, names.pairs(), Extent::Whole, None)?;
                }
                Back::Origin(from, pace) => {
                    let names = Names::of_copy(writing, *from, id)?;
                    if clocks::find(writing, *from)?.1 == Millis(0) {
                        let text = "what it was made from has just gone";
                        return Err(ApiError::uncoded(409, text).into());
                    }
                    tables::clear(writing, id)?;
                    tables::copy(writing, *from, id, names.pairs(), Extent::Inherited, None)?;
                    clocks::keep(writing, id, *pace)?;
                }
            }
            let (pace, latest) = clocks::find(writing, id)?;
            // Changes that come after this one are stamped by the clock as it is now.
            hall.clock.turn(pace, latest);
            Ok(())
        };
        self.books.rewrite(work).await?;
        self.open_doors().await?;
        self.wake();
        Ok(())
    }
}

impl Halls {
    /// Makes a workspace again what it was when it was made.
    pub(crate) async fn reset(&self, hall: &Arc<Hall>) -> Result<(), ApiError> {
        let id = hall.id();
        let read = self.store.read(move |reading| workspaces(reading));
        let rows = read.await.map_err(Fault::from)?;
        let origin = rows
            .into_iter()
            .find(|row| row.id == id)
            .and_then(|row| row.origin);
        let unknown =
            || ApiError::uncoded(409, "an older release made it, and did not keep what from");
        let origin: Origin =
            serde_json::from_str(&origin.ok_or_else(unknown)?).map_err(|_| ApiError::internal())?;
        let back = match origin {
            Origin::Grown { ground, at, pace } => self.seeded_again(&ground, at, pace).await?,
            Origin::Snapshot { id, pace } => {
                let read = self.store.read(move |reading| Taken::find(reading, id));
                read.await?;
                Back::Origin(id, pace)
            }
        };
        hall.go_back(back).await
    }

    async fn seeded_again(
        &self,
        ground: &Ground,
        at: Millis,
        pace: Pace,
    ) -> Result<Back, ApiError> {
        if self.house.files.plan(ground).is_none() {
            let text = "the file that it was made from cannot be read any more";
            return Err(ApiError::uncoded(409, text));
        }
        let template = self.templates.as_of(self, ground, at).await;
        let template = template.map_err(|error| {
            tracing::error!(%error, "a workspace cannot be reset");
            ApiError::internal()
        })?;
        Ok(Back::Origin(template.id, pace))
    }
}
