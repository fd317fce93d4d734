//! How each workspace's clock stands.

use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Query, StoreError, Writing, params};

use crate::clock::Pace;

/// Before, one clock was everybody's.
pub(super) const TABLES: &str = "
CREATE TABLE clocks (workspace TEXT NOT NULL PRIMARY KEY, ahead BIGINT NOT NULL, frozen_at BIGINT, latest BIGINT NOT NULL);
INSERT INTO clocks (workspace, ahead, frozen_at, latest)
    SELECT id, COALESCE((SELECT value FROM house WHERE name = 'ahead'), 0), NULL,
        COALESCE((SELECT value FROM house WHERE name = 'latest'), 0) FROM workspaces;
";

/// How it goes, and the moment of the last change.
pub(crate) fn find(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<(Pace, Millis), StoreError> {
    let sql = "SELECT ahead, frozen_at, latest FROM clocks WHERE workspace = $1";
    let Some(row) = query.row(sql, &params![workspace.to_string()])? else {
        return Ok((Pace::Running(0), Millis(0)));
    };
    let pace = match row.opt_int(1)? {
        Some(at) => Pace::Frozen(Millis(at)),
        None => Pace::Running(row.int(0)?),
    };
    Ok((pace, Millis(row.int(2)?)))
}

/// Keeps how it goes.
pub(crate) fn keep(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    pace: Pace,
) -> Result<(), StoreError> {
    let (ahead, frozen_at) = match pace {
        Pace::Running(ahead) => (ahead, None),
        Pace::Frozen(at) => (0, Some(at.0)),
    };
    let sql = "INSERT INTO clocks (workspace, ahead, frozen_at, latest) VALUES ($1, $2, $3, 0)
        ON CONFLICT (workspace) DO UPDATE SET ahead = excluded.ahead, frozen_at = excluded.frozen_at";
    writing
        .execute(sql, &params![workspace.to_string(), ahead, frozen_at])
        .map(drop)
}

/// A change was made at this moment; the latest stays.
pub(crate) fn reached(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    at: Millis,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO clocks (workspace, ahead, frozen_at, latest) VALUES ($1, 0, NULL, $2)
        ON CONFLICT (workspace) DO UPDATE SET latest = excluded.latest WHERE excluded.latest > clocks.latest";
    writing
        .execute(sql, &params![workspace.to_string(), at.0])
        .map(drop)
}
