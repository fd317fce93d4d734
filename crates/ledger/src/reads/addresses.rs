//! Deposit addresses of a wallet: from the store.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::vault::{PaginatedAddressResponse, VaultWalletAddress};
use store::StoreError;

use super::cursor::Walk;
use super::{Ask, account_in, limit};
use crate::rows::{self, Fact, Place};
use crate::view::{Seen, view_address};

/// The wallet that is asked about, if the reader may know of it.
fn wallet(ask: &Ask<'_>) -> Result<(VaultAccountId, AssetId), ApiError> {
    let account = ask
        .params
        .get("vaultAccountId")
        .parse()
        .map_err(|_| ApiError::vault_account_not_found())?;
    let model = ask.books.model();
    let known =
        account_in(&model, ask.scope, account).ok_or_else(ApiError::vault_account_not_found)?;
    let asset: AssetId = ask
        .params
        .get("assetId")
        .parse()
        .map_err(|_| ApiError::vault_asset_not_found())?;
    if !ask.scope.covers_asset(&asset) || known.wallet(&asset).is_none() {
        return Err(ApiError::vault_asset_not_found());
    }
    Ok((account, asset))
}

/// `GET .../addresses`: a bare array.
pub(super) async fn all(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let (account, asset) = wallet(&ask)?;
    let (workspace, key) = (ask.scope.workspace(), asset.clone());
    let read =
        move |reading: &mut store::Reading<'_>| rows::addresses(reading, workspace, account, &key);
    let facts = ask.books.store().read(read).await.map_err(internal)?;
    let seen = facts.iter().filter_map(|fact| see(&ask, account, fact));
    let seen: Vec<_> = seen.collect();
    Ok(Reply::json(200, &seen).of_rows(seen.len()))
}

/// `GET .../addresses_paginated`, in the order of their derivation.
pub(super) async fn paged(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let limit = limit(&ask, "limit", 500, 1, 1_000)?;
    let walk: Walk<'_, Place> = Walk::of(&ask)?;
    let (account, asset) = wallet(&ask)?;
    let (workspace, key) = (ask.scope.workspace(), asset.clone());
    let (from, upwards) = (walk.from.clone(), !walk.back);
    let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let read = move |reading: &mut store::Reading<'_>| {
        let wallet = (account, &key);
        rows::address_page(reading, workspace, wallet, from.as_ref(), upwards, most)
    };
    let read = ask.books.store().read(read).await.map_err(internal)?;
    let (page, paging) = walk.cut(read, limit, |(place, _)| place.clone());
    let seen = page.iter().filter_map(|(_, fact)| see(&ask, account, fact));
    let addresses: Vec<_> = seen.collect();
    let rows = addresses.len();
    let page = PaginatedAddressResponse { addresses, paging };
    Ok(Reply::json(200, &page).of_rows(rows))
}

fn see(ask: &Ask<'_>, account: VaultAccountId, fact: &Fact) -> Option<VaultWalletAddress> {
    let address = serde_json::from_str(fact.doc.as_deref()?).ok()?;
    view_address(account, address, ask.scope).map(Seen::into_inner)
}

fn internal(_: StoreError) -> ApiError {
    ApiError::internal()
}
