//! Assets and blockchains: no secret of the workspace's, the same for every reader.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use serde_json::json;

use super::{Ask, cursor, limit};
use crate::view::public;

/// `GET /supported_assets`.
pub(super) fn supported(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let model = ask.books.model();
    let assets: Vec<_> = model.assets.values().map(|entry| &entry.value.0).collect();
    Ok(Reply::json(200, public(assets).get()))
}

/// `GET /assets`.
pub(super) fn list(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let size = limit(&ask, "pageSize", 500, 100, 1_000)?;
    let past: Option<String> = ask
        .query
        .one("pageCursor")
        .map(|text| cursor::read("pageCursor", text))
        .transpose()?;
    let wanted = |name: &str, value: &str| {
        ask.query
            .one(name)
            .is_none_or(|text| text.eq_ignore_ascii_case(value))
    };
    let model = ask.books.model();
    let mut assets = model
        .assets
        .values()
        .map(|entry| &entry.value.1)
        .filter(|asset| {
            past.as_deref()
                .is_none_or(|past| asset.legacy_id.as_str() > past)
        })
        .filter(|asset| wanted("symbol", &asset.display_symbol))
        .filter(|asset| {
            wanted(
                "blockchainId",
                &asset
                    .blockchain_id
                    .map(|id| id.to_string())
                    .unwrap_or_default(),
            )
        })
        .filter(|asset| {
            let class = serde_json::to_value(asset.asset_class).unwrap_or_default();
            wanted("assetClass", class.as_str().unwrap_or_default())
        });
    let page: Vec<_> = assets.by_ref().take(size).collect();
    let next = page
        .last()
        .filter(|_| assets.next().is_some())
        .map(|last| cursor::make(&last.legacy_id));
    Ok(Reply::json(
        200,
        &json!({"data": public(page).get(), "next": next}),
    ))
}

/// `GET /assets/{id}`, by either id.
pub(super) fn one(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let id = ask.params.get("id");
    let model = ask.books.model();
    let found = model
        .assets
        .values()
        .map(|entry| &entry.value.1)
        .find(|asset| asset.legacy_id.as_str() == id || asset.id.to_string() == id);
    found
        .map(|asset| Reply::json(200, public(asset).get()))
        .ok_or_else(|| ApiError::unsupported_asset(id))
}

/// `GET /blockchains`.
pub(super) fn blockchains(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let size = limit(&ask, "pageSize", 500, 100, 500)?;
    let past: Option<uuid::Uuid> = ask
        .query
        .one("pageCursor")
        .map(|text| cursor::read("pageCursor", text))
        .transpose()?;
    let model = ask.books.model();
    let mut chains = model
        .blockchains
        .values()
        .map(|entry| &entry.value)
        .filter(|chain| past.is_none_or(|past| chain.id > past));
    let page: Vec<_> = chains.by_ref().take(size).collect();
    let next = page
        .last()
        .filter(|_| chains.next().is_some())
        .map(|last| cursor::make(&last.id));
    Ok(Reply::json(
        200,
        &json!({"data": public(page).get(), "next": next}),
    ))
}

/// `GET /blockchains/{id}`, by either id.
pub(super) fn blockchain(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let id = ask.params.get("id");
    let model = ask.books.model();
    let mut chains = model.blockchains.values().map(|entry| &entry.value);
    let found = chains.find(|chain| chain.id.to_string() == id || chain.legacy_id == id);
    found
        .map(|chain| Reply::json(200, public(chain).get()))
        .ok_or_else(|| ApiError::new(404, 1503, "Blockchain not found"))
}
