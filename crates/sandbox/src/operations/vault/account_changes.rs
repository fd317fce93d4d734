//! What changes of accounts, wallets and addresses that are there: names, whether the Console
//! shows them, the client's own references.

use ledger::{AccountFacts, Change, Fault};
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::vault::{CreateAddressResponse, VaultWalletAddress};
use serde::Deserialize;
use serde_json::json;

use super::accounts::{account_name, customer_ref_id};
use crate::deed::Deed;
use crate::operations::{Visit, area};

area! { visit;
    "updateVaultAccount" => rename(visit).await,
    "hideVaultAccount" => show(visit, false).await,
    "unhideVaultAccount" => show(visit, true).await,
    "setVaultAccountAutoFuel" => auto_fuel(visit).await,
    "setVaultAccountCustomerRefId" => refer(visit).await,
    "updateVaultAccountAssetAddress" => describe_address(visit).await,
    "setCustomerRefIdForAddress" => refer_address(visit).await,
    "createLegacyAddress" => legacy_address(visit).await,
    "updateVaultAccountAssetBalance" => refresh(visit).await,
    "getMaxBipIndexUsed" => last_index(visit).await,
}

fn account_id(visit: &Visit<'_>) -> Result<VaultAccountId, ApiError> {
    visit.param("vaultAccountId", ApiError::vault_account_not_found)
}

fn done() -> Reply {
    Reply::json(201, &json!({ "success": true }))
}

/// Changes an account's own facts.
async fn change(
    visit: &Visit<'_>,
    how: impl Fn(&mut Deed<'_, '_>, &mut AccountFacts) -> Result<Reply, Fault> + Send + 'static,
) -> Result<Reply, ApiError> {
    let id = account_id(visit)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let known = deed.batch.account(deed.writing, id)?;
        let mut facts = known.ok_or_else(ApiError::vault_account_not_found)?;
        let reply = how(deed, &mut facts)?;
        deed.apply(Change::Account(facts))?;
        Ok(reply)
    };
    visit.hall.effect(visit.call, work).await
}

#[derive(Deserialize)]
struct Rename {
    #[serde(default)]
    name: Option<String>,
}

/// `PUT /vault/accounts/{vaultAccountId}`.
async fn rename(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let name = account_name(visit.body::<Rename>()?.name)?;
    change(visit, move |deed, facts| {
        let named = deed.batch.account_named(deed.writing, &name)?;
        if named.is_some_and(|other| other != facts.id) {
            return Err(ApiError::vault_account_name_exists().into());
        }
        facts.name.clone_from(&name);
        Ok(Reply::json(
            201,
            &json!({"id": facts.id, "name": facts.name}),
        ))
    })
    .await
}

/// `POST /vault/accounts/{vaultAccountId}/hide`, `/unhide`.
async fn show(visit: &Visit<'_>, shown: bool) -> Result<Reply, ApiError> {
    change(visit, move |_, facts| {
        if facts.hidden_on_ui != shown {
            let (code, why) = if shown {
                (1022, "The vault account is not hidden")
            } else {
                (1019, "The vault account is hidden already")
            };
            return Err(ApiError::new(400, code, why).into());
        }
        facts.hidden_on_ui = !shown;
        Ok(done())
    })
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AutoFuel {
    auto_fuel: bool,
}

/// `POST /vault/accounts/{vaultAccountId}/set_auto_fuel`.
async fn auto_fuel(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: AutoFuel = visit.body()?;
    change(visit, move |_, facts| {
        facts.auto_fuel = wanted.auto_fuel;
        Ok(done())
    })
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    #[serde(default)]
    customer_ref_id: Option<String>,
}

/// `POST /vault/accounts/{vaultAccountId}/set_customer_ref_id`.
async fn refer(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let reference = customer_ref_id(visit.body::<Reference>()?.customer_ref_id)?;
    change(visit, move |_, facts| {
        facts.customer_ref_id.clone_from(&reference);
        Ok(done())
    })
    .await
}

/// Changes an address. It is named by itself, or by itself and its tag: `ADDRESS:TAG`.
async fn change_address(
    visit: &Visit<'_>,
    how: impl Fn(&mut VaultWalletAddress) -> Result<Reply, Fault> + Send + 'static,
) -> Result<Reply, ApiError> {
    let account = account_id(visit)?;
    let asset: AssetId = visit.param("assetId", ApiError::vault_asset_not_found)?;
    let name = visit.params.get("addressId").to_owned();
    let work = move |deed: &mut Deed<'_, '_>| {
        let addresses = wallet_addresses(deed, account, &asset)?;
        let named = |known: &VaultWalletAddress| {
            known.address == name || format!("{}:{}", known.address, known.tag) == name
        };
        let found = addresses.into_iter().find(named);
        let mut found = found.ok_or_else(|| ApiError::new(400, 1015, "Address not found"))?;
        let reply = how(&mut found)?;
        deed.apply(Change::Address(account, found))?;
        Ok(reply)
    };
    visit.hall.effect(visit.call, work).await
}

/// The addresses of a wallet that there is.
fn wallet_addresses(
    deed: &mut Deed<'_, '_>,
    account: VaultAccountId,
    asset: &AssetId,
) -> Result<Vec<VaultWalletAddress>, Fault> {
    if deed.batch.account(deed.writing, account)?.is_none() {
        return Err(ApiError::vault_account_not_found().into());
    }
    if deed.batch.wallet(deed.writing, account, asset)?.is_none() {
        return Err(ApiError::vault_asset_not_found().into());
    }
    Ok(deed.batch.addresses(deed.writing, account, asset)?)
}

#[derive(Deserialize)]
struct Description {
    #[serde(default)]
    description: Option<String>,
}

/// `PUT /vault/accounts/{vaultAccountId}/{assetId}/addresses/{addressId}`.
async fn describe_address(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let text = visit.body::<Description>()?.description.unwrap_or_default();
    change_address(visit, move |address| {
        address.description.clone_from(&text);
        Ok(done())
    })
    .await
}

/// `POST .../addresses/{addressId}/set_customer_ref_id`.
async fn refer_address(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let reference = customer_ref_id(visit.body::<Reference>()?.customer_ref_id)?;
    change_address(visit, move |address| {
        address.customer_ref_id.clone_from(&reference);
        Ok(done())
    })
    .await
}

/// `POST .../addresses/{addressId}/create_legacy`: the older form of a segwit address. It is known
/// from the beginning here, so nothing is made but the answer.
async fn legacy_address(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    change_address(visit, |address| {
        if address.legacy_address.is_empty() {
            return Err(ApiError::new(400, 1010, "The address has no older form").into());
        }
        let made = CreateAddressResponse {
            address: address.address.clone(),
            legacy_address: address.legacy_address.clone(),
            enterprise_address: address.enterprise_address.clone(),
            tag: address.tag.clone(),
            bip44_address_index: address.bip44_address_index,
        };
        Ok(Reply::json(200, &made))
    })
    .await
}

/// `POST /vault/accounts/{vaultAccountId}/{assetId}/balance`: asks the chain anew, which has told
/// everything already.
async fn refresh(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let account = account_id(visit)?;
    let asset: AssetId = visit.param("assetId", ApiError::vault_asset_not_found)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        if deed.batch.account(deed.writing, account)?.is_none() {
            return Err(ApiError::vault_account_not_found().into());
        }
        let wallet = deed.batch.wallet(deed.writing, account, &asset)?;
        let wallet = wallet.ok_or_else(ApiError::vault_asset_not_found)?;
        Ok(Reply::json(200, &wallet.balance))
    };
    visit.hall.effect(visit.call, work).await
}

/// `GET /vault/accounts/{vaultAccountId}/{assetId}/max_bip44_index_used`.
async fn last_index(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let account = account_id(visit)?;
    let asset: AssetId = visit.param("assetId", ApiError::vault_asset_not_found)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let addresses = wallet_addresses(deed, account, &asset)?;
        let last = addresses
            .iter()
            .map(|known| known.bip44_address_index)
            .max();
        let last = last.unwrap_or(0);
        Ok(Reply::json(
            200,
            &json!({ "maxBip44AddressIndexUsed": last }),
        ))
    };
    Ok(visit.hall.deed(work).await?)
}
