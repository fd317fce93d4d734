//! Assets and blockchains: no secret of the workspace's, the same for every reader, but for assets that it
//! registered itself, and the notes of its people.

use std::collections::{BTreeMap, HashSet};

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::AssetId;
use protocol::model::asset::{Asset, Blockchain, SupportedAsset};
use serde_json::json;

use super::{Ask, cursor, flag, limit};
use crate::model::{Entry, Model};
use crate::scope::{AssetFilter, Scope};
use crate::view::{Seen, public, view_asset, view_supported, visit};

/// Most ids that a list can be asked for.
const MAX_IDS: usize = 100;

/// An asset that the reader may know of.
#[derive(Clone, Copy)]
struct Known<'m> {
    id: &'m AssetId,
    both: &'m (SupportedAsset, Asset),
    /// Whether the scope has a wallet of it, where that is asked.
    has_wallet: bool,
}

impl<'m> Known<'m> {
    fn of(
        (id, entry): (&'m AssetId, &'m Entry<(SupportedAsset, Asset)>),
        has_wallet: bool,
    ) -> Self {
        visit();
        Self {
            id,
            both: &entry.value,
            has_wallet,
        }
    }
}

/// What every workspace knows.
fn everybodys(model: &Model) -> impl Iterator<Item = Known<'_>> {
    model.assets.iter().map(|entry| Known::of(entry, false))
}

/// What the workspace registered itself, as far as the reader may know of it, in any order. In a part
/// it is looked for by what the part names, or by what its accounts hold: of what is hidden nothing is
/// visited.
fn own<'m>(model: &'m Model, scope: &Scope) -> Vec<Known<'m>> {
    let all = &model.own_assets;
    let find = |id: &AssetId| all.get_key_value(id);
    match scope.as_part().map(|part| (part, &part.assets)) {
        None => all.iter().map(|entry| Known::of(entry, false)).collect(),
        Some((_, AssetFilter::Only(named))) => {
            let named = named.iter().filter_map(find);
            named.map(|entry| Known::of(entry, false)).collect()
        }
        Some((part, AssetFilter::All)) => {
            let accounts = part.accounts.iter();
            let held = accounts.flat_map(|id| model.own_held(*id)).filter_map(find);
            // Several accounts may hold one.
            let held: BTreeMap<_, _> = held.collect();
            held.into_iter()
                .map(|entry| Known::of(entry, true))
                .collect()
        }
    }
}

/// All that the reader may know of, by id.
fn known<'m>(model: &'m Model, scope: &Scope) -> Vec<Known<'m>> {
    let mut known: Vec<_> = everybodys(model).collect();
    known.extend(own(model, scope));
    known.sort_by_key(|known| known.id);
    known
}

/// Whether the reader may know of an asset. What is hidden costs what is not there does.
pub(crate) fn has_asset(model: &Model, scope: &Scope, id: &AssetId) -> bool {
    let own = || own(model, scope).iter().any(|known| known.id == id);
    model.assets.contains_key(id) || own()
}

/// `GET /supported_assets`.
pub(super) fn supported(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let model = ask.books.model();
    let known = known(&model, ask.scope);
    let seen = known
        .iter()
        .filter_map(|known| view_supported(known.both, known.has_wallet, ask.scope));
    let assets: Vec<_> = seen.map(Seen::into_inner).collect();
    Ok(Reply::json(200, &assets).of_rows(assets.len()))
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
    let known = known(&model, ask.scope);
    let mut assets = known
        .iter()
        .filter(|known| past.as_deref().is_none_or(|past| known.id.as_str() > past))
        .filter(|known| wanted(&known.both.1))
        .filter_map(|known| view_asset(&known.both.1, known.has_wallet, ask.scope));
    let page: Vec<_> = assets.by_ref().take(size).map(Seen::into_inner).collect();
    let next = page
        .last()
        .filter(|_| assets.next().is_some())
        .map(|last| cursor::make(ask.seal, &last.legacy_id));
    let rows = page.len();
    Ok(Reply::json(200, &json!({"data": page, "next": next})).of_rows(rows))
}

/// `GET /assets/{id}`, by either id.
pub(super) fn one(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let id = ask.params.get("id");
    let model = ask.books.model();
    let is_it = |known: &Known<'_>| {
        let asset = &known.both.1;
        asset.legacy_id.as_str() == id || asset.id.to_string() == id
    };
    let found = everybodys(&model)
        .find(is_it)
        .or_else(|| own(&model, ask.scope).into_iter().find(is_it));
    found
        .and_then(|known| view_asset(&known.both.1, known.has_wallet, ask.scope))
        .map(|seen| Reply::json(200, seen.get()))
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
