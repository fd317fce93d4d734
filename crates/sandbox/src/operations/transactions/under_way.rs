//! Transactions changed after they were asked for: called back, replaced, frozen, waited for.

use ledger::Fault;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::TxId;
use protocol::model::transaction::Transaction;
use serde::Deserialize;
use serde_json::json;

use super::super::Visit;
use super::create::{Initiator, begin, blank, low_fee};
use super::places::vault_place;
use crate::chain;
use crate::deed::Deed;
use crate::fees::{FeeTerms, Job, Prices, Work};
use crate::flight::{Act, Effect, Flight};
use crate::world::assets;

/// Most blocks that anybody waits for.
const MAX_THRESHOLD: u32 = 1_000;

fn id(visit: &Visit<'_>) -> Result<TxId, ApiError> {
    visit.param("txId", ApiError::transaction_not_found)
}

/// `POST /transactions/{txId}/cancel`.
pub(super) async fn cancel(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = id(visit)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        chain::take(deed, id, Act::Cancel)?;
        Ok(Reply::json(200, &json!({ "success": true })))
    };
    visit.hall.effect(visit.call, work).await
}

/// `POST /transactions/{txId}/drop`: one of nothing, to itself, takes its place.
pub(super) async fn drop(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = id(visit)?;
    let terms: FeeTerms = match &visit.call.body {
        Some(_) => visit.body()?,
        None => FeeTerms::default(),
    };
    let initiator = Initiator::of(visit);
    let work = move |deed: &mut Deed<'_, '_>| {
        let made = replacement(deed, id, &terms, &initiator)?;
        let answer = json!({
            "success": true,
            "transactions": [made.id],
            "txId": made.id,
            "txStatus": made.status,
            "replacedTxHash": made.replaced_tx_hash,
        });
        Ok(Reply::json(200, &answer))
    };
    visit.hall.effect(visit.call, work).await
}

fn replacement(
    deed: &mut Deed<'_, '_>,
    id: TxId,
    terms: &FeeTerms,
    initiator: &Initiator,
) -> Result<Transaction, Fault> {
    let Some((old, _)) = deed.batch.transaction(deed.writing, id)? else {
        return Err(ApiError::transaction_not_found().into());
    };
    let asset = assets::find(&old.asset_id).ok_or_else(ApiError::internal)?;
    if !super::order::is_evm(asset) {
        return Err(ApiError::new(400, 1440, "The asset's chain drops no transaction").into());
    }
    let late = || ApiError::new(400, 1443, "It is too late to drop the transaction");
    let (old, flight) = chain::sent(deed, &old.tx_hash)?.ok_or_else(late)?;
    let account = old.source.vault_account().ok_or_else(late)?;
    let base = assets::find(&flight.fee_asset).ok_or_else(ApiError::internal)?;
    let prices = Prices::of(base, deed.climate(base)?).ok_or_else(ApiError::internal)?;
    let quote = prices.on(terms, Work::of(base, Job::Transfer, 0, 0))?;
    let price = Amount::from_units(quote.price, 0);
    if price <= flight.price {
        return Err(low_fee().into());
    }
    let from = vault_place(deed, account, &flight.fee_asset)?.ok_or_else(late)?;
    let mut made = blank(base, &Amount::zero(), deed)?;
    made.source = from.peer.clone();
    made.destination = from.peer;
    made.created_by.clone_from(&initiator.user);
    made.replaced_tx_hash.clone_from(&old.tx_hash);
    let next = Flight {
        price,
        initiator_signs: initiator.signs,
        source_address: from.address.clone(),
        destination_address: from.address,
        effect: Effect::Costs,
        doom: quote.doom.map(str::to_owned),
        replaces: Some(old.id),
        ..Flight::costing(quote.fee(), flight.fee_asset)
    };
    begin(deed, &made, &next)?;
    chain::replaced_by(deed, old.id, made.id)?;
    Ok(made)
}

/// `POST /transactions/{txId}/freeze` and `/unfreeze`.
pub(super) async fn freeze(visit: &Visit<'_>, freezes: bool) -> Result<Reply, ApiError> {
    let id = id(visit)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        chain::freeze(deed, id, freezes)?;
        Ok(Reply::json(200, &json!({ "success": true })))
    };
    visit.hall.effect(visit.call, work).await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Threshold {
    num_of_confirmations: u32,
}

fn blocks(visit: &Visit<'_>) -> Result<u32, ApiError> {
    let wanted: Threshold = visit.body()?;
    let blocks = wanted.num_of_confirmations;
    (1..=MAX_THRESHOLD)
        .contains(&blocks)
        .then_some(blocks)
        .ok_or_else(|| {
            ApiError::invalid(
                "numOfConfirmations",
                format_args!("a number from 1 to {MAX_THRESHOLD}"),
            )
        })
}

/// `POST /transactions/{txId}/set_confirmation_threshold`.
pub(super) async fn threshold(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (id, blocks) = (id(visit)?, blocks(visit)?);
    let work = move |deed: &mut Deed<'_, '_>| {
        chain::take(deed, id, Act::Threshold(blocks))?;
        let answer = json!({ "success": true, "transactions": [id] });
        Ok(Reply::json(200, &answer))
    };
    visit.hall.effect(visit.call, work).await
}

/// `POST /txHash/{txHash}/set_confirmation_threshold`.
pub(super) async fn threshold_by_hash(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let blocks = blocks(visit)?;
    let hash = visit.params.get("txHash").to_owned();
    let work = move |deed: &mut Deed<'_, '_>| {
        let ids = chain::of_hash(deed, &hash)?;
        if ids.is_empty() {
            return Err(ApiError::transaction_not_found().into());
        }
        for id in &ids {
            chain::take(deed, *id, Act::Threshold(blocks))?;
        }
        let answer = json!({ "success": true, "transactions": ids });
        Ok(Reply::json(200, &answer))
    };
    visit.hall.effect(visit.call, work).await
}
