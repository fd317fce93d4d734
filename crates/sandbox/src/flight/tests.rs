//! Every state that acts can lead to is visited: money is neither made nor lost on any way.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::policy::{ApproverGroup, Approvers, Logic};

const INITIATOR: &str = "initiator";
const APPROVER: &str = "approver";
const SECOND: &str = "second approver";
const SIGNER: &str = "signer";

fn amount(text: &str) -> Amount {
    text.parse().expect("an amount")
}

fn transaction(gross: bool) -> Transaction {
    let net = if gross { "4.5" } else { "5" };
    serde_json::from_value(json!({
        "id": "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001", "status": "SUBMITTED", "assetId": "ETH",
        "source": {"type": "VAULT_ACCOUNT", "id": "1"},
        "destination": {"type": "VAULT_ACCOUNT", "id": "2"},
        "amountInfo": {"amount": "5", "netAmount": net},
        "treatAsGrossAmount": gross, "createdBy": INITIATOR, "createdAt": 1, "lastUpdated": 1,
    }))
    .expect("a transaction")
}

fn flight(initiator_signs: bool) -> Flight {
    Flight {
        initiator_signs,
        source_address: "from".to_owned(),
        destination_address: "to".to_owned(),
        ..Flight::costing(amount("0.5"), "ETH".parse().expect("an asset"))
    }
}

fn signs(user: &str) -> Act {
    let signed = Signed::Sent {
        hash: "hash".to_owned(),
        nonce: None,
    };
    Act::Sign {
        user: user.to_owned(),
        signed,
    }
}

fn fails(sub_status: &str) -> Act {
    Act::Fail {
        sub_status: sub_status.to_owned(),
    }
}

fn goes(groups: &[(&[&str], u32)], signer: Option<&str>) -> Act {
    asks(Logic::And, groups, signer.map(|signer| vec![signer]))
}

fn asks(logic: Logic, groups: &[(&[&str], u32)], signers: Option<Vec<&str>>) -> Act {
    let names = |users: &[&str]| users.iter().map(|user| (*user).to_owned()).collect();
    let group = |(users, threshold): &(&[&str], u32)| ApproverGroup {
        users: names(users),
        threshold: *threshold,
    };
    Act::Judge(Verdict::Goes {
        approvers: (!groups.is_empty()).then(|| Approvers {
            logic,
            initiator_counts: false,
            groups: groups.iter().map(group).collect(),
        }),
        signers: signers.map(|signers| names(&signers)),
    })
}

fn acts() -> Vec<Act> {
    let mut acts = vec![
        Act::Judge(Verdict::Blocked { rule: None }),
        goes(&[], None),
        goes(&[(&[APPROVER], 1)], Some(SIGNER)),
        goes(&[(&[APPROVER, SECOND], 2)], Some(SIGNER)),
        goes(&[(&[APPROVER], 1), (&[SECOND], 1)], None),
        goes(&[(&[INITIATOR], 1)], Some(SIGNER)),
        asks(
            Logic::Or,
            &[(&[APPROVER], 1), (&[SECOND], 1)],
            Some(vec![SIGNER, SECOND]),
        ),
        Act::Turn,
        Act::Include {
            block: BlockInfo::default(),
        },
        fails("DROPPED_BY_BLOCKCHAIN"),
        fails("SMART_CONTRACT_EXECUTION_FAILED"),
        Act::Threshold(1),
        Act::Confirm,
        Act::Cancel,
        Act::Cancelled,
        Act::Expire,
    ];
    for user in [INITIATOR, APPROVER, SECOND, SIGNER, ""] {
        acts.push(Act::Approve(user.to_owned()));
        acts.push(Act::Reject(user.to_owned()));
        acts.push(signs(user));
    }
    acts
}

/// What both wallets hold, pot by pot.
type Pots = BTreeMap<(u32, &'static str), Amount>;

fn pot_name(pot: Pot) -> Option<&'static str> {
    match pot {
        Pot::Outside => None,
        Pot::Available => Some("available"),
        Pot::Pending => Some("pending"),
        Pot::Locked => Some("locked"),
        Pot::Frozen => Some("frozen"),
        Pot::Staked => Some("staked"),
    }
}

fn moved(mut pots: Pots, moves: &[Move]) -> Pots {
    for one in moves {
        let mut change = |pot: Pot, by: Amount| {
            if let Some(name) = pot_name(pot) {
                let held = pots.entry((one.account.number(), name)).or_default();
                *held = held.checked_add(&by).expect("an amount");
                assert!(!held.is_negative(), "{one:?} takes more than there is");
            }
        };
        change(one.from, -one.amount.clone());
        change(one.to, one.amount.clone());
    }
    pots.retain(|_, held| !held.is_zero());
    pots
}

fn begin(gross: bool, initiator_signs: bool) -> (Flight, Transaction, Pots) {
    let (flight, transaction) = (flight(initiator_signs), transaction(gross));
    let pots = Pots::from([((1, "available"), amount("10"))]);
    let held = outflow(&flight, &transaction, Pot::Available, Pot::Locked);
    let pots = moved(pots, &held);
    (flight, transaction, pots)
}

#[test]
fn no_way_makes_or_loses_money() {
    for (gross, initiator_signs) in [(false, false), (false, true), (true, false), (true, true)] {
        let (flight, transaction, pots) = begin(gross, initiator_signs);
        let mut seen = BTreeMap::new();
        let mut todo = vec![(flight, transaction, pots)];
        let mut ends = BTreeMap::new();
        while let Some((flight, transaction, pots)) = todo.pop() {
            let mut shown = transaction.clone();
            shown.last_updated = Millis(0);
            let state = format!("{flight:?} {shown:?}");
            if let Some(before) = seen.insert(state.clone(), pots.clone()) {
                assert_eq!(before, pots, "two ways to one state: {state}");
                continue;
            }
            for act in acts() {
                let at = transaction.last_updated.plus(1);
                let Ok(next) = step(&flight, &transaction, act.clone(), at) else {
                    continue;
                };
                assert!(
                    !transaction.status.is_final(),
                    "{act:?} after {transaction:?}"
                );
                assert_eq!(next.transaction.last_updated, at);
                let pots = moved(pots.clone(), &next.moves);
                if next.transaction.status.is_final() {
                    let status = next.transaction.status.to_string();
                    ends.insert((status, next.transaction.sub_status.clone()), pots.clone());
                }
                todo.push((next.flight, next.transaction, pots));
            }
        }
        assert!(seen.len() > 20, "{} states", seen.len());
        let untouched = Pots::from([((1, "available"), amount("10"))]);
        let (left, arrived) = if gross { ("5", "4.5") } else { ("4.5", "5") };
        let paid = Pots::from([((1, "available"), amount("9.5"))]);
        let sent = Pots::from([
            ((1, "available"), amount(left)),
            ((2, "available"), amount(arrived)),
        ]);
        for ((status, sub_status), pots) in &ends {
            let expected = match (status.as_str(), sub_status.as_str()) {
                ("COMPLETED", _) => &sent,
                (_, "SMART_CONTRACT_EXECUTION_FAILED") => &paid,
                _ => &untouched,
            };
            assert_eq!(pots, expected, "{status}/{sub_status}");
        }
        let reached: Vec<_> = ends.keys().map(|(status, _)| status.as_str()).collect();
        for status in ["BLOCKED", "CANCELLED", "COMPLETED", "FAILED"] {
            assert!(reached.contains(&status), "{status} is never reached");
        }
    }
}

fn after(acts: &[Act], initiator_signs: bool) -> Result<Step, Unfit> {
    let mut now = Step {
        flight: flight(initiator_signs),
        transaction: transaction(false),
        moves: Vec::new(),
        credits: Vec::new(),
        approval: false,
    };
    for act in acts {
        now = step(&now.flight, &now.transaction, act.clone(), Millis(2))?;
    }
    Ok(now)
}

#[test]
fn everybody_who_must_approve_does_and_nobody_else_can() {
    let judged = goes(&[(&[APPROVER, SECOND], 2)], Some(SIGNER));
    let yes = |user: &str| Act::Approve(user.to_owned());
    let one = after(&[judged.clone(), yes(APPROVER)], false).expect("one of two");
    assert!(one.approval);
    assert_eq!(
        one.transaction.status,
        TransactionStatus::PendingAuthorization
    );
    let both = after(&[judged.clone(), yes(APPROVER), yes(SECOND)], false).expect("both");
    assert_eq!(both.transaction.status, TransactionStatus::Queued);
    for acts in [
        vec![judged.clone(), yes(APPROVER), yes(APPROVER)],
        vec![judged.clone(), yes(INITIATOR)],
        vec![judged.clone(), yes(SIGNER)],
        vec![judged.clone(), yes("")],
        vec![yes(APPROVER)],
        vec![judged, signs(SIGNER)],
    ] {
        assert!(after(&acts, false).is_err(), "{acts:?}");
    }
}

#[test]
fn nobody_signs_but_the_signer_and_without_one_it_fails() {
    let waiting = [goes(&[], Some(SIGNER)), Act::Turn];
    for user in [INITIATOR, APPROVER, ""] {
        let acts = [&waiting[..], &[signs(user)]].concat();
        assert!(after(&acts, true).is_err(), "{user} signs");
    }
    let signed = after(&[&waiting[..], &[signs(SIGNER)]].concat(), false).expect("signed");
    assert_eq!(signed.transaction.signed_by, [SIGNER]);
    let alone = after(&[goes(&[], None)], false).expect("judged");
    assert_eq!(alone.transaction.sub_status, "SIGNER_NOT_FOUND");
    let own = after(&[goes(&[], None), Act::Turn, signs(INITIATOR)], true).expect("signed");
    assert_eq!(own.transaction.signed_by, [INITIATOR]);
    // The only approver is who asked: nobody is left to approve.
    let none = after(&[goes(&[(&[INITIATOR], 1)], Some(SIGNER))], false).expect("judged");
    assert_eq!(none.transaction.sub_status, "AUTHORIZER_NOT_FOUND");
}

#[test]
fn with_or_one_group_is_enough_and_each_of_several_signers_signs() {
    let yes = |user: &str| Act::Approve(user.to_owned());
    let groups: [(&[&str], u32); 2] = [(&[APPROVER], 2), (&[SECOND], 1)];
    let both = Some(vec![SIGNER, SECOND]);
    let judged = asks(Logic::Or, &groups, both.clone());
    let approved = after(&[judged, yes(SECOND)], false).expect("approved");
    assert_eq!(approved.transaction.status, TransactionStatus::Queued);
    for signer in [SIGNER, SECOND] {
        let acts = [
            asks(Logic::Or, &groups, both.clone()),
            yes(SECOND),
            Act::Turn,
            signs(signer),
        ];
        let signed = after(&acts, false).expect("signed");
        assert_eq!(signed.transaction.signed_by, [signer]);
    }
    let none = after(&[asks(Logic::Or, &groups[..1], both)], false).expect("judged");
    assert_eq!(none.transaction.sub_status, "AUTHORIZER_NOT_FOUND");
    let nobody = after(&[asks(Logic::And, &[], Some(Vec::new()))], true).expect("judged");
    assert_eq!(
        nobody.transaction.sub_status, "SIGNER_NOT_FOUND",
        "not the initiator instead"
    );
}

#[test]
fn a_blocked_one_names_the_rule() {
    let said = |rule| {
        let judged = after(&[Act::Judge(Verdict::Blocked { rule })], true).expect("judged");
        judged.transaction.error_description
    };
    assert_eq!(said(Some(3)), "Blocked by policy rule 3");
    assert_eq!(said(None), "Blocked by the policy: no rule matches");
}

#[test]
fn a_flight_of_an_older_release_is_read() {
    let mut kept = serde_json::to_value(flight(true)).expect("JSON");
    let fields = kept.as_object_mut().expect("an object");
    fields.remove("signers");
    fields.insert("signer".to_owned(), json!(SIGNER));
    let read: Flight = serde_json::from_value(kept.clone()).expect("a flight");
    assert_eq!(read.signers, [SIGNER]);
    kept["signer"] = json!(null);
    let read: Flight = serde_json::from_value(kept).expect("a flight");
    assert!(read.signers.is_empty());
}

#[test]
fn what_arrives_at_an_internal_wallet_is_its_own() {
    let to = |destination| {
        let mut now = transaction(true);
        now.destination = serde_json::from_value(destination).expect("a peer");
        now.status = TransactionStatus::Confirming;
        now.num_of_confirmations = CONFIRMATIONS - 1;
        let before = step(
            &flight(true),
            &transaction(true),
            goes(&[], None),
            Millis(2),
        );
        let before = before.expect("judged").credits;
        assert!(before.is_empty(), "not before it is there");
        let end = step(&flight(true), &now, Act::Confirm, Millis(2)).expect("the end");
        let credits = end.credits.into_iter();
        credits
            .map(|credit| (credit.id, credit.amount))
            .collect::<Vec<_>>()
    };
    let id = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
    assert_eq!(
        to(json!({"type": "INTERNAL_WALLET", "id": id})),
        [(id.to_owned(), amount("4.5"))],
        "less the fee"
    );
    assert_eq!(to(json!({"type": "EXTERNAL_WALLET", "id": id})), []);
    assert_eq!(to(json!({"type": "VAULT_ACCOUNT", "id": "2"})), []);
}

#[test]
fn enough_blocks_are_as_many_as_were_asked_for() {
    let sent = [
        goes(&[], Some(SIGNER)),
        Act::Turn,
        signs(SIGNER),
        Act::Include {
            block: BlockInfo::default(),
        },
    ];
    let status = |more: &[Act]| {
        let now = after(&[&sent[..], more].concat(), false).expect("a way");
        (now.transaction.status, now.transaction.num_of_confirmations)
    };
    use TransactionStatus as S;
    assert_eq!(status(&[Act::Confirm]), (S::Confirming, 2));
    assert_eq!(status(&[Act::Confirm, Act::Confirm]), (S::Completed, 3));
    assert_eq!(status(&[Act::Threshold(1)]), (S::Completed, 1));
    let five = [Act::Threshold(5), Act::Confirm, Act::Confirm];
    assert_eq!(status(&five), (S::Confirming, 3));
}

#[test]
fn what_is_doomed_fails_where_it_would() {
    let doomed = |why: &str| Flight {
        doom: Some(why.to_owned()),
        ..flight(false)
    };
    let walk = |flight: &Flight, acts: &[Act]| {
        let mut now = (flight.clone(), transaction(false));
        for act in acts {
            let next = step(&now.0, &now.1, act.clone(), Millis(2)).expect("a way");
            now = (next.flight, next.transaction);
        }
        (now.1.status, now.1.sub_status, now.1.fee_info.network_fee)
    };
    let judged = goes(&[], Some(SIGNER));
    let low = walk(&doomed("FAIL_ON_LOW_FEE"), &[judged.clone(), Act::Turn]);
    let failed = TransactionStatus::Failed;
    assert_eq!(low, (failed, "FAIL_ON_LOW_FEE".to_owned(), None));
    let block = BlockInfo::default();
    let acts = [judged, Act::Turn, signs(SIGNER), Act::Include { block }];
    let why = "SMART_CONTRACT_EXECUTION_FAILED";
    let out_of_gas = (failed, why.to_owned(), Some(amount("0.5")));
    assert_eq!(walk(&doomed(why), &acts), out_of_gas);
}

#[test]
fn what_has_arrived_can_be_held_back_and_freed() {
    let mut arrived = transaction(true);
    arrived.source = protocol::model::transaction::Peer::UNKNOWN;
    arrived.status = TransactionStatus::Completed;
    let changed = frozen(&arrived, true, Millis(9)).expect("held back");
    let (held, moves) = (changed.transaction, changed.moves);
    assert_eq!(held.status, TransactionStatus::Rejected);
    assert_eq!((moves[0].from, moves[0].to), (Pot::Available, Pot::Frozen));
    assert_eq!(frozen(&held, true, Millis(9)), None, "once is enough");
    let changed = frozen(&held, false, Millis(9)).expect("freed");
    let (freed, moves) = (changed.transaction, changed.moves);
    assert_eq!(freed.status, TransactionStatus::Completed);
    assert_eq!((moves[0].from, moves[0].to), (Pot::Frozen, Pot::Available));
    assert_eq!(
        frozen(&freed, false, Millis(9)),
        None,
        "it is not held back"
    );
    let mut out = transaction(false);
    out.status = TransactionStatus::Completed;
    assert_eq!(frozen(&out, true, Millis(9)), None, "it is gone");
}

#[test]
fn a_block_given_up_takes_back_what_it_did_and_nothing_else() {
    let mut done = transaction(false);
    done.status = TransactionStatus::Completed;
    done.block_info = Some(BlockInfo::default());
    done.fee_info.network_fee = Some(amount("0.5"));
    let moved = |done: &Transaction| {
        let changed = undone(done, Millis(9)).expect("taken back");
        let moves = changed.moves.into_iter();
        let moves: Vec<_> = moves
            .map(|one| (one.account.to_string(), one.amount.to_string(), one.to))
            .collect();
        (moves, changed.lost, changed.kept)
    };
    let back = |account: &str, much: &str, to| (account.to_owned(), much.to_owned(), to);
    let gone = back("2", "5", Pot::Outside);
    let (amount_back, fee) = (
        back("1", "5", Pot::Available),
        back("1", "0.5", Pot::Available),
    );
    assert_eq!(moved(&done).0, [gone.clone(), amount_back, fee.clone()]);
    done.operation = "MINT".to_owned();
    assert_eq!(
        moved(&done).0,
        [gone, fee.clone()],
        "it was made, not moved"
    );
    done.operation = "APPROVE".to_owned();
    assert_eq!(moved(&done).0, [fee], "an allowance moves nothing");
    done.operation = "STAKE".to_owned();
    assert_eq!(
        undone(&done, Millis(9)),
        None,
        "a stake has a life of its own"
    );
    done.operation = "TRANSFER".to_owned();
    let place = |kind: &str| serde_json::from_value(json!({"type": kind, "id": "x"}));
    done.destination = place("EXCHANGE_ACCOUNT").expect("a peer");
    let (_, lost, kept) = moved(&done);
    assert_eq!(
        (lost.len(), kept),
        (1, None),
        "the exchange does not get it"
    );
    done.destination = transaction(false).destination;
    done.source = place("GAS_STATION").expect("a peer");
    let (_, lost, kept) = moved(&done);
    assert_eq!(lost, []);
    assert_eq!(kept.map(|kept| kept.amount), Some(amount("5.5")));
}
