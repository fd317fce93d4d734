//! Assets and blockchains: no secret of the workspace's, the same for every reader, but for the
//! notes of its people.

use std::collections::HashSet;

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::model::asset::{Asset, Blockchain};
use serde_json::json;

use super::{Ask, cursor, flag, limit};
use crate::view::{Seen, public, view_asset};

/// Most ids that a list can be asked for.
const MAX_IDS: usize = 100;

/// `GET /supported_assets`.
pub(super) fn supported(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let model = ask.books.model();
    let assets: Vec<_> = model.assets.values().map(|entry| &entry.value.0).collect();
    let rows = assets.len();
    Ok(Reply::json(200, public(assets).get()).of_rows(rows))
}

/// Whether a value is the one that the query asks for, if it asks.
fn fits(ask: &Ask<'_>, name: &str, value: &str) -> bool {
    ask.query
        .one(name)
        .is_none_or(|text| text.eq_ignore_ascii_case(value))
}

/// The ids that alone are asked for; none: all.
fn ids<'a>(ask: &Ask<'a>) -> Result<HashSet<&'a str>, ApiError> {
    if ask.query.many("ids").count() > MAX_IDS {
        let must = format_args!("at most {MAX_IDS} of them");
        return Err(ApiError::invalid("ids", must));
    }
    Ok(ask.query.many("ids").collect())
}

/// `GET /assets`.
pub(super) fn list(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let size = limit(&ask, "pageSize", 500, 100, 1_000)?;
    let past: Option<String> = ask
        .query
        .one("pageCursor")
        .map(|text| cursor::read(ask.seal, "pageCursor", text))
        .transpose()?;
    let (ids, deprecated) = (ids(&ask)?, flag(&ask, "deprecated")?);
    let wanted = |asset: &Asset| {
        let chain = asset.blockchain_id.map(|id| id.to_string());
        let class = serde_json::to_value(asset.asset_class).unwrap_or_default();
        fits(&ask, "symbol", &asset.display_symbol)
            && fits(&ask, "blockchainId", &chain.unwrap_or_default())
            && fits(&ask, "assetClass", class.as_str().unwrap_or_default())
            && fits(&ask, "scope", &asset.metadata.scope)
            && deprecated.is_none_or(|wanted| asset.metadata.deprecated == wanted)
            && (ids.is_empty()
                || ids.contains(asset.legacy_id.as_str())
                || ids.contains(asset.id.to_string().as_str()))
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
        .filter(|asset| wanted(asset));
    let page: Vec<_> = assets.by_ref().take(size).collect();
    let next = page
        .last()
        .filter(|_| assets.next().is_some())
        .map(|last| cursor::make(ask.seal, &last.legacy_id));
    let page = page.into_iter().map(|asset| view_asset(asset, ask.scope));
    let page: Vec<_> = page.map(Seen::into_inner).collect();
    let rows = page.len();
    Ok(Reply::json(200, &json!({"data": page, "next": next})).of_rows(rows))
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
        .map(|asset| Reply::json(200, view_asset(asset, ask.scope).get()))
        .ok_or_else(|| ApiError::new(404, 1504, "Asset with specified ID not found"))
}

/// `GET /blockchains`.
pub(super) fn blockchains(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let size = limit(&ask, "pageSize", 500, 1, 500)?;
    let past: Option<uuid::Uuid> = ask
        .query
        .one("pageCursor")
        .map(|text| cursor::read(ask.seal, "pageCursor", text))
        .transpose()?;
    let (ids, test) = (ids(&ask)?, flag(&ask, "test")?);
    let deprecated = flag(&ask, "deprecated")?;
    let wanted = |chain: &Blockchain| {
        fits(&ask, "protocol", &chain.onchain.protocol)
            && test.is_none_or(|wanted| chain.onchain.test == wanted)
            && deprecated.is_none_or(|wanted| chain.metadata.deprecated == wanted)
            && (ids.is_empty()
                || ids.contains(chain.legacy_id.as_str())
                || ids.contains(chain.id.to_string().as_str()))
    };
    let model = ask.books.model();
    let mut chains = model
        .blockchains
        .values()
        .map(|entry| &entry.value)
        .filter(|chain| past.is_none_or(|past| chain.id > past))
        .filter(|chain| wanted(chain));
    let page: Vec<_> = chains.by_ref().take(size).collect();
    let next = page
        .last()
        .filter(|_| chains.next().is_some())
        .map(|last| cursor::make(ask.seal, &last.id));
    let rows = page.len();
    let answer = json!({"data": public(page).get(), "next": next});
    Ok(Reply::json(200, &answer).of_rows(rows))
}

/// `GET /blockchains/{id}`, by either id.
pub(super) fn blockchain(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let id = ask.params.get("id");
    let model = ask.books.model();
    let mut chains = model.blockchains.values().map(|entry| &entry.value);
    let found = chains.find(|chain| chain.id.to_string() == id || chain.legacy_id == id);
    found
        .map(|chain| Reply::json(200, public(chain).get()))
        .ok_or_else(|| ApiError::new(404, 1505, "Blockchain with specified ID not found"))
}
