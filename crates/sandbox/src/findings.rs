//! What is not as safe as it could be in a workspace: found in what it is, not made up. Pure.

use protocol::ids::{UserId, WorkspaceId};
use protocol::model::user::{User, UserType};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::shelf::Kept;

/// What is looked at.
#[derive(Debug)]
pub(crate) struct Look<'a> {
    pub(crate) users: &'a [User],
    /// API users whose keys may be used from any address.
    pub(crate) from_anywhere: &'a [UserId],
    /// API users who sign without a co-signer that asks back.
    pub(crate) without_callback: &'a [UserId],
    /// How many can approve what a rule of the policy is of, and how many have to.
    pub(crate) approvals: &'a [Approvals],
    /// How many are in the Admin Quorum, and how many have to say yes.
    pub(crate) quorum: (usize, usize),
}

/// How many can approve what a rule of the policy is of, and how many have to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Approvals {
    /// The rule's number, from 1.
    pub(crate) rule: usize,
    pub(crate) people: usize,
    pub(crate) threshold: u32,
}

/// What is found, in the contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Kind {
    ApiUserNotWhitelisted,
    ApiCosignerWithNoCallback,
    #[serde(rename = "TH_SET_TO_1_AND_MORE_THAN_3_APPROVERS")]
    OneOfManyApproves,
    #[serde(rename = "ADMIN_TH_SET_TO_1_AND_MORE_THAN_3_ADMINS")]
    OneOfManyAdmins,
    #[serde(rename = "ADMIN_TH_SET_TO_ALL_AND_MORE_THAN_2_ADMINS")]
    AllAdmins,
    UserEmailDomainNonBusiness,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Severity {
    Low,
    Medium,
    High,
}

/// What people say of it, or that it is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Open,
    Accepted,
    Resolved,
}

/// Something found, and what has been said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// What it is about: a user's id, a rule.
    pub(crate) about: String,
    pub(crate) title: String,
    pub(crate) status: Status,
    pub(crate) created: Millis,
    #[serde(default)]
    pub(crate) said: Option<Said>,
}

/// Who changed a finding's status, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) by: String,
    pub(crate) at: Millis,
    pub(crate) why: Option<String>,
}

impl Kept for Finding {
    const KIND: &'static str = "security_finding";

    fn key(&self) -> String {
        self.id.clone()
    }
}

impl Kind {
    pub(crate) const fn severity(self) -> Severity {
        match self {
            Self::ApiUserNotWhitelisted => Severity::Medium,
            Self::ApiCosignerWithNoCallback => Severity::High,
            Self::OneOfManyAdmins => Severity::High,
            Self::OneOfManyApproves | Self::AllAdmins => Severity::Medium,
            Self::UserEmailDomainNonBusiness => Severity::Low,
        }
    }

    pub(crate) const fn category(self) -> &'static str {
        match self {
            Self::ApiUserNotWhitelisted | Self::UserEmailDomainNonBusiness => "USER_MANAGEMENT",
            Self::ApiCosignerWithNoCallback => "WORKSPACE_CONFIGURATION",
            Self::OneOfManyApproves => "APPROVAL_GROUP_MANAGEMENT",
            Self::OneOfManyAdmins | Self::AllAdmins => "WORKSPACE_CONFIGURATION",
        }
    }

    /// What may come of it.
    pub(crate) const fn risk(self) -> &'static str {
        match self {
            Self::ApiUserNotWhitelisted => "Whoever has the API key can use it from anywhere.",
            Self::ApiCosignerWithNoCallback => {
                "The co-signer signs whatever the policy lets pass, and nothing of yours is asked."
            }
            Self::OneOfManyApproves => "One person out of many can approve alone.",
            Self::OneOfManyAdmins => "One administrator out of many decides alone.",
            Self::AllAdmins => "Nothing is decided any more once one administrator is gone.",
            Self::UserEmailDomainNonBusiness => {
                "A mail box that is not the company's can outlive the employment."
            }
        }
    }

    /// What to do about it.
    pub(crate) const fn mitigation(self) -> &'static str {
        match self {
            Self::ApiUserNotWhitelisted => "Set the API user's IP allow-list.",
            Self::ApiCosignerWithNoCallback => "Configure a callback handler for the API user.",
            Self::OneOfManyApproves => "Raise the group's threshold.",
            Self::OneOfManyAdmins => "Raise the threshold of the Admin Quorum.",
            Self::AllAdmins => "Lower the threshold of the Admin Quorum.",
            Self::UserEmailDomainNonBusiness => "Use an address of the company's domain.",
        }
    }
}

/// Mail for everybody.
const PUBLIC_MAIL: [&str; 6] = [
    "gmail.com",
    "outlook.com",
    "hotmail.com",
    "yahoo.com",
    "proton.me",
    "icloud.com",
];
/// More approvers than these want more than one to say yes.
const FEW: usize = 3;

/// Everything there is to find: what, about what, and in words.
fn found(look: &Look<'_>) -> Vec<(Kind, String, String)> {
    let name = |user: &User| user.name.clone().or(user.first_name.clone());
    let api = |ids: &[UserId], kind: Kind, what: &str| -> Vec<_> {
        let those = look.users.iter().filter(|user| {
            user.enabled && user.user_type == UserType::Api && ids.contains(&user.id)
        });
        those
            .map(|user| {
                let title = format!("API user {} {what}", name(user).unwrap_or_default());
                (kind, user.id.to_string(), title)
            })
            .collect()
    };
    let mut all = api(
        look.from_anywhere,
        Kind::ApiUserNotWhitelisted,
        "has no IP allow-list",
    );
    all.extend(api(
        look.without_callback,
        Kind::ApiCosignerWithNoCallback,
        "signs without a callback handler",
    ));
    for user in look.users.iter().filter(|user| user.enabled) {
        let domain = user
            .email
            .as_deref()
            .and_then(|email| email.split_once('@'));
        if domain.is_some_and(|(_, domain)| PUBLIC_MAIL.contains(&domain)) {
            let title = format!(
                "User {} has a private address",
                name(user).unwrap_or_default()
            );
            all.push((Kind::UserEmailDomainNonBusiness, user.id.to_string(), title));
        }
    }
    for approvals in look.approvals {
        if approvals.threshold == 1 && approvals.people > FEW {
            let rule = approvals.rule;
            let title = format!("One of many approvers is enough in rule {rule}");
            all.push((Kind::OneOfManyApproves, format!("rule {rule}"), title));
        }
    }
    let quorum = match look.quorum {
        (admins, 1) if admins > FEW => Some((Kind::OneOfManyAdmins, "One administrator decides")),
        (admins, needed) if needed >= admins && admins > 2 => {
            Some((Kind::AllAdmins, "All administrators have to decide"))
        }
        _ => None,
    };
    all.extend(quorum.map(|(kind, title)| (kind, "quorum".to_owned(), title.to_owned())));
    all
}

/// What has changed since the workspace was last looked at: findings that are new, are there
/// again, or are there no more.
pub(crate) fn changed(
    workspace: WorkspaceId,
    known: &[Finding],
    look: &Look<'_>,
    at: Millis,
) -> Vec<Finding> {
    let mut changed = Vec::new();
    let mut there = Vec::new();
    for (kind, about, title) in found(look) {
        let name = format!("{kind:?} {about}");
        let id = Uuid::new_v5(&workspace.0, name.as_bytes()).to_string();
        match known.iter().find(|finding| finding.id == id) {
            None => changed.push(Finding {
                id: id.clone(),
                kind,
                about,
                title,
                status: Status::Open,
                created: at,
                said: None,
            }),
            Some(again) if again.status == Status::Resolved => changed.push(Finding {
                status: Status::Open,
                said: None,
                ..again.clone()
            }),
            Some(_) => {}
        }
        there.push(id);
    }
    let gone = known
        .iter()
        .filter(|finding| finding.status != Status::Resolved && !there.contains(&finding.id));
    changed.extend(gone.map(|finding| Finding {
        status: Status::Resolved,
        ..finding.clone()
    }));
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::model::user::UserStatus;
    use protocol::role::Role;

    const WORKSPACE: WorkspaceId = WorkspaceId(Uuid::from_u128(1));

    fn user(number: u128, email: Option<&str>) -> User {
        User {
            id: UserId(Uuid::from_u128(number)),
            first_name: None,
            last_name: None,
            email: email.map(str::to_owned),
            name: Some(format!("user {number}")),
            role: Role::Signer,
            enabled: true,
            status: UserStatus::Ready,
            user_type: if email.is_some() {
                UserType::Console
            } else {
                UserType::Api
            },
        }
    }

    #[test]
    fn thresholds_are_neither_one_nor_all() {
        let kinds = |people, threshold, quorum| -> Vec<Kind> {
            let look = Look {
                users: &[],
                from_anywhere: &[],
                without_callback: &[],
                approvals: &[Approvals {
                    rule: 2,
                    people,
                    threshold,
                }],
                quorum,
            };
            let all = changed(WORKSPACE, &[], &look, Millis(5));
            all.into_iter().map(|finding| finding.kind).collect()
        };
        assert_eq!(kinds(3, 1, (3, 2)), []);
        assert_eq!(kinds(4, 2, (3, 1)), []);
        assert_eq!(kinds(4, 1, (4, 2)), [Kind::OneOfManyApproves]);
        assert_eq!(kinds(3, 1, (4, 1)), [Kind::OneOfManyAdmins]);
        assert_eq!(kinds(3, 1, (3, 3)), [Kind::AllAdmins]);
        assert_eq!(kinds(3, 1, (2, 2)), []);
    }

    #[test]
    fn what_is_found_is_kept_until_it_is_no_more() {
        let users = [user(1, None), user(2, Some("x@gmail.com"))];
        let look = |from_anywhere: &'static [UserId]| Look {
            users: &users,
            from_anywhere,
            without_callback: &[],
            approvals: &[],
            quorum: (4, 2),
        };
        const ONE: [UserId; 1] = [UserId(Uuid::from_u128(1))];
        let first = changed(WORKSPACE, &[], &look(&ONE), Millis(5));
        let kinds: Vec<_> = first.iter().map(|finding| finding.kind).collect();
        assert_eq!(
            kinds,
            [
                Kind::ApiUserNotWhitelisted,
                Kind::UserEmailDomainNonBusiness
            ]
        );
        assert_eq!(changed(WORKSPACE, &first, &look(&ONE), Millis(6)), []);
        let gone = changed(WORKSPACE, &first, &look(&[]), Millis(7));
        let [resolved] = gone.as_slice() else {
            panic!("{gone:?}")
        };
        assert_eq!(resolved.status, Status::Resolved);
        let again = changed(WORKSPACE, &gone, &look(&ONE), Millis(8));
        assert_eq!(
            (again[0].status, again[0].created),
            (Status::Open, Millis(5))
        );
    }
}
