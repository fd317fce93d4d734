//! Exchange accounts: what they hold, transfers between their trading accounts, conversions. The
//! sandbox connects to no exchange and never opens the credentials of one.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::Fault;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::model::event::EventType;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::deed::Deed;
use crate::holdings::Purse;
use crate::holdings::exchange::{ExchangeAccount, MAIN, Refusal, Status, Worth};
use crate::operations::paging::page_between;
use crate::operations::{Visit, area};
use crate::people;
use crate::quorum::Ask;
use crate::world::assets;

area! { visit;
    "getExchangeAccounts" => list(visit).await,
    "getPagedExchangeAccounts" => pages(visit).await,
    "getExchangeAccount" => one(visit).await,
    "getExchangeAccountAsset" => asset(visit).await,
    "addExchangeAccount" => add(visit).await,
    "getExchangeAccountsCredentialsPublicKey" => Ok(credentials_key(visit)),
    "convertAssets" => convert(visit).await,
    "internalTransfer" => transfer(visit).await,
}

/// What can be added over the API.
const ADDABLE: [&str; 15] = [
    "INDEPENDENT_RESERVE",
    "BIT",
    "BITHUMB",
    "BITSO",
    "CRYPTOCOM",
    "BYBIT_V2",
    "WHITEBIT",
    "HITBTC",
    "GEMINI",
    "HUOBI",
    "GATEIO",
    "COINHAKO",
    "BULLISH",
    "BITGET",
    "LUNO",
];
/// Longest name.
const MAX_NAME: usize = 255;
/// Bytes of credentials that are encrypted with the key below.
const CREDENTIALS: usize = 256;

fn unknown() -> ApiError {
    ApiError::new(400, 1103, "The exchange account was not found")
}

/// An asset that an exchange holds: what Fireblocks knows of it, too.
fn holding(id: &str, available: &Amount, locked: &Amount) -> Value {
    let total = available.checked_add(locked).unwrap_or_default();
    let mut shown = json!({
        "id": id,
        "balance": total,
        "lockedAmount": locked,
        "total": total,
        "available": available,
        "credit": "0",
        "providerSymbol": id,
    });
    if let Some(row) = id.parse().ok().and_then(|id| assets::find(&id)) {
        let (_, asset) = row.described();
        shown["providerSymbol"] = asset.display_symbol.clone().into();
        shown["assetSymbol"] = asset.display_symbol.into();
        shown["assetId"] = asset.id.to_string().into();
        shown["assetLegacyId"] = id.into();
    }
    shown
}

fn holdings(purse: &Purse, locked: &Purse) -> Vec<Value> {
    let one = |(asset, held)| {
        let locked = locked.holds(asset).cloned().unwrap_or_default();
        holding(asset, held, &locked)
    };
    purse.assets().map(one).collect()
}

/// As the API shows it.
pub(crate) fn shown(account: &ExchangeAccount) -> Value {
    let trading = account.trading.iter().map(|(kind, purse)| {
        let name = kind.to_lowercase().replace('_', " ");
        // What is about to leave is the main one's.
        let none = Purse::default();
        let locked = if kind == MAIN { &account.locked } else { &none };
        json!({"type": kind, "name": name, "assets": holdings(purse, locked)})
    });
    let mut shown = json!({
        "id": account.id,
        "type": account.exchange,
        "name": account.name,
        "status": account.status,
        "assets": holdings(&account.total(), &account.locked),
        "success": true,
        "tradingAccounts": trading.collect::<Vec<_>>(),
        "isSubaccount": account.main_account_id.is_some(),
    });
    if let Some(main) = &account.main_account_id {
        shown["mainAccountId"] = main.clone().into();
    }
    shown
}

/// `GET /exchange_accounts`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let all = visit.hall.all_kept::<ExchangeAccount>().await?;
    let shown: Vec<_> = all.iter().map(shown).collect();
    Ok(Reply::json(200, &shown))
}

/// `GET /exchange_accounts/paged`, in the order in which they came.
async fn pages(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let must = |_| ApiError::invalid("limit", "a whole number from 1 to 5");
    let limit = query.read::<usize, _>("limit", must)?.unwrap_or(5);
    let all = visit.hall.all_kept::<ExchangeAccount>().await?;
    let numbered: Vec<_> = (0_i64..).zip(all).collect();
    let key = |(at, account): &(i64, ExchangeAccount)| (*at, String::new(), account.id.clone());
    let page = page_between(query, numbered, limit, key)?;
    let exchanges = page.data.iter().map(|(_, account)| shown(account));
    let mut answer = json!({ "exchanges": exchanges.collect::<Vec<_>>() });
    let mut paging = Map::new();
    for (name, url, cursor) in [
        ("before", "prevUrl", page.prev),
        ("after", "nextUrl", page.next),
    ] {
        let Some(cursor) = cursor else { continue };
        let origin = &visit.hall.house.origin;
        let next = format!("{origin}/v1/exchange_accounts/paged?limit={limit}&{name}={cursor}");
        answer[url] = next.into();
        paging.insert(name.to_owned(), cursor.into());
    }
    answer["paging"] = paging.into();
    Ok(Reply::json(200, &answer))
}

async fn found(visit: &Visit<'_>) -> Result<ExchangeAccount, ApiError> {
    let id = visit.params.get("exchangeAccountId");
    let found = visit.hall.kept::<ExchangeAccount>(id).await?;
    found.ok_or_else(unknown)
}

/// `GET /exchange_accounts/{exchangeAccountId}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &shown(&found(visit).await?)))
}

/// `GET /exchange_accounts/{exchangeAccountId}/{assetId}`.
async fn asset(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (account, id) = (found(visit).await?, visit.params.get("assetId"));
    let none = || ApiError::new(400, 1105, "The exchange account has no such asset");
    let total = account.total();
    let held = total.holds(id).ok_or_else(none)?;
    let locked = account.locked.holds(id).cloned().unwrap_or_default();
    Ok(Reply::json(200, &holding(id, held, &locked)))
}

/// `GET /exchange_accounts/credentials_public_key`.
fn credentials_key(visit: &Visit<'_>) -> Reply {
    let shown = json!({"publicKey": people::CREDENTIALS_KEY, "tenantId": visit.hall.id()});
    Reply::json(200, &shown)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewAccount {
    exchange_type: String,
    name: String,
    #[serde(default)]
    creds: Option<String>,
    #[serde(default)]
    main_account_id: Option<String>,
}

impl NewAccount {
    /// What can be said of it without the other accounts.
    fn check(&self) -> Result<(), ApiError> {
        if !ADDABLE.contains(&self.exchange_type.as_str()) {
            return Err(ApiError::invalid(
                "exchangeType",
                "one that can be added over the API",
            ));
        }
        let long = self.name.chars().count() > MAX_NAME;
        if self.name.trim().is_empty() || long || self.name.chars().any(char::is_control) {
            let must = format_args!("1 to {MAX_NAME} characters, none of them control characters");
            return Err(ApiError::invalid("name", must));
        }
        let creds = self
            .creds
            .as_ref()
            .and_then(|text| STANDARD.decode(text).ok());
        if creds.is_none_or(|creds| creds.len() != CREDENTIALS) {
            let must = "Base64 of the credentials, encrypted with the public key";
            return Err(ApiError::invalid("creds", must));
        }
        Ok(())
    }
}

/// `POST /exchange_accounts`: empty until something comes in, and of use once the quorum has let it
/// in.
async fn add(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let new: NewAccount = visit.body()?;
    new.check()?;
    let by = visit.guest.user;
    let work = move |deed: &mut Deed<'_, '_>| {
        let all = deed.all_kept::<ExchangeAccount>()?;
        if all.iter().any(|other| other.name == new.name) {
            return Err(ApiError::invalid("name", "another exchange account has it").into());
        }
        let fits = |main: &ExchangeAccount| {
            main.main_account_id.is_none() && main.exchange == new.exchange_type
        };
        if let Some(main) = &new.main_account_id
            && !all.iter().any(|other| other.id == *main && fits(other))
        {
            let must = "the id of a main account at the same exchange";
            return Err(ApiError::invalid("mainAccountId", must).into());
        }
        let kinds = [MAIN, "FUNDING"].map(|kind| (kind.to_owned(), Purse::default()));
        let account = ExchangeAccount {
            id: deed.chance.uuid().to_string(),
            exchange: new.exchange_type.clone(),
            name: new.name.clone(),
            status: Status::WaitingForApproval,
            main_account_id: new.main_account_id.clone(),
            trading: BTreeMap::from(kinds),
            locked: Purse::default(),
        };
        deed.keep(&account)?;
        let ask = Ask::ExchangeAccount {
            account: account.id.clone(),
        };
        deed.ask(ask, Some(by))?;
        let told = json!({
            "id": account.id,
            "name": account.name,
            "exchangeType": account.exchange,
        });
        Ok(Reply::json(201, &told))
    };
    visit.hall.effect(visit.call, work).await
}

fn approve(deed: &mut Deed<'_, '_>, account: &mut ExchangeAccount) -> Result<(), Fault> {
    account.status = Status::Approved;
    deed.keep(account)?;
    let event = EventType::Other("exchange_account.connected".into());
    Ok(deed.announce(event, Some(account.id.clone()), &shown(account))?)
}

/// The quorum has decided on an exchange account that waits for it.
pub(crate) fn decided(deed: &mut Deed<'_, '_>, id: &str, yes: bool) -> Result<(), Fault> {
    let mut account = deed.kept::<ExchangeAccount>(id)?.ok_or_else(unknown)?;
    if account.status != Status::WaitingForApproval {
        return Err(ApiError::uncoded(409, "the exchange account does not wait").into());
    }
    if yes {
        return approve(deed, &mut account);
    }
    account.status = Status::Rejected;
    Ok(deed.keep(&account)?)
}

fn refused(refusal: Refusal) -> ApiError {
    let field = match refusal {
        Refusal::Low | Refusal::Overflow | Refusal::Nothing => "amount",
        Refusal::NoConversion => "destAsset",
        Refusal::Same | Refusal::NoTradingAccount => "sourceType and destType",
    };
    ApiError::invalid(field, refusal)
}

/// The account, as one that can be used.
fn usable(deed: &mut Deed<'_, '_>, id: &str) -> Result<ExchangeAccount, Fault> {
    let account = deed.kept::<ExchangeAccount>(id)?.ok_or_else(unknown)?;
    if account.status != Status::Approved {
        return Err(ApiError::uncoded(400, "The exchange account is not approved").into());
    }
    Ok(account)
}

/// The worth of an asset, of which an amount is given.
fn worth(deed: &mut Deed<'_, '_>, field: &str, id: &str) -> Result<Worth, Fault> {
    let unknown = || ApiError::invalid(field, "an asset that is known");
    Ok(deed.worth(id)?.ok_or_else(unknown)?)
}

fn given(amount: &Amount, worth: &Worth) -> Result<(), Fault> {
    let fits = amount.is_positive() && amount.decimals() <= u64::from(worth.decimals);
    let must = format!("above 0, with at most {} decimals", worth.decimals);
    if fits {
        Ok(())
    } else {
        Err(ApiError::invalid("amount", must).into())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Conversion {
    src_asset: String,
    dest_asset: String,
    amount: Amount,
}

/// `POST .../convert`.
async fn convert(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.params.get("exchangeAccountId").to_owned();
    let wanted: Conversion = visit.body()?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut account = usable(deed, &id)?;
        let from = worth(deed, "srcAsset", &wanted.src_asset)?;
        let to = worth(deed, "destAsset", &wanted.dest_asset)?;
        given(&wanted.amount, &from)?;
        let from = (wanted.src_asset.as_str(), &from);
        let to = (wanted.dest_asset.as_str(), &to);
        let done = account.convert(from, to, &wanted.amount);
        done.map_err(refused)?;
        deed.keep(&account)?;
        Ok(Reply::json(200, &json!({ "success": true })))
    };
    visit.hall.effect(visit.call, work).await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transfer {
    asset: String,
    amount: Amount,
    source_type: String,
    dest_type: String,
}

/// `POST .../internal_transfer`.
async fn transfer(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.params.get("exchangeAccountId").to_owned();
    let wanted: Transfer = visit.body()?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut account = usable(deed, &id)?;
        let asset = worth(deed, "asset", &wanted.asset)?;
        given(&wanted.amount, &asset)?;
        let (from, to) = (&wanted.source_type, &wanted.dest_type);
        let done = account.transfer(&wanted.asset, &wanted.amount, from, to);
        done.map_err(refused)?;
        deed.keep(&account)?;
        let told = json!({"success": true, "id": deed.chance.uuid()});
        Ok(Reply::json(201, &told))
    };
    visit.hall.effect(visit.call, work).await
}
