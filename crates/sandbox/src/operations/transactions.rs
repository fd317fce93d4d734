//! Transactions: asked for, called back, and coming in from outside.

mod fields;

use std::sync::Arc;

use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, TxId, VaultAccountId, WalletId};
use protocol::model::event::EventType;
use protocol::model::transaction::{
    AmountInfo, BlockInfo, Peer, PeerKind, Transaction, TransactionStatus,
};
use protocol::model::transaction_request::{
    CreateTransactionResponse, FeeLevel, OneTimeAddress, PeerRequest, PlainTransfer,
    TransactionRequest,
};
use protocol::model::whitelist::{WhitelistKind, WhitelistStatus};
use serde_json::json;

use super::accounts::{asset_of, customer_ref_id};
use super::{Visit, area};
use crate::chain;
use crate::deed::Deed;
use crate::flight::{Act, Flight, Pot, inflow, outflow};
use crate::hall::Hall;
use crate::rows;
use crate::world::assets::{self, AssetRow};
use crate::world::{addresses, units_of};
use ledger::Fault;

area! { visit;
    "createTransaction" => create(visit).await,
    "cancelTransaction" => cancel(visit).await,
}

/// A place, as a transaction shows it, and the address there.
struct Place {
    peer: Peer,
    address: String,
    tag: String,
    kind: &'static str,
}

/// `POST /transactions`.
async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let request: TransactionRequest = visit.body()?;
    match request.operation.as_deref() {
        None | Some("TRANSFER") => {}
        Some(_) => return Err(ApiError::unsupported_operation()),
    }
    visit.call.body.as_ref().map_or(Ok(()), fields::check)?;
    let id = request
        .asset_id
        .clone()
        .ok_or_else(|| ApiError::bad_transaction("assetId is required"))?;
    let asset = asset_of(visit.hall, &id)?;
    let amount = request.amount.clone().ok_or_else(ApiError::bad_amount)?;
    if !amount.is_positive() || amount.decimals() > u64::from(asset.decimals) {
        return Err(ApiError::bad_amount());
    }
    let external = request.external_tx_id.as_ref().filter(|id| !id.is_empty());
    if external.is_some_and(|id| id.chars().count() > PlainTransfer::MAX_EXTERNAL_TX_ID) {
        return Err(ApiError::bad_transaction(
            "externalTxId is longer than 255 characters",
        ));
    }
    let reference = customer_ref_id(request.customer_ref_id.clone())?;
    let source = source(request.source.as_ref())?;
    if request
        .destinations
        .as_ref()
        .is_some_and(|list| !list.is_empty())
    {
        return Err(ApiError::bad_transaction(
            if request.destination.is_some() {
                "give destination or destinations, not both"
            } else {
                "several destinations are not served by this sandbox yet"
            },
        ));
    }
    let destination = request
        .destination
        .clone()
        .ok_or_else(|| ApiError::bad_transaction("destination is required"))?;
    let asked_gross = request.treat_as_gross_amount.unwrap_or(false);
    let is_base = asset.native == asset.id;
    if asked_gross && !is_base {
        return Err(ApiError::bad_transaction(
            "treatAsGrossAmount is for base assets",
        ));
    }
    let (initiator, signs) = (visit.guest.user, visit.guest.role.signs());
    let (fee, fee_asset) = fee(asset, request.fee_level);
    let external = external.cloned();
    let note = request.note.clone().unwrap_or_default();
    let lane = assets::chain_of(asset).map(|chain| format!("{source}/{}", chain.standard()));
    let work = move |deed: &mut Deed<'_, '_>| {
        if let Some(external) = &external
            && !rows::take_external_id(deed.writing, deed.hall.id(), external)?
        {
            return Err(ApiError::external_tx_id_exists().into());
        }
        let from = vault_place(deed, source, &id)?.ok_or_else(ApiError::wallet_not_found)?;
        let to = place(deed, &destination, asset, &id)?;
        let held = deed.batch.wallet(deed.writing, source, &id)?;
        // Whoever sends all there is of a base asset pays the fee out of it.
        let everything = held.is_some_and(|held| held.balance.available == amount);
        let gross = asked_gross || (is_base && everything);
        let net = if gross {
            amount.checked_sub(&fee).filter(Amount::is_positive)
        } else {
            Some(amount.clone())
        };
        let net =
            net.ok_or_else(|| ApiError::bad_transaction("the fee is more than the amount"))?;
        let mut transaction = blank(asset, &id, &amount, deed);
        transaction.amount_info.net_amount = Some(net);
        transaction.external_tx_id.clone_from(&external);
        transaction.note.clone_from(&note);
        transaction.customer_ref_id.clone_from(&reference);
        transaction.source = from.peer;
        transaction.destination = to.peer;
        transaction.address_type = to.kind.to_owned();
        transaction.treat_as_gross_amount = gross;
        transaction.created_by = initiator.to_string();
        let flight = Flight {
            fee: fee.clone(),
            fee_asset: fee_asset.clone(),
            initiator_signs: signs,
            signer: None,
            source_address: from.address,
            destination_address: to.address,
            destination_tag: to.tag,
            lane: lane.clone(),
        };
        covered(deed, source, &id, &amount, &flight, gross)?;
        deed.transaction(EventType::TransactionCreated, &transaction)?;
        let held = outflow(&flight, &transaction, Pot::Available, Pot::Locked);
        deed.moves(&held)?;
        chain::keep(deed, &transaction, &flight)?;
        let created = CreateTransactionResponse {
            id: transaction.id,
            status: transaction.status,
        };
        Ok(Reply::json(200, &created))
    };
    visit.hall.effect(visit.call, work).await
}

/// What a transfer of this asset costs, and in which asset.
fn fee(asset: &AssetRow, level: Option<FeeLevel>) -> (Amount, AssetId) {
    let native: Option<AssetId> = asset.native.parse().ok();
    let base = native.as_ref().and_then(assets::find).unwrap_or(asset);
    let cents = match level {
        Some(FeeLevel::Low) => 35,
        None | Some(FeeLevel::Medium) => 80,
        Some(FeeLevel::High) => 210,
    };
    (
        Amount::from_units(units_of(base, cents), base.decimals),
        base.asset_id(),
    )
}

fn source(source: Option<&PeerRequest>) -> Result<VaultAccountId, ApiError> {
    let source = source.ok_or_else(|| ApiError::bad_transaction("source is required"))?;
    if source.kind != PeerKind::VaultAccount {
        return Err(ApiError::bad_source_type());
    }
    let id = source.id.as_deref().unwrap_or_default();
    id.parse()
        .map_err(|_| ApiError::new(400, 11001, "The vault account of the source is not valid"))
}

fn vault_place(
    deed: &mut Deed<'_, '_>,
    id: VaultAccountId,
    asset: &AssetId,
) -> Result<Option<Place>, Fault> {
    let Some(account) = deed.batch.account(deed.writing, id)? else {
        return Err(ApiError::new(400, 11001, "The vault account does not exist").into());
    };
    if deed.batch.wallet(deed.writing, id, asset)?.is_none() {
        return Ok(None);
    }
    let known = deed.batch.addresses(deed.writing, id, asset)?;
    let first = known
        .into_iter()
        .min_by_key(|address| address.bip44_address_index);
    let (address, tag) = first
        .map(|first| (first.address, first.tag))
        .unwrap_or_default();
    let peer = Peer {
        kind: PeerKind::VaultAccount,
        id: Some(id.to_string()),
        name: account.name,
        sub_type: String::new(),
    };
    Ok(Some(Place {
        peer,
        address,
        tag,
        kind: "",
    }))
}

fn place(
    deed: &mut Deed<'_, '_>,
    wanted: &PeerRequest,
    row: &AssetRow,
    asset: &AssetId,
) -> Result<Place, Fault> {
    let id = wanted.id.as_deref().unwrap_or_default();
    if wanted.one_time_address.is_some() && wanted.kind != PeerKind::OneTimeAddress {
        let why = "destination.oneTimeAddress goes with the type ONE_TIME_ADDRESS alone";
        return Err(ApiError::bad_transaction(why).into());
    }
    let list = match wanted.kind {
        PeerKind::VaultAccount => {
            let id = id
                .parse()
                .map_err(|_| ApiError::new(400, 11001, "The vault account is not valid"))?;
            return vault_place(deed, id, asset)?
                .ok_or_else(|| ApiError::wallet_has_no_such_asset().into());
        }
        PeerKind::OneTimeAddress => {
            let one_time = one_time(wanted, row)?;
            let peer = Peer {
                kind: PeerKind::OneTimeAddress,
                id: None,
                name: "N/A".to_owned(),
                sub_type: String::new(),
            };
            return Ok(Place {
                peer,
                address: one_time.address,
                tag: one_time.tag.unwrap_or_default(),
                kind: "ONE_TIME",
            });
        }
        PeerKind::InternalWallet => (WhitelistKind::Internal, "Internal"),
        PeerKind::ExternalWallet => (WhitelistKind::External, "External"),
        PeerKind::Contract => (WhitelistKind::Contract, "Contract"),
        _ => return Err(ApiError::bad_destination_type().into()),
    };
    let id: WalletId = id.parse().map_err(|_| ApiError::wallet_not_found())?;
    let wallet = deed
        .batch
        .whitelisted(deed.writing, list.0, id)?
        .ok_or_else(ApiError::wallet_not_found)?;
    let entry = wallet
        .assets
        .into_iter()
        .find(|entry| entry.id == *asset)
        .ok_or_else(ApiError::wallet_has_no_such_asset)?;
    if entry.status != WhitelistStatus::Approved {
        return Err(ApiError::address_not_approved().into());
    }
    let peer = Peer {
        kind: wanted.kind,
        id: Some(id.to_string()),
        name: wallet.name,
        sub_type: list.1.to_owned(),
    };
    Ok(Place {
        peer,
        address: entry.address,
        tag: entry.tag,
        kind: "WHITELISTED",
    })
}

/// An address that stands on no list, valid on the asset's chain.
fn one_time(wanted: &PeerRequest, asset: &AssetRow) -> Result<OneTimeAddress, ApiError> {
    let given = wanted.one_time_address.clone();
    let given = given
        .filter(|place| !place.address.is_empty())
        .ok_or_else(|| ApiError::bad_transaction("oneTimeAddress.address is required"))?;
    let chain = assets::chain_of(asset).ok_or_else(ApiError::internal)?;
    if !addresses::is_valid(chain, &given.address) {
        return Err(ApiError::bad_destination_address());
    }
    let tag = given.tag.as_deref().unwrap_or_default();
    if !addresses::is_valid_tag(chain, tag) {
        return Err(ApiError::bad_tag());
    }
    Ok(given)
}

/// Whether the source can pay amount and fee.
fn covered(
    deed: &mut Deed<'_, '_>,
    account: VaultAccountId,
    asset: &AssetId,
    amount: &Amount,
    flight: &Flight,
    gross: bool,
) -> Result<(), Fault> {
    let low = || Fault::from(ApiError::new(400, 1402, "The source's balance is too low"));
    let mut needs = vec![(asset.clone(), amount.clone())];
    if !gross && flight.fee_asset == *asset {
        needs = vec![(
            asset.clone(),
            amount.checked_add(&flight.fee).ok_or_else(low)?,
        )];
    } else if !gross {
        needs.push((flight.fee_asset.clone(), flight.fee.clone()));
    }
    for (asset, need) in needs {
        let wallet = deed.batch.wallet(deed.writing, account, &asset)?;
        if wallet.is_none_or(|wallet| wallet.balance.available < need) {
            return Err(low());
        }
    }
    Ok(())
}

fn blank(asset: &AssetRow, id: &AssetId, amount: &Amount, deed: &mut Deed<'_, '_>) -> Transaction {
    let price = Amount::from_units(asset.cents, 2);
    Transaction {
        asset_type: asset.kind.to_owned(),
        amount_info: AmountInfo {
            amount: Some(amount.clone()),
            requested_amount: Some(amount.clone()),
            net_amount: Some(amount.clone()),
            amount_usd: amount.checked_mul(&price, 2),
        },
        fee_currency: asset.native.parse().ok(),
        ..Transaction::new(TxId(deed.chance.uuid()), id.clone(), deed.at)
    }
}

/// `POST /transactions/{txId}/cancel`.
async fn cancel(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id: TxId = visit.param("txId", ApiError::transaction_not_found)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        chain::take(deed, id, Act::Cancel)?;
        Ok(Reply::json(200, &json!({ "success": true })))
    };
    visit.hall.effect(visit.call, work).await
}

/// Something arrives from outside.
pub(crate) async fn incoming(
    hall: &Arc<Hall>,
    account: VaultAccountId,
    id: AssetId,
    amount: Amount,
    source_address: Option<String>,
) -> Result<Transaction, ApiError> {
    let asset = asset_of(hall, &id)?;
    if !amount.is_positive() || amount.decimals() > u64::from(asset.decimals) {
        return Err(ApiError::bad_amount());
    }
    let work = move |deed: &mut Deed<'_, '_>| {
        let to = vault_place(deed, account, &id)?.ok_or_else(ApiError::vault_asset_not_found)?;
        let bytes = deed.chance.bytes();
        let fresh =
            || assets::chain_of(asset).map(|chain| addresses::of_nobody(chain, &bytes).text);
        let mut transaction = blank(asset, &id, &amount, deed);
        transaction.destination = to.peer;
        transaction.destination_address = to.address;
        transaction.destination_tag = to.tag;
        transaction.source_address = source_address.clone().or_else(fresh).unwrap_or_default();
        transaction.status = TransactionStatus::Confirming;
        transaction.sub_status = "PENDING_BLOCKCHAIN_CONFIRMATIONS".to_owned();
        transaction.num_of_confirmations = 1;
        let (hash, block): (String, BlockInfo) = chain::block(asset, deed);
        transaction.tx_hash = hash;
        transaction.block_info = Some(block);
        let flight = Flight {
            fee: Amount::zero(),
            fee_asset: id.clone(),
            initiator_signs: false,
            signer: None,
            source_address: transaction.source_address.clone(),
            destination_address: transaction.destination_address.clone(),
            destination_tag: transaction.destination_tag.clone(),
            lane: None,
        };
        deed.transaction(EventType::TransactionCreated, &transaction)?;
        let arrives: Vec<_> = inflow(&transaction, Pot::Outside, Pot::Pending)
            .into_iter()
            .collect();
        deed.moves(&arrives)?;
        chain::keep(deed, &transaction, &flight)?;
        Ok(transaction)
    };
    hall.deed(work).await.map_err(ApiError::from)
}
