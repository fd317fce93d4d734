//! What holds of any policy.

use proptest::prelude::*;
use protocol::ids::TxId;
use protocol::model::transaction::Transaction;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Verdict;
use super::tests::{legacy, said_after, transaction, user};
use super::written::Written;

fn places() -> impl Strategy<Value = Value> {
    let id = prop_oneof![Just("*"), Just("1"), Just("2"), Just("7")];
    let kind = prop_oneof![
        Just("*"),
        Just("VAULT"),
        Just("UNMANAGED"),
        Just("ONE_TIME_ADDRESS")
    ];
    let sub = prop_oneof![Just("*"), Just("EXTERNAL"), Just("INTERNAL")];
    let place = (id, kind, sub, 1_usize..=3).prop_map(|(id, kind, sub, len)| {
        json!([id, kind, sub].into_iter().take(len).collect::<Vec<_>>())
    });
    prop::collection::vec(place, 1..3).prop_map(|ids| json!({ "ids": ids }))
}

fn rules() -> impl Strategy<Value = Written> {
    let kind = prop_oneof![Just("TRANSFER"), Just("CONTRACT_CALL"), Just("APPROVE")];
    let who = prop_oneof![
        Just(json!({"wildcard": "*"})),
        Just(json!({"users": [user(1)]})),
        Just(json!({"usersGroups": ["desk"]})),
    ];
    let action = prop_oneof![Just("ALLOW"), Just("BLOCK"), Just("2-TIER")];
    let address = prop_oneof![Just("*"), Just("WHITELISTED"), Just("ONE_TIME")];
    let of = prop_oneof![Just("PER_SINGLE_MATCH"), Just("ACROSS_ALL_MATCHES")];
    let amount = (
        0_u32..40,
        prop_oneof![Just("USD"), Just("EUR"), Just("NATIVE")],
    );
    (kind, who, action, address, places(), places(), amount, prop::option::of(of), any::<bool>())
        .prop_map(|(kind, who, action, address, src, dst, (amount, currency), of, more)| {
            legacy(json!({
                "transactionType": kind, "operators": who, "action": action,
                "dstAddressType": address, "src": src, "dst": dst, "amount": amount.to_string(),
                "amountCurrency": currency, "applyForApprove": more,
                "asset": if more { "*" } else { "ETH" },
                "amountScope": if of.is_some() { "TIMEFRAME" } else { "SINGLE_TX" },
                "periodSec": if of.is_some() { 60 } else { 0 },
                "amountAggregation": {"operators": of, "srcTransferPeers": of, "dstTransferPeers": of},
                "designatedSigners": if more { json!({"usersGroups": ["board"]}) } else { Value::Null },
                "authorizationGroups": {"logic": if more { "OR" } else { "AND" }, "groups": [
                    {"users": [user(8)], "th": 1}, {"usersGroups": ["board"], "th": 2},
                ]},
            }))
        })
}

fn transactions() -> impl Strategy<Value = Transaction> {
    let kind = prop_oneof![Just("TRANSFER"), Just("CONTRACT_CALL"), Just("APPROVE")];
    let peer = prop_oneof![
        Just("VAULT_ACCOUNT"),
        Just("EXTERNAL_WALLET"),
        Just("INTERNAL_WALLET"),
        Just("ONE_TIME_ADDRESS"),
    ];
    let id = || prop_oneof![Just("1"), Just("2"), Just("7")];
    (kind, 1_u128..4, 0_u32..60, peer, id(), id(), any::<u128>()).prop_map(
        |(kind, by, usd, peer, from, to, number)| {
            let mut one = transaction(
                &user(by),
                &usd.to_string(),
                json!({
                    "operation": kind, "source": {"type": "VAULT_ACCOUNT", "id": from},
                    "destination": {"type": peer, "id": to},
                }),
            );
            one.id = TxId(Uuid::from_u128(number));
            one
        },
    )
}

proptest! {
    /// A rule says the same in both shapes, and printing it and reading it again changes nothing.
    #[test]
    fn both_shapes_say_the_same(
        rule in rules(), before in prop::collection::vec(transactions(), 0..6), now in transactions()
    ) {
        let newer = Written::v2(rule.as_v2().expect("a newer rule"));
        let own = rule.read().expect("a rule").expect("a rule");
        let read = newer.read().expect("a rule").expect("a rule");
        prop_assert_eq!(&own.action, &read.action);
        let verdict = |rule: &Written| said_after(std::slice::from_ref(rule), &before, &now);
        prop_assert_eq!(verdict(&rule), verdict(&newer));
        let back = Written::legacy(newer.as_legacy().expect("an older rule"), String::new);
        prop_assert_eq!(verdict(&rule), verdict(&back));
    }

    /// What a policy says is what the first of its rules that says anything says.
    #[test]
    fn the_first_that_matches_decides_whatever_follows(
        rules in prop::collection::vec(rules(), 0..6),
        before in prop::collection::vec(transactions(), 0..6), now in transactions()
    ) {
        let alone = |rule: &Written| said_after(std::slice::from_ref(rule), &before, &now);
        let first = rules.iter().map(alone).enumerate().find(|(_, said)| *said != Verdict::Blocked { rule: None });
        let expected = match first {
            None => Verdict::Blocked { rule: None },
            Some((at, Verdict::Blocked { .. })) => Verdict::Blocked { rule: Some(at + 1) },
            Some((_, goes)) => goes,
        };
        prop_assert_eq!(said_after(&rules, &before, &now), expected);
    }

    /// A window's rule that matches goes on matching when more was asked for before.
    #[test]
    fn more_before_never_unblocks(
        rule in rules(), before in prop::collection::vec(transactions(), 0..6),
        more in transactions(), now in transactions()
    ) {
        let blocks = |before: &[Transaction]| {
            said_after(std::slice::from_ref(&rule), before, &now) != Verdict::Blocked { rule: None }
        };
        let mut longer = before.clone();
        longer.push(more);
        prop_assert!(!blocks(&before) || blocks(&longer));
    }
}
