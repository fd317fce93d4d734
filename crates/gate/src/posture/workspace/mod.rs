//! The practices in a workspace as it stands, without any gate: of every API user and every person, from
//! what a key may read, from the Console's exports, and from what third parties handed over. Pure;
//! [`look`](super::look) reads.

mod hooks;
mod people;
mod policy;
mod practices;
mod seen;
mod used;
mod users;

use std::collections::BTreeSet;

use super::{Finding, Practice, Severity, Verdict};
use people::{full_name, person};
use practices::{PRACTICES, judged};
pub use seen::{Created, Handed, History, Hook, Seen, Theirs, Unseen, WrongName};
use users::Look;

/// Whose a finding is that is nobody's own.
const WORKSPACE: &str = "workspace";

/// Judges what was seen. Where third parties are named, by name, id or mail address, they alone are
/// judged, and the workspace; else every user, and what only a third party may not be is *cannot be
/// seen*.
pub fn judge(seen: &Seen, third_parties: &[String]) -> Vec<Finding> {
    let look = Look::of(seen);
    let mut named = Named::of(third_parties);
    let mut all = vec![hooks::few(seen)];
    for user in seen.people.iter().flatten() {
        let (id, name) = (user.id.to_string(), full_name(user).unwrap_or_default());
        let mail = user.email.as_deref().unwrap_or_default();
        if named.has(&[&id, &name, mail]) {
            all.extend(person(user, named.any(), &look.policy));
        }
    }
    match &seen.users {
        Ok(users) => {
            for user in users {
                let id = user.id.to_string();
                if named.has(&[&id, user.name.as_deref().unwrap_or_default()]) {
                    all.extend(look.user(user, &id, named.any()));
                }
            }
            all.extend(named.missing.into_iter().map(|third| nobody(seen, third)));
        }
        Err(unseen) => {
            let mut subjects: BTreeSet<&str> = seen.handed.keys().map(String::as_str).collect();
            subjects.extend(named.missing);
            if subjects.is_empty() && seen.exported_rules {
                subjects.insert("any API user");
            }
            if subjects.is_empty() && named.all.is_empty() {
                all.extend(PRACTICES.map(|practice| unseen_of(practice, WORKSPACE, unseen)));
            }
            for subject in subjects {
                all.extend(look.named(subject, unseen));
            }
        }
    }
    all.sort_by(|a, b| (&a.subject, a.practice).cmp(&(&b.subject, b.practice)));
    all
}

/// Third parties that were named, and those of them that were not met yet.
struct Named<'a> {
    all: BTreeSet<&'a str>,
    missing: BTreeSet<&'a str>,
}

impl<'a> Named<'a> {
    fn of(names: &'a [String]) -> Self {
        let all: BTreeSet<_> = names.iter().map(String::as_str).collect();
        let missing = all.clone();
        Self { all, missing }
    }

    /// Whether anybody was named: then whoever is judged is a third party.
    fn any(&self) -> bool {
        !self.all.is_empty()
    }

    /// Whether somebody who is called all this is to be judged.
    fn has(&mut self, names: &[&str]) -> bool {
        for name in names {
            self.missing.remove::<str>(name);
        }
        !self.any() || names.iter().any(|name| self.all.contains::<str>(name))
    }
}

/// Who was named and is not there.
fn nobody(seen: &Seen, third: &str) -> Finding {
    let evidence = match &seen.people {
        Ok(_) => "the workspace has no such user".to_owned(),
        Err(unseen) => format!(
            "the workspace has no such API user; of people: {}",
            unseen.why
        ),
    };
    judged(
        Practice::C1,
        third,
        Verdict::CannotBeSeen,
        Severity::High,
        evidence,
    )
}

fn unseen_of(practice: Practice, subject: &str, unseen: &Unseen) -> Finding {
    let why = unseen.why.clone();
    judged(
        practice,
        subject,
        Verdict::CannotBeSeen,
        Severity::High,
        why,
    )
}

#[cfg(test)]
mod tests;
