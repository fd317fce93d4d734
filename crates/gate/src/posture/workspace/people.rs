//! People with a seat in the Console: a third party's may do no more than its key.

use protocol::model::user::User;
use protocol::role::Role;

use super::policy::Policy;
use super::practices::judged;
use super::users::role;
use crate::posture::{Finding, Practice, Severity, Verdict};

const SOURCE: &str = "GET /management/users";
const TODO: &str =
    "in the Console, delete the user and invite the third party's people as Viewer or Editor";

/// What somebody is called, for those who read.
pub(super) fn subject(user: &User) -> String {
    let mail = user.email.clone().unwrap_or_else(|| user.id.to_string());
    match full_name(user) {
        Some(name) => format!("{name} <{mail}>"),
        None => mail,
    }
}

/// First and last name.
pub(super) fn full_name(user: &User) -> Option<String> {
    let names = [user.first_name.as_deref(), user.last_name.as_deref()];
    let names: Vec<_> = names.into_iter().flatten().collect();
    (!names.is_empty()).then(|| names.join(" "))
}

/// What there is to judge of a person: there is no key. Whose own people the policy lets through is
/// the client's own affair.
pub(super) fn person(user: &User, is_third_party: bool, policy: &Policy<'_>) -> Vec<Finding> {
    let name = subject(user);
    let mut seat = role(user, &name, is_third_party);
    seat.evidence = format!("a person in the Console, {}", seat.evidence);
    (seat.source, seat.todo) = (SOURCE.into(), TODO.into());
    let mut all = vec![seat];
    if is_third_party {
        all.push(if user.role == Role::Viewer {
            let evidence = "it cannot initiate at all".to_owned();
            judged(Practice::C7, &name, Verdict::Held, Severity::High, evidence)
        } else {
            policy.judge(&name, Some(&user.id.to_string()))
        });
    }
    all
}
