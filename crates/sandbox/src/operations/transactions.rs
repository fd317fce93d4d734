//! Transactions: asked for, changed under way, and coming in from outside.

mod create;
mod estimates;
mod fields;
mod incoming;
mod messages;
mod order;
mod places;
mod typed_data;
mod under_way;
mod withdrawals;

use super::area;

pub(super) use create::{Initiator, begin, blank};
pub(crate) use incoming::incoming;
pub(crate) use messages::Message;
pub(super) use places::vault_place;

area! { visit;
    "createTransaction" => create::create(visit).await,
    "estimateTransactionFee" => estimates::of_transaction(visit).await,
    "estimateNetworkFee" => estimates::of_network(visit).await,
    "validateAddress" => estimates::validate_address(visit).await,
    "cancelTransaction" => under_way::cancel(visit).await,
    "dropTransaction" => under_way::drop(visit).await,
    "freezeTransaction" => under_way::freeze(visit, true).await,
    "unfreezeTransaction" => under_way::freeze(visit, false).await,
    "setTransactionConfirmationThreshold" => under_way::threshold(visit).await,
    "setConfirmationThresholdByTransactionHash" => under_way::threshold_by_hash(visit).await,
}
