//! What becomes of a plan's names in a workspace: users, groups, tags, and the rules that name them.

use protocol::ids::WorkspaceId;
use protocol::model::user::{User, UserStatus, UserType};
use protocol::model::vault::Tag;
use protocol::time::Millis;
use serde_json::Value;
use uuid::Uuid;

use super::plan::{Group, History, Kinds, Member, Plan};
use crate::people::{id_in, public_half};
use crate::rows::KeyRow;

/// The fields of a rule that name people.
const OF_PEOPLE: [&str; 6] = [
    "operators",
    "operator",
    "designatedSigners",
    "designatedSigner",
    "authorizationGroups",
    "authorizers",
];

fn known(kind: &str, name: &str) -> Uuid {
    let name = format!("vestibule:{kind}:{name}");
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
}

impl Member {
    /// As the API of a workspace shows it.
    pub(crate) fn user(&self, workspace: WorkspaceId) -> User {
        let person = self.key_pem.is_none();
        User {
            id: id_in(workspace, &self.name),
            first_name: person.then(|| self.name.clone()),
            last_name: person.then(|| "Example".to_owned()),
            email: person.then(|| format!("{}@fund.example", self.name.replace(' ', "."))),
            name: (!person).then(|| self.name.clone()),
            role: self.role,
            enabled: true,
            status: UserStatus::Ready,
            user_type: if person {
                UserType::Console
            } else {
                UserType::Api
            },
        }
    }
}

impl Group {
    /// The same in every workspace.
    pub(crate) fn id(&self) -> String {
        known("group", &self.name).to_string()
    }
}

impl Plan {
    /// The keys that its programs come in with.
    pub(crate) fn keys(&self, workspace: WorkspaceId) -> Vec<KeyRow> {
        let keys = self.people.iter().filter_map(|member| {
            Some(KeyRow {
                user: id_in(workspace, &member.name),
                workspace,
                spki: public_half(member.key_pem?)?.to_vec(),
                addresses: String::new(),
            })
        });
        keys.collect()
    }

    /// Its tags, as the API shows them.
    pub(crate) fn tags(&self, now: Millis) -> Vec<Tag> {
        let tags = self.tags.iter().map(|label| Tag {
            id: known("tag", &label.label).to_string(),
            label: label.label.clone(),
            description: label.description.clone(),
            color: None,
            is_protected: label.protected,
            updated_at: now,
        });
        tags.collect()
    }

    /// Its policy, with the ids of a workspace.
    pub(crate) fn policy(&self, workspace: WorkspaceId) -> Vec<Value> {
        let id_of = |name: &str| {
            let member = self.people.iter().find(|member| member.name == name);
            let group = self.groups.iter().find(|group| group.name == name);
            member
                .map(|member| id_in(workspace, &member.name).to_string())
                .or_else(|| group.map(Group::id))
        };
        let mut rules = self.policy.clone();
        for rule in &mut rules {
            for field in OF_PEOPLE {
                if let Some(named) = rule.get_mut(field) {
                    replace(named, &id_of);
                }
            }
        }
        rules
    }
}

/// Puts an id in the place of each name.
fn replace(value: &mut Value, id_of: &impl Fn(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(id) = id_of(text) {
                *text = id;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, id_of)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, id_of)),
        _ => {}
    }
}

impl History {
    /// That of a workspace in which nothing has happened.
    pub(crate) const NONE: Self = Self {
        days: 365,
        transactions: 0,
        initiator: String::new(),
        signer: String::new(),
        deposits: (100_000, 25_000_000),
        kinds: Kinds::USUAL,
        assets: Vec::new(),
        skips: false,
    };
}
