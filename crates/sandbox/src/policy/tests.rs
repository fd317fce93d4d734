//! The engine, by itself: both shapes, first match, windows, places.

use std::convert::Infallible;

use protocol::role::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::described::Shipped;
use crate::people;
use crate::policy::asked::Asked;
use crate::world::Network;
use protocol::model::transaction::Transaction;

pub(super) fn user(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

fn roster() -> Roster {
    let roles = [
        (1, Role::Signer),
        (2, Role::Editor),
        (3, Role::Viewer),
        (8, Role::Approver),
        (9, Role::Signer),
    ];
    Roster {
        roles: roles.map(|(id, role)| (user(id), role)).into(),
        groups: [
            ("desk".to_owned(), vec![user(1), user(2)]),
            ("board".to_owned(), vec![user(3), user(8), user(9)]),
        ]
        .into(),
    }
}

pub(super) fn transaction(by: &str, usd: &str, more: Value) -> Transaction {
    let mut doc = json!({
        "id": "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001", "status": "SUBMITTED", "assetId": "ETH",
        "source": {"type": "VAULT_ACCOUNT", "id": "1"},
        "destination": {"type": "VAULT_ACCOUNT", "id": "2"},
        "amountInfo": {"amount": "5", "amountUSD": usd},
        "createdBy": by, "createdAt": 1, "lastUpdated": 1,
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        doc[name] = value.clone();
    }
    serde_json::from_value(doc).expect("a transaction")
}

pub(super) fn legacy(changes: Value) -> Written {
    let mut rule = json!({
        "type": "TRANSFER", "transactionType": "TRANSFER", "action": "ALLOW", "asset": "*",
        "amountCurrency": "USD", "amountScope": "SINGLE_TX", "amount": "0", "periodSec": 0,
        "operators": {"wildcard": "*"}, "src": {"ids": [["*"]]}, "dst": {"ids": [["*"]]},
        "dstAddressType": "*",
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        rule[name] = value.clone();
    }
    Written::legacy(rule, || "an id".to_owned())
}

fn v2(changes: Value) -> Written {
    let mut rule = json!({
        "name": "a rule", "id": "r", "policyEngineVersion": "v2", "type": "TRANSFER",
        "initiator": "*", "source": {"operator": "INCLUDES"},
        "destination": {"operator": "INCLUDES", "addressType": "*"},
        "verdict": {"action": "ALLOW"},
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        rule[name] = value.clone();
    }
    Written::v2(rule)
}

fn read(rules: &[Written]) -> Vec<Option<Rule>> {
    let read = rules.iter().map(|rule| rule.read().expect("a rule"));
    read.collect()
}

/// What is said after these have been asked for, the whole of each.
pub(super) fn said_after(rules: &[Written], before: &[Transaction], now: &Transaction) -> Verdict {
    let asked = Asked::all(now).remove(0);
    let history = |_: &Rule, _: &Window, _: &Asked| {
        Ok::<_, Infallible>(before.iter().flat_map(Asked::all).collect())
    };
    let Ok(verdict) = judge(&read(rules), &roster(), &asked, history);
    verdict
}

fn said(rules: &[Written], transaction: &Transaction) -> Verdict {
    said_after(rules, &[], transaction)
}

fn fits(rule: &Written, transaction: &Transaction) -> bool {
    said(std::slice::from_ref(rule), transaction) != Verdict::Blocked { rule: None }
}

fn to(kind: &str, id: &str) -> Value {
    json!({"destination": {"type": kind, "id": id}})
}

#[test]
fn the_first_rule_that_matches_decides() {
    let workspace = people::workspace_id(Network::Mainnet);
    let policy = Shipped::Fund.plan(Network::Mainnet).policy(workspace);
    let mut text = Value::from(policy).to_string();
    for (name, number) in [("signer", 1), ("treasurer", 8), ("signing-officer", 9)] {
        let id = people::id_in(workspace, name).to_string();
        text = text.replace(&id, &user(number));
    }
    let rules: Vec<Value> = serde_json::from_str(&text).expect("rules");
    let rules: Vec<_> = rules
        .into_iter()
        .map(|rule| Written::legacy(rule, || "an id".to_owned()))
        .collect();
    let one_time = json!({"destination": {"type": "ONE_TIME_ADDRESS"}});
    let blocked = said(&rules, &transaction(&user(1), "1", one_time));
    assert_eq!(blocked, Verdict::Blocked { rule: Some(1) });
    let own = said(&rules, &transaction(&user(1), "1", json!({})));
    let goes = |approvers, signers| Verdict::Goes { approvers, signers };
    assert_eq!(own, goes(None, None));
    let others = said(&rules, &transaction("somebody", "1", json!({})));
    let treasurer = Approvers {
        logic: Logic::And,
        initiator_counts: false,
        groups: vec![ApproverGroup {
            users: vec![user(8)],
            threshold: 1,
        }],
    };
    assert_eq!(others, goes(Some(treasurer), Some(vec![user(9)])));
    let nothing = said(&[], &transaction(&user(1), "1", json!({})));
    assert_eq!(nothing, Verdict::Blocked { rule: None });
}

#[test]
fn a_rule_is_of_its_places_types_assets_and_amounts() {
    let rule = legacy(json!({
        "dst": {"ids": [["7", "UNMANAGED", "EXTERNAL"]]}, "amount": "1000",
    }));
    let decided =
        |usd: &str, kind: &str, id: &str| fits(&rule, &transaction("somebody", usd, to(kind, id)));
    assert!(decided("1000.01", "EXTERNAL_WALLET", "7"));
    assert!(
        !decided("1000", "EXTERNAL_WALLET", "7"),
        "it must be exceeded"
    );
    assert!(!decided("1000.01", "EXTERNAL_WALLET", "8"));
    assert!(!decided("1000.01", "INTERNAL_WALLET", "7"));
    let plain = |more| transaction("somebody", "10", more);
    assert!(!fits(&legacy(json!({"asset": "BTC"})), &plain(json!({}))));
    let euros = |amount: &str| legacy(json!({"amountCurrency": "EUR", "amount": amount}));
    assert!(fits(&euros("8.99"), &plain(json!({}))) && !fits(&euros("9"), &plain(json!({}))));
    let native = |amount: &str| legacy(json!({"amountCurrency": "NATIVE", "amount": amount}));
    assert!(fits(&native("4.9"), &plain(json!({}))) && !fits(&native("5"), &plain(json!({}))));
    let call = || plain(json!({"operation": "CONTRACT_CALL"}));
    let approve = || plain(json!({"operation": "APPROVE"}));
    assert!(!fits(&legacy(json!({})), &call()));
    let calls = legacy(json!({"transactionType": "CONTRACT_CALL", "applyForApprove": true}));
    assert!(fits(&calls, &call()) && fits(&calls, &approve()));
    let calls = legacy(json!({"transactionType": "CONTRACT_CALL"}));
    assert!(fits(&calls, &call()) && !fits(&calls, &approve()));
    let kraken = legacy(json!({"dst": {"ids": [["*", "EXCHANGE", "KRAKEN"]]}}));
    let exchange = |name: &str| {
        plain(json!({"destination": {"type": "EXCHANGE_ACCOUNT", "id": "e", "subType": name}}))
    };
    assert!(fits(&kraken, &exchange("Kraken")) && !fits(&kraken, &exchange("BINANCE")));
    let old = legacy(json!({"dst": null, "dstType": "VAULT", "dstId": "2"}));
    assert!(fits(&old, &plain(json!({}))));
}

#[test]
fn addresses_on_no_list_are_told_from_those_on_one() {
    let one_time = transaction("somebody", "1", to("ONE_TIME_ADDRESS", ""));
    let listed = transaction("somebody", "1", to("EXTERNAL_WALLET", "7"));
    for (word, takes_one_time, takes_listed) in [
        ("ONE_TIME", true, false),
        ("WHITELISTED", false, true),
        ("*", true, true),
    ] {
        let rule = legacy(json!({ "dstAddressType": word }));
        assert_eq!(fits(&rule, &one_time), takes_one_time, "{word}");
        assert_eq!(fits(&rule, &listed), takes_listed, "{word}");
        let to = json!({"operator": "INCLUDES", "addressType": word});
        let rule = v2(json!({ "destination": to }));
        assert_eq!(fits(&rule, &one_time), takes_one_time, "{word}");
        assert_eq!(fits(&rule, &listed), takes_listed, "{word}");
    }
    let unsaid = legacy(json!({"dstAddressType": null}));
    assert!(!fits(&unsaid, &one_time) && fits(&unsaid, &listed));
    let place = legacy(json!({
        "dstAddressType": null, "dst": {"ids": [["*", "ONE_TIME_ADDRESS"]]},
    }));
    assert!(fits(&place, &one_time) && !fits(&place, &listed));
}

#[test]
fn groups_stand_for_their_members_and_roles_for_what_they_can() {
    let rule = legacy(json!({
        "action": "2-TIER", "operators": {"usersGroups": ["desk"]},
        "designatedSigners": {"users": [user(2)], "usersGroups": ["board"]},
        "authorizationGroups": {"logic": "OR", "allowOperatorAsAuthorizer": true, "groups": [
            {"usersGroups": ["board"], "th": 2}, {"users": [user(1)], "th": 1},
        ]},
    }));
    assert!(!fits(&rule, &transaction(&user(9), "1", json!({}))));
    let Verdict::Goes {
        approvers: Some(approvers),
        signers,
    } = said(&[rule], &transaction(&user(2), "1", json!({})))
    else {
        panic!("it goes on")
    };
    assert_eq!(
        signers,
        Some(vec![user(9)]),
        "an Editor and an Approver sign nothing"
    );
    assert_eq!(
        (approvers.logic, approvers.initiator_counts),
        (Logic::Or, true)
    );
    assert_eq!(
        approvers.groups[0].users,
        [user(8), user(9)],
        "a Viewer approves nothing"
    );
}

#[test]
fn a_window_counts_what_fits_the_rule_whichever_rule_let_it_through() {
    let over_time = |of: &str| {
        legacy(json!({
            "action": "BLOCK", "amountScope": "TIMEFRAME", "amount": "100", "periodSec": 3600,
            "src": {"ids": [["*", "VAULT"]]},
            "amountAggregation": {"operators": of, "srcTransferPeers": of, "dstTransferPeers": of},
        }))
    };
    let number = std::cell::Cell::new(0_u128);
    let past = |by: &str, usd: &str, more: Value| {
        number.set(number.get() + 1);
        let mut one = transaction(by, usd, more);
        one.id = protocol::ids::TxId(Uuid::from_u128(number.get()));
        one
    };
    let now = transaction("me", "30", json!({}));
    let blocked = |of: &str, before: &[Transaction]| {
        let rules = [over_time(of), legacy(json!({}))];
        said_after(&rules, before, &now) == Verdict::Blocked { rule: Some(1) }
    };
    let all = "ACROSS_ALL_MATCHES";
    assert!(
        !blocked(all, &[past("me", "70", json!({}))]),
        "100 does not exceed 100"
    );
    assert!(blocked(all, &[past("me", "70.01", json!({}))]));
    assert!(blocked(
        all,
        &[past("me", "40", json!({})), past("other", "31", json!({}))]
    ));
    for status in ["BLOCKED", "CANCELLED", "REJECTED", "FAILED"] {
        let ended = past("me", "500", json!({ "status": status }));
        assert!(!blocked(all, &[ended]), "{status}");
    }
    let came_in = past("", "500", json!({"source": {"type": "UNKNOWN"}}));
    assert!(!blocked(all, &[came_in]));
    let each = "PER_SINGLE_MATCH";
    for other in [
        past("other", "500", json!({})),
        past(
            "me",
            "500",
            json!({"source": {"type": "VAULT_ACCOUNT", "id": "3"}}),
        ),
        past("me", "500", to("EXTERNAL_WALLET", "7")),
    ] {
        assert!(!blocked(each, std::slice::from_ref(&other)), "{other:?}");
        assert!(blocked(all, &[other]));
    }
    assert!(blocked(each, &[past("me", "70.01", json!({}))]));
    let newer = v2(json!({
        "verdict": {"action": "BLOCK"},
        "amountOverTime": {"currency": "USD", "range": {"min": "100", "max": "1000"}, "timePeriod": {
            "seconds": "3600", "initiator": all, "source": all, "destination": all,
        }},
    }));
    let said = |usd: &str| {
        said_after(
            std::slice::from_ref(&newer),
            &[past("me", usd, json!({}))],
            &now,
        )
    };
    assert_eq!(said("70.01"), Verdict::Blocked { rule: Some(1) });
    assert_eq!(
        said("970"),
        Verdict::Blocked { rule: Some(1) },
        "up to its end"
    );
    assert_eq!(
        said("970.01"),
        Verdict::Blocked { rule: None },
        "beyond its end"
    );
}

#[test]
fn a_newer_rule_is_of_its_places() {
    let from = |source: Value| {
        let mut source = source;
        source["operator"] = "INCLUDES".into();
        v2(json!({ "source": source }))
    };
    let one = transaction("somebody", "1", json!({}));
    assert!(fits(&from(json!({"type": ["VAULT"]})), &one));
    assert!(fits(
        &from(json!({"ids": [{"type": "VAULT", "id": "1"}]})),
        &one
    ));
    assert!(fits(
        &from(json!({"type": ["EXCHANGE"], "ids": [{"type": "VAULT", "id": "1"}]})),
        &one
    ));
    assert!(!fits(
        &from(json!({"ids": [{"type": "VAULT", "id": "2"}]})),
        &one
    ));
    assert!(!fits(&from(json!({"type": ["EXCHANGE"]})), &one));
    assert!(!fits(&from(json!({"tags": [{"id": "t"}]})), &one));
    let to_type = |kind: &str| {
        let to = json!({"operator": "INCLUDES", "addressType": "*", "type": [kind]});
        v2(json!({ "destination": to }))
    };
    let external = transaction("somebody", "1", to("EXTERNAL_WALLET", "7"));
    for (kind, takes) in [
        ("EXTERNAL", true),
        ("UNMANAGED", true),
        ("INTERNAL", false),
        ("*", true),
    ] {
        assert_eq!(fits(&to_type(kind), &external), takes, "{kind}");
    }
    let nfts = v2(json!({"asset": {"nftTransfer": true, "assetTypes": ["*"]}}));
    assert!(!fits(&nfts, &one));
    assert!(fits(
        &nfts,
        &transaction("somebody", "1", json!({"assetType": "ERC721"}))
    ));
}

#[test]
fn several_destinations_are_judged_one_by_one() {
    let rules = [
        legacy(json!({"action": "BLOCK", "dst": {"ids": [["7", "UNMANAGED"]]}})),
        legacy(json!({})),
    ];
    let parts = |ids: [&str; 2]| {
        let part =
            |id: &str| json!({"amount": "1", "destination": {"type": "EXTERNAL_WALLET", "id": id}});
        transaction("somebody", "1", json!({"destinations": ids.map(part)}))
    };
    let said = |ids| {
        let verdicts = Asked::all(&parts(ids)).into_iter().map(|asked| {
            let none = |_: &Rule, _: &Window, _: &Asked| Ok::<_, Infallible>(Vec::new());
            let Ok(verdict) = judge(&read(&rules), &roster(), &asked, none);
            verdict
        });
        verdicts.reduce(Verdict::and).expect("a verdict")
    };
    assert_eq!(said(["6", "7"]), Verdict::Blocked { rule: Some(1) });
    assert!(matches!(said(["6", "8"]), Verdict::Goes { .. }));
}

#[test]
fn what_cannot_be_a_rule_says_why() {
    let wrong = |changes: Value| legacy(changes).read().expect_err("a rule").len();
    assert_eq!(wrong(json!({"periodSec": 5})), 1);
    assert_eq!(wrong(json!({"amountScope": "TIMEFRAME"})), 1);
    assert_eq!(
        wrong(json!({"amount": "-1", "action": "2-TIER", "src": null})),
        3
    );
    assert_eq!(wrong(json!({"amount": "a lot"})), 1);
    assert_eq!(wrong(json!({"operators": null})), 1);
    let none = json!({"action": "2-TIER", "authorizationGroups": {"groups": [{"th": 0}]}});
    assert_eq!(wrong(none), 1);
    let wrong = |changes: Value| v2(changes).read().expect_err("a rule").len();
    assert_eq!(wrong(json!({"verdict": {"action": "SCREEN"}})), 1);
    assert_eq!(
        wrong(json!({"amount": {"range": {"min": "5", "max": "4"}}})),
        1
    );
    assert_eq!(
        wrong(json!({"method": {"methodCalls": ["0x1"], "operator": "EXACT"}})),
        1
    );
    let screening = v2(json!({"type": "COMPLIANCE", "verdict": {"action": "SCREEN"}}));
    assert_eq!(screening.read(), Ok(None), "it judges no transactions");
}
