//! The practices in a workspace as it stands, without any gate: of every API user, from what a key may
//! read. Pure; [`look`](super::look) reads.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use protocol::ids::UserId;
use protocol::model::policy_v2::{Initiator, PolicyRuleV2};
use protocol::model::user::User;
use protocol::role::Role;
use serde::{Deserialize, Serialize};

use super::Verdict;
use crate::connections::check_addresses;

/// Why something was not seen: the words for whoever wants to see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unseen(pub String);

/// What was seen, each from one source.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Every API user.
    pub users: Result<Vec<User>, Unseen>,
    /// The IP lists of API users.
    pub addresses: BTreeMap<UserId, Result<Vec<String>, Unseen>>,
    /// The rules for transfers, in order.
    pub rules: Result<Vec<PolicyRuleV2>, Unseen>,
    /// Fireblocks' own findings.
    pub theirs: Result<Vec<Theirs>, Unseen>,
}

/// A finding of Fireblocks' own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theirs {
    /// What.
    pub title: String,
    /// How bad, in their word.
    pub severity: String,
    /// Whether it is open, in their word.
    pub status: String,
}

/// How bad it is where a practice is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth a look.
    Low,
    /// To be mended.
    Medium,
    /// To be mended today.
    High,
}

/// One practice of one API user, or of the workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// C1 to C7.
    pub practice: &'static str,
    /// Whose.
    pub subject: String,
    /// What it asks for.
    pub asks: &'static str,
    /// How it stands.
    pub verdict: Verdict,
    /// How bad, where it is broken.
    pub severity: Severity,
    /// What was seen, or why nothing was.
    pub evidence: String,
    /// Where it was seen.
    pub source: &'static str,
    /// What to do.
    pub todo: &'static str,
}

/// What each practice asks for, where it is seen, and what mends it.
const PRACTICES: [(&str, &str, &str, &str); 7] = [
    (
        "C1",
        "third parties are Viewer or Editor only",
        "GET /management/api_users",
        "in the Console, delete the API user and add one of the role Viewer or Editor",
    ),
    (
        "C2",
        "the key is the third party's own, only its CSR travels",
        "the CSR that was handed over",
        "ask the third party how its key was made; enrol a new one by CSR",
    ),
    (
        "C3",
        "a key of its own for each third party",
        "the CSRs that were handed over",
        "compare the fingerprints of all CSRs; enrol a new key where two are the same",
    ),
    (
        "C4",
        "an IP allow-list on the key",
        "GET /management/api_users/{userId}/whitelist_ip_addresses",
        "in the Console, put the addresses that the third party calls from on the user's list",
    ),
    (
        "C5",
        "the first sync comes from reports",
        "the third party's own word",
        "ask the third party to begin with reports",
    ),
    (
        "C6",
        "webhooks instead of polling",
        "the third party's own word",
        "make a webhook for the third party",
    ),
    (
        "C7",
        "no signing right; people approve before anything is signed",
        "GET /policy/active_policy",
        "put a rule for this API user before the one that lets it through, with your approvers",
    ),
];

fn judged(
    practice: usize,
    subject: &str,
    verdict: Verdict,
    severity: Severity,
    evidence: String,
) -> Judged {
    let (practice, asks, source, todo) = PRACTICES.get(practice - 1).copied().unwrap_or_default();
    Judged {
        practice,
        subject: subject.to_owned(),
        asks,
        verdict,
        severity,
        evidence,
        source,
        todo,
    }
}

/// Judges what was seen. Where third parties are named, by name or id, they alone are judged; else
/// every API user, and what only a third party may not be is *cannot be seen*.
pub fn judge(seen: &Seen, third_parties: &[String]) -> Vec<Judged> {
    let users = match &seen.users {
        Ok(users) => users,
        Err(unseen) => {
            let blind = |practice| {
                judged(
                    practice,
                    "workspace",
                    Verdict::CannotBeSeen,
                    Severity::High,
                    unseen.0.clone(),
                )
            };
            return (1..=PRACTICES.len()).map(blind).collect();
        }
    };
    let named = |user: &&User| {
        third_parties.is_empty()
            || third_parties
                .iter()
                .any(|third| *third == user.id.to_string() || Some(third) == user.name.as_ref())
    };
    let mut all: Vec<Judged> = third_parties
        .iter()
        .filter(|third| {
            !users
                .iter()
                .any(|user| **third == user.id.to_string() || Some(*third) == user.name.as_ref())
        })
        .map(|third| {
            judged(
                1,
                third,
                Verdict::CannotBeSeen,
                Severity::High,
                "the workspace has no such API user".to_owned(),
            )
        })
        .collect();
    for user in users.iter().filter(named) {
        let name = user.name.clone().unwrap_or_else(|| user.id.to_string());
        all.push(role(user, &name, !third_parties.is_empty()));
        for practice in [2, 3, 5, 6] {
            let evidence = "no API tells: only what the third party hands over does".to_owned();
            all.push(judged(
                practice,
                &name,
                Verdict::CannotBeSeen,
                Severity::Medium,
                evidence,
            ));
        }
        all.push(addresses(seen, user, &name));
        all.push(policy(seen, user, &name));
    }
    all.sort_by(|a, b| (&a.subject, a.practice).cmp(&(&b.subject, b.practice)));
    all
}

fn role(user: &User, name: &str, is_third_party: bool) -> Judged {
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
        1,
        name,
        verdict,
        severity,
        format!("role {}: {said}", user.role),
    )
}

fn addresses(seen: &Seen, user: &User, name: &str) -> Judged {
    let list = match seen.addresses.get(&user.id) {
        Some(Ok(list)) => list,
        Some(Err(unseen)) => {
            return judged(
                4,
                name,
                Verdict::CannotBeSeen,
                Severity::High,
                unseen.0.clone(),
            );
        }
        None => {
            return judged(
                4,
                name,
                Verdict::CannotBeSeen,
                Severity::High,
                "it was not asked for".to_owned(),
            );
        }
    };
    if list.is_empty() {
        let evidence = "its list is empty: it may be used from anywhere".to_owned();
        return judged(4, name, Verdict::Broken, Severity::High, evidence);
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
            4,
            name,
            Verdict::CannotBeSeen,
            Severity::High,
            format!("not understood: {}", list.join(", ")),
        ),
        Ok(nets) => match check_addresses(&nets, None) {
            Ok(()) => judged(
                4,
                name,
                Verdict::Held,
                Severity::High,
                format!("only from {}", list.join(", ")),
            ),
            Err(bad) => judged(4, name, Verdict::Broken, Severity::Medium, bad.to_string()),
        },
    }
}

/// First match wins. Which groups it is in nobody tells: a rule for groups may be its own.
fn policy(seen: &Seen, user: &User, name: &str) -> Judged {
    if user.role == Role::Viewer {
        return judged(
            7,
            name,
            Verdict::Held,
            Severity::High,
            "it cannot initiate at all".to_owned(),
        );
    }
    let rules = match &seen.rules {
        Ok(rules) => rules,
        Err(unseen) => {
            return judged(
                7,
                name,
                Verdict::CannotBeSeen,
                Severity::High,
                unseen.0.clone(),
            );
        }
    };
    let id = user.id.to_string();
    for (number, rule) in (1..).zip(rules) {
        let named = match &rule.initiator {
            Initiator::Wildcard(_) => true,
            Initiator::Named(config) if config.users.contains(&id) => true,
            Initiator::Named(config) if !config.groups.is_empty() => {
                let evidence = format!(
                    "rule {number} ('{}') is for groups, and which it is in cannot be seen",
                    rule.name
                );
                return judged(7, name, Verdict::CannotBeSeen, Severity::High, evidence);
            }
            Initiator::Named(_) => false,
        };
        if named && rule.verdict.action == "ALLOW" {
            let evidence = format!(
                "rule {number} ('{}') lets some of its transfers through without an approval",
                rule.name
            );
            return judged(7, name, Verdict::Broken, Severity::High, evidence);
        }
    }
    let evidence = "no rule for transfers lets it through without an approval".to_owned();
    judged(7, name, Verdict::Held, Severity::High, evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn user(number: u128, name: &str, role: &str) -> User {
        let id = uuid::Uuid::from_u128(number);
        let user = json!({"id": id, "name": name, "role": role, "enabled": true, "status": "READY", "userType": "API"});
        serde_json::from_value(user).expect("a user")
    }

    fn rule(initiator: serde_json::Value, action: &str) -> PolicyRuleV2 {
        let rule = json!({"name": "r", "id": "1", "type": "TRANSFER", "initiator": initiator,
            "source": {}, "verdict": {"action": action}});
        serde_json::from_value(rule).expect("a rule")
    }

    fn seen(users: Vec<User>) -> Seen {
        let addresses = users
            .iter()
            .map(|user| (user.id, Ok(vec!["203.0.113.7".to_owned()])));
        Seen {
            addresses: addresses.collect(),
            users: Ok(users),
            rules: Ok(Vec::new()),
            theirs: Ok(Vec::new()),
        }
    }

    fn of(all: &[Judged], practice: &str) -> (Verdict, String) {
        let found = all
            .iter()
            .find(|one| one.practice == practice)
            .expect("judged");
        (found.verdict, found.evidence.clone())
    }

    #[test]
    fn each_practice_of_each_user_is_judged_and_what_no_source_tells_is_not_called_held() {
        let viewer = judge(&seen(vec![user(1, "acme", "VIEWER")]), &[]);
        let verdicts: Vec<_> = viewer
            .iter()
            .map(|one| (one.practice, one.verdict))
            .collect();
        use Verdict::{CannotBeSeen, Held};
        assert_eq!(
            verdicts,
            [
                ("C1", Held),
                ("C2", CannotBeSeen),
                ("C3", CannotBeSeen),
                ("C4", Held),
                ("C5", CannotBeSeen),
                ("C6", CannotBeSeen),
                ("C7", Held),
            ]
        );
        let blind = Seen {
            users: Err(Unseen("no".to_owned())),
            ..seen(Vec::new())
        };
        assert!(
            judge(&blind, &[])
                .iter()
                .all(|one| one.verdict == CannotBeSeen)
        );
    }

    #[test]
    fn what_is_broken_says_by_what() {
        let mut world = seen(vec![user(1, "acme", "SIGNER"), user(2, "other", "EDITOR")]);
        let acme = ["acme".to_owned()];
        assert_eq!(of(&judge(&world, &acme), "C1").0, Verdict::Broken);
        assert_eq!(of(&judge(&world, &[]), "C1").0, Verdict::CannotBeSeen);
        assert_eq!(
            of(&judge(&world, &["nobody".to_owned()]), "C1").0,
            Verdict::CannotBeSeen
        );
        let id = uuid::Uuid::from_u128(1);
        for (list, verdict) in [
            (Vec::new(), Verdict::Broken),
            (vec!["0.0.0.0/0".to_owned()], Verdict::Broken),
            (vec!["10.0.0.0/8".to_owned()], Verdict::Broken),
            (vec!["x".to_owned()], Verdict::CannotBeSeen),
        ] {
            world.addresses.insert(UserId(id), Ok(list));
            assert_eq!(of(&judge(&world, &acme), "C4").0, verdict);
        }
        for (rules, verdict) in [
            (vec![rule(json!("*"), "ALLOW")], Verdict::Broken),
            (
                vec![
                    rule(json!({"users": [id]}), "2-TIER"),
                    rule(json!("*"), "ALLOW"),
                ],
                Verdict::Broken,
            ),
            (
                vec![rule(json!({"users": ["else"]}), "ALLOW")],
                Verdict::Held,
            ),
            (vec![rule(json!("*"), "2-TIER")], Verdict::Held),
            (
                vec![rule(json!({"groups": ["g"]}), "ALLOW")],
                Verdict::CannotBeSeen,
            ),
        ] {
            world.rules = Ok(rules);
            let (judged, evidence) = of(&judge(&world, &acme), "C7");
            assert_eq!(judged, verdict, "{evidence}");
        }
    }
}
