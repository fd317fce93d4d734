//! Of rules of the policy, which one counts.

use super::*;

/// First match counts: a rule before takes out what it surely matches, and no more.
#[test]
fn what_stands_after_a_rule_that_matches_all_of_it_lets_nothing_through() {
    use Verdict::{Broken, CannotBeSeen, Held};
    let id = uuid::Uuid::from_u128(1);
    let own = || json!({"users": [id]});
    let group = || json!({"groups": ["g"]});
    let with = |initiator: serde_json::Value, action: &str, more: serde_json::Value| {
        let mut rule = json!({"name": "r", "id": "1", "type": "TRANSFER", "initiator": initiator,
            "source": {"type": ["*"], "operator": "INCLUDES"},
            "destination": {"type": ["ANY"], "operator": "INCLUDES", "addressType": "*"},
            "amount": {"range": {"min": "0"}, "currency": "USD"},
            "verdict": {"action": action}});
        let more = more.as_object().expect("fields").clone();
        rule.as_object_mut().expect("a rule").extend(more);
        serde_json::from_value(rule).expect("a rule")
    };
    let all = || rule(json!("*"), "ALLOW");
    for (rules, verdict) in [
        // What posture itself tells people to do.
        (vec![rule(own(), "2-TIER"), all()], Held),
        (vec![rule(own(), "BLOCK"), all()], Held),
        (vec![rule(json!("*"), "BLOCK"), all()], Held),
        (vec![with(own(), "2-TIER", json!({})), all()], Held),
        (vec![all(), rule(own(), "2-TIER")], Broken),
        (
            vec![rule(json!({"users": ["else"]}), "BLOCK"), all()],
            Broken,
        ),
        (vec![rule(own(), "SCREEN"), all()], Broken),
        // Whether a group is the user's, nobody tells.
        (vec![rule(group(), "BLOCK"), all()], CannotBeSeen),
        (vec![rule(own(), "BLOCK"), rule(group(), "ALLOW")], Held),
        (vec![rule(group(), "ALLOW"), all()], Broken),
        (vec![rule(group(), "BLOCK")], Held),
    ] {
        let mut world = seen(vec![user(1, "acme", "EDITOR")]);
        world.rules = Ok(rules.clone());
        let (judged, told) = of(&judge(&world, &[]), "C7");
        assert_eq!(judged, verdict, "{told}: {rules:?}");
    }
    let eth = json!({"asset": {"nftTransfer": false, "assetTypes": ["ETH"]}});
    for narrow in [
        eth.clone(),
        json!({"asset": {"nftTransfer": false, "assetTypes": ["*"]}}),
        json!({"source": {"type": ["VAULT"]}}),
        json!({"source": {"tags": [{"id": "t"}]}}),
        json!({"destination": {"addressType": "WHITELISTED"}}),
        json!({"destination": {"ids": [{"type": "VAULT", "id": "1"}]}}),
        json!({"amount": {"range": {"min": "1000"}}}),
        json!({"amount": {"range": {"min": "0", "max": "1000"}}}),
        json!({"amountOverTime": {"range": {"min": "10"}, "currency": "USD", "timePeriod": {"seconds": "3600",
            "initiator": "PER_SINGLE_MATCH", "source": "PER_SINGLE_MATCH", "destination": "PER_SINGLE_MATCH"}}}),
        json!({"type": "CONTRACT_CALL"}),
        json!({"subType": "CONTRACT_CALL"}),
        json!({"method": {"methodCalls": ["0x1"]}}),
        json!({"programCall": {"allowedSolanaProgramCalls": "WHITELISTED"}}),
        json!({"derivationPath": {"path": [44]}}),
    ] {
        let stop = || with(own(), "2-TIER", narrow.clone());
        for (rules, verdict) in [
            (vec![stop(), all()], Broken),
            (
                vec![stop(), with(json!("*"), "ALLOW", narrow.clone())],
                Held,
            ),
            (vec![stop(), rule(own(), "2-TIER"), all()], Held),
            (vec![with(group(), "BLOCK", narrow.clone()), all()], Broken),
        ] {
            let mut world = seen(vec![user(1, "acme", "EDITOR")]);
            world.rules = Ok(rules);
            let (judged, told) = of(&judge(&world, &[]), "C7");
            assert_eq!(judged, verdict, "{told}: {narrow}");
        }
    }
    // All that is no NFT takes out ether.
    let fungible = json!({"asset": {"nftTransfer": false}});
    let mut world = seen(vec![user(1, "acme", "EDITOR")]);
    world.rules = Ok(vec![
        with(own(), "2-TIER", fungible),
        with(json!("*"), "ALLOW", eth),
    ]);
    assert_eq!(of(&judge(&world, &[]), "C7").0, Held);
}
