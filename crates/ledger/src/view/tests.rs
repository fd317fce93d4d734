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

/// Every kind of place outside the scope, with all that upstream tells beside it, before the chain has it
/// or after.
fn outside_of(public: bool) -> Vec<(Peer, Value)> {
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
            "status": match kind {
                PeerKind::ExchangeAccount => "PENDING_3RD_PARTY",
                PeerKind::FiatAccount => "PENDING_3RD_PARTY_MANUAL_APPROVAL",
                _ if public => "BROADCASTING",
                _ => "PENDING_SIGNATURE",
            },
            "subStatus": match kind {
                PeerKind::ExchangeAccount => "3RD_PARTY_PROCESSING",
                PeerKind::FiatAccount => "PENDING_3RD_PARTY_MANUAL_APPROVAL",
                _ => "",
            },
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

fn outside() -> Vec<(Peer, Value)> {
    outside_of(true)
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

fn all_alike(public: bool, of: impl Fn(&Peer, &Value) -> Transaction) {
    let all: Vec<_> = outside_of(public)
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
        let public = !hash.is_empty();
        all_alike(public, |peer, beside| {
            transaction(&own(), peer, beside, hash)
        });
        all_alike(public, |peer, beside| {
            transaction(peer, &own(), beside, hash)
        });
        all_alike(public, |peer, beside| {
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

/// Whatever status upstream gives a third party, its end too, is one that a stranger's transfer has.
#[test]
fn invariant_7_a_status_does_not_tell_who_is_on_the_other_side() {
    let (exchange, beside) = &outside()[1];
    assert_eq!(exchange.kind, PeerKind::ExchangeAccount);
    for (status, said, hash, shown) in [
        (
            "PENDING_3RD_PARTY",
            "3RD_PARTY_PROCESSING",
            "",
            ("PENDING_SIGNATURE", ""),
        ),
        ("PENDING_3RD_PARTY", "", "0xabc", ("BROADCASTING", "")),
        (
            "PENDING_3RD_PARTY_MANUAL_APPROVAL",
            "PENDING_3RD_PARTY_MANUAL_APPROVAL",
            "",
            ("PENDING_SIGNATURE", ""),
        ),
        (
            "CONFIRMING",
            "3RD_PARTY_CONFIRMING",
            "0xabc",
            ("CONFIRMING", "PENDING_BLOCKCHAIN_CONFIRMATIONS"),
        ),
        (
            "COMPLETED",
            "COMPLETED_BUT_3RD_PARTY_FAILED",
            "0xabc",
            ("COMPLETED", "CONFIRMED"),
        ),
        (
            "CANCELLED",
            "3RD_PARTY_REJECTED",
            "",
            ("CANCELLED", "CANCELLED_BY_USER"),
        ),
        (
            "FAILED",
            "ADDRESS_NOT_WHITELISTED",
            "",
            ("FAILED", "INTERNAL_ERROR"),
        ),
        (
            "FAILED",
            "INSUFFICIENT_FUNDS",
            "",
            ("FAILED", "INSUFFICIENT_FUNDS"),
        ),
    ] {
        let said = |source: &Peer, destination: &Peer| {
            let mut one = transaction(source, destination, beside, hash);
            one.status = status.parse().expect("a status");
            one.sub_status = said.to_owned();
            one
        };
        for one in [said(exchange, &own()), said(&own(), exchange)] {
            let masked = seen(&one).0;
            assert_eq!((masked.status.as_str(), masked.sub_status.as_str()), shown);
            // The digest is the same for who sees the other side and who does not.
            let of_own = |one: &Transaction| {
                let all = crate::digest::of_transaction(one).into_iter();
                all.filter(|(cell, _)| cell.account == VaultAccountId::new(1))
                    .collect::<Vec<_>>()
            };
            assert_eq!(of_own(&masked), of_own(&one));
            let known = with(|part| {
                part.exchange_accounts = [Uuid::from_u128(9).to_string()].into();
            });
            let known = view_transaction(&one, &of(None), &known).expect("seen");
            assert_eq!(
                known.get().status,
                one.status,
                "who sees the side sees its status"
            );
        }
    }
}

/// What goes to places outside is told by the chain alone: one inside learns of its own part.
#[test]
fn invariant_7_amounts_of_hidden_parts_are_seen_from_when_the_chain_has_them() {
    let (vault, beside) = &outside()[0];
    let amount = |text: &str| text.parse::<Amount>().expect("an amount");
    let part = |destination: &Peer, text: &str| DestinationPart {
        amount: amount(text),
        destination: destination.clone(),
        destination_address: String::new(),
    };
    let split = |source: &Peer, hash: &str| {
        let mut one = transaction(source, &Peer::UNKNOWN, beside, hash);
        one.destinations = vec![part(&own(), "0.0001"), part(vault, "0.0088")];
        one.amount_info.amount = Some(amount("0.0089"));
        one.amount_info.requested_amount = Some(amount("0.0089"));
        one.amount_info.net_amount = Some(amount("0.0089"));
        one.amount_info.amount_usd = Some(amount("3.17"));
        one.nonce = Some("1717".to_owned());
        one
    };
    let (before, text) = seen(&split(vault, ""));
    for hidden in ["0.0088", "0.0089", "3.17", "0.01\"", "1717"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    assert_eq!(before.destinations.len(), 1);
    assert_eq!(before.amount_info.amount, Some(amount("0.0001")));
    assert_eq!(before.amount_info.requested_amount, Some(amount("0.0001")));
    assert_eq!(before.amount_info.net_amount, None);
    // Seen once more, by who holds nothing but this, it stays so.
    let again = view_transaction(&before, &of(None), &scope()).expect("seen");
    assert_eq!(*again.get(), before);
    let after = seen(&split(vault, "0xabc")).0;
    assert_eq!(after.amount_info, split(vault, "0xabc").amount_info);
    assert_eq!(after.destinations[1].amount, amount("0.0088"));
    // Of one's own wallet it is known what leaves it, and not how it is split among others.
    let out = seen(&split(&own(), "")).0;
    assert_eq!(out.amount_info.amount, Some(amount("0.0089")));
    assert_eq!(out.destinations, [part(&own(), "0.0001")]);
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
    let seen = view_asset(&asset, false, &whole).expect("seen");
    assert_eq!(seen.get().as_ref(), &asset);
    let seen = view_asset(&asset, false, &scope()).expect("seen");
    assert_eq!(seen.get().metadata.note, None);
    assert_eq!(seen.get().legacy_id, asset.legacy_id);
}

/// A scope of account 1 with one dimension set otherwise, and everything else as usual.
fn with(change: impl FnOnce(&mut PartScope)) -> Scope {
    let mut part = scope().as_part().expect("a part").clone();
    change(&mut part);
    Scope::part(WorkspaceId(Uuid::from_u128(7)), part).for_reader("acme")
}

fn of(proposer: Option<&str>) -> Origin {
    Origin {
        upstream_id: None,
        proposer: proposer.map(str::to_owned),
        created_by: None,
    }
}

fn printed(transaction: &Transaction, origin: &Origin, scope: &Scope) -> Option<String> {
    let seen = view_transaction(transaction, origin, scope)?;
    Some(serde_json::to_string(seen.get()).expect("JSON"))
}

/// A transfer where every word can be found again.
fn worded() -> Transaction {
    let (_, beside) = &outside()[0];
    let mut one = transaction(&own(), &own(), beside, "0xabc");
    one.note = "the-note".to_owned();
    one.customer_ref_id = Some("the-reference".to_owned());
    one.external_tx_id = Some("the-external".to_owned());
    one.created_by = "the-maker".to_owned();
    one.signed_by = vec!["the-signer".to_owned()];
    one.rejected_by = "the-refuser".to_owned();
    one.amount_info.amount_usd = Some("987654.321".parse().expect("an amount"));
    one
}

#[test]
fn invariant_7_worth_in_usd_is_shown_unless_it_is_not_granted() {
    let usual = printed(&worded(), &of(None), &scope()).expect("seen");
    assert!(usual.contains("987654.321"));
    let hidden = with(|part| part.shown.usd = false);
    let seen = printed(&worded(), &of(None), &hidden).expect("seen");
    assert!(!seen.contains("987654"), "{seen}");
}

#[test]
fn invariant_7_notes_and_users_are_shown_where_they_are_granted_alone() {
    let (notes, users) = (
        ["the-note", "the-reference"],
        ["the-maker", "the-signer", "the-refuser"],
    );
    let has = |scope: &Scope, origin: &Origin, word: &str| {
        printed(&worded(), origin, scope)
            .expect("seen")
            .contains(word)
    };
    let (plain, noted, named) = (
        with(|_| {}),
        with(|part| part.shown.notes = true),
        with(|part| part.shown.users = true),
    );
    for word in notes {
        assert!(!has(&plain, &of(None), word) && !has(&named, &of(Some("other")), word));
        assert!(has(&noted, &of(None), word));
        assert!(has(&plain, &of(Some("acme")), word), "its own words");
    }
    for word in users {
        assert!(!has(&plain, &of(Some("other")), word) && !has(&noted, &of(None), word));
        assert!(has(&named, &of(None), word));
        // That it made what it proposed, it may see.
        assert_eq!(has(&plain, &of(Some("acme")), word), word == "the-maker");
    }
    // Another initiator's own id is nobody else's, whatever is granted.
    for scope in [&plain, &noted, &named] {
        assert!(!has(scope, &of(Some("other")), "the-external"));
    }
}

#[test]
fn invariant_7_other_peoples_transactions_are_not_seen_where_only_own_are_granted() {
    let own_alone = with(|part| part.only_of = Some("acme".to_owned()));
    assert!(printed(&worded(), &of(Some("acme")), &own_alone).is_some());
    for others in [None, Some("other"), Some("")] {
        assert_eq!(printed(&worded(), &of(others), &own_alone), None);
    }
}

#[test]
fn invariant_7_a_direction_that_is_not_granted_is_not_seen() {
    let (foreign, beside) = &outside()[0];
    let into = transaction(foreign, &own(), beside, "0xabc");
    let out = transaction(&own(), foreign, beside, "0xabc");
    let within = transaction(&own(), &own(), beside, "0xabc");
    // In parts: one stays, one leaves. Hidden if either way is.
    let mut parts = transaction(&own(), &Peer::UNKNOWN, beside, "0xabc");
    parts.destinations = [own(), foreign.clone()]
        .into_iter()
        .map(|destination| DestinationPart {
            amount: "1".parse().expect("an amount"),
            destination,
            destination_address: String::new(),
        })
        .collect();
    for bits in 0..8_u8 {
        let ways = crate::Directions {
            incoming: bits & 1 != 0,
            outgoing: bits & 2 != 0,
            internal: bits & 4 != 0,
        };
        let scope = with(|part| part.directions = ways);
        let seen = |one: &Transaction| printed(one, &of(None), &scope).is_some();
        assert_eq!(seen(&into), ways.incoming, "{ways:?}");
        assert_eq!(seen(&out), ways.outgoing, "{ways:?}");
        assert_eq!(seen(&within), ways.internal, "{ways:?}");
        assert_eq!(seen(&parts), ways.outgoing && ways.internal, "{ways:?}");
    }
}

#[test]
fn invariant_7_an_exchange_or_a_bank_is_named_where_it_is_granted_alone() {
    let id = Uuid::from_u128(9).to_string();
    for (peer, beside) in outside() {
        let one = transaction(&own(), &peer, &beside, "0xabc");
        let named = |scope: &Scope| {
            let seen = view_transaction(&one, &of(None), scope).expect("seen");
            seen.get().destination != Peer::UNKNOWN
        };
        let exchange = with(|part| part.exchange_accounts = [id.clone()].into());
        let bank = with(|part| part.fiat_accounts = [id.clone()].into());
        assert!(!named(&with(|_| {})), "{:?}", peer.kind);
        assert_eq!(named(&exchange), peer.kind == PeerKind::ExchangeAccount);
        assert_eq!(named(&bank), peer.kind == PeerKind::FiatAccount);
    }
}

/// A part that says nothing of the newer dimensions is what it was, by name and by what it shows.
#[test]
fn the_usual_is_not_written_down_and_every_dimension_changes_the_scopes_name() {
    let usual = serde_json::to_value(scope().as_part()).expect("JSON");
    let names: Vec<_> = usual.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["accounts", "assets", "whitelists"]);
    let changes: [fn(&mut PartScope); 8] = [
        |part| part.history_from = Some(Millis(0)),
        |part| part.exchange_accounts = ["x".to_owned()].into(),
        |part| part.fiat_accounts = ["x".to_owned()].into(),
        |part| part.directions.incoming = false,
        |part| part.directions.outgoing = false,
        |part| part.shown.usd = false,
        |part| part.shown.notes = true,
        |part| part.only_of = Some("acme".to_owned()),
    ];
    let mut ids: BTreeSet<_> = changes.map(|change| with(change).id()).into();
    assert!(ids.insert(with(|part| part.shown.users = true).id()));
    assert!(ids.insert(with(|part| part.directions.internal = false).id()));
    assert!(ids.insert(scope().id()));
    assert_eq!(ids.len(), changes.len() + 3);
    for change in changes {
        let scope = with(change);
        let text = serde_json::to_string(scope.as_part().expect("a part")).expect("JSON");
        let read: PartScope = serde_json::from_str(&text).expect("a part");
        assert_eq!(Some(&read), scope.as_part());
    }
}
