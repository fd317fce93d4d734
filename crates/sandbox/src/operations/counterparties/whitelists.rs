//! Whitelists changed: internal wallets, external wallets, contracts, and their addresses. The
//! quorum decides on each address.

use ledger::{Change, Fault};
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, WalletId};
use protocol::model::event::{EventType, WalletAssetChanged};
use protocol::model::whitelist::{
    WhitelistKind, WhitelistStatus, WhitelistedAsset, WhitelistedWallet,
};
use serde::Deserialize;

use crate::audit::By;
use crate::deed::Deed;
use crate::operations::vault::accounts::{asset_of, customer_ref_id};
use crate::operations::{Visit, area};
use crate::quorum::Ask;

use WhitelistKind::{Contract, External, Internal};

area! { visit;
    "createInternalWallet" => create(visit, Internal).await,
    "deleteInternalWallet" => delete(visit, Internal).await,
    "setCustomerRefIdForInternalWallet" => refer(visit, Internal).await,
    "createInternalWalletAsset" => add(visit, Internal).await,
    "deleteInternalWalletAsset" => remove(visit, Internal).await,
    "createExternalWallet" => create(visit, External).await,
    "deleteExternalWallet" => delete(visit, External).await,
    "setExternalWalletCustomerRefId" => refer(visit, External).await,
    "addAssetToExternalWallet" => add(visit, External).await,
    "removeAssetFromExternalWallet" => remove(visit, External).await,
    "createContract" => create(visit, Contract).await,
    "deleteContract" => delete(visit, Contract).await,
    "addContractAsset" => add(visit, Contract).await,
    "deleteContractAsset" => remove(visit, Contract).await,
}

/// Longest name.
const MAX_NAME: usize = 255;

/// What can be wrong, with the last digits of its code.
#[derive(Clone, Copy)]
enum Wrong {
    Name,
    Unknown,
    AssetUnknown,
    AssetThere,
    Address,
}

fn wrong(kind: WhitelistKind, what: Wrong) -> ApiError {
    let base = match kind {
        Internal => 1200,
        External => 1300,
        Contract => 1350,
    };
    let (digits, why) = match what {
        Wrong::Name if kind == Contract => (1, "The name is empty or taken"),
        Wrong::Name => (2, "The name is empty or taken"),
        Wrong::Unknown => (4, "Wallet not found"),
        Wrong::AssetUnknown => (9, "The wallet has no such asset"),
        Wrong::AssetThere => (15, "The wallet has that asset already"),
        Wrong::Address => (16, "The address is not valid"),
    };
    let status = if matches!(what, Wrong::Unknown | Wrong::AssetUnknown) {
        404
    } else {
        400
    };
    ApiError::new(status, base + digits, why)
}

const fn events(kind: WhitelistKind) -> (EventType, EventType) {
    use EventType as E;
    match kind {
        Internal => (E::InternalWalletAssetAdded, E::InternalWalletAssetRemoved),
        External => (E::ExternalWalletAssetAdded, E::ExternalWalletAssetRemoved),
        Contract => (E::ContractWalletAssetAdded, E::ContractWalletAssetRemoved),
    }
}

fn wallet_id(visit: &Visit<'_>, kind: WhitelistKind) -> Result<WalletId, ApiError> {
    let name = if kind == Contract {
        "contractId"
    } else {
        "walletId"
    };
    visit.param(name, || wrong(kind, Wrong::Unknown))
}

fn known(
    deed: &mut Deed<'_, '_>,
    kind: WhitelistKind,
    id: WalletId,
) -> Result<WhitelistedWallet, Fault> {
    let found = deed.batch.whitelisted(deed.writing, kind, id)?;
    found.ok_or_else(|| wrong(kind, Wrong::Unknown).into())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewWallet {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    customer_ref_id: Option<String>,
}

/// `POST /internal_wallets`, `/external_wallets`, `/contracts`.
async fn create(visit: &Visit<'_>, kind: WhitelistKind) -> Result<Reply, ApiError> {
    let new: NewWallet = visit.body()?;
    let name = new.name.filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| wrong(kind, Wrong::Name))?;
    if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(wrong(kind, Wrong::Name));
    }
    let reference = customer_ref_id(new.customer_ref_id)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        if deed
            .batch
            .whitelist(deed.writing, kind)?
            .iter()
            .any(|other| other.name == name)
        {
            return Err(wrong(kind, Wrong::Name).into());
        }
        let wallet = WhitelistedWallet {
            id: WalletId(deed.chance.uuid()),
            name: name.clone(),
            customer_ref_id: reference.clone(),
            assets: Vec::new(),
        };
        deed.apply(Change::Whitelist(kind, wallet.clone()))?;
        Ok(Reply::json(200, &wallet))
    };
    visit.hall.effect(visit.call, work).await
}

/// `DELETE` of one: its addresses go with it.
async fn delete(visit: &Visit<'_>, kind: WhitelistKind) -> Result<Reply, ApiError> {
    let (id, by) = (wallet_id(visit, kind)?, By::User(visit.guest.user));
    let work = move |deed: &mut Deed<'_, '_>| {
        let wallet_there = known(deed, kind, id)?;
        for asset in &wallet_there.assets {
            tell(deed, events(kind).1, &wallet_there, asset)?;
        }
        deed.apply(Change::WhitelistRemoved(kind, id))?;
        deed.take_back_all(
            |ask| matches!(ask, Ask::WhitelistAddress { wallet, .. } if *wallet == id),
            by,
        )?;
        Ok(Reply::empty(201))
    };
    visit.hall.effect(visit.call, work).await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    #[serde(default)]
    customer_ref_id: Option<String>,
}

/// `POST .../set_customer_ref_id`.
async fn refer(visit: &Visit<'_>, kind: WhitelistKind) -> Result<Reply, ApiError> {
    let id = wallet_id(visit, kind)?;
    let reference = customer_ref_id(visit.body::<Reference>()?.customer_ref_id)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut wallet = known(deed, kind, id)?;
        wallet.customer_ref_id.clone_from(&reference);
        deed.apply(Change::Whitelist(kind, wallet))?;
        Ok(Reply::empty(201))
    };
    visit.hall.effect(visit.call, work).await
}

#[derive(Deserialize)]
struct NewAddress {
    #[serde(default)]
    address: String,
    #[serde(default)]
    tag: Option<String>,
}

/// `POST .../{assetId}`: an address for an asset.
async fn add(visit: &Visit<'_>, kind: WhitelistKind) -> Result<Reply, ApiError> {
    let id = wallet_id(visit, kind)?;
    let asset: AssetId = visit.param("assetId", ApiError::unsupported_wallet_asset)?;
    asset_of(visit.hall, &asset)?;
    let new: NewAddress = visit.body()?;
    if new.address.trim().is_empty() {
        return Err(wrong(kind, Wrong::Address));
    }
    let (tag, by) = (new.tag.unwrap_or_default(), visit.guest.user);
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut wallet = known(deed, kind, id)?;
        if wallet.assets.iter().any(|entry| entry.id == asset) {
            return Err(wrong(kind, Wrong::AssetThere).into());
        }
        let holds = (kind == Internal).then(Amount::zero);
        let entry = WhitelistedAsset {
            id: asset.clone(),
            status: WhitelistStatus::WaitingForApproval,
            balance: holds.clone(),
            locked_amount: holds,
            address: new.address.clone(),
            tag: tag.clone(),
            activation_time: Some(deed.at.0.to_string()),
        };
        tell(deed, events(kind).0, &wallet, &entry)?;
        wallet.assets.push(entry);
        deed.apply(Change::Whitelist(kind, wallet))?;
        let ask = Ask::WhitelistAddress {
            kind,
            wallet: id,
            asset: asset.clone(),
        };
        deed.ask(ask, Some(by))?;
        let wallet = known(deed, kind, id)?;
        Ok(Reply::json(200, &wallet.assets.last()))
    };
    visit.hall.effect(visit.call, work).await
}

/// `DELETE .../{assetId}`.
async fn remove(visit: &Visit<'_>, kind: WhitelistKind) -> Result<Reply, ApiError> {
    let id = wallet_id(visit, kind)?;
    let (name, by) = (
        visit.params.get("assetId").to_owned(),
        By::User(visit.guest.user),
    );
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut wallet = known(deed, kind, id)?;
        let at = wallet
            .assets
            .iter()
            .position(|entry| entry.id.as_str() == name);
        let at = at.ok_or_else(|| wrong(kind, Wrong::AssetUnknown))?;
        let gone = wallet.assets.remove(at);
        tell(deed, events(kind).1, &wallet, &gone)?;
        deed.apply(Change::Whitelist(kind, wallet))?;
        let about = |ask: &Ask| {
            matches!(ask, Ask::WhitelistAddress { wallet, asset, .. }
                if *wallet == id && *asset == gone.id)
        };
        deed.take_back_all(about, by)?;
        Ok(Reply::empty(201))
    };
    visit.hall.effect(visit.call, work).await
}

fn tell(
    deed: &mut Deed<'_, '_>,
    event: EventType,
    wallet: &WhitelistedWallet,
    asset: &WhitelistedAsset,
) -> Result<(), Fault> {
    let told = WalletAssetChanged {
        asset_id: asset.id.clone(),
        wallet_id: wallet.id,
        wallet_name: wallet.name.clone(),
        address: asset.address.clone(),
        tag: asset.tag.clone(),
        activation_time: asset.activation_time.clone().unwrap_or_default(),
    };
    Ok(deed.announce(event, Some(wallet.id.to_string()), &told)?)
}

/// The quorum has decided on an address. One that has been taken off the list meanwhile is refused.
pub(crate) fn decided(
    deed: &mut Deed<'_, '_>,
    (kind, id): (WhitelistKind, WalletId),
    asset: &AssetId,
    yes: bool,
) -> Result<(), Fault> {
    let Some(mut wallet) = deed.batch.whitelisted(deed.writing, kind, id)? else {
        return absent(kind, yes);
    };
    let waits = |entry: &&mut WhitelistedAsset| {
        entry.id == *asset && entry.status == WhitelistStatus::WaitingForApproval
    };
    let Some(entry) = wallet.assets.iter_mut().find(waits) else {
        return absent(kind, yes);
    };
    entry.status = if yes {
        WhitelistStatus::Approved
    } else {
        WhitelistStatus::Rejected
    };
    Ok(deed.apply(Change::Whitelist(kind, wallet))?)
}

/// What is there no more cannot be approved; to refuse it nothing is left to do.
fn absent(kind: WhitelistKind, yes: bool) -> Result<(), Fault> {
    if yes {
        return Err(wrong(kind, Wrong::AssetUnknown).into());
    }
    Ok(())
}
