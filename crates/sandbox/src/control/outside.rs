//! What happens to a workspace's accounts elsewhere: the quorum lets exchange accounts in, people
//! connect fiat accounts, money comes to accounts from outside.

use axum::Json;
use axum::extract::State;
use ledger::Fault;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::ids::{AssetId, WorkspaceId};
use protocol::model::transaction::PeerKind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{Asked, At};
use super::calls::Calls;
use super::people::{decide_all, word};
use super::{Desk, Refusal};
use crate::deed::Deed;
use crate::operations;
use crate::operations::counterparties::exchange_accounts;
use crate::outside::Outside;
use crate::quorum::{Ask, Word};
use crate::world::assets;

const FIAT_ACCOUNT: &str = r#"{"type":"object","required":["name"],"additionalProperties":false,"properties":{
"name":{"type":"string"},"assetId":{"type":"string"},"linkedBalance":{"type":"string"}}}"#;
const MOVED: &str = r#"{"type":"object","required":["type","id","assetId","amount"],"additionalProperties":false,"properties":{
"type":{"enum":["GAS_STATION","EXCHANGE_ACCOUNT","FIAT_ACCOUNT"]},"id":{"type":"string"},"assetId":{"type":"string"},"amount":{"type":"string"}}}"#;

pub(super) fn calls() -> Calls {
    Calls::default()
        .post(
            "/workspaces/{workspace}/exchange_accounts/{id}/{decision}",
            "decideOnExchangeAccount",
            "The quorum decides on an exchange account: approve or reject",
            exchange_account,
        )
        .post(
            "/workspaces/{workspace}/fiat_accounts",
            "connectFiatAccount",
            "Somebody connects a fiat account",
            fiat_account,
        )
        .taking(FIAT_ACCOUNT)
        .post(
            "/workspaces/{workspace}/deposits",
            "deposit",
            "Money comes to a gas station, exchange or fiat account from elsewhere",
            deposit,
        )
        .taking(MOVED)
        .post(
            "/workspaces/{workspace}/withdrawals",
            "withdraw",
            "Money leaves a gas station, exchange or fiat account for elsewhere",
            withdrawal,
        )
        .taking(MOVED)
}

/// The quorum decides on an exchange account.
async fn exchange_account(
    State(desk): State<Desk>,
    At((workspace, id, decision)): At<(WorkspaceId, String, String)>,
) -> Result<Json<Value>, Refusal> {
    let (word, hall) = (word(&decision)?, desk.hall(workspace)?);
    let account = id.clone();
    let about = move |ask: &Ask| matches!(ask, Ask::ExchangeAccount { account } if *account == id);
    if decide_all(&hall, about, word, None).await? == 0 {
        // One of an older release, which asked nobody; or one that says why not.
        let yes = word == Word::Yes;
        hall.deed(move |deed| exchange_accounts::decided(deed, &account, yes))
            .await?;
    }
    Ok(Json(json!({ "success": true })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FiatAccount {
    name: String,
    #[serde(default = "dollars")]
    asset_id: String,
    /// What its linked bank account holds.
    #[serde(default)]
    linked_balance: Amount,
}

fn dollars() -> String {
    "USD".to_owned()
}

/// Somebody connects a fiat account.
async fn fiat_account(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
    Asked(new): Asked<FiatAccount>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    let made =
        operations::connect_fiat_account(&hall, new.name, new.asset_id, new.linked_balance).await?;
    Ok(Json(json!({ "id": made })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Moved {
    /// `GAS_STATION`, `EXCHANGE_ACCOUNT` or `FIAT_ACCOUNT`.
    #[serde(rename = "type")]
    kind: PeerKind,
    /// Its id; a gas station's is its asset's.
    id: String,
    asset_id: AssetId,
    amount: Amount,
}

/// How an amount comes to a place, or leaves it.
type How = fn(&mut Deed<'_, '_>, Outside, &AssetId, &Amount) -> Result<Outside, Fault>;

/// Money comes to an account outside the vault from elsewhere. No transaction tells of it.
async fn deposit(
    desk: State<Desk>,
    workspace: At<WorkspaceId>,
    wanted: Asked<Moved>,
) -> Result<Json<Value>, Refusal> {
    moved(desk, workspace, wanted, |deed, place, asset, amount| {
        deed.put_outside(place, asset, amount)
    })
    .await
}

/// Money leaves an account outside the vault for elsewhere. No transaction tells of it.
async fn withdrawal(
    desk: State<Desk>,
    workspace: At<WorkspaceId>,
    wanted: Asked<Moved>,
) -> Result<Json<Value>, Refusal> {
    moved(desk, workspace, wanted, |deed, place, asset, amount| {
        deed.take_outside(place, asset, amount)
    })
    .await
}

async fn moved(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
    Asked(wanted): Asked<Moved>,
    how: How,
) -> Result<Json<Value>, Refusal> {
    if !wanted.amount.is_positive() {
        return Err(ApiError::bad_amount().into());
    }
    let work = move |deed: &mut Deed<'_, '_>| {
        let found = deed.outside(wanted.kind, &wanted.id)?;
        let own = found.filter(|place| !matches!(place, Outside::Peer(..)));
        let place = own.ok_or_else(|| ApiError::uncoded(404, "no such account"))?;
        let id = wanted.asset_id.as_str();
        let worth = deed
            .worth(id)?
            .ok_or_else(|| ApiError::unsupported_asset(id))?;
        if wanted.amount.decimals() > u64::from(worth.decimals) {
            return Err(ApiError::bad_amount().into());
        }
        let place = how(deed, place, &wanted.asset_id, &wanted.amount)?;
        let address = assets::find(&wanted.asset_id).and_then(|asset| place.address(asset));
        Ok(json!({
            "peer": place.peer(),
            "available": place.available(&wanted.asset_id),
            "address": address.map(|address| address.text),
        }))
    };
    Ok(Json(desk.hall(workspace)?.deed(work).await?))
}
