//! API users: all practices of each.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;
use protocol::ids::UserId;
use protocol::model::user::User;
use protocol::role::Role;

use super::policy::Policy;
use super::practices::{judged, untold};
use super::used::used;
use super::{Handed, Seen, Unseen};
use crate::connections::check_addresses;
use crate::posture::{Finding, Practice, Severity, Verdict};
use Practice::{C1, C2, C3, C4, C5, C6, C7};

/// What is looked up again and again, put in order once.
pub(super) struct Look<'a> {
    seen: &'a Seen,
    /// The rules for transfers.
    pub(super) policy: Policy<'a>,
    /// Who has handed over each key, by its fingerprint.
    holders: HashMap<&'a str, Vec<&'a str>>,
    /// How many keys were handed over.
    keys: usize,
}

impl<'a> Look<'a> {
    pub(super) fn of(seen: &'a Seen) -> Self {
        let mut holders: HashMap<&str, Vec<&str>> = HashMap::new();
        for (who, handed) in &seen.handed {
            if let Some(fingerprint) = &handed.fingerprint {
                holders.entry(fingerprint).or_default().push(who);
            }
        }
        Self {
            seen,
            policy: Policy::of(seen),
            keys: holders.values().map(Vec::len).sum(),
            holders,
        }
    }

    /// All practices of an API user.
    pub(super) fn user(&self, user: &User, id: &str, is_third_party: bool) -> Vec<Finding> {
        let name = user.name.as_deref().unwrap_or(id);
        let handed = self
            .seen
            .handed
            .get(name)
            .or_else(|| self.seen.handed.get(id));
        let mut all = vec![role(user, name, is_third_party)];
        all.extend(self.keys([name, id], handed));
        all.push(used(self.seen.history.as_ref(), name, Some(user.role)));
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
    pub(super) fn named(&self, name: &str, unseen: &Unseen) -> Vec<Finding> {
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
        let mut all = vec![blind(C1, unseen.why.clone())];
        all.extend(self.keys([name; 2], self.seen.handed.get(name)));
        all.push(used(self.seen.history.as_ref(), name, None));
        all.push(blind(C4, unseen.why.clone()));
        all.extend(own_word(name));
        all.push(self.policy.judge(name, id));
        all
    }

    /// Of whose key it is, and whether another has it: only what was handed over tells. It may have been
    /// handed over by name or by id: neither is another.
    fn keys(&self, [name, id]: [&str; 2], handed: Option<&Handed>) -> [Finding; 2] {
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
        let is_other = |who: &&&str| ![name, id].contains(*who);
        let other = holders.into_iter().flatten().find(is_other);
        let has_key = |who: &&str| {
            let handed = self.seen.handed.get(*who);
            handed.is_some_and(|handed| handed.fingerprint.is_some())
        };
        let own = BTreeSet::from([name, id]).into_iter().filter(has_key);
        let compared = self.keys - own.count();
        let (verdict, evidence) = if let Some(other) = other {
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

pub(super) fn role(user: &User, name: &str, is_third_party: bool) -> Finding {
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
                unseen.why.clone(),
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
