use uuid::Uuid;

use super::*;

const TREASURER: UserId = UserId(Uuid::from_u128(1));
const OTHER: UserId = UserId(Uuid::from_u128(2));

fn seen(status: TransactionStatus, groups: &[(u32, &[(UserId, &str)])]) -> Transaction {
    let groups: Vec<_> = groups
        .iter()
        .map(|(th, users)| (*th, named(users)))
        .collect();
    crate::proposals::tests::seen(status, Millis(0), &groups)
}

fn named<'a>(users: &[(UserId, &'a str)]) -> Vec<(String, &'a str)> {
    let named = |(user, said): &(UserId, &'a str)| (user.to_string(), *said);
    users.iter().map(named).collect()
}

#[test]
fn a_probe_holds_only_where_exactly_the_expected_are_asked() {
    use TransactionStatus as S;
    const WAITS: &str = "PENDING_AUTHORIZATION";
    let probe = Probe::new(
        BTreeSet::from([TREASURER]),
        None,
        UserId(Uuid::from_u128(9)),
    );
    let held = |status, groups: &[(u32, &[(UserId, &str)])]| {
        probe.judge(&seen(status, groups), 0).map(|one| one.held)
    };
    let treasurer: &[(UserId, &str)] = &[(TREASURER, WAITS)];
    assert_eq!(held(S::Submitted, &[]), None);
    assert_eq!(held(S::PendingAuthorization, &[]), None);
    assert_eq!(
        held(S::PendingAuthorization, &[(1, treasurer)]),
        Some(Some(true))
    );
    // Others, more, fewer, nobody needed.
    for groups in [
        &[(1, [(OTHER, WAITS)].as_slice())][..],
        &[(1, &[(TREASURER, WAITS), (OTHER, WAITS)])],
        &[(1, treasurer), (1, &[(OTHER, WAITS)])],
        &[(0, treasurer)],
    ] {
        assert_eq!(
            held(S::PendingAuthorization, groups),
            Some(Some(false)),
            "{groups:?}"
        );
    }
    // Nobody was asked.
    for status in [
        S::Queued,
        S::PendingSignature,
        S::Broadcasting,
        S::Confirming,
        S::Completed,
        S::Blocked,
    ] {
        assert_eq!(held(status, &[]), Some(Some(false)), "{status:?}");
    }
    // They were asked, and it went on: with their word, or without.
    assert_eq!(
        held(S::Completed, &[(1, &[(TREASURER, "APPROVED")])]),
        Some(Some(true))
    );
    assert_eq!(
        held(S::PendingSignature, &[(1, treasurer)]),
        Some(Some(false))
    );
    assert_eq!(
        held(S::Cancelled, &[(1, &[(TREASURER, "REJECTED")])]),
        Some(Some(true))
    );
    // Nothing is shown.
    assert_eq!(held(S::Failed, &[]), Some(None));
    let late = probe.judge(&seen(S::Submitted, &[]), PATIENCE + 1);
    assert_eq!(late.map(|one| one.held), Some(None));
}
