use protocol::ids::{NotificationId, TxId, WorkspaceId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::translate::AsItIs;
use ledger::change::Origin;

fn envelope(event: &str, at: i64, data: &Value) -> Envelope {
    Envelope {
        id: NotificationId(Uuid::from_u128(1)),
        resource_id: None,
        webhook_id: None,
        workspace_id: WorkspaceId(Uuid::from_u128(2)),
        event_type: event.parse().expect("a type"),
        created_at: Millis(at),
        data: serde_json::value::to_raw_value(data).expect("json"),
    }
}

fn balance_event(at: i64, total: &str) -> Envelope {
    let data = json!({"vaultAccountId": 7, "assetId": "ETH", "total": total, "pending": "1", "frozen": "0.5",
        "staked": "0", "lockedAmount": "0", "blockHeight": "9", "blockHash": null});
    envelope("vault_account.asset.balance_updated", at, &data)
}

fn added(at: i64) -> Envelope {
    let data = json!({"accountId": "7", "accountName": "x", "assetId": "ETH"});
    envelope("vault_account.asset.added", at, &data)
}

fn of(envelope: &Envelope, known: &Known) -> Effects {
    effects(envelope, known, &AsItIs).expect("understood")
}

fn key() -> (VaultAccountId, AssetId) {
    (VaultAccountId::new(7), "ETH".parse().expect("an asset"))
}

#[test]
fn a_balance_keeps_when_its_wallet_was_made() {
    let mut known = Known::default();
    let first = of(&added(10), &known);
    assert!(
        matches!(&first.changes[..], [(version, Change::Wallet(_, facts))]
        if *version == Version { time: Millis(10), rank: -1 } && facts.balance.total.is_zero())
    );
    assert!(first.walk.contains(&Area::AddressesOf(key().0, key().1)));
    known.learn(&first);
    let second = of(&balance_event(10, "4"), &known);
    let [(version, Change::Wallet(account, facts))] = &second.changes[..] else {
        panic!("{second:?}")
    };
    assert!(
        *version > first.changes[0].0,
        "of the same moment, the balance stays"
    );
    assert_eq!((*account, facts.created_at), (key().0, Millis(10)));
    assert_eq!(facts.balance.available.to_string(), "2.5");
    assert!(second.walk.is_empty());
    assert_eq!(
        of(&added(20), &known).changes,
        [],
        "a wallet that is known is not emptied"
    );
}

#[test]
fn a_balance_of_an_unknown_wallet_asks_for_a_look() {
    let effects = of(&balance_event(10, "4"), &Known::default());
    assert_eq!(effects.changes.len(), 1);
    assert_eq!(
        effects.walk,
        BTreeSet::from([Area::AssetWallets, Area::AddressesOf(key().0, key().1)])
    );
}

#[test]
fn an_account_is_made_once() {
    let made = envelope(
        "vault_account.created",
        5,
        &json!({"id": "7", "name": "x", "hiddenOnUI": false, "assets": []}),
    );
    let mut known = Known::default();
    let effects = of(&made, &known);
    assert!(
        matches!(&effects.changes[..], [(version, Change::Account(facts))]
        if version.time == Millis(5) && facts.name == "x")
    );
    known.learn(&effects);
    assert_eq!(of(&made, &known), Effects::default());
}

#[test]
fn a_transaction_is_translated_before_its_version_is_taken() {
    struct Proposal;
    impl Translate for Proposal {
        fn transaction(&self, mut transaction: Transaction) -> (Transaction, Origin) {
            let upstream_id = Some(transaction.id);
            transaction.id = TxId(Uuid::from_u128(99));
            transaction.last_updated = Millis(77);
            (
                transaction,
                Origin {
                    upstream_id,
                    proposer: Some("c".to_owned()),
                    created_by: None,
                },
            )
        }
    }
    let data = json!({"id": Uuid::from_u128(3), "status": "CONFIRMING", "assetId": "ETH", "source": {"type": "UNKNOWN"},
        "createdAt": 1, "lastUpdated": 2, "feeInfo": {"networkFee": 0.1}});
    for event in [
        "transaction.created",
        "transaction.status.updated",
        "transaction.approval_status.updated",
        "transaction.network_records.processing_completed",
    ] {
        let effects =
            effects(&envelope(event, 50, &data), &Known::default(), &Proposal).expect("understood");
        let [(version, Change::Transaction(transaction, origin))] = &effects.changes[..] else {
            panic!("{effects:?}")
        };
        assert_eq!(version.time, Millis(77));
        assert_eq!(transaction.id, TxId(Uuid::from_u128(99)));
        assert_eq!(origin.upstream_id, Some(TxId(Uuid::from_u128(3))));
    }
}

#[test]
fn whitelists_are_looked_at_and_other_events_mean_nothing() {
    let data = json!({"assetId": "ETH", "walletId": Uuid::from_u128(4), "walletName": "w", "address": "0x"});
    for list in ["external", "internal", "contract"] {
        for what in ["added", "removed"] {
            let event = envelope(&format!("{list}_wallet.asset.{what}"), 1, &data);
            let effects = of(&event, &Known::default());
            assert_eq!(effects.walk, BTreeSet::from([Area::Whitelists]));
            assert_eq!(effects.changes, []);
        }
    }
    for event in ["ticket.created", "vault_account.nft.balance_updated"] {
        let odd = envelope(event, 1, &json!(7));
        assert_eq!(of(&odd, &Known::default()), Effects::default());
    }
}

#[test]
fn what_cannot_be_read_says_so() {
    for event in [
        "transaction.created",
        "vault_account.created",
        "vault_account.asset.added",
        "vault_account.asset.balance_updated",
        "external_wallet.asset.added",
    ] {
        let error = effects(&envelope(event, 1, &json!({})), &Known::default(), &AsItIs);
        assert_eq!(error.expect_err("not understood").event.as_str(), event);
    }
    let much = format!("-{}", "9".repeat(40));
    assert!(effects(&balance_event(1, &much), &Known::default(), &AsItIs).is_err());
}
