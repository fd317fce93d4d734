//! What follows when a transaction has ended: what its place outside the vault keeps or gets back,
//! and gas for the account that a token has come to.

use ledger::Fault;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::ids::{AssetId, TxId};
use protocol::model::event::EventType;
use protocol::model::transaction::{AmountInfo, Peer, PeerKind, Transaction, TransactionStatus};

use crate::chain;
use crate::deed::Deed;
use crate::fees::{Job, Prices, Work};
use crate::flight::{Flight, on_chain};
use crate::outside::Outside;
use crate::world::assets::{self, AssetRow};

/// What follows when a transaction has ended.
pub(crate) fn after(
    deed: &mut Deed<'_, '_>,
    transaction: &Transaction,
    flight: &Flight,
) -> Result<(), Fault> {
    let completed = transaction.status == TransactionStatus::Completed;
    release(deed, transaction, flight, !completed)?;
    if completed {
        fuel(deed, transaction)?;
    }
    Ok(())
}

/// What was to come from outside the vault has left its place, or stays there.
fn release(
    deed: &mut Deed<'_, '_>,
    transaction: &Transaction,
    flight: &Flight,
    stays: bool,
) -> Result<(), Fault> {
    let source = &transaction.source;
    let id = source.id.as_deref().unwrap_or_default();
    let Some(place) = deed.outside(source.kind, id)? else {
        return Ok(());
    };
    let amount = transaction.amount_info.amount.clone().unwrap_or_default();
    let place = deed.release_outside(place, &transaction.asset_id, &amount, stays)?;
    // What failed in a block has cost its fee.
    if stays && flight.fee.is_positive() && !on_chain(&transaction.sub_status) {
        deed.put_outside(place, &flight.fee_asset, &flight.fee)?;
    }
    Ok(())
}

/// A gas station fuels the account that a token has come to.
fn fuel(deed: &mut Deed<'_, '_>, transaction: &Transaction) -> Result<(), Fault> {
    let token = assets::find(&transaction.asset_id).filter(|asset| asset.native != asset.id);
    let account = transaction.destination.vault_account();
    let (Some(token), Some(account)) = (token, account) else {
        return Ok(());
    };
    let facts = deed.batch.account(deed.writing, account)?;
    let Some(facts) = facts.filter(|facts| facts.auto_fuel) else {
        return Ok(());
    };
    let Some(Outside::GasStation(station)) = deed.outside(PeerKind::GasStation, token.native)?
    else {
        return Ok(());
    };
    let base = native(token).ok_or_else(ApiError::internal)?;
    let id = base.asset_id();
    let wallet = deed.batch.wallet(deed.writing, account, &id)?;
    let Some(left) = wallet.map(|wallet| wallet.balance.available) else {
        return Ok(());
    };
    let prices = Prices::of(base, deed.climate(base)?).ok_or_else(ApiError::internal)?;
    let quote = prices.on(&Default::default(), Work::of(base, Job::Transfer, 1, 1))?;
    let gas_price = Amount::from_units(quote.price, 9);
    let Some(amount) = station.fuel(&left, &gas_price, &quote.fee()) else {
        return Ok(());
    };
    let place = Outside::GasStation(station);
    let destination = Peer {
        kind: PeerKind::VaultAccount,
        id: Some(account.to_string()),
        name: facts.name,
        sub_type: String::new(),
    };
    send(deed, place, base, destination, &amount, quote.fee())
}

fn native(token: &AssetRow) -> Option<&'static AssetRow> {
    let id: AssetId = token.native.parse().ok()?;
    assets::find(&id)
}

/// The station sends it at once: no policy is asked.
fn send(
    deed: &mut Deed<'_, '_>,
    station: Outside,
    base: &'static AssetRow,
    destination: Peer,
    amount: &Amount,
    fee: Amount,
) -> Result<(), Fault> {
    let id = base.asset_id();
    let account = destination.vault_account().ok_or_else(ApiError::internal)?;
    let address = deed.batch.first_address(deed.writing, account, &id)?;
    let transaction = Transaction {
        status: TransactionStatus::Broadcasting,
        asset_type: base.kind.to_owned(),
        amount_info: AmountInfo {
            amount: Some(amount.clone()),
            requested_amount: Some(amount.clone()),
            net_amount: Some(amount.clone()),
            amount_usd: None,
        },
        fee_currency: Some(id.clone()),
        source: station.peer(),
        destination,
        tx_hash: chain::hash(base, deed),
        ..Transaction::new(TxId(deed.chance.uuid()), id.clone(), deed.at)
    };
    let flight = Flight {
        source_address: station.address(base).unwrap_or_default().text,
        destination_address: address.map(|address| address.address).unwrap_or_default(),
        third_party: true,
        ..Flight::costing(fee.clone(), id.clone())
    };
    let station = deed.take_outside(station, &id, amount)?;
    deed.take_outside(station, &id, &fee)?;
    deed.transaction(EventType::TransactionCreated, &transaction)?;
    Ok(chain::keep(deed, &transaction, &flight)?)
}
