//! Vault accounts, wallets and deposit addresses.

use ledger::change::WalletFacts;
use ledger::{AccountFacts, Change};
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::event::{AssetAdded, EventType};
use protocol::model::vault::{
    CreateAddressResponse, CreateVaultAssetResponse, VaultAccount, VaultAsset,
};
use serde::Deserialize;
use serde_json::json;

use crate::deed::Deed;
use crate::hall::Hall;
use crate::operations::{Visit, area};
use crate::world::addresses::Address;
use crate::world::assets::{self, AddressForm, AssetRow};
use crate::world::{Network, vault_address};
use ledger::Fault;

area! { visit;
    "getVaultAccounts" => Err(retired()),
    "createVaultAccount" => create(visit).await,
    "createVaultAccountAsset" => create_wallet(visit).await,
    "activateAssetForVaultAccount" => activate(visit).await,
    "createVaultAccountAssetAddress" => create_address(visit).await,
}

/// Longest name.
const MAX_NAME: usize = 255;

/// `GET /vault/accounts`, as in every workspace made since May 2022.
fn retired() -> ApiError {
    let instead = "Use GET /vault/accounts_paged: this call is disabled for the workspace";
    ApiError::new(400, 1037, instead)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewAccount {
    #[serde(default)]
    name: Option<String>,
    #[serde(default, rename = "hiddenOnUI")]
    hidden_on_ui: Option<bool>,
    #[serde(default)]
    customer_ref_id: Option<String>,
    #[serde(default)]
    auto_fuel: Option<bool>,
    #[serde(default)]
    vault_type: Option<String>,
}

/// `POST /vault/accounts`.
async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let new: NewAccount = visit.body()?;
    let name = account_name(new.name)?;
    if new.vault_type.as_deref().is_some_and(|kind| kind != "MPC") {
        return Err(ApiError::new(400, 1048, "Vault type is not supported"));
    }
    let reference = customer_ref_id(new.customer_ref_id)?;
    let facts = AccountFacts {
        id: VaultAccountId::new(0),
        name,
        hidden_on_ui: new.hidden_on_ui.unwrap_or(false),
        customer_ref_id: reference,
        auto_fuel: new.auto_fuel.unwrap_or(false),
        tags: Vec::new(),
    };
    let work = move |deed: &mut Deed<'_, '_>| {
        let named = deed.batch.account_named(deed.writing, &facts.name)?;
        if named.is_some() {
            return Err(ApiError::vault_account_name_exists().into());
        }
        let facts = AccountFacts {
            id: deed.batch.next_account(deed.writing)?,
            ..facts.clone()
        };
        deed.apply(Change::Account(facts.clone()))?;
        let told = json!({"id": facts.id, "name": facts.name, "hiddenOnUI": facts.hidden_on_ui, "assets": []});
        deed.announce(
            EventType::VaultAccountCreated,
            Some(facts.id.to_string()),
            &told,
        )?;
        Ok(Reply::json(200, &shown(facts)))
    };
    visit.hall.effect(visit.call, work).await
}

/// A name that an account may have.
pub(super) fn account_name(name: Option<String>) -> Result<String, ApiError> {
    let name = name
        .filter(|name| !name.is_empty())
        .ok_or_else(|| ApiError::invalid("name", "it is required"))?;
    if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(ApiError::invalid(
            "name",
            format_args!("at most {MAX_NAME} characters, none of them control characters"),
        ));
    }
    Ok(name)
}

fn shown(facts: AccountFacts) -> VaultAccount {
    VaultAccount {
        id: facts.id,
        name: facts.name,
        hidden_on_ui: facts.hidden_on_ui,
        customer_ref_id: facts.customer_ref_id,
        auto_fuel: facts.auto_fuel,
        tags: facts.tags,
        assets: Vec::new(),
    }
}

/// `-_:a-zA-Z0-9`, as the error table has it.
pub(in crate::operations) fn customer_ref_id(
    text: Option<String>,
) -> Result<Option<String>, ApiError> {
    let fits = |text: &String| {
        text.len() <= 255
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_:".contains(c))
    };
    match text.filter(|text| !text.is_empty()) {
        Some(text) if !fits(&text) => Err(ApiError::new(
            400,
            9001,
            "customerRefId may hold only -_:a-zA-Z0-9",
        )),
        other => Ok(other),
    }
}

/// An asset of the workspace's network.
pub(in crate::operations) fn asset_of(
    hall: &Hall,
    id: &AssetId,
) -> Result<&'static AssetRow, ApiError> {
    let row = assets::find(id).ok_or_else(|| ApiError::unsupported_asset(id.as_str()))?;
    let test = hall.network == Network::Testnet;
    let known = || assets::is_registered(hall.id(), row.id);
    if assets::of_network(test).any(|asset| asset.id == row.id) || known() {
        Ok(row)
    } else {
        Err(ApiError::new(
            400,
            1034,
            "The asset is of another network than the workspace",
        ))
    }
}

/// `POST /vault/accounts/{vaultAccountId}/{assetId}`.
async fn create_wallet(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let account: VaultAccountId =
        visit.param("vaultAccountId", ApiError::vault_account_not_found)?;
    let id: AssetId = visit.param("assetId", ApiError::unsupported_wallet_asset)?;
    let asset = asset_of(visit.hall, &id)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let Some(facts) = deed.batch.account(deed.writing, account)? else {
            return Err(ApiError::vault_account_not_found().into());
        };
        if deed.batch.wallet(deed.writing, account, &id)?.is_some() {
            return Err(ApiError::wallet_exists().into());
        }
        let address = first_address(deed, account, asset)?;
        let balance = VaultAsset::empty(id.clone());
        deed.apply(Change::Wallet(
            account,
            WalletFacts {
                balance,
                created_at: deed.at,
            },
        ))?;
        deed.apply(Change::Address(
            account,
            vault_address(id.clone(), &address, 0, ""),
        ))?;
        let told = AssetAdded {
            account_id: account,
            account_name: facts.name,
            asset_id: id.clone(),
        };
        deed.announce(EventType::VaultAccountAssetAdded, None, &told)?;
        Ok(Reply::json(200, &ready(&id, address)))
    };
    visit.hall.effect(visit.call, work).await
}

fn ready(id: &AssetId, address: Address) -> CreateVaultAssetResponse {
    CreateVaultAssetResponse {
        id: id.clone(),
        address: address.text,
        legacy_address: address.legacy,
        enterprise_address: String::new(),
        tag: address.tag,
        eos_account_name: String::new(),
        status: Some("READY".to_owned()),
        activation_tx_id: None,
    }
}

/// `POST /vault/accounts/{vaultAccountId}/{assetId}/activate`. The wallets of these chains need no
/// activation: one that is there is active.
async fn activate(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let account: VaultAccountId =
        visit.param("vaultAccountId", ApiError::vault_account_not_found)?;
    let id: AssetId = visit.param("assetId", ApiError::unsupported_wallet_asset)?;
    let asset = asset_of(visit.hall, &id)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        if deed.batch.wallet(deed.writing, account, &id)?.is_none() {
            return Err(ApiError::vault_asset_not_found().into());
        }
        let address = address(deed.hall, account, asset, 0)?;
        Ok(Reply::json(200, &ready(&id, address)))
    };
    visit.hall.effect(visit.call, work).await
}

/// The first address of a new wallet. A token lives at its chain's own, whose wallet must be there.
pub(super) fn first_address(
    deed: &mut Deed<'_, '_>,
    account: VaultAccountId,
    asset: &AssetRow,
) -> Result<Address, Fault> {
    if asset.native != asset.id {
        let native: AssetId = asset.native.parse().map_err(|_| ApiError::internal())?;
        asset_of(deed.hall, &native)?;
        if deed.batch.wallet(deed.writing, account, &native)?.is_none() {
            return Err(ApiError::no_base_asset_wallet().into());
        }
    }
    address(deed.hall, account, asset, 0)
}

fn address(
    hall: &Hall,
    account: VaultAccountId,
    asset: &AssetRow,
    index: u32,
) -> Result<Address, Fault> {
    let chain = assets::chain_of(asset).ok_or_else(ApiError::internal)?;
    Ok(hall.keys().address(chain, account.number(), index))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NewAddress {
    description: Option<String>,
    customer_ref_id: Option<String>,
}

/// `POST /vault/accounts/{vaultAccountId}/{assetId}/addresses`.
async fn create_address(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let account: VaultAccountId =
        visit.param("vaultAccountId", ApiError::vault_account_not_found)?;
    let id: AssetId = visit.param("assetId", ApiError::unsupported_wallet_asset)?;
    let asset = asset_of(visit.hall, &id)?;
    let new: NewAddress = if visit.call.body.is_some() {
        visit.body()?
    } else {
        NewAddress::default()
    };
    let reference = customer_ref_id(new.customer_ref_id)?;
    let description = new.description.unwrap_or_default();
    let work = move |deed: &mut Deed<'_, '_>| {
        let reference = reference.clone();
        let created = add_address(deed, account, &id, asset, &description, reference)?;
        Ok(Reply::json(200, &created))
    };
    visit.hall.effect(visit.call, work).await
}

/// Whether a wallet of the asset may have more than one address.
pub(super) fn several_addresses(asset: &AssetRow) -> bool {
    assets::chain_of(asset).is_some_and(|chain| {
        matches!(
            chain.form,
            AddressForm::Segwit(_) | AddressForm::Base58(_) | AddressForm::Ripple
        )
    })
}

/// One more address of a wallet.
pub(super) fn add_address(
    deed: &mut Deed<'_, '_>,
    account: VaultAccountId,
    id: &AssetId,
    asset: &AssetRow,
    description: &str,
    reference: Option<String>,
) -> Result<CreateAddressResponse, Fault> {
    if deed.batch.account(deed.writing, account)?.is_none() {
        return Err(ApiError::vault_account_not_found().into());
    }
    if deed.batch.wallet(deed.writing, account, id)?.is_none() {
        return Err(ApiError::vault_asset_not_found().into());
    }
    if !several_addresses(asset) {
        return Err(ApiError::one_address_only().into());
    }
    let index = deed.batch.next_address_index(deed.writing, account, id)?;
    let address = address(deed.hall, account, asset, index)?;
    let mut shown = vault_address(id.clone(), &address, index, description);
    shown.customer_ref_id = reference;
    deed.apply(Change::Address(account, shown))?;
    Ok(CreateAddressResponse {
        address: address.text,
        legacy_address: address.legacy,
        enterprise_address: String::new(),
        tag: address.tag,
        bip44_address_index: index,
    })
}
