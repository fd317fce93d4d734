//! Deposit addresses of a wallet: from the store.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::vault::{PaginatedAddressResponse, Paging, VaultWalletAddress};
use store::StoreError;

use super::{Ask, cursor, limit};
use crate::rows::{self, Fact, Place};
use crate::view::{Seen, view_of_wallet};

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
    let (account, asset) = wallet(&ask)?;
    let (workspace, key) = (ask.scope.workspace(), asset.clone());
    let read =
        move |reading: &mut store::Reading<'_>| rows::addresses(reading, workspace, account, &key);
    let facts = ask.books.store().read(read).await.map_err(internal)?;
    let seen = facts
        .iter()
        .filter_map(|fact| see(&ask, account, &asset, fact));
    Ok(Reply::json(200, &seen.collect::<Vec<_>>()))
}

/// `GET .../addresses_paginated`, in the order of their derivation.
pub(super) async fn paged(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let limit = limit(&ask, "limit", 500, 1, 1_000)?;
    let (from, back): (Option<Place>, bool) =
        match (ask.query.one("after"), ask.query.one("before")) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid("after", "not together with before"));
            }
            (Some(after), None) => (Some(cursor::read("after", after)?), false),
            (None, Some(before)) => (Some(cursor::read("before", before)?), true),
            (None, None) => (None, false),
        };
    let (account, asset) = wallet(&ask)?;
    let (workspace, key, started) = (ask.scope.workspace(), asset.clone(), from.is_some());
    let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let read = move |reading: &mut store::Reading<'_>| {
        let wallet = (account, &key);
        rows::address_page(reading, workspace, wallet, from.as_ref(), !back, most)
    };
    let mut page = ask.books.store().read(read).await.map_err(internal)?;
    let more = page.len() > limit;
    page.truncate(limit);
    if back {
        page.reverse();
    }
    let place = |(place, _): &(Place, Fact)| cursor::make(place);
    let paging = Paging {
        before: page
            .first()
            .filter(|_| if back { more } else { started })
            .map(place),
        after: page.last().filter(|_| back || more).map(place),
    };
    let seen = page
        .iter()
        .filter_map(|(_, fact)| see(&ask, account, &asset, fact));
    let addresses = seen.collect();
    Ok(Reply::json(
        200,
        &PaginatedAddressResponse { addresses, paging },
    ))
}

fn see(
    ask: &Ask<'_>,
    account: VaultAccountId,
    asset: &AssetId,
    fact: &Fact,
) -> Option<VaultWalletAddress> {
    let address = serde_json::from_str(fact.doc.as_deref()?).ok()?;
    view_of_wallet(account, asset, address, ask.scope).map(Seen::into_inner)
}

fn internal(_: StoreError) -> ApiError {
    ApiError::internal()
}
