//! Fiat accounts, and money that moves between them and the bank account they are linked to.

use std::sync::Arc;

use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::model::event::EventType;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::deed::Deed;
use crate::hall::Hall;
use crate::holdings::Purse;
use crate::holdings::fiat::FiatAccount;
use crate::operations::{Visit, area};
use crate::world::fiat;

area! { visit;
    "getFiatAccounts" => list(visit).await,
    "getFiatAccount" => one(visit).await,
    "depositFundsFromLinkedDDA" => fund(visit, FiatAccount::deposit).await,
    "redeemFundsToLinkedDDA" => fund(visit, FiatAccount::redeem).await,
}

fn unknown() -> ApiError {
    ApiError::new(400, 1103, "The fiat account was not found")
}

/// As the API shows it.
fn shown(account: &FiatAccount) -> Value {
    let assets = account.holds.assets();
    let assets: Vec<_> = assets
        .map(|(asset, held)| json!({"id": asset, "balance": held}))
        .collect();
    json!({
        "id": account.id,
        "type": "BLINC",
        "name": account.name,
        "address": null,
        "assets": assets,
    })
}

/// `GET /fiat_accounts`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let all = visit.hall.all_kept::<FiatAccount>().await?;
    let shown: Vec<_> = all.iter().map(shown).collect();
    Ok(Reply::json(200, &shown))
}

/// `GET /fiat_accounts/{accountId}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.params.get("accountId");
    let found = visit.hall.kept::<FiatAccount>(id).await?;
    Ok(Reply::json(200, &shown(&found.ok_or_else(unknown)?)))
}

#[derive(Deserialize)]
struct Funds {
    #[serde(default)]
    amount: Option<Amount>,
}

/// `POST .../deposit_from_linked_dda`, `POST .../redeem_to_linked_dda`.
async fn fund(
    visit: &Visit<'_>,
    how: fn(&mut FiatAccount, &Amount) -> Option<()>,
) -> Result<Reply, ApiError> {
    let id = visit.params.get("accountId").to_owned();
    let amount = visit.body::<Funds>()?.amount;
    let amount = amount.filter(Amount::is_positive);
    let amount = amount.ok_or_else(|| ApiError::invalid("amount", "a number above 0"))?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut account = deed.kept::<FiatAccount>(&id)?.ok_or_else(unknown)?;
        let decimals = fiat::currency(&account.asset).map_or(0, |currency| currency.decimals);
        if amount.decimals() > u64::from(decimals) {
            let must = format!("at most {decimals} decimals");
            return Err(ApiError::invalid("amount", must).into());
        }
        let low = || ApiError::invalid("amount", "there is not so much");
        how(&mut account, &amount).ok_or_else(low)?;
        deed.keep(&account)?;
        Ok(Reply::json(201, &json!({ "success": true })))
    };
    visit.hall.effect(visit.call, work).await
}

/// Somebody connects a fiat account in the Console.
pub(crate) async fn connect(
    hall: &Arc<Hall>,
    name: String,
    asset: String,
    linked: Amount,
) -> Result<String, ApiError> {
    let currency =
        fiat::currency(&asset).ok_or_else(|| ApiError::invalid("assetId", "a currency"))?;
    if linked.is_negative() || linked.decimals() > u64::from(currency.decimals) {
        return Err(ApiError::bad_amount());
    }
    let work = move |deed: &mut Deed<'_, '_>| {
        let account = FiatAccount {
            id: deed.chance.uuid().to_string(),
            name: name.clone(),
            holds: Purse::from_iter([(asset.clone(), Amount::zero())]),
            asset: asset.clone(),
            linked: linked.clone(),
        };
        deed.keep(&account)?;
        let event = EventType::Other("fiat_account.connected".into());
        deed.announce(event, Some(account.id.clone()), &shown(&account))?;
        Ok(account.id)
    };
    Ok(hall.deed(work).await?)
}
