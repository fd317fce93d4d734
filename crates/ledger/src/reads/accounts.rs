//! Vault accounts, wallets and totals: from memory, without SQL.

use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::Bound;

use bytes::{BufMut, BytesMut};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::vault::VaultAsset;
use serde::Serialize;

use super::cursor::Walk;
use super::{Ask, account_in, array, descending, limit, threshold};
use crate::change::WalletFacts;
use crate::docs::Json;
use crate::model::{self, Account, AccountJson, Wanted};
use crate::scope::Scope;
use crate::view::{Seen, view_account, view_of_wallet};

/// Which accounts a list is to hold.
struct Filter<'a> {
    prefix: Option<&'a str>,
    suffix: Option<&'a str>,
    asset: Option<AssetId>,
    more_than: Option<Amount>,
    with_tags: Vec<&'a str>,
    without_tags: Vec<&'a str>,
}

impl<'a> Filter<'a> {
    fn of(ask: &Ask<'a>) -> Result<Self, ApiError> {
        let (prefix, suffix) = (ask.query.one("namePrefix"), ask.query.one("nameSuffix"));
        if prefix.is_some() && suffix.is_some() {
            return Err(ApiError::invalid(
                "namePrefix",
                "not together with nameSuffix",
            ));
        }
        Ok(Self {
            prefix,
            suffix,
            asset: ask
                .query
                .read("assetId", |error| ApiError::invalid("assetId", error))?,
            more_than: threshold(ask, "minAmountThreshold")?,
            with_tags: ask
                .query
                .many("includeTagIds")
                .chain(ask.query.many("tagIds"))
                .collect(),
            without_tags: ask.query.many("excludeTagIds").collect(),
        })
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            prefix: self.prefix,
            suffix: self.suffix,
            asset: self.asset.as_ref(),
            more_than: self.more_than.as_ref(),
            tags: &self.with_tags,
        }
    }

    fn takes(&self, account: &Account, scope: &Scope) -> bool {
        let Some(facts) = account.facts() else {
            return false;
        };
        let enough = |wallet: &WalletFacts| {
            scope.covers_asset(&wallet.balance.id)
                && self
                    .asset
                    .as_ref()
                    .is_none_or(|asset| wallet.balance.id == *asset)
                && self
                    .more_than
                    .as_ref()
                    .is_none_or(|amount| wallet.balance.total > *amount)
        };
        let tagged = |tags: &[&str]| {
            // Nothing of an account is touched that nobody asks for.
            !tags.is_empty() && facts.tags.iter().any(|tag| tags.contains(&tag.id.as_str()))
        };
        self.prefix
            .is_none_or(|prefix| facts.name.starts_with(prefix))
            && self
                .suffix
                .is_none_or(|suffix| facts.name.ends_with(suffix))
            && (self.with_tags.is_empty() || tagged(&self.with_tags))
            && !tagged(&self.without_tags)
            && ((self.asset.is_none() && self.more_than.is_none()) || account.wallets().any(enough))
    }
}

/// `GET /vault/accounts_paged`. Newest first unless `orderBy=ASC`.
pub(super) fn paged(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let limit = limit(&ask, "limit", 200, 1, 500)?;
    let descending = descending(&ask)?;
    let walk: Walk<'_, u32> = Walk::of(&ask)?;
    let filter = Filter::of(&ask)?;
    let model = ask.books.model();
    // Ids go up in an ascending list's direction of reading; walking back turns it round.
    let upwards = descending == walk.back;
    let from = walk.from.map(VaultAccountId::new);
    let bounds = match (from, upwards) {
        (None, _) => (Bound::Unbounded, Bound::Unbounded),
        (Some(id), true) => (Bound::Excluded(id), Bound::Unbounded),
        (Some(id), false) => (Bound::Unbounded, Bound::Excluded(id)),
    };
    let visible = |(id, account)| {
        if filter.takes(account, ask.scope) {
            view_account(id, account, ask.scope).map(|seen| (id, seen))
        } else {
            None
        }
    };
    let range = super::accounts_in(&model, ask.scope, &filter.wanted(), bounds);
    let mut read: Vec<(VaultAccountId, Seen<AccountJson<'_>>)> = Vec::with_capacity(limit + 1);
    if upwards {
        read.extend(range.filter_map(visible).take(limit + 1));
    } else {
        read.extend(range.rev().filter_map(visible).take(limit + 1));
    }
    let (page, paging) = walk.cut(read, limit, |(id, _)| id.number());
    let mut body = array(b"{\"accounts\":", page.iter().map(|(_, seen)| seen.get()));
    member(&mut body, "paging", &paging);
    if let Some(before) = &paging.before {
        member(&mut body, "previousUrl", &url(&ask, "before", before));
    }
    if let Some(after) = &paging.after {
        member(&mut body, "nextUrl", &url(&ask, "after", after));
    }
    body.put_u8(b'}');
    Ok(Reply {
        status: 200,
        headers: Vec::new(),
        body: body.freeze(),
        rows: Some(page.len()),
    })
}

/// One more member of a JSON object that is being written.
fn member(body: &mut BytesMut, name: &str, value: &impl Serialize) {
    let mut writer = body.writer();
    // Into memory, and what is told is always JSON.
    let _ = write!(writer, ",\"{name}\":");
    let _ = serde_json::to_writer(writer, value);
}

/// The whole URL of a page, with the list's own filters.
fn url(ask: &Ask<'_>, direction: &str, cursor: &str) -> String {
    /// Room for most of them.
    const USUAL: usize = 256;
    let mut url = String::with_capacity(USUAL);
    let _ = write!(url, "{}/v1/vault/accounts_paged?", ask.origin);
    for (name, value) in ask
        .query
        .pairs()
        .filter(|(name, _)| *name != "before" && *name != "after")
    {
        let (name, value) = (url_encoded(name), url_encoded(value));
        let _ = write!(url, "{name}={value}&");
    }
    let _ = write!(url, "{direction}={cursor}");
    url
}

/// What every reader leaves alone.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Percent-encoded, all but what every reader leaves alone.
pub(super) fn url_encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, PLAIN)
}

fn account_id(ask: &Ask<'_>) -> Result<VaultAccountId, ApiError> {
    ask.params
        .get("vaultAccountId")
        .parse()
        .map_err(|_| ApiError::vault_account_not_found())
}

/// `GET /vault/accounts/{vaultAccountId}`.
pub(super) fn one(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let id = account_id(&ask)?;
    let model = ask.books.model();
    let known = account_in(&model, ask.scope, id);
    let seen = known.and_then(|account| view_account(id, account, ask.scope));
    let json = seen.ok_or_else(ApiError::vault_account_not_found)?;
    let mut body = BytesMut::with_capacity(json.get().room());
    json.get().put(&mut body);
    Ok(Reply {
        status: 200,
        headers: Vec::new(),
        body: body.freeze(),
        rows: None,
    })
}

/// `GET /vault/accounts/{vaultAccountId}/{assetId}`.
pub(super) fn wallet(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let id = account_id(&ask)?;
    let model = ask.books.model();
    let account =
        account_in(&model, ask.scope, id).ok_or_else(ApiError::vault_account_not_found)?;
    let asset = ask
        .params
        .get("assetId")
        .parse()
        .map_err(|_| ApiError::vault_asset_not_found())?;
    let wallet = ask
        .scope
        .covers_asset(&asset)
        .then(|| account.wallet(&asset))
        .flatten()
        .and_then(|wallet| view_of_wallet(id, &asset, &wallet.balance, ask.scope));
    Ok(Reply::json(
        200,
        wallet.ok_or_else(ApiError::vault_asset_not_found)?.get(),
    ))
}

/// The totals that a scope sees: kept for the whole, summed over its own wallets for a part.
fn seen_totals(ask: &Ask<'_>, keep: impl Fn(&AssetId) -> bool) -> Vec<VaultAsset> {
    let model = ask.books.model();
    let Some(part) = ask.scope.as_part() else {
        return model
            .totals
            .values()
            .filter(|total| keep(&total.id))
            .cloned()
            .collect();
    };
    let mut totals = std::collections::BTreeMap::new();
    for (id, account) in part
        .accounts
        .iter()
        .filter_map(|id| Some((id, model.accounts.get(id)?)))
    {
        for wallet in account.wallets().filter(|wallet| keep(&wallet.balance.id)) {
            let asset = &wallet.balance.id;
            if let Some(seen) = view_of_wallet(*id, asset, &wallet.balance, ask.scope) {
                let total = totals
                    .entry(asset.clone())
                    .or_insert_with(|| VaultAsset::empty(asset.clone()));
                model::add(total, seen.get(), |sum, part| sum.checked_add(part));
            }
        }
    }
    totals.into_values().collect()
}

/// `GET /vault/assets`.
pub(super) fn totals(ask: Ask<'_>) -> Result<Reply, ApiError> {
    if ask.query.one("accountNamePrefix").is_some() || ask.query.one("accountNameSuffix").is_some()
    {
        return by_name(&ask);
    }
    let totals = seen_totals(&ask, |_| true);
    Ok(Reply::json(200, &totals).of_rows(totals.len()))
}

/// Totals over the accounts whose name fits.
fn by_name(ask: &Ask<'_>) -> Result<Reply, ApiError> {
    let (prefix, suffix) = (
        ask.query.one("accountNamePrefix"),
        ask.query.one("accountNameSuffix"),
    );
    if prefix.is_some() && suffix.is_some() {
        return Err(ApiError::invalid(
            "accountNamePrefix",
            "not together with accountNameSuffix",
        ));
    }
    let fits = |name: &str| {
        prefix.is_none_or(|p| name.starts_with(p)) && suffix.is_none_or(|s| name.ends_with(s))
    };
    let mut totals = std::collections::BTreeMap::new();
    let model = ask.books.model();
    let wanted = Wanted {
        prefix,
        suffix,
        ..Wanted::default()
    };
    let all = (Bound::Unbounded, Bound::Unbounded);
    for (id, account) in super::accounts_in(&model, ask.scope, &wanted, all) {
        if !account.facts().is_some_and(|facts| fits(&facts.name)) {
            continue;
        }
        for wallet in account.wallets() {
            let asset = &wallet.balance.id;
            if let Some(seen) = view_of_wallet(id, asset, &wallet.balance, ask.scope) {
                let total = totals
                    .entry(asset.clone())
                    .or_insert_with(|| VaultAsset::empty(asset.clone()));
                model::add(total, seen.get(), |sum, part| sum.checked_add(part));
            }
        }
    }
    let totals: Vec<_> = totals.into_values().collect();
    Ok(Reply::json(200, &totals).of_rows(totals.len()))
}

/// `GET /vault/assets/{assetId}`.
pub(super) fn total(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let text = ask.params.get("assetId");
    let asset: Option<AssetId> = text.parse().ok();
    let totals = asset
        .filter(|asset| ask.scope.covers_asset(asset))
        .map(|asset| seen_totals(&ask, |id| *id == asset));
    match totals.unwrap_or_default().first() {
        Some(total) => Ok(Reply::json(200, total)),
        None => Err(ApiError::unsupported_asset(text)),
    }
}
