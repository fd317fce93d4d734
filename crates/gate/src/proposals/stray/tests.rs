use super::*;
use crate::connections::Place;
use crate::proposals::Probe;

const SINCE: Millis = Millis(1000);

fn seen(status: TransactionStatus, groups: &[(u32, &[&str])]) -> Transaction {
    let groups: Vec<_> = groups
        .iter()
        .map(|(th, said)| (*th, numbered(said)))
        .collect();
    crate::proposals::tests::seen(status, SINCE, &groups)
}

fn numbered<'a>(said: &[&'a str]) -> Vec<(String, &'a str)> {
    let users = said.iter().enumerate();
    users
        .map(|(user, said)| (user.to_string(), *said))
        .collect()
}

fn proposal(state: State, place: Place) -> Proposal {
    crate::proposals::tests::proposal(place, state)
}

/// Of the gate's Editor, with an id of the gate's.
fn own<'a>(transaction: &'a Transaction, proposal: Option<&'a Proposal>) -> Seen<'a> {
    Seen {
        transaction,
        maker: None,
        by_editor: Some(Millis(0)),
        named: true,
        proposal,
    }
}

#[test]
fn a_transaction_of_ours_without_a_sent_proposal_is_raised() {
    use State as P;
    let transaction = seen(TransactionStatus::Submitted, &[]);
    let raised = |seen: Seen<'_>| judge(seen, false, SINCE);
    assert_eq!(
        raised(own(&transaction, None)),
        Some((Why::NoProposal, Standing::Raised))
    );
    let nameless = Seen {
        named: false,
        ..own(&transaction, None)
    };
    assert_eq!(
        raised(nameless),
        Some((Why::NoProposal, Standing::Raised)),
        "somebody has the Editor's key"
    );
    for state in [P::Waiting, P::Approved, P::Rejected, P::Failed] {
        let proposal = proposal(state, Place::Gate);
        let told = raised(own(&transaction, Some(&proposal)));
        assert_eq!(told, Some((Why::NotSent, Standing::Raised)), "{state:?}");
    }
    // Its answer may be lost: on its way is enough.
    for state in [P::Sending, P::Sent] {
        let proposal = proposal(state, Place::Gate);
        assert_eq!(
            raised(own(&transaction, Some(&proposal))),
            None,
            "{state:?}"
        );
    }
}

#[test]
fn what_has_a_sent_proposals_id_and_is_another_is_suspected() {
    let differs = Some((Why::Differs, Standing::Suspected));
    let mut other = seen(TransactionStatus::Submitted, &[]);
    other.destination.id = Some("3".to_owned());
    let same = seen(TransactionStatus::Submitted, &[]);
    for state in [State::Sending, State::Sent] {
        let proposal = proposal(state, Place::Gate);
        let judge = |seen| judge(seen, false, SINCE);
        assert_eq!(judge(own(&other, Some(&proposal))), differs);
        let by_another = Seen {
            by_editor: None,
            ..own(&same, Some(&proposal))
        };
        assert_eq!(judge(by_another), differs, "not the gate's Editor");
        let before = super::judge(by_another, false, SINCE.plus(1));
        assert_eq!(before, None, "by the Editor of before, perhaps");
        let copy = super::judge(own(&other, Some(&proposal)), true, SINCE);
        assert_eq!(copy, Some((Why::Differs, Standing::Told)), "a copy");
    }
}

#[test]
fn what_the_store_may_have_forgotten_or_another_has_made_stops_nothing() {
    let transaction = seen(TransactionStatus::Completed, &[]);
    let told = Some((Why::NoProposal, Standing::Told));
    assert_eq!(judge(own(&transaction, None), true, SINCE), told, "a copy");
    let before = judge(own(&transaction, None), false, SINCE.plus(1));
    assert_eq!(before, told, "of before");
    let not_yet = Seen {
        by_editor: Some(SINCE.plus(1)),
        ..own(&transaction, None)
    };
    assert_eq!(judge(not_yet, false, SINCE), told, "not an Editor then");
    let nameless = Seen {
        named: false,
        ..own(&transaction, None)
    };
    assert_eq!(judge(nameless, false, SINCE.plus(1)), None);
    let by_another = Seen {
        by_editor: None,
        ..own(&transaction, None)
    };
    assert_eq!(judge(by_another, false, SINCE), told, "another API user's");
    let unsent = proposal(State::Approved, Place::Gate);
    let looked_up = judge(own(&transaction, Some(&unsent)), true, SINCE);
    assert_eq!(looked_up, None, "the release looks it up");
}

#[test]
fn what_must_wait_upstream_and_did_not_is_suspected() {
    use TransactionStatus as S;
    let upstream = proposal(State::Sent, Place::Fireblocks);
    let mut probe = proposal(State::Sent, Place::Gate);
    probe.probe = Some(Probe::new(
        [].into(),
        None,
        UserId(uuid::Uuid::from_u128(9)),
    ));
    let mut at_the_gate = proposal(State::Sent, Place::Gate);
    at_the_gate.decision = Some(crate::proposals::tests::decision("a"));
    let nobody = proposal(State::Sent, Place::Gate);
    probe.decision.clone_from(&at_the_gate.decision);
    let why = |status, groups: &[(u32, &[&str])], proposal| {
        judge(own(&seen(status, groups), Some(proposal)), false, SINCE)
    };
    let suspected = Some((Why::SkippedAuthorization, Standing::Suspected));
    for one in [&upstream, &probe, &nobody] {
        for status in S::ALL {
            let waits = [
                S::Submitted,
                S::PendingAmlScreening,
                S::PendingEnrichment,
                S::PendingAuthorization,
                S::Cancelling,
                S::Cancelled,
                S::Rejected,
                S::Blocked,
                S::Failed,
            ];
            let expected = suspected.filter(|_| !waits.contains(&status));
            assert_eq!(why(status, &[], one), expected, "{status:?}");
        }
        assert_eq!(why(S::Completed, &[(1, &["APPROVED"])], one), None);
        assert_eq!(
            why(S::Queued, &[(1, &["PENDING_AUTHORIZATION"])], one),
            suspected
        );
        assert_eq!(
            why(S::Queued, &[(0, &["PENDING_AUTHORIZATION"])], one),
            suspected,
            "nobody was needed"
        );
    }
    assert_eq!(
        why(S::Completed, &[], &at_the_gate),
        None,
        "an operator approved it here"
    );
    let mut known = upstream.clone();
    known.approved_upstream = seen(S::Queued, &[(1, &["APPROVED"])]).authorization_info;
    assert_eq!(why(S::Completed, &[], &known), None, "an event told who");
}

#[test]
fn who_needs_nobody_is_not_approved_by_anybody() {
    let info = |logic: &str, groups: &[(u32, &[&str])]| AuthorizationInfo {
        allow_operator_as_authorizer: false,
        logic: logic.to_owned(),
        groups: seen(TransactionStatus::Queued, groups)
            .authorization_info
            .map(|info| info.groups)
            .unwrap_or_default(),
    };
    let (yes, waits): (&[&str], &[&str]) = (&["APPROVED"], &["PENDING_AUTHORIZATION"]);
    for logic in ["AND", "OR"] {
        assert!(!is_approved(&info(logic, &[])), "{logic}: no group");
        assert!(
            !is_approved(&info(logic, &[(0, yes)])),
            "{logic}: none needed"
        );
        assert!(!is_approved(&info(logic, &[(1, waits)])), "{logic}");
        assert!(
            !is_approved(&info(logic, &[(2, yes)])),
            "{logic}: one is missing"
        );
        assert!(is_approved(&info(logic, &[(1, yes)])), "{logic}");
    }
    assert!(is_approved(&info("OR", &[(1, waits), (1, yes)])));
    assert!(!is_approved(&info("AND", &[(1, waits), (1, yes)])));
    assert!(
        !is_approved(&info("OR", &[(1, waits), (0, &[])])),
        "a way around"
    );
}

/// Another Editor of the gate's than the one that it was sent as is not the gate either.
#[test]
fn what_was_sent_as_one_and_made_by_another_differs() {
    let user = |number| UserId(uuid::Uuid::from_u128(number));
    let mut sent = proposal(State::Sent, Place::Gate);
    sent.went_up_as = [user(1), user(2)].into();
    let transaction = seen(TransactionStatus::Submitted, &[]);
    let made_by = |maker| Seen {
        maker,
        ..own(&transaction, Some(&sent))
    };
    for maker in [1, 2] {
        assert_eq!(judge(made_by(Some(user(maker))), false, SINCE), None);
    }
    for maker in [Some(user(3)), None] {
        assert_eq!(
            judge(made_by(maker), false, SINCE),
            Some((Why::Differs, Standing::Suspected)),
            "{maker:?}"
        );
    }
}
