//! Vault accounts: by name, and the last of them.

use protocol::ids::{VaultAccountId, WorkspaceId};
use store::{Query, Row, StoreError, params};

use super::corrupt;
use crate::change::FactKind;

/// An account of that name.
pub(crate) fn account_named(
    query: &mut impl Query,
    workspace: WorkspaceId,
    name: &str,
) -> Result<Option<VaultAccountId>, StoreError> {
    let sql = "SELECT account FROM facts WHERE workspace = $1 AND kind = $2 AND label = $3 AND doc IS NOT NULL
        ORDER BY account LIMIT 1";
    let params = params![workspace.to_string(), FactKind::Account.as_str(), name];
    query.row(sql, &params)?.as_ref().map(id).transpose()
}

/// The account with the greatest number.
pub(crate) fn last_account(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Option<VaultAccountId>, StoreError> {
    let sql = "SELECT account FROM facts WHERE workspace = $1 AND kind = $2 AND account IS NOT NULL
        ORDER BY account DESC LIMIT 1";
    let params = params![workspace.to_string(), FactKind::Account.as_str()];
    query.row(sql, &params)?.as_ref().map(id).transpose()
}

fn id(row: &Row) -> Result<VaultAccountId, StoreError> {
    let number =
        u32::try_from(row.int(0)?).map_err(|_| corrupt("facts", "account", "an account"))?;
    Ok(VaultAccountId::new(number))
}
