//! The scopes that hide something: which are kept up, and the transactions that each covers.

use protocol::ids::WorkspaceId;
use protocol::model::transaction::Transaction;
use protocol::time::Millis;
use store::{Query, StoreError, Writing, params};

use super::corrupt;
use super::transactions::bytes;
use crate::scope::{PartScope, Scope};

/// The names of the scopes that are kept up.
pub(crate) fn scopes(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT scope FROM scopes WHERE workspace = $1";
    query
        .rows(sql, &params![workspace.to_string()])?
        .iter()
        .map(|row| row.text(0).map(str::to_owned))
        .collect()
}

/// What is no scope in the place of one.
#[cfg(test)]
pub(crate) const SPOIL_SCOPE: &str = "UPDATE scopes SET part = '{}' WHERE scope = $1";

/// One of them.
pub(crate) fn scope(
    query: &mut impl Query,
    workspace: WorkspaceId,
    name: &str,
) -> Result<PartScope, StoreError> {
    let bad = || corrupt("scopes", "part", name);
    let sql = "SELECT part FROM scopes WHERE workspace = $1 AND scope = $2";
    let row = query.row(sql, &params![workspace.to_string(), name])?;
    let row = row.ok_or_else(bad)?;
    serde_json::from_str(row.text(0)?).map_err(|_| bad())
}

/// Keeps a scope up from now on; whether its rows are still to be built.
pub(crate) fn register(
    writing: &mut Writing<'_>,
    scope: &Scope,
    part: &PartScope,
) -> Result<bool, StoreError> {
    let (workspace, name) = (scope.workspace().to_string(), scope.id().to_string());
    let text = serde_json::to_string(part).map_err(|_| corrupt("scopes", "part", &name))?;
    let sql = "INSERT INTO scopes (workspace, scope, part) VALUES ($1, $2, $3) ON CONFLICT (workspace, scope) DO NOTHING";
    let of = params![workspace.clone(), name.clone()];
    if writing.execute(sql, &params![workspace, name.clone(), text])? > 0 {
        return Ok(true);
    }
    let sql = "SELECT unread_since, is_whole FROM scopes WHERE workspace = $1 AND scope = $2";
    let known = writing.row(sql, &of)?;
    let known = known.ok_or_else(|| corrupt("scopes", "scope", &name))?;
    let is_whole = known.int(1)? != 0;
    if known.opt_int(0)?.is_some() || !is_whole {
        let sql = "UPDATE scopes SET unread_since = NULL, is_whole = 1 WHERE workspace = $1 AND scope = $2";
        writing.execute(sql, &of)?;
    }
    Ok(!is_whole)
}

/// Each scope that is kept up, and since when nobody reads it, if nobody does.
pub(crate) fn unread_since(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<(String, Option<Millis>)>, StoreError> {
    let sql = "SELECT scope, unread_since FROM scopes WHERE workspace = $1";
    query
        .rows(sql, &params![workspace.to_string()])?
        .iter()
        .map(|row| Ok((row.text(0)?.to_owned(), row.opt_int(1)?.map(Millis))))
        .collect()
}

/// Writes down since when nobody reads a scope, or that somebody does. One that is half taken apart is whole
/// again when it is registered, and not before.
pub(crate) fn put_unread_since(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    name: &str,
    since: Option<Millis>,
) -> Result<(), StoreError> {
    let sql =
        "UPDATE scopes SET unread_since = $3 WHERE workspace = $1 AND scope = $2 AND is_whole = 1";
    let since = since.map(|since| since.0);
    writing
        .execute(sql, &params![workspace.to_string(), name, since])
        .map(drop)
}

/// Takes some rows of a scope that nobody reads; with the last of them the scope is gone. Whether there is
/// more to take.
pub(crate) fn take_apart(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    name: &str,
    most: i64,
) -> Result<bool, StoreError> {
    let of = params![workspace.to_string(), name];
    let sql = "SELECT is_whole FROM scopes WHERE workspace = $1 AND scope = $2 AND unread_since IS NOT NULL";
    let Some(unread) = writing.row(sql, &of)? else {
        return Ok(false);
    };
    // Once: whoever writes beside this has read that row.
    if unread.int(0)? != 0 {
        let sql = "UPDATE scopes SET is_whole = 0 WHERE workspace = $1 AND scope = $2";
        writing.execute(sql, &of)?;
    }
    let sql = "DELETE FROM scope_transactions WHERE workspace = $1 AND scope = $2 AND id IN
        (SELECT id FROM scope_transactions WHERE workspace = $1 AND scope = $2 LIMIT $3)";
    let some = params![workspace.to_string(), name, most];
    if writing.execute(sql, &some)? > 0 {
        return Ok(true);
    }
    let sql = "DELETE FROM scopes WHERE workspace = $1 AND scope = $2";
    writing.execute(sql, &of)?;
    Ok(false)
}

/// Enters a transaction where a scope covers it, and takes it out where it does not.
pub(crate) fn in_scope(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    scope: &str,
    transaction: &Transaction,
    covered: bool,
) -> Result<(), StoreError> {
    let sql = if covered {
        "INSERT INTO scope_transactions (workspace, scope, created_at, id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (workspace, scope, created_at, id) DO NOTHING"
    } else {
        "DELETE FROM scope_transactions WHERE workspace = $1 AND scope = $2 AND created_at = $3 AND id = $4"
    };
    let params = [
        workspace.to_string().into(),
        scope.into(),
        transaction.created_at.0.into(),
        bytes(transaction.id),
    ];
    writing.execute(sql, &params).map(drop)
}
