//! Deposit addresses of a wallet: from the store.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::vault::{PaginatedAddressResponse, Paging, VaultWalletAddress};

use super::{Ask, cursor, limit};
use crate::rows;
use crate::view::view_of_wallet;

/// The wallet's addresses, in the order of their derivation.
async fn of_wallet(ask: &Ask<'_>) -> Result<Vec<VaultWalletAddress>, ApiError> {
    let (account, asset) = wallet(ask)?;
    let (workspace, key) = (ask.scope.workspace(), asset.clone());
    let facts = ask
        .books
        .store()
        .read(move |reading| rows::addresses(reading, workspace, account, &key))
        .await;
    let facts = facts.map_err(|_: store::StoreError| ApiError::internal())?;
    let mut addresses = facts
        .iter()
        .filter_map(|fact| serde_json::from_str::<VaultWalletAddress>(fact.doc.as_deref()?).ok())
        .filter_map(|address| view_of_wallet(account, &asset, address, ask.scope))
        .map(crate::Seen::into_inner)
        .collect::<Vec<_>>();
    addresses.sort_by(|a, b| {
        (a.bip44_address_index, &a.address, &a.tag).cmp(&(
            b.bip44_address_index,
            &b.address,
            &b.tag,
        ))
    });
    Ok(addresses)
}

/// The wallet that is asked about, if the reader may know of it.
fn wallet(ask: &Ask<'_>) -> Result<(VaultAccountId, AssetId), ApiError> {
    let account = ask
        .params
        .get("vaultAccountId")
        .parse()
        .map_err(|_| ApiError::vault_account_not_found())?;
    let model = ask.books.model();
    let known = model
        .accounts
        .get(&account)
        .filter(|known| known.facts().is_some() && ask.scope.covers_account(account));
    let known = known.ok_or_else(ApiError::vault_account_not_found)?;
    let asset: AssetId = ask
        .params
        .get("assetId")
        .parse()
        .map_err(|_| ApiError::vault_asset_not_found())?;
    if known.wallet(&asset).is_none() || !ask.scope.covers_asset(&asset) {
        return Err(ApiError::vault_asset_not_found());
    }
    Ok((account, asset))
}

/// `GET .../addresses`: a bare array.
pub(super) async fn all(ask: Ask<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &of_wallet(&ask).await?))
}

/// `GET .../addresses_paginated`.
pub(super) async fn paged(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let limit = limit(&ask, "limit", 500, 1, 1_000)?;
    let start: usize = match (ask.query.one("after"), ask.query.one("before")) {
        (Some(_), Some(_)) => return Err(ApiError::invalid("after", "not together with before")),
        (Some(after), None) => cursor::read("after", after)?,
        (None, Some(before)) => cursor::read::<usize>("before", before)?.saturating_sub(limit),
        (None, None) => 0,
    };
    let addresses = of_wallet(&ask).await?;
    // Addresses are only ever added behind, so a place is stable.
    let end = start.saturating_add(limit);
    let paging = Paging {
        before: (start > 0).then(|| cursor::make(&start)),
        after: (addresses.len() > end).then(|| cursor::make(&end)),
    };
    let addresses = addresses.into_iter().skip(start).take(limit).collect();
    Ok(Reply::json(
        200,
        &PaginatedAddressResponse { addresses, paging },
    ))
}
