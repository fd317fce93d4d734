//! The newest letter to each address about a connection, and how far it is.

use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};

use super::corrupt;
use crate::mail::Posted;

fn read(row: &Row) -> Result<Posted, StoreError> {
    let tries = u32::try_from(row.int(3)?);
    Ok(Posted {
        address: row.text(0)?.to_owned(),
        until: Millis(row.int(1)?),
        days: row.int(2)?,
        tries: tries.map_err(|_| corrupt("gate_letters", "tries", ""))?,
        next_at: row.opt_int(4)?.map(Millis),
        trouble: row.opt_text(5)?.map(str::to_owned),
    })
}

/// Those about a connection.
pub(crate) fn of(
    query: &mut impl Query,
    workspace: WorkspaceId,
    connection: &str,
) -> Result<Vec<Posted>, StoreError> {
    let sql = "SELECT address, until, days, tries, next_at, trouble FROM gate_letters
        WHERE workspace = $1 AND connection = $2 ORDER BY address";
    let rows = query.rows(sql, &params![workspace.to_string(), connection])?;
    rows.iter().map(read).collect()
}

/// It stands so from now on; another one to the same address is forgotten.
pub(crate) fn put(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    connection: &str,
    posted: &Posted,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_letters (workspace, connection, address, until, days, tries, next_at, trouble)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (workspace, connection, address) DO UPDATE SET until = excluded.until, days = excluded.days,
            tries = excluded.tries, next_at = excluded.next_at, trouble = excluded.trouble";
    let params = params![
        workspace.to_string(),
        connection,
        posted.address.as_str(),
        posted.until.0,
        posted.days,
        posted.tries,
        posted.next_at.map(|at| at.0),
        posted.trouble.clone()
    ];
    writing.execute(sql, &params).map(drop)
}
