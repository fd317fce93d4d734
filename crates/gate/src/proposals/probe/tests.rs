use protocol::ids::TxId;
use protocol::model::transaction::AuthorizationGroup;
use uuid::Uuid;

use super::*;

const TREASURER: UserId = UserId(Uuid::from_u128(1));
const OTHER: UserId = UserId(Uuid::from_u128(2));

fn seen(status: TransactionStatus, groups: &[(u32, &[(UserId, &str)])]) -> Transaction {
    let asset = "ETH".parse().expect("an asset");
    let mut seen = Transaction::new(TxId(Uuid::from_u128(9)), asset, Millis(0));
    seen.status = status;
    let group = |(th, users): &(u32, &[(UserId, &str)])| AuthorizationGroup {
        th: *th,
        users: users
            .iter()
            .map(|(user, said)| (user.to_string(), (*said).to_owned()))
            .collect(),
    };
    seen.authorization_info = (!groups.is_empty()).then(|| AuthorizationInfo {
        allow_operator_as_authorizer: false,
        logic: "AND".to_owned(),
        groups: groups.iter().map(group).collect(),
    });
    seen
}

#[test]
fn a_probe_holds_only_where_exactly_the_expected_are_asked() {
    use TransactionStatus as S;
    const WAITS: &str = "PENDING_AUTHORIZATION";
    let probe = Probe::new(BTreeSet::from([TREASURER]));
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
