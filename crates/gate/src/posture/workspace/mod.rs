//! The practices in a workspace as it stands, without any gate: of every API user, from what a key may
//! read, from the Console's exports, and from what third parties handed over. Pure;
//! [`look`](super::look) reads.

mod policy;
mod seen;

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;
use protocol::ids::UserId;
use protocol::model::user::User;
use protocol::role::Role;
use protocol::time::Millis;

use super::{Finding, Practice, Severity, Verdict};
use crate::connections::check_addresses;
use Practice::{C1, C2, C3, C3Used, C4, C5, C6, C7};
use policy::Policy;
pub use seen::{Created, Handed, History, Seen, Theirs, Unseen};

/// Each practice that is judged of every user.
const PRACTICES: [Practice; 7] = [C1, C2, C3, C4, C5, C6, C7];

/// What each practice asks for, where it is seen, and what mends it.
const fn about(practice: Practice) -> [&'static str; 3] {
    match practice {
        C1 => [
            "third parties are Viewer or Editor only",
            "GET /management/api_users",
            "in the Console, delete the API user and add one of the role Viewer or Editor",
        ],
        C2 => [
            "the key is the third party's own, only its CSR travels",
            "the CSR that was handed over",
            "ask the third party how its key was made; enrol a new one by CSR",
        ],
        C3 | C3Used => [
            "a key of its own for each third party",
            "the CSRs that were handed over",
            "compare the fingerprints of all CSRs; enrol a new key where two are the same",
        ],
        C4 => [
            "an IP allow-list on the key",
            "GET /management/api_users/{userId}/whitelist_ip_addresses",
            "in the Console, put the addresses that the third party calls from on the user's list",
        ],
        C5 => [
            "the first sync comes from reports",
            "the third party's own word",
            "ask the third party to begin with reports",
        ],
        C6 => [
            "webhooks instead of polling",
            "the third party's own word",
            "make a webhook for the third party",
        ],
        C7 => [
            "no signing right; people approve before anything is signed",
            "GET /policy/active_policy",
            "put a rule for this API user before the one that lets it through, with your approvers",
        ],
    }
}

fn judged(
    practice: Practice,
    subject: &str,
    verdict: Verdict,
    severity: Severity,
    evidence: String,
) -> Finding {
    let [asks, source, todo] = about(practice);
    Finding {
        practice,
        subject: subject.to_owned(),
        asks: asks.into(),
        verdict,
        severity,
        evidence,
        source: source.into(),
        todo: todo.into(),
    }
}

/// Judges what was seen. Where third parties are named, by name or id, they alone are judged; else
/// every API user, and what only a third party may not be is *cannot be seen*.
pub fn judge(seen: &Seen, third_parties: &[String]) -> Vec<Finding> {
    let look = Look::of(seen);
    let named: BTreeSet<&str> = third_parties.iter().map(String::as_str).collect();
    let mut all = Vec::new();
    match &seen.users {
        Ok(users) => {
            let mut missing = named.clone();
            for user in users {
                let id = user.id.to_string();
                let by_id = missing.remove(id.as_str()) || named.contains(id.as_str());
                let by_name = user.name.as_deref().is_some_and(|name| {
                    missing.remove(name);
                    named.contains(name)
                });
                if named.is_empty() || by_id || by_name {
                    all.extend(look.user(user, &id, !named.is_empty()));
                }
            }
            all.extend(missing.into_iter().map(|third| {
                let evidence = "the workspace has no such API user".to_owned();
                judged(C1, third, Verdict::CannotBeSeen, Severity::High, evidence)
            }));
        }
        Err(unseen) => {
            let mut subjects: BTreeSet<&str> = seen.handed.keys().map(String::as_str).collect();
            subjects.extend(named);
            if subjects.is_empty() && !seen.exported_rules {
                return PRACTICES
                    .into_iter()
                    .map(|practice| {
                        judged(
                            practice,
                            "workspace",
                            Verdict::CannotBeSeen,
                            Severity::High,
                            unseen.0.clone(),
                        )
                    })
                    .collect();
            }
            if subjects.is_empty() {
                subjects.insert("any API user");
            }
            for subject in subjects {
                all.extend(look.named(subject, unseen));
            }
        }
    }
    all.sort_by(|a, b| (&a.subject, a.practice).cmp(&(&b.subject, b.practice)));
    all
}

/// What is looked up again and again, put in order once.
struct Look<'a> {
    seen: &'a Seen,
    policy: Policy<'a>,
    /// Who has handed over each key, by its fingerprint.
    holders: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Look<'a> {
    fn of(seen: &'a Seen) -> Self {
        let mut holders: HashMap<&str, Vec<&str>> = HashMap::new();
        for (who, handed) in &seen.handed {
            if let Some(fingerprint) = &handed.fingerprint {
                holders.entry(fingerprint).or_default().push(who);
            }
        }
        Self {
            seen,
            policy: Policy::of(seen),
            holders,
        }
    }

    /// All practices of an API user.
    fn user(&self, user: &User, id: &str, is_third_party: bool) -> Vec<Finding> {
        let name = user.name.as_deref().unwrap_or(id);
        let mut first = role(user, name, is_third_party);
        if user.role != Role::Viewer {
            first.evidence += &self.initiated(name);
        }
        let handed = self
            .seen
            .handed
            .get(name)
            .or_else(|| self.seen.handed.get(id));
        let mut all = vec![first];
        all.extend(self.keys(name, handed));
        all.push(addresses(self.seen, user, name));
        all.extend(own_word(name));
        all.push(if user.role == Role::Viewer {
            let evidence = "it cannot initiate at all".to_owned();
            judged(C7, name, Verdict::Held, Severity::High, evidence)
        } else {
            self.policy.judge(name, Some(id))
        });
        all
    }

    /// All practices of somebody of whom only a name is known, or an id.
    fn named(&self, name: &str, unseen: &Unseen) -> Vec<Finding> {
        let blind = |practice, evidence: String| {
            judged(
                practice,
                name,
                Verdict::CannotBeSeen,
                Severity::High,
                evidence,
            )
        };
        let id = name.parse::<UserId>().is_ok().then_some(name);
        let mut all = vec![blind(C1, unseen.0.clone() + &self.initiated(name))];
        all.extend(self.keys(name, self.seen.handed.get(name)));
        all.push(blind(C4, unseen.0.clone()));
        all.extend(own_word(name));
        all.push(self.policy.judge(name, id));
        all
    }

    /// What the history tells of what somebody has initiated, to be added to other evidence.
    fn initiated(&self, name: &str) -> String {
        let Some(history) = &self.seen.history else {
            return String::new();
        };
        match history.created.get(name) {
            Some(created) => format!(
                "; in the history given it created {} transactions, the last on {}",
                created.count,
                day(created.last)
            ),
            None => "; in the history given it created nothing".to_owned(),
        }
    }

    /// Of whose key it is, and whether another has it: only what was handed over tells.
    fn keys(&self, name: &str, handed: Option<&Handed>) -> [Finding; 2] {
        let Some(handed) = handed else {
            let why = "no API tells: only the CSR that was handed over does";
            return [C2, C3].map(|practice| untold(practice, name, why));
        };
        let Some(fingerprint) = &handed.fingerprint else {
            let evidence = "its CSR was refused: there is no key to compare".to_owned();
            return [
                judged(
                    C2,
                    name,
                    Verdict::Broken,
                    Severity::High,
                    handed.evidence.clone(),
                ),
                judged(C3, name, Verdict::CannotBeSeen, Severity::High, evidence),
            ];
        };
        let holders = self.holders.get(fingerprint.as_str());
        let others: Vec<_> = holders
            .into_iter()
            .flatten()
            .filter(|who| **who != name)
            .collect();
        let compared = self.seen.handed.len() - 1;
        let (verdict, evidence) = if let Some(other) = others.first() {
            (
                Verdict::Broken,
                format!("'{other}' has handed over the same key ({fingerprint})"),
            )
        } else if compared == 0 {
            (
                Verdict::CannotBeSeen,
                "no other CSR was given to compare it with".to_owned(),
            )
        } else {
            (
                Verdict::Held,
                format!("none of the {compared} other CSRs that were given has its key"),
            )
        };
        [
            judged(
                C2,
                name,
                Verdict::Held,
                Severity::High,
                handed.evidence.clone(),
            ),
            judged(C3, name, verdict, Severity::High, evidence),
        ]
    }
}

/// What only the third party itself can say.
fn own_word(name: &str) -> [Finding; 2] {
    let why = "no API tells: only the third party can";
    [C5, C6].map(|practice| untold(practice, name, why))
}

/// What nothing that was seen tells.
fn untold(practice: Practice, name: &str, why: &str) -> Finding {
    let evidence = why.to_owned();
    judged(
        practice,
        name,
        Verdict::CannotBeSeen,
        Severity::Medium,
        evidence,
    )
}

fn day(at: Millis) -> String {
    let day = jiff::Timestamp::from_millisecond(at.0);
    day.map_or_else(
        |_| at.to_string(),
        |day| day.strftime("%Y-%m-%d").to_string(),
    )
}

fn role(user: &User, name: &str, is_third_party: bool) -> Finding {
    let (verdict, said) = match user.role {
        Role::Viewer | Role::Editor => (Verdict::Held, "it can do no more than that"),
        _ if is_third_party && user.role.signs() => (Verdict::Broken, "it can sign"),
        _ if is_third_party => (Verdict::Broken, "it can do more than a third party may"),
        _ => (
            Verdict::CannotBeSeen,
            "nobody said whether it is a third party's",
        ),
    };
    let severity = if user.role.signs() {
        Severity::High
    } else {
        Severity::Medium
    };
    judged(
        C1,
        name,
        verdict,
        severity,
        format!("role {}: {said}", user.role),
    )
}

fn addresses(seen: &Seen, user: &User, name: &str) -> Finding {
    let list = match seen.addresses.get(&user.id) {
        Some(Ok(list)) => list,
        Some(Err(unseen)) => {
            return judged(
                C4,
                name,
                Verdict::CannotBeSeen,
                Severity::High,
                unseen.0.clone(),
            );
        }
        None => {
            return judged(
                C4,
                name,
                Verdict::CannotBeSeen,
                Severity::High,
                "it was not asked for".to_owned(),
            );
        }
    };
    if list.is_empty() {
        let evidence = "its list is empty: it may be used from anywhere".to_owned();
        return judged(C4, name, Verdict::Broken, Severity::High, evidence);
    }
    let parsed: Result<Vec<IpNet>, _> = list
        .iter()
        .map(|text| {
            let single = |_| text.parse::<IpAddr>().map(IpNet::from);
            text.parse::<IpNet>().or_else(single)
        })
        .collect();
    match parsed {
        Err(_) => judged(
            C4,
            name,
            Verdict::CannotBeSeen,
            Severity::High,
            format!("not understood: {}", list.join(", ")),
        ),
        Ok(nets) => match check_addresses(&nets, None) {
            Ok(()) => judged(
                C4,
                name,
                Verdict::Held,
                Severity::High,
                format!("only from {}", list.join(", ")),
            ),
            Err(bad) => judged(C4, name, Verdict::Broken, Severity::Medium, bad.to_string()),
        },
    }
}

#[cfg(test)]
mod tests;
