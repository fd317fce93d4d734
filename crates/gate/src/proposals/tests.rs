use ledger::PartScope;
use ledger::change::Origin;
use proptest::prelude::*;
use protocol::model::transaction::{AuthorizationGroup, PeerKind};
use protocol::role::ProviderRole;
use serde_json::json;
use sync::Translate;

use super::*;

/// The API key of who proposes.
const BY: UserId = UserId(Uuid::from_u128(40));

pub(super) fn proposal(place: Place, state: State) -> Proposal {
    let transfer = json!({"operation": "TRANSFER", "assetId": "ETH", "amount": "1.5", "externalTxId": "theirs-1",
        "source": {"type": "VAULT_ACCOUNT", "id": "1"}, "destination": {"type": "VAULT_ACCOUNT", "id": "2"}});
    let transfer = serde_json::from_value(transfer).expect("a transfer");
    let asset = "ETH".parse().expect("an asset");
    Proposal {
        id: TxId(Uuid::from_u128(1)),
        state,
        ..Proposal::new("acme".to_owned(), asset, transfer, place, Millis(1_000))
    }
}

/// The proposal's transaction upstream, and whom its policy has asked: how many of which, and what each
/// has said.
pub(super) fn seen(
    status: TransactionStatus,
    at: Millis,
    groups: &[(u32, Vec<(String, &str)>)],
) -> Transaction {
    let asset = "ETH".parse().expect("an asset");
    let mut seen = Transaction::new(TxId(Uuid::from_u128(9)), asset, at);
    seen.status = status;
    let account = |id: &str| Peer {
        kind: PeerKind::VaultAccount,
        id: Some(id.to_owned()),
        name: format!("account {id}"),
        sub_type: String::new(),
    };
    (seen.source, seen.destination) = (account("1"), account("2"));
    let amount = Some("1.5".parse().expect("an amount"));
    seen.amount_info.amount.clone_from(&amount);
    seen.amount_info.requested_amount = amount;
    let said = |(user, word): &(String, &str)| (user.clone(), (*word).to_owned());
    let group = |(th, users): &(u32, Vec<(String, &str)>)| AuthorizationGroup {
        th: *th,
        users: users.iter().map(said).collect(),
    };
    seen.authorization_info = (!groups.is_empty()).then(|| AuthorizationInfo {
        allow_operator_as_authorizer: false,
        logic: "AND".to_owned(),
        groups: groups.iter().map(group).collect(),
    });
    seen
}

pub(super) fn decision(by: &str) -> Decision {
    Decision {
        operator: by.to_owned(),
        at: Millis(2_000),
        signature: "c2ln".to_owned(),
    }
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        "[a-c]".prop_map(|by| Happening::Approved(decision(&by))),
        "[a-c]".prop_map(|by| Happening::Rejected(decision(&by), Reason::kept("no"))),
        Just(Happening::NeverArrived),
        Just(Happening::Sending),
        (1u128..4).prop_map(|id| Happening::Sent(TxId(Uuid::from_u128(id)))),
        Just(Happening::Failed(Reason::kept("why"))),
    ]
}

/// How far a state is; what is over is furthest.
fn rank(state: State) -> u8 {
    match state {
        State::Waiting => 0,
        State::Approved => 1,
        State::Sending => 2,
        State::Sent | State::Rejected | State::Failed => 3,
    }
}

proptest! {
    /// Whatever happens, in any order and however often: it is sent once at most, never without
    /// an approval where one is asked for here, and nothing goes back.
    #[test]
    fn invariant_5_no_sequence_of_happenings_sends_twice_or_goes_back(
        at_gate in any::<bool>(),
        happenings in proptest::collection::vec(happening(), 0..40),
    ) {
        let mut now = if at_gate {
            proposal(Place::Gate, State::Waiting)
        } else {
            proposal(Place::Fireblocks, State::Approved)
        };
        let first = now.clone();
        let (mut sendings, mut sents) = (0, 0);
        for (step, happening) in (1i64..).zip(happenings) {
            let Ok(next) = now.on(happening.clone(), Millis(1_000 + step)) else {
                continue;
            };
            // What is taken back on its way stays there until its outcome is known.
            let taken_back = next.taken_back.is_some() && now.taken_back.is_none();
            prop_assert!(
                rank(next.state) > rank(now.state) || (taken_back && next.state == State::Sending),
                "{:?} after {:?}", next.state, now.state
            );
            if now.taken_back.is_some() {
                prop_assert_eq!(&next.taken_back, &now.taken_back, "a no stands");
                prop_assert!(next.state != State::Approved);
            }
            sendings += u32::from(matches!(happening, Happening::Sending));
            sents += u32::from(matches!(happening, Happening::Sent(_)));
            if at_gate && next.state.may_be_upstream() {
                prop_assert!(next.decision.is_some(), "invariant 1: nobody approved");
            }
            if now.decision.is_some() {
                prop_assert_eq!(&next.decision, &now.decision, "a decision stands");
            }
            if now.upstream_id.is_some() {
                prop_assert_eq!(next.upstream_id, now.upstream_id);
            }
            // What was approved is what goes up.
            prop_assert_eq!(next.digest(), first.digest());
            prop_assert_eq!(next.upstream_body(), first.upstream_body());
            prop_assert!(next.shown(BY).status >= now.shown(BY).status, "shown as going back");
            now = next;
        }
        prop_assert!(sendings <= 1 && sents <= sendings);
    }
}

#[test]
fn each_state_takes_what_fits_it_alone() {
    let id = TxId(Uuid::from_u128(9));
    let all = [
        Happening::Approved(decision("a")),
        Happening::Rejected(decision("a"), Reason::kept("no")),
        Happening::NeverArrived,
        Happening::Sending,
        Happening::Sent(id),
        Happening::Failed(Reason::kept("why")),
    ];
    let next = |state| -> Vec<Option<State>> {
        let now = proposal(Place::Gate, state);
        let next = all.iter().map(|what| now.on(what.clone(), Millis(5)).ok());
        next.map(|next| next.map(|next| next.state)).collect()
    };
    use State::{Approved, Failed, Rejected, Sending, Sent, Waiting};
    assert_eq!(
        next(Waiting),
        [Some(Approved), Some(Rejected), None, None, None, None]
    );
    assert_eq!(
        next(Approved),
        [
            None,
            Some(Rejected),
            None,
            Some(Sending),
            None,
            Some(Failed)
        ]
    );
    assert_eq!(
        next(Sending),
        [None, Some(Sending), None, None, Some(Sent), Some(Failed)]
    );
    for over in [Sent, Rejected, Failed] {
        assert_eq!(next(over), [None; 6], "{over:?}");
    }
}

/// On its way it is not known whether the no came in time: upstream's word decides, either way.
#[test]
fn invariant_5_what_is_taken_back_on_its_way_is_settled_by_looking() {
    let no = Happening::Rejected(decision("b"), Reason::kept("no"));
    let mut sending = proposal(Place::Gate, State::Sending);
    sending.decision = Some(decision("a"));
    let taken_back = sending.on(no.clone(), Millis(5)).expect("taken back");
    assert_eq!(taken_back.state, State::Sending);
    assert_eq!(taken_back.decision, sending.decision, "the approval stands");
    assert!(taken_back.on(no, Millis(6)).is_err(), "once");
    let absent = taken_back.on(Happening::NeverArrived, Millis(6));
    let absent = absent.expect("over");
    assert_eq!(
        (absent.state, absent.why.as_deref()),
        (State::Rejected, Some("no"))
    );
    let there = taken_back.on(Happening::Sent(TxId(Uuid::from_u128(9))), Millis(6));
    assert_eq!(there.expect("there").state, State::Sent);
}

/// The provider's own id stays here; what goes up is made from the proposal's.
#[test]
fn invariant_5_what_goes_up_has_the_gates_own_id() {
    let proposal = proposal(Place::Gate, State::Approved);
    let up = proposal.upstream_body();
    assert_eq!(
        up.external_tx_id,
        Some(format!("vestibule-{}", proposal.id))
    );
    assert!(
        !serde_json::to_string(&up)
            .expect("JSON")
            .contains("theirs-1")
    );
    assert_eq!(
        proposal.shown(BY).external_tx_id.as_deref(),
        Some("theirs-1")
    );
    assert_eq!(
        TransactionRequest {
            external_tx_id: None,
            ..up
        },
        TransactionRequest {
            external_tx_id: None,
            ..proposal.transfer
        }
    );
}

/// An approval is over exactly one transaction: whatever is different has another digest.
#[test]
fn invariant_1_an_approval_is_over_exactly_this_transaction() {
    let one = proposal(Place::Gate, State::Waiting);
    let mut others = vec![
        Proposal {
            id: TxId(Uuid::from_u128(2)),
            ..one.clone()
        },
        Proposal {
            connection: "other".to_owned(),
            ..one.clone()
        },
    ];
    for (field, value) in [
        ("amount", json!("1.51")),
        ("assetId", json!("BTC")),
        ("note", json!("x")),
        ("externalTxId", json!("theirs-2")),
        ("feeLevel", json!("HIGH")),
        ("treatAsGrossAmount", json!(true)),
        ("source", json!({"type": "VAULT_ACCOUNT", "id": "3"})),
        ("destination", json!({"type": "EXTERNAL_WALLET", "id": "2"})),
    ] {
        let mut transfer = serde_json::to_value(&one.transfer).expect("JSON");
        transfer[field] = value;
        let transfer = serde_json::from_value(transfer).expect("a transfer");
        others.push(Proposal {
            transfer,
            ..one.clone()
        });
    }
    let digests: BTreeSet<_> = others.iter().map(Proposal::digest).collect();
    assert_eq!(digests.len(), others.len());
    assert!(!digests.contains(&one.digest()));
    let kept: Proposal =
        serde_json::from_str(&serde_json::to_string(&one).expect("JSON")).expect("a proposal");
    assert_eq!(
        kept.digest(),
        one.digest(),
        "also after it was written down"
    );
}

#[test]
fn what_ends_here_has_fireblocks_own_words() {
    let shown = |state| {
        let shown = proposal(Place::Gate, state).shown(BY);
        (shown.status, shown.sub_status)
    };
    let waiting = (TransactionStatus::PendingAuthorization, String::new());
    for state in [State::Waiting, State::Approved, State::Sending, State::Sent] {
        assert_eq!(shown(state), waiting);
    }
    assert_eq!(
        shown(State::Rejected),
        (TransactionStatus::Cancelled, "REJECTED_BY_USER".to_owned())
    );
    assert_eq!(
        shown(State::Failed),
        (TransactionStatus::Failed, "AUTHORIZATION_FAILED".to_owned())
    );
}

fn upstream(status: TransactionStatus, external: Option<String>) -> Transaction {
    let asset = "ETH".parse().expect("an asset");
    Transaction {
        status,
        external_tx_id: external,
        ..Transaction::new(TxId(Uuid::from_u128(50)), asset, Millis(9_000))
    }
}

#[test]
fn upstreams_transaction_is_the_proposal_for_ever() {
    let translations = Translations::default();
    let proposal = proposal(Place::Gate, State::Sending);
    translations.know(&proposal);
    let up = upstream(
        TransactionStatus::Submitted,
        Some(proposal.up_external_id()),
    );
    let (here, origin) = translations.transaction(up);
    assert_eq!(here.id, proposal.id);
    assert_eq!(here.created_at, proposal.created_at);
    assert_eq!(here.external_tx_id.as_deref(), Some("theirs-1"));
    assert_eq!(
        here.status,
        TransactionStatus::PendingAuthorization,
        "never goes back"
    );
    assert_eq!(origin.upstream_id, Some(TxId(Uuid::from_u128(50))));
    assert_eq!(origin.proposer.as_deref(), Some("acme"));
    assert_eq!((here.created_by.as_str(), &origin.created_by), ("", &None));
    // Upstream the gate's Editor made it; here, who proposed it.
    let mut acme = crate::testing::connection("acme", ProviderRole::Editor, PartScope::default());
    acme.api_key = BY;
    translations.call(&[acme]);
    let mut up = upstream(
        TransactionStatus::Submitted,
        Some(proposal.up_external_id()),
    );
    up.created_by = "the-editor".to_owned();
    let (here, origin) = translations.transaction(up);
    assert_eq!(here.created_by, BY.to_string());
    assert_eq!(here.created_by, proposal.shown(BY).created_by);
    assert_eq!(origin.created_by.as_deref(), Some("the-editor"));
    for status in [
        TransactionStatus::Queued,
        TransactionStatus::Completed,
        TransactionStatus::Failed,
    ] {
        let up = upstream(status, Some(proposal.up_external_id()));
        assert_eq!(translations.transaction(up).0.status, status);
    }
}

#[test]
fn what_began_elsewhere_stays_as_it_is() {
    let translations = Translations::default();
    translations.know(&proposal(Place::Gate, State::Sent));
    let unknown = format!("vestibule-{}", Uuid::from_u128(77));
    for external in [
        None,
        Some("theirs-1".to_owned()),
        Some(unknown),
        Some("vestibule-".to_owned()),
    ] {
        let up = upstream(TransactionStatus::Submitted, external);
        assert_eq!(
            translations.transaction(up.clone()),
            (up, Origin::default())
        );
    }
}

/// What ends here is told its proposer in fixed words, or in those that are meant for it.
#[test]
fn invariant_7_a_proposer_reads_none_of_the_clients_words() {
    let told = |proposal: &Proposal| {
        let shown = proposal.shown(UserId(Uuid::from_u128(3)));
        let text = serde_json::to_string(&shown).expect("JSON");
        assert!(!text.contains("their own"), "{text}");
        shown.error_description
    };
    let end = |state, what| {
        proposal(Place::Gate, state)
            .on(what, Millis(5))
            .expect("over")
    };
    let no = |told: Option<&str>| {
        let reason = Reason {
            why: "their own words".to_owned(),
            told: told.map(str::to_owned),
        };
        Happening::Rejected(decision("a"), reason)
    };
    for (reason, words) in [
        (None, "the client rejected it"),
        (Some("next week"), "next week"),
    ] {
        assert_eq!(told(&end(State::Waiting, no(reason))), words);
        assert_eq!(told(&end(State::Approved, no(reason))), words);
        let back = end(State::Sending, no(reason));
        assert_eq!(told(&back), "", "it is not over");
        let over = back.on(Happening::NeverArrived, Millis(6)).expect("over");
        assert_eq!(told(&over), words);
        assert_eq!(over.why.as_deref(), Some("their own words"));
    }
    let failed = Happening::Failed(Reason::kept("their own words"));
    assert_eq!(told(&end(State::Sending, failed)), "it could not be sent");
    // As an older gate has left it.
    let mut older = end(State::Waiting, no(None));
    older.told = None;
    assert_eq!(told(&older), "the client rejected it");
}
