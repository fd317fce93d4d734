//! Sums per cell, and by which formula they are counted.

use protocol::ids::{VaultAccountId, WorkspaceId};
use store::{Query, StoreError, Writing, params};

use super::corrupt;
use crate::digest::{Cell, CellKind, Digest, FORMULA, Sum};
use crate::scope::Scope;

/// Changes a cell by what came in and what went out.
pub(crate) fn change_cell(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    cell: &Cell,
    out: Option<&Digest>,
    into: Option<&Digest>,
) -> Result<(), StoreError> {
    let key = |more: &[store::Value]| {
        let mut params = params![
            workspace.to_string(),
            cell.account.number(),
            cell.asset.as_str(),
            cell.kind.as_str(),
            cell.month,
        ]
        .to_vec();
        params.extend_from_slice(more);
        params
    };
    let sql = "SELECT formula, count, sum FROM digest_formulas AS f LEFT JOIN digest_cells AS c
            ON c.workspace = f.workspace AND c.account = $2 AND c.asset = $3 AND c.kind = $4 AND c.month = $5
        WHERE f.workspace = $1";
    let known = writing.row(sql, &key(&[]))?;
    ours(known.as_ref().map(|row| row.int(0)).transpose()?)?;
    let mut digest = match known {
        Some(row) if row.opt_int(1)?.is_some() => Digest {
            count: row.int(1)?,
            sum: sum(row.bytes(2)?)?,
        },
        _ => Digest::default(),
    };
    if let Some(out) = out {
        digest = digest.minus(out);
    }
    if let Some(into) = into {
        digest = digest.plus(into);
    }
    let sql = "INSERT INTO digest_cells (workspace, account, asset, kind, month, count, sum)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (workspace, account, asset, kind, month) DO UPDATE SET count = excluded.count, sum = excluded.sum";
    writing
        .execute(
            sql,
            &key(&params![digest.count, digest.sum.as_bytes().as_slice()]),
        )
        .map(drop)
}

/// Adds a cell; `false` if there is one already.
pub(crate) fn add_cell(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    cell: &Cell,
    digest: &Digest,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO digest_cells (workspace, account, asset, kind, month, count, sum)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (workspace, account, asset, kind, month) DO NOTHING";
    let params = params![
        workspace.to_string(),
        cell.account.number(),
        cell.asset.as_str(),
        cell.kind.as_str(),
        cell.month,
        digest.count,
        digest.sum.as_bytes().as_slice()
    ];
    Ok(writing.execute(sql, &params)? == 1)
}

/// The formula by which a workspace's legs are counted, if they ever were.
fn formula(query: &mut impl Query, workspace: WorkspaceId) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT formula FROM digest_formulas WHERE workspace = $1";
    let row = query.row(sql, &params![workspace.to_string()])?;
    row.map(|row| row.int(0)).transpose()
}

/// Sums of another formula are not added to, nor told.
fn ours(formula: Option<i64>) -> Result<(), StoreError> {
    match formula {
        Some(formula) if formula == i64::from(FORMULA) => Ok(()),
        other => Err(StoreError::OtherRelease(format!(
            "its digests are counted by formula {} now, here by {FORMULA}",
            other.map_or_else(|| "none".to_owned(), |other| other.to_string())
        ))),
    }
}

/// Whether a workspace's legs are counted by the formula of this release.
pub(crate) fn is_counted_here(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<bool, StoreError> {
    Ok(ours(formula(query, workspace)?).is_ok())
}

/// From now on they are.
pub(crate) fn count_from_now(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO digest_formulas (workspace, formula) VALUES ($1, $2)
        ON CONFLICT (workspace) DO UPDATE SET formula = excluded.formula";
    let params = params![workspace.to_string(), i64::from(FORMULA)];
    writing.execute(sql, &params).map(drop)
}

/// Forgets the digests of transactions.
pub(crate) fn forget_legs(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM digest_cells WHERE workspace = $1 AND kind IN ('in', 'out')";
    let params = params![workspace.to_string()];
    writing.execute(sql, &params).map(drop)
}

/// Digests of transactions that are wrong.
#[cfg(test)]
pub(crate) const SPOIL_DIGESTS: &str =
    "UPDATE digest_cells SET count = count + 1 WHERE kind IN ('in', 'out')";

/// A release of another formula has opened the books; or one that knew of none.
#[cfg(test)]
pub(crate) fn other_formula(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    formula: Option<u32>,
) -> Result<(), StoreError> {
    let id = workspace.to_string();
    writing.execute(
        "DELETE FROM digest_formulas WHERE workspace = $1",
        &params![id.as_str()],
    )?;
    if let Some(formula) = formula {
        let sql = "INSERT INTO digest_formulas (workspace, formula) VALUES ($1, $2)";
        writing.execute(sql, &params![id.as_str(), i64::from(formula)])?;
    }
    Ok(())
}

fn sum(bytes: &[u8]) -> Result<Sum, StoreError> {
    Sum::from_bytes(bytes).ok_or_else(|| corrupt("digest_cells", "sum", "a cell"))
}

/// The cells that a scope covers.
pub(crate) fn cells(
    query: &mut impl Query,
    scope: &Scope,
) -> Result<Vec<(Cell, Digest)>, StoreError> {
    let sql = "SELECT account, asset, kind, month, count, sum FROM digest_cells WHERE workspace = $1 AND count <> 0";
    let first_month = scope
        .as_part()
        .and_then(|part| part.history_from)
        .map(crate::digest::month);
    ours(formula(query, scope.workspace())?)?;
    let mut cells = Vec::new();
    for row in query.rows(sql, &params![scope.workspace().to_string()])? {
        let bad = |column| corrupt("digest_cells", column, "a cell");
        let number = u32::try_from(row.int(0)?).map_err(|_| bad("account"))?;
        let cell = Cell {
            account: VaultAccountId::new(number),
            asset: row.text(1)?.parse().map_err(|_| bad("asset"))?,
            kind: CellKind::from_word(row.text(2)?).ok_or_else(|| bad("kind"))?,
            month: row.int(3)?,
        };
        let in_time = cell.month == 0 || first_month.is_none_or(|first| cell.month >= first);
        if in_time && scope.covers_wallet(cell.account, &cell.asset) {
            cells.push((
                cell,
                Digest {
                    count: row.int(4)?,
                    sum: sum(row.bytes(5)?)?,
                },
            ));
        }
    }
    cells.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(cells)
}
