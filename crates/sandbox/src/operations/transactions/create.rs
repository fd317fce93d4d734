//! `POST /transactions`.

use ledger::Fault;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, TxId, VaultAccountId};
use protocol::model::event::EventType;
use protocol::model::transaction::{
    AmountInfo, DestinationPart, Peer, PeerKind, Transaction, TransactionStatus,
};
use protocol::model::transaction_request::CreateTransactionResponse;
use serde_json::Value;

use super::super::Visit;
use super::super::vault::accounts::asset_of;
use super::order::{From, Operation, Order, To};
use super::places::{Place, place, vault_place};
use super::withdrawals;
use crate::chain;
use crate::coins::has_coins;
use crate::deed::Deed;
use crate::fees::{Prices, Quote, Work};
use crate::flight::{Effect, Flight, Pot, outflow};
use crate::hall::Hall;
use crate::rows;
use crate::utxo::NoChoice;
use crate::world::assets::{self, AssetRow};

/// Who asks.
#[derive(Clone, Debug)]
pub(in crate::operations) struct Initiator {
    pub(in crate::operations) user: String,
    /// Whether it holds a key share.
    pub(in crate::operations) signs: bool,
}

impl Initiator {
    pub(in crate::operations) fn of(visit: &Visit<'_>) -> Self {
        Self {
            user: visit.guest.user.to_string(),
            signs: visit.guest.role.signs(),
        }
    }
}

/// What a body asks for, and of which asset.
pub(super) fn order(
    hall: &Hall,
    body: Option<&Value>,
) -> Result<(Order, &'static AssetRow), ApiError> {
    let body = body.ok_or_else(|| ApiError::bad_body("there is none"))?;
    let id = body
        .get("assetId")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let id: AssetId = id
        .parse()
        .map_err(|_| ApiError::bad_transaction("assetId is required"))?;
    let asset = asset_of(hall, &id)?;
    Ok((Order::read(body, asset)?, asset))
}

pub(super) async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (order, asset) = order(visit.hall, visit.call.body.as_ref())?;
    let initiator = Initiator::of(visit);
    let work = move |deed: &mut Deed<'_, '_>| {
        let made = make(deed, &order, asset, &initiator)?;
        let created = CreateTransactionResponse {
            id: made.id,
            status: made.status,
        };
        Ok(Reply::json(200, &created))
    };
    visit.hall.effect(visit.call, work).await
}

/// Makes a transaction: its amount and its fee are held from now on.
fn make(
    deed: &mut Deed<'_, '_>,
    order: &Order,
    asset: &'static AssetRow,
    initiator: &Initiator,
) -> Result<Transaction, Fault> {
    if let Some(external) = &order.external_tx_id
        && !rows::take_external_id(deed.writing, deed.hall.id(), external)?
    {
        return Err(ApiError::external_tx_id_exists().into());
    }
    let account = match &order.from {
        From::Vault(account) => *account,
        From::Outside(kind, id) => {
            return withdrawals::make(deed, order, asset, initiator, (*kind, id));
        }
    };
    let id = asset.asset_id();
    let from = vault_place(deed, account, &id)?.ok_or_else(ApiError::wallet_not_found)?;
    let (destination, parts) = destinations(deed, order, asset, &id)?;
    let bill = bill(deed, order, account, asset)?;
    let fee = bill.quote.as_ref().map(Quote::fee).unwrap_or_default();
    let replaced = match &order.replaces {
        Some(hash) => Some(replaced(deed, account, hash, &bill)?),
        None => None,
    };
    let mut transaction = asked(deed, order, asset, initiator)?;
    transaction.amount_info.net_amount = Some(net(order, &fee, bill.gross)?);
    transaction.treat_as_gross_amount = bill.gross;
    transaction.source = from.peer;
    transaction.destination = destination.peer;
    destination.kind.clone_into(&mut transaction.address_type);
    transaction.destinations = parts;
    if let Some(replaced) = &replaced {
        transaction.replaced_tx_hash.clone_from(&replaced.tx_hash);
    }
    let chain = assets::chain_of(asset).filter(|_| replaced.is_none());
    let flight = Flight {
        price: Amount::from_units(bill.quote.as_ref().map_or(0, |quote| quote.price), 0),
        initiator_signs: initiator.signs,
        source_address: from.address,
        destination_address: destination.address,
        destination_tag: destination.tag,
        lane: chain.map(|chain| format!("{account}/{}", chain.standard())),
        effect: order.operation.effect(),
        patience: order.patience,
        doom: bill.quote.and_then(|quote| quote.doom).map(str::to_owned),
        coins: order.coins.clone(),
        messages: match &order.operation {
            Operation::Sign(messages) => messages.clone(),
            _ => Vec::new(),
        },
        replaces: replaced.as_ref().map(|replaced| replaced.id),
        ..Flight::costing(fee, bill.prices.asset())
    };
    begin(deed, &transaction, &flight)?;
    if let Some(replaced) = replaced {
        chain::replaced_by(deed, replaced.id, transaction.id)?;
    }
    Ok(transaction)
}

/// A transaction with all that its request says of it, but places and net amount.
pub(super) fn asked(
    deed: &mut Deed<'_, '_>,
    order: &Order,
    asset: &AssetRow,
    initiator: &Initiator,
) -> Result<Transaction, Fault> {
    Ok(Transaction {
        operation: operation_name(&order.operation, asset).to_owned(),
        external_tx_id: order.external_tx_id.clone(),
        note: order.note.clone(),
        customer_ref_id: order.customer_ref_id.clone(),
        extra_parameters: order.extra_parameters.clone(),
        created_by: initiator.user.clone(),
        ..blank(asset, &order.amount, deed)?
    })
}

/// Lets a transaction begin that the source can pay for.
pub(in crate::operations) fn begin(
    deed: &mut Deed<'_, '_>,
    transaction: &Transaction,
    flight: &Flight,
) -> Result<(), Fault> {
    let held = outflow(flight, transaction, Pot::Available, Pot::Locked);
    for one in &held {
        // Of one asset, amount and fee are two.
        let all = held.iter().filter(|other| other.asset == one.asset);
        let all = Amount::checked_sum(all.map(|other| &other.amount));
        let wallet = deed.batch.wallet(deed.writing, one.account, &one.asset)?;
        let enough = |all: Amount| wallet.is_some_and(|held| held.balance.available >= all);
        if !all.is_some_and(enough) {
            return Err(ApiError::new(400, 1402, "The source's balance is too low").into());
        }
    }
    deed.transaction(EventType::TransactionCreated, transaction)?;
    deed.moves(&held)?;
    Ok(chain::keep(deed, transaction, flight)?)
}

/// What a transaction costs, and whether its amount pays for it.
struct Bill {
    prices: Prices,
    /// Nothing where no chain is told.
    quote: Option<Quote>,
    gross: bool,
}

fn bill(
    deed: &mut Deed<'_, '_>,
    order: &Order,
    account: VaultAccountId,
    asset: &'static AssetRow,
) -> Result<Bill, Fault> {
    let climate = deed.climate(asset)?;
    let prices = Prices::of(asset, climate).ok_or_else(ApiError::internal)?;
    if order.operation.effect() == Effect::Signs {
        return Ok(Bill {
            prices,
            quote: None,
            gross: false,
        });
    }
    let held = deed
        .batch
        .wallet(deed.writing, account, &asset.asset_id())?;
    // Whoever sends all there is of a base asset pays the fee out of it.
    let everything = held.is_some_and(|held| held.balance.available == order.amount);
    let gross = order.gross || (asset.native == asset.id && everything);
    let gross = gross && order.operation.effect() == Effect::Moves && order.amount.is_positive();
    let work = work(deed, order, account, asset, prices, gross)?;
    Ok(Bill {
        prices,
        quote: Some(prices.on(&order.fees, work)?),
        gross,
    })
}

/// The work of an order on its chain; where coins are spent, that of spending those it would.
pub(super) fn work(
    deed: &mut Deed<'_, '_>,
    order: &Order,
    account: VaultAccountId,
    asset: &'static AssetRow,
    prices: Prices,
    gross: bool,
) -> Result<Work, Fault> {
    let outputs = match &order.to {
        To::Several(parts) => parts.len(),
        To::One(_) | To::Nowhere => 1,
    };
    let work = |inputs| Work::of(asset, order.operation.job(), inputs, outputs + 1);
    if !has_coins(asset) {
        return Ok(work(1));
    }
    let need = |inputs| {
        let fee = prices.on(&order.fees, work(inputs)).ok()?.fee();
        if gross {
            Some(order.amount.clone())
        } else {
            order.amount.checked_add(&fee)
        }
    };
    match deed.choose(account, asset, &order.coins, need)? {
        Ok(selection) => Ok(work(selection.inputs.len())),
        Err(NoChoice::Missing(at)) => Err(ApiError::bad_transaction(format_args!(
            "the input {}:{} is not there to spend",
            at.tx_hash, at.index
        ))
        .into()),
        Err(NoChoice::TooLittle) if order.coins.spend.is_empty() => Ok(work(1)),
        Err(NoChoice::TooLittle) => {
            Err(ApiError::new(400, 1402, "The chosen inputs are too little").into())
        }
    }
}

/// What arrives: the amount, less the fee where that is taken from it.
fn net(order: &Order, fee: &Amount, gross: bool) -> Result<Amount, ApiError> {
    if !gross {
        return Ok(order.amount.clone());
    }
    let net = order.amount.checked_sub(fee).filter(Amount::is_positive);
    net.filter(|_| !matches!(order.to, To::Several(_)))
        .ok_or_else(|| ApiError::bad_transaction("the fee is more than the amount"))
}

/// Where it goes: one place, or none and the parts.
pub(super) fn destinations(
    deed: &mut Deed<'_, '_>,
    order: &Order,
    asset: &AssetRow,
    id: &AssetId,
) -> Result<(Place, Vec<DestinationPart>), Fault> {
    let nowhere = |kind| Place {
        peer: Peer {
            kind,
            ..Peer::UNKNOWN
        },
        address: String::new(),
        tag: String::new(),
        kind: "",
    };
    match &order.to {
        To::Nowhere => Ok((nowhere(PeerKind::Unknown), Vec::new())),
        To::One(wanted) => Ok((place(deed, wanted, asset, id)?, Vec::new())),
        To::Several(wanted) => {
            let mut parts = Vec::new();
            for (amount, wanted) in wanted {
                let place = place(deed, wanted, asset, id)?;
                parts.push(DestinationPart {
                    amount: amount.clone(),
                    destination: place.peer,
                    destination_address: place.address,
                });
            }
            Ok((nowhere(PeerKind::MultiDestination), parts))
        }
    }
}

/// The transaction under way whose place another one is to take.
fn replaced(
    deed: &mut Deed<'_, '_>,
    account: VaultAccountId,
    hash: &str,
    bill: &Bill,
) -> Result<Transaction, Fault> {
    let late = || {
        ApiError::new(
            400,
            1443,
            "No transaction of that hash can be replaced any more",
        )
    };
    let (old, flight) = chain::sent(deed, hash)?.ok_or_else(late)?;
    if old.source.vault_account() != Some(account) || flight.fee_asset != bill.prices.asset() {
        return Err(late().into());
    }
    let price = bill.quote.as_ref().map_or(0, |quote| quote.price);
    if Amount::from_units(price, 0) <= flight.price {
        return Err(low_fee().into());
    }
    Ok(old)
}

pub(super) fn low_fee() -> ApiError {
    ApiError::new(
        400,
        1441,
        "The fee must be above that of the replaced transaction",
    )
}

fn operation_name(operation: &Operation, asset: &AssetRow) -> &'static str {
    match operation {
        Operation::Transfer => "TRANSFER",
        Operation::Mint => "MINT",
        Operation::Burn => "BURN",
        Operation::Approve => "APPROVE",
        Operation::Call(_) if super::order::is_evm(asset) => "CONTRACT_CALL",
        Operation::Call(_) => "PROGRAM_CALL",
        Operation::Sign(messages) if messages.iter().any(super::Message::is_typed) => {
            "TYPED_MESSAGE"
        }
        Operation::Sign(_) => "RAW",
    }
}

/// A transaction of which amount and asset are known.
pub(in crate::operations) fn blank(
    asset: &AssetRow,
    amount: &Amount,
    deed: &mut Deed<'_, '_>,
) -> Result<Transaction, Fault> {
    let price = deed.price(asset)?;
    Ok(Transaction {
        asset_type: asset.kind.to_owned(),
        amount_info: AmountInfo {
            amount: Some(amount.clone()),
            requested_amount: Some(amount.clone()),
            net_amount: Some(amount.clone()),
            amount_usd: price.and_then(|price| amount.checked_mul(&price, 2)),
        },
        fee_currency: asset.native.parse().ok(),
        status: TransactionStatus::Submitted,
        ..Transaction::new(TxId(deed.chance.uuid()), asset.asset_id(), deed.at)
    })
}
