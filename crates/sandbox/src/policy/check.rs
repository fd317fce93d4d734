//! Whether a policy can be: what Fireblocks calls its validation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::Scope;
use protocol::error::ApiError;
use protocol::model::user::{User, UserStatus};
use protocol::role::Role;
use serde_json::{Value, json};

use super::legacy;
use super::roster::{Roster, approves};
use super::rule::{Action, AnyOf, Approval, Initiators, People, Places, Rule, Signers};
use super::written::Written;
use crate::hall::Hall;
use crate::operations::Group;
use crate::world::{Network, assets};

/// What can be wrong with a rule, by the field that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    field: Field,
    why: String,
}

/// The fields that problems are found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Operators,
    AuthorizationGroups,
    DesignatedSigners,
    ContractMethods,
    AmountAggregation,
    Src,
    Dst,
}

impl Field {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Operators => "operators",
            Self::AuthorizationGroups => "authorizationGroups",
            Self::DesignatedSigners => "designatedSigners",
            Self::ContractMethods => "contractMethods",
            Self::AmountAggregation => "amountAggregation",
            Self::Src => "src",
            Self::Dst => "dst",
        }
    }
}

impl Problem {
    pub(super) fn new(field: Field, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { field, why }
    }

    fn shown(&self) -> Value {
        // The one code that the guide shows.
        json!({
            "errorMessage": self.why,
            "errorCode": 2,
            "errorCodeName": "INVALID_PARAMETERS",
            "errorField": self.field.as_str(),
        })
    }
}

/// What rules may name.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    users: BTreeMap<String, Role>,
    groups: BTreeMap<String, Vec<String>>,
    accounts: BTreeSet<String>,
    assets: BTreeSet<&'static str>,
}

/// The users that may act, and the groups, as rules name them.
pub(crate) fn roster(users: Vec<User>, groups: Vec<Group>) -> Roster {
    Roster {
        roles: users
            .into_iter()
            .filter(|user| user.enabled && user.status == UserStatus::Ready)
            .map(|user| (user.id.to_string(), user.role))
            .collect(),
        groups: members(groups),
    }
}

fn members(groups: Vec<Group>) -> BTreeMap<String, Vec<String>> {
    let ids = |group: &Group| group.member_ids.iter().map(ToString::to_string).collect();
    groups
        .into_iter()
        .map(|group| (group.id.clone(), ids(&group)))
        .collect()
}

impl World {
    /// A world of these: what rules name people by is for whoever calls to choose.
    pub(crate) fn named(
        users: impl Iterator<Item = (String, Role)>,
        groups: impl Iterator<Item = (String, Vec<String>)>,
        accounts: impl Iterator<Item = String>,
        assets: impl Iterator<Item = &'static str>,
    ) -> Self {
        Self {
            users: users.collect(),
            groups: groups.collect(),
            accounts: accounts.collect(),
            assets: assets.collect(),
        }
    }

    /// What the rules of a workspace may name.
    pub(crate) async fn of(hall: &Arc<Hall>) -> Result<Self, ApiError> {
        let scope = Scope::whole(hall.id());
        let users = hall.books.users(&scope).into_iter();
        let accounts = hall.books.account_ids(&scope).into_iter();
        Ok(Self {
            users: users.map(|user| (user.id.to_string(), user.role)).collect(),
            groups: members(hall.all_kept().await?),
            accounts: accounts.map(|id| id.to_string()).collect(),
            assets: assets::of_workspace(hall.id(), hall.network == Network::Testnet)
                .into_iter()
                .map(|row| row.id)
                .collect(),
        })
    }
}

/// What is wrong with each rule of a policy, and how it is shown.
pub(crate) struct Checked {
    pub(crate) problems: usize,
    results: Value,
}

impl Checked {
    pub(crate) const fn is_valid(&self) -> bool {
        self.problems == 0
    }

    /// `checkResult`.
    pub(crate) fn shown(&self) -> Value {
        json!({ "errors": self.problems, "results": self.results })
    }

    /// `validation`.
    pub(crate) fn validation(&self) -> Value {
        let status = if self.is_valid() {
            "SUCCESS"
        } else {
            "INVALID_CONFIGURATION"
        };
        json!({ "status": status, "checkResult": self.shown() })
    }
}

/// What is wrong with a rule of the older shape, in words.
pub(crate) fn problems_of(rule: &Value, world: &World) -> Vec<String> {
    let found = match legacy::read(rule) {
        Err(found) => found,
        Ok(rule) => world.problems(&rule),
    };
    found.into_iter().map(|problem| problem.why).collect()
}

/// Checks each rule by itself.
pub(crate) fn check<'a>(rules: impl Iterator<Item = &'a Written>, world: &World) -> Checked {
    let mut problems = 0;
    let results: Vec<_> = rules
        .enumerate()
        .map(|(index, written)| {
            let found = match written.read() {
                Err(found) => found,
                Ok(None) => Vec::new(),
                Ok(Some(rule)) => world.problems(&rule),
            };
            problems += found.len();
            json!({
                "index": index,
                "externalDescriptor": written.descriptor(),
                "status": if found.is_empty() { "ok" } else { "failure" },
                "errors": found.iter().map(Problem::shown).collect::<Vec<_>>(),
            })
        })
        .collect();
    Checked {
        problems,
        results: results.into(),
    }
}

/// Whether a user of this role may ask for transactions.
const fn initiates(role: Role) -> bool {
    matches!(
        role,
        Role::Owner | Role::Admin | Role::NonSigningAdmin | Role::Signer | Role::Editor
    )
}

impl World {
    fn problems(&self, rule: &Rule) -> Vec<Problem> {
        let mut found = Vec::new();
        if let Initiators::These(people) = &rule.initiators {
            self.people(Field::Operators, people, initiates, "initiate", &mut found);
        }
        if let Action::Go(approval, signers) = &rule.action {
            if let Some(approval) = approval {
                self.approval(approval, &mut found);
            }
            if let Signers::Named(people) = signers {
                let field = Field::DesignatedSigners;
                self.people(field, people, Role::signs, "sign", &mut found);
            }
        }
        if let AnyOf::These(ids) = &rule.assets.ids {
            for id in ids.iter().filter(|id| !self.assets.contains(id.as_str())) {
                found.push(Problem::new(Field::Src, format!("no such asset: {id}")));
            }
        }
        self.places(Field::Src, &rule.source, &mut found);
        self.places(Field::Dst, &rule.destination, &mut found);
        found
    }

    fn people(
        &self,
        field: Field,
        people: &People,
        can: fn(Role) -> bool,
        what: &str,
        found: &mut Vec<Problem>,
    ) {
        let mut wrong = |why: String| found.push(Problem::new(field, why));
        if people.users.is_empty() && people.groups.is_empty() {
            wrong("nobody is named".to_owned());
        }
        for id in &people.users {
            match self.users.get(id) {
                // The older shape's `authorizers` name users or groups.
                None if people.groups.contains(id) && self.groups.contains_key(id) => {}
                None => wrong(format!("no such user: {id}")),
                Some(role) if !can(*role) => wrong(format!("{id} cannot {what}: {role}")),
                Some(_) => {}
            }
        }
        for id in &people.groups {
            let is_user = people.users.contains(id) && self.users.contains_key(id);
            if !self.groups.contains_key(id) && !is_user {
                wrong(format!("no such user group: {id}"));
            }
        }
    }

    fn approval(&self, approval: &Approval, found: &mut Vec<Problem>) {
        let field = Field::AuthorizationGroups;
        let roster = Roster {
            roles: self.users.clone(),
            groups: self.groups.clone(),
        };
        for group in &approval.groups {
            let before = found.len();
            self.people(field, &group.people, approves, "approve", found);
            let able = roster.approvers(&group.people).len();
            if found.len() == before && usize::try_from(group.threshold).is_ok_and(|th| th > able) {
                let why = format!("{} of {able} approvers cannot be had", group.threshold);
                found.push(Problem::new(field, why));
            }
        }
    }

    fn places(&self, field: Field, places: &Places, found: &mut Vec<Problem>) {
        let Places::These(list) = places else {
            return;
        };
        for one in list {
            let kind = one.kind.as_deref().unwrap_or_default();
            let nowhere = ["UNMANAGED", "ONE_TIME_ADDRESS", "NETWORK_CONNECTION"];
            if field == Field::Src && nowhere.contains(&kind) {
                found.push(Problem::new(field, format!("{kind} is no source")));
            }
            if let (Some(id), "VAULT") = (&one.id, kind)
                && !self.accounts.contains(id)
            {
                found.push(Problem::new(field, format!("no such vault account: {id}")));
            }
        }
    }
}
