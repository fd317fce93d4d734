//! Internal wallets, external wallets, contracts.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::model::whitelist::{PaginatedAssets, WhitelistKind, WhitelistedWallet};

use super::{Ask, cursor, limit};
use crate::model::Entry;
use crate::view::{Seen, view_whitelisted};

/// An entry, while it is listed.
type Listed = Entry<Option<WhitelistedWallet>>;

fn not_found(kind: WhitelistKind) -> ApiError {
    match kind {
        WhitelistKind::Internal => ApiError::internal_wallet_not_found(),
        WhitelistKind::External => ApiError::external_wallet_not_found(),
        WhitelistKind::Contract => ApiError::contract_not_found(),
    }
}

/// The whole list.
pub(super) fn all(ask: Ask<'_>, kind: WhitelistKind) -> Result<Reply, ApiError> {
    let model = ask.books.model();
    let seen =
        |entry: &Listed| view_whitelisted(entry.value.as_ref()?, ask.scope).map(Seen::into_inner);
    let entries: Vec<_> = match ask.scope.as_part() {
        None => {
            let all = model.whitelists.iter();
            let of_kind = all.filter(|((of, _), _)| *of == kind);
            of_kind.filter_map(|(_, entry)| seen(entry)).collect()
        }
        // A part's own entries are visited and no others.
        Some(part) => {
            let own = part.whitelists.iter();
            let own = own.filter_map(|id| model.whitelists.get(&(kind, *id)));
            own.filter_map(seen).collect()
        }
    };
    Ok(Reply::json(200, &entries).of_rows(entries.len()))
}

fn find(ask: &Ask<'_>, kind: WhitelistKind) -> Result<WhitelistedWallet, ApiError> {
    let name = if kind == WhitelistKind::Contract {
        "contractId"
    } else {
        "walletId"
    };
    let id = ask.params.get(name).parse().map_err(|_| not_found(kind))?;
    let model = ask.books.model();
    let entry = ask
        .scope
        .covers_whitelist(id)
        .then(|| model.whitelists.get(&(kind, id)))
        .flatten()
        .and_then(|entry| view_whitelisted(entry.value.as_ref()?, ask.scope));
    entry.map(Seen::into_inner).ok_or_else(|| not_found(kind))
}

/// One entry.
pub(super) fn one(ask: Ask<'_>, kind: WhitelistKind) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &find(&ask, kind)?))
}

/// The addresses of an internal wallet, page by page: the entry itself, with those of the page.
pub(super) fn assets(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let size = limit(&ask, "pageSize", 50, 1, 200)?;
    let from = match ask.query.one("pageCursor") {
        None => None,
        Some(text) => Some(cursor::read::<String>(ask.seal, "pageCursor", text)?),
    };
    let mut data = find(&ask, WhitelistKind::Internal)?;
    let total = data.assets.len();
    data.assets.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    data.assets
        .retain(|asset| from.as_deref().is_none_or(|from| asset.id.as_str() > from));
    let more = data.assets.len() > size;
    data.assets.truncate(size);
    let last = data.assets.last().filter(|_| more);
    let page = PaginatedAssets {
        total,
        next: last.map(|asset| cursor::make(ask.seal, &asset.id.as_str())),
        data,
    };
    let rows = page.data.assets.len();
    Ok(Reply::json(200, &page).of_rows(rows))
}

/// One address of an entry.
pub(super) fn asset(ask: Ask<'_>, kind: WhitelistKind) -> Result<Reply, ApiError> {
    let entry = find(&ask, kind)?;
    let asset = ask.params.get("assetId");
    let found = entry
        .assets
        .into_iter()
        .find(|entry| entry.id.as_str() == asset);
    found
        .map(|found| Reply::json(200, &found))
        .ok_or_else(|| not_found(kind))
}
