//! What a mask hides, nothing beside it tells.

use std::collections::BTreeSet;

use protocol::ids::{TxId, WorkspaceId};
use protocol::model::transaction::DestinationPart;
use protocol::time::Millis;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::scope::PartScope;

fn scope() -> Scope {
    let part = PartScope {
        accounts: BTreeSet::from([VaultAccountId::new(1)]),
        ..PartScope::default()
    };
    Scope::part(WorkspaceId(Uuid::from_u128(7)), part)
}

/// Every kind of place outside the scope, with all that upstream tells beside it.
fn outside() -> Vec<(Peer, Value)> {
    let dressed = |kind: PeerKind| {
        let peer = Peer {
            kind,
            id: Some(match kind {
                PeerKind::VaultAccount => "9".to_owned(),
                _ => Uuid::from_u128(9).to_string(),
            }),
            name: format!("the {}", kind.as_str()),
            sub_type: kind.as_str().to_owned(),
        };
        let beside = json!({
            "addressType": match kind {
                PeerKind::InternalWallet | PeerKind::ExternalWallet | PeerKind::Contract => "WHITELISTED",
                PeerKind::OneTimeAddress => "ONE_TIME",
                _ => "",
            },
            "destinationAddressDescription": format!("{} of a friend", kind.as_str()),
            "exchangeTxId": match kind { PeerKind::ExchangeAccount => "exchange-1", _ => "" },
            "feeInfo": match kind {
                PeerKind::ExchangeAccount | PeerKind::FiatAccount => json!({"networkFee": "0.01", "serviceFee": "2"}),
                _ => json!({"networkFee": "0.01"}),
            },
            "errorDescription": format!("the {} did not answer", kind.as_str()),
            "customerRefId": kind.as_str(),
            "createdBy": kind.as_str(),
            "signedBy": [kind.as_str()],
            "rejectedBy": kind.as_str(),
            "note": kind.as_str(),
            "externalTxId": kind.as_str(),
            "extraParameters": {"contractCallData": kind.as_str()},
            "signedMessages": [{"content": kind.as_str()}],
            "authorizationInfo": {"logic": "AND", "groups": [{"th": 1, "users": {(kind.as_str()): "APPROVED"}}]},
        });
        (peer, beside)
    };
    PeerKind::ALL.into_iter().map(dressed).collect()
}

fn transaction(source: &Peer, destination: &Peer, beside: &Value, hash: &str) -> Transaction {
    let asset = "ETH".parse().expect("an asset");
    let base = Transaction::new(TxId(Uuid::from_u128(1)), asset, Millis(1_000));
    let mut doc = serde_json::to_value(base).expect("JSON");
    for (name, value) in beside.as_object().expect("an object") {
        doc[name] = value.clone();
    }
    doc["source"] = json!(source);
    doc["destination"] = json!(destination);
    doc["txHash"] = json!(hash);
    serde_json::from_value(doc).expect("a transaction")
}

fn own() -> Peer {
    Peer {
        kind: PeerKind::VaultAccount,
        id: Some("1".to_owned()),
        name: "Ours".to_owned(),
        sub_type: String::new(),
    }
}

/// As every way out gives it: answers and webhooks by its JSON, reports from the value.
fn seen(transaction: &Transaction) -> (Transaction, String) {
    let seen = view_transaction(transaction, &Origin::default(), &scope());
    let seen = seen.expect("it is in scope").into_inner();
    let bytes = serde_json::to_string(&seen).expect("JSON");
    (seen, bytes)
}

fn all_alike(of: impl Fn(&Peer, &Value) -> Transaction) {
    let all: Vec<_> = outside()
        .iter()
        .map(|(peer, beside)| (peer.kind, seen(&of(peer, beside))))
        .collect();
    for (kind, one) in &all {
        assert_eq!(*one, all[0].1, "{kind:?} is told from {:?}", all[0].0);
    }
}

#[test]
fn invariant_7_counterparts_of_different_kinds_give_the_same_bytes() {
    for hash in ["", "0xabc"] {
        all_alike(|peer, beside| transaction(&own(), peer, beside, hash));
        all_alike(|peer, beside| transaction(peer, &own(), beside, hash));
        all_alike(|peer, beside| {
            let part = |destination: &Peer, address: &str| DestinationPart {
                amount: "1".parse().expect("an amount"),
                destination: destination.clone(),
                destination_address: address.to_owned(),
            };
            Transaction {
                destinations: vec![part(&own(), "ours"), part(peer, "theirs")],
                ..transaction(&own(), &Peer::UNKNOWN, beside, hash)
            }
        });
    }
}

/// A whitelist knows an address before the chain does; a deposit's sender is known by the chain alone.
#[test]
fn invariant_7_a_counterparts_address_is_seen_from_when_the_chain_has_it() {
    let (peer, beside) = &outside()[0];
    let addressed = |hash: &str| Transaction {
        destination_address: "theirs".to_owned(),
        destination_tag: "17".to_owned(),
        source_address: "ours".to_owned(),
        ..transaction(&own(), peer, beside, hash)
    };
    let before = seen(&addressed("")).0;
    assert_eq!(before.destination_address + &before.destination_tag, "");
    assert_eq!(before.source_address, "ours");
    let after = seen(&addressed("0xabc")).0;
    assert_eq!(after.destination_address, "theirs");
    assert_eq!(after.destination_tag, "17");
}

/// Between two places of the scope there is nothing to hide.
#[test]
fn what_is_all_in_scope_keeps_its_words() {
    let (_, beside) = &outside()[0];
    let mut within = transaction(&own(), &own(), beside, "");
    within.address_type = "WHITELISTED".to_owned();
    let seen = seen(&within).0;
    assert_eq!(seen.address_type, "WHITELISTED");
    assert_eq!(seen.error_description, within.error_description);
}

#[test]
fn what_people_wrote_on_an_asset_is_for_who_sees_the_whole() {
    let asset: Asset = serde_json::from_value(json!({
        "id": Uuid::from_u128(1), "legacyId": "BTC", "displayName": "Bitcoin", "displaySymbol": "BTC",
        "assetClass": "NATIVE",
        "metadata": {"scope": "GLOBAL", "verified": true, "deprecated": false, "note": {
            "text": "ours", "userId": "1", "userName": "somebody", "updatedAt": "2026-01-01T00:00:00.000Z",
        }},
    }))
    .expect("an asset");
    let whole = Scope::whole(WorkspaceId(Uuid::from_u128(7)));
    assert_eq!(view_asset(&asset, &whole).get().as_ref(), &asset);
    let seen = view_asset(&asset, &scope());
    assert_eq!(seen.get().metadata.note, None);
    assert_eq!(seen.get().legacy_id, asset.legacy_id);
}
