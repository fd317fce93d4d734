use super::*;
use crate::testing::NOW;

fn change() -> Change {
    Change::RemoveOperator {
        operator: "mallory".to_owned(),
    }
}

fn asked() -> ChangeRequest {
    ChangeRequest::new(change(), "she left".to_owned(), "alice", NOW)
}

fn by(operator: &str) -> Signed {
    Signed {
        operator: operator.to_owned(),
        at: NOW,
        signature: Some("c2ln".to_owned()),
    }
}

#[test]
fn invariant_2_one_counts_once_and_only_while_she_may() {
    let owners = |name: &str| match name {
        "alice" | "bob" => Some(OperatorRole::Owner),
        "carol" => Some(OperatorRole::Admin),
        _ => None,
    };
    let request = asked();
    assert_eq!(request.counts(owners), 1, "who asks counts");
    assert_eq!(request.clone().sign(by("alice")), Err(Unfit::Twice));
    let both = request.sign(by("bob")).expect("signed");
    assert_eq!(both.counts(owners), 2);
    let three = both.clone().sign(by("carol")).expect("signed");
    assert_eq!(
        three.counts(owners),
        2,
        "people are the owners' to decide on"
    );
    let bob_left = |name: &str| owners(name).filter(|_| name != "bob");
    assert_eq!(both.counts(bob_left), 1);
}

#[test]
fn what_is_decided_stays_so_and_nothing_waits_for_ever() {
    let rejected = asked()
        .reject("bob", "no".to_owned(), NOW)
        .expect("rejected");
    let state = ChangeState::Rejected;
    assert_eq!(rejected.clone().sign(by("bob")), Err(Unfit::Decided(state)));
    assert_eq!(
        rejected.reject("bob", "no".to_owned(), NOW),
        Err(Unfit::Decided(state))
    );
    let late = Signed {
        at: NOW.plus(MAX_WAIT),
        ..by("bob")
    };
    assert_eq!(asked().sign(late), Err(Unfit::TooLate));
}

#[test]
fn a_digest_is_of_one_request_and_all_that_it_asks() {
    let request = asked();
    assert_eq!(request.digest(), request.clone().digest());
    assert_ne!(request.digest(), asked().digest(), "another request");
    let mut other = request.clone();
    other.reason = "she stays".to_owned();
    assert_ne!(other.digest(), request.digest());
    let mut other = request.clone();
    other.change = Change::SetQuorum {
        before: 2,
        after: 1,
    };
    assert_ne!(other.digest(), request.digest());
    let signed = request.clone().sign(by("bob")).expect("signed");
    assert_eq!(
        signed.digest(),
        request.digest(),
        "signatures change nothing"
    );
}
