//! Transfers from places outside the vault, which send them by themselves.

use ledger::Fault;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::model::event::EventType;
use protocol::model::transaction::{PeerKind, Transaction};

use super::create::{Initiator, asked, destinations};
use super::order::Order;
use crate::chain;
use crate::deed::Deed;
use crate::flight::Flight;
use crate::world::assets::AssetRow;

/// Makes a transfer to a vault account: what it takes is held back at the place from now on.
pub(super) fn make(
    deed: &mut Deed<'_, '_>,
    order: &Order,
    asset: &AssetRow,
    initiator: &Initiator,
    (kind, id): (PeerKind, &str),
) -> Result<Transaction, Fault> {
    let asset_id = asset.asset_id();
    let place = deed.outside(kind, id)?;
    let place = place.ok_or_else(ApiError::wallet_not_found)?;
    let (destination, parts) = destinations(deed, order, asset, &asset_id)?;
    if destination.peer.kind != PeerKind::VaultAccount || !parts.is_empty() {
        return Err(ApiError::bad_destination_type().into());
    }
    let from = place.address(asset).unwrap_or_default();
    let mut transaction = asked(deed, order, asset, initiator)?;
    transaction.source = place.peer();
    transaction.destination = destination.peer;
    let flight = Flight {
        source_address: from.text,
        destination_address: destination.address,
        destination_tag: destination.tag,
        patience: order.patience,
        third_party: true,
        ..Flight::costing(Amount::zero(), asset_id.clone())
    };
    deed.hold_outside(place, &asset_id, &order.amount)?;
    deed.transaction(EventType::TransactionCreated, &transaction)?;
    chain::keep(deed, &transaction, &flight)?;
    Ok(transaction)
}
