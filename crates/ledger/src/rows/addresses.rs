//! Deposit addresses: by their wallet, in the order of their derivation, and by what they are.

use protocol::ids::{AssetId, VaultAccountId, WorkspaceId};
use store::{Query, Row, StoreError, Value, params};

use super::{Fact, corrupt, fact};
use crate::change::FactKind;

const COLUMNS: &str = "key, account, time, rank, doc, place";

/// Where an address stands among its wallet's: its place in the derivation, then its key.
pub(crate) type Place = (u32, String);

fn of_wallet(workspace: WorkspaceId, account: VaultAccountId, asset: &AssetId) -> Vec<Value> {
    let kind = FactKind::Address.as_str();
    let params = params![
        workspace.to_string(),
        kind,
        account.number(),
        asset.as_str()
    ];
    params.to_vec()
}

/// Every address of a wallet, in the order of their derivation.
pub(crate) fn addresses(
    query: &mut impl Query,
    workspace: WorkspaceId,
    account: VaultAccountId,
    asset: &AssetId,
) -> Result<Vec<Fact>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM facts WHERE workspace = $1 AND kind = $2 AND account = $3 AND asset = $4
            AND place IS NOT NULL AND doc IS NOT NULL ORDER BY place, key"
    );
    let rows = query.rows(&sql, &of_wallet(workspace, account, asset))?;
    rows.iter().map(fact).collect()
}

/// Up to so many of a wallet's addresses beyond a place, upwards or downwards.
pub(crate) fn address_page(
    query: &mut impl Query,
    workspace: WorkspaceId,
    wallet: (VaultAccountId, &AssetId),
    beyond: Option<&Place>,
    upwards: bool,
    limit: i64,
) -> Result<Vec<(Place, Fact)>, StoreError> {
    let (direction, sign) = if upwards { ("ASC", ">") } else { ("DESC", "<") };
    let mut params = of_wallet(workspace, wallet.0, wallet.1);
    params.push(limit.into());
    let mut past = String::new();
    if let Some((place, key)) = beyond {
        past = format!("AND (place, key) {sign} ($6, $7)");
        params.extend([(*place).into(), key.into()]);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM facts WHERE workspace = $1 AND kind = $2 AND account = $3 AND asset = $4
            AND place IS NOT NULL AND doc IS NOT NULL {past} ORDER BY place {direction}, key {direction} LIMIT $5"
    );
    let read = |row: &Row| Ok(((place(row, 5)?, row.text(0)?.to_owned()), fact(row)?));
    query.rows(&sql, &params)?.iter().map(read).collect()
}

/// A wallet's first address.
pub(crate) fn first_address(
    query: &mut impl Query,
    workspace: WorkspaceId,
    account: VaultAccountId,
    asset: &AssetId,
) -> Result<Option<Fact>, StoreError> {
    let page = address_page(query, workspace, (account, asset), None, true, 1)?;
    Ok(page.into_iter().next().map(|(_, fact)| fact))
}

/// The place of a wallet's last address.
pub(crate) fn last_place(
    query: &mut impl Query,
    workspace: WorkspaceId,
    account: VaultAccountId,
    asset: &AssetId,
) -> Result<Option<u32>, StoreError> {
    let page = address_page(query, workspace, (account, asset), None, false, 1)?;
    Ok(page.first().map(|((place, _), _)| *place))
}

/// The wallets that have an address.
pub(crate) fn wallets_of_address(
    query: &mut impl Query,
    workspace: WorkspaceId,
    address: &str,
) -> Result<Vec<(VaultAccountId, AssetId)>, StoreError> {
    let sql = "SELECT key, account, asset FROM facts
        WHERE workspace = $1 AND kind = $2 AND label = $3 AND doc IS NOT NULL ORDER BY key";
    let read = |row: &Row| {
        let bad = || corrupt("facts", "account", row.text(0).unwrap_or_default());
        let account = u32::try_from(row.int(1)?).map_err(|_| bad())?;
        let asset = row.text(2)?.parse().map_err(|_| bad())?;
        Ok((VaultAccountId::new(account), asset))
    };
    let kind = FactKind::Address.as_str();
    let rows = query.rows(sql, &params![workspace.to_string(), kind, address])?;
    rows.iter().map(read).collect()
}

fn place(row: &Row, column: usize) -> Result<u32, StoreError> {
    u32::try_from(row.int(column)?).map_err(|_| corrupt("facts", "place", "an address"))
}
