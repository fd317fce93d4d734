//! Public keys of the vault, and whose an address is.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, VaultAccountId};
use serde_json::json;

use super::accounts::asset_of;
use crate::operations::{Visit, area};
use crate::world::assets;
use crate::world::keys::{Algorithm, algorithm_of};

area! { visit;
    "getPublicKeyInfo" => of_path(visit),
    "getPublicKeyInfoForAddress" => of_address(visit),
    "lookupVaultByAddress" => whose(visit).await,
}

/// Most steps of a derivation path.
const MAX_STEPS: usize = 10;

fn not_found() -> ApiError {
    ApiError::new(400, 2002, "The public key was not found")
}

/// Whether the key is asked for in its short form, as it is where the query does not say.
fn compressed(visit: &Visit<'_>) -> Result<bool, ApiError> {
    let query = &visit.call.query;
    let asked = query.read("compressed", |_| {
        ApiError::invalid("compressed", "true or false")
    })?;
    Ok(asked.unwrap_or(true))
}

fn shown(visit: &Visit<'_>, algorithm: Algorithm, path: &[u32]) -> Result<Reply, ApiError> {
    let keys = visit.hall.keys();
    let public = match compressed(visit)? {
        true => keys.public(algorithm, path),
        false => keys.public_in_full(algorithm, path),
    };
    let answer = json!({
        "status": 0,
        "algorithm": algorithm,
        "derivationPath": path,
        "publicKey": hex::encode(public),
    });
    Ok(Reply::json(200, &answer))
}

/// `GET /vault/public_key_info`.
fn of_path(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let path = query.one("derivationPath").unwrap_or_default();
    let path: Vec<u32> = serde_json::from_str(path).map_err(|_| not_found())?;
    if path.is_empty() || path.len() > MAX_STEPS {
        return Err(not_found());
    }
    let algorithm = query.one("algorithm").unwrap_or_default();
    let algorithm: Algorithm = serde_json::from_value(json!(algorithm)).map_err(|_| not_found())?;
    shown(visit, algorithm, &path)
}

/// `GET /vault/accounts/{vaultAccountId}/{assetId}/{change}/{addressIndex}/public_key_info`.
fn of_address(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let account: VaultAccountId =
        visit.param("vaultAccountId", ApiError::vault_account_not_found)?;
    let id: AssetId = visit.param("assetId", ApiError::unsupported_wallet_asset)?;
    let asset = asset_of(visit.hall, &id)?;
    let scope = ledger::Scope::whole(visit.hall.id());
    if visit.hall.books.wallet(&scope, account, &id).is_none() {
        return Err(ApiError::vault_asset_not_found());
    }
    let chain = assets::chain_of(asset).ok_or_else(ApiError::internal)?;
    let change: u32 = visit.param("change", not_found)?;
    let index: u32 = visit.param("addressIndex", not_found)?;
    let [purpose, coin, account, _, index] = visit.hall.keys().path(chain, account.number(), index);
    shown(
        visit,
        algorithm_of(chain),
        &[purpose, coin, account, change, index],
    )
}

/// `GET /vault/lookup_by_address`.
async fn whose(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let address = visit
        .call
        .query
        .one("address")
        .unwrap_or_default()
        .to_owned();
    let scope = ledger::Scope::whole(visit.hall.id());
    let found = visit.hall.books.wallets_of_address(&scope, &address).await;
    let found = found.map_err(|_| ApiError::internal())?;
    let Some((account, _)) = found.first() else {
        return Err(ApiError::uncoded(404, "No vault account has that address"));
    };
    let mut blockchains: Vec<&str> = found
        .iter()
        .filter(|(other, _)| other == account)
        .filter_map(|(_, asset)| assets::find(asset).map(|asset| asset.native))
        .collect();
    blockchains.sort_unstable();
    blockchains.dedup();
    let answer = json!({
        "address": address,
        "type": "VAULT_ACCOUNT",
        "vaultAccountId": account,
        "blockchains": blockchains,
    });
    Ok(Reply::json(200, &answer))
}
