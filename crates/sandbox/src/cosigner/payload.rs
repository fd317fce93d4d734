//! What a co-signer says of a transaction to its callback handler (`tx_sign_request`).

use protocol::amount::Amount;
use protocol::model::transaction::{Peer, PeerKind, Transaction};
use serde_json::{Number, Value, json};

use crate::flight::Flight;
use crate::hall::Hall;
use crate::operations::mpc_id;
use crate::world::assets;

/// The claims of the question. Of one that is about approval alone, without what is known once
/// the transaction is built.
pub(super) fn claims(
    hall: &Hall,
    transaction: &Transaction,
    flight: &Flight,
    signer: &str,
    signing: bool,
) -> Value {
    let amounts = &transaction.amount_info;
    let asset = assets::find(&transaction.asset_id);
    let decimals = asset.map_or(0, |asset| usize::from(asset.decimals));
    let amount = amounts.amount.clone().unwrap_or_default();
    let requested = amounts
        .requested_amount
        .clone()
        .unwrap_or_else(|| amount.clone());
    let one_time = transaction.destination.kind == PeerKind::OneTimeAddress;
    // The parties of the signer's key: two of Fireblocks', and its own.
    let own = format!("player:{signer}");
    let players = ["player:1", "player:2", &own].map(|of| mpc_id(hall, of));
    let mut claims = json!({
        "txId": transaction.id,
        "requestId": transaction.id,
        "signerId": signer,
        "operation": transaction.operation,
        "sourceType": kind(&transaction.source),
        "sourceId": transaction.source.id.as_deref().unwrap_or_default(),
        "destType": kind(&transaction.destination),
        "destId": transaction.destination.id.as_deref().unwrap_or_default(),
        "asset": transaction.asset_id,
        "amount": number(&amount),
        "amountStr": padded(&amount, decimals),
        "requestedAmount": number(&requested),
        "requestedAmountStr": requested,
        "destAddressType": if one_time { "ONE_TIME" } else { "WHITELISTED" },
        "destAddress": flight.destination_address,
        "destinations": destinations(transaction, flight, signing),
        "players": players,
        "note": transaction.note,
    });
    if let Some(external) = &transaction.external_tx_id {
        claims["externalTxId"] = external.as_str().into();
    }
    if let Some(extra) = &transaction.extra_parameters {
        claims["extraParameters"] = extra.clone();
    }
    if signing {
        claims["fee"] = flight.fee.to_string().into();
    }
    claims
}

fn destinations(transaction: &Transaction, flight: &Flight, signing: bool) -> Vec<Value> {
    let usd = transaction.amount_info.amount_usd.clone();
    if transaction.destinations.is_empty() {
        let amount = transaction.amount_info.amount.clone().unwrap_or_default();
        let address = &flight.destination_address;
        let to = &transaction.destination;
        return vec![destination(to, &amount, usd.as_ref(), address, signing)];
    }
    let parts = transaction.destinations.iter();
    parts
        .map(|part| {
            let address = &part.destination_address;
            destination(&part.destination, &part.amount, None, address, signing)
        })
        .collect()
}

fn destination(
    peer: &Peer,
    amount: &Amount,
    usd: Option<&Amount>,
    address: &str,
    signing: bool,
) -> Value {
    let one_time = peer.kind == PeerKind::OneTimeAddress;
    let sub_type = match peer.kind {
        PeerKind::InternalWallet => "INTERNAL",
        PeerKind::ExternalWallet => "EXTERNAL",
        PeerKind::Contract => "CONTRACT",
        _ => peer.sub_type.as_str(),
    };
    let mut shown = json!({
        "amountNative": number(amount),
        "amountNativeStr": amount,
        "dstAddressType": if one_time { "ONE_TIME" } else { "WHITELISTED" },
        "dstId": peer.id.as_deref().unwrap_or_default(),
        "dstName": peer.name,
        "dstSubType": sub_type,
        "dstType": kind(peer),
    });
    if let Some(usd) = usd {
        shown["amountUSD"] = number(usd).into();
    }
    if one_time {
        shown["dstAddress"] = address.into();
    }
    if signing {
        shown["displayDstAddress"] = address.into();
    }
    shown
}

/// A peer's type, as co-signers call it.
fn kind(peer: &Peer) -> &'static str {
    match peer.kind {
        PeerKind::VaultAccount => "VAULT",
        PeerKind::ExchangeAccount => "EXCHANGE",
        PeerKind::InternalWallet
        | PeerKind::ExternalWallet
        | PeerKind::Contract
        | PeerKind::UnmanagedWallet => "UNMANAGED",
        other => other.as_str(),
    }
}

/// The deprecated number beside an amount.
fn number(amount: &Amount) -> Option<Number> {
    amount.to_string().parse().ok()
}

/// With all of the asset's places after the point.
fn padded(amount: &Amount, decimals: usize) -> String {
    let plain = amount.to_string();
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
    if decimals == 0 {
        return plain;
    }
    format!("{whole}.{part:0<decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_all_their_places() {
        let padded = |text: &str, decimals| padded(&text.parse().expect("an amount"), decimals);
        assert_eq!(padded("0.01", 18), "0.010000000000000000");
        assert_eq!(padded("7", 2), "7.00");
        assert_eq!(padded("7", 0), "7");
    }
}
