//! A workspace's policy: the one in force, the draft that people work on, and the one that waits
//! for the owner and the quorum.

use std::sync::Arc;

use ledger::Fault;
use protocol::error::ApiError;
use protocol::ids::UserId;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::StoreError;
use uuid::Uuid;

use super::usual::usual;
use super::written::Written;
use crate::deed::Deed;
use crate::hall::Hall;
use crate::operations::date_time;
use crate::quorum::Ask;
use crate::shelf::Kept;

/// The one key of its kind.
const KEY: &str = "policy";

/// A workspace's policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Policy {
    /// What transactions are judged by.
    pub(crate) active: Version,
    draft: Option<Version>,
    /// What is to be the active one.
    pub(crate) pending: Option<Version>,
}

/// A policy in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) rules: Vec<Written>,
    edited: Option<Act>,
    published: Option<Act>,
}

/// Who did something to it, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Act {
    pub(crate) by: String,
    pub(crate) at: Millis,
}

impl Kept for Policy {
    const KIND: &'static str = "policy";

    fn key(&self) -> String {
        KEY.to_owned()
    }
}

impl Version {
    pub(crate) fn metadata(&self) -> Value {
        let mut metadata = json!({});
        let acts = [
            ("editedBy", "editedAt", &self.edited),
            ("publishedBy", "publishedAt", &self.published),
        ];
        for (by, at, act) in acts {
            if let Some(act) = act {
                metadata[by] = act.by.as_str().into();
                metadata[at] = date_time(act.at).into();
            }
        }
        metadata
    }

    /// Its rules with those of some types in the place of its own of these types. Those that the
    /// older shape has no words for come last, so that a rule's number is the same in both.
    fn with(&self, types: &[String], rules: Vec<Written>) -> Vec<Written> {
        let is_replaced = |rule: &Written| types.iter().any(|kind| kind == rule.kind());
        let at = self.rules.iter().position(is_replaced);
        let kept = |rule: &&Written| !is_replaced(rule);
        let split = at.unwrap_or(self.rules.len());
        let (before, after) = self.rules.split_at(split);
        let mut all: Vec<_> = before.iter().filter(kept).cloned().collect();
        all.extend(rules);
        all.extend(after.iter().filter(kept).cloned());
        all.sort_by_key(|rule| rule.as_legacy().is_none());
        all
    }
}

impl Policy {
    /// The policy of a workspace where nobody has touched it.
    fn first(hall: &Hall) -> Self {
        let id = |number: usize| {
            let name = format!("vestibule:policy:{number}");
            Uuid::new_v5(&hall.id().0, name.as_bytes()).to_string()
        };
        let rules = hall.first_policy.iter().enumerate();
        Self {
            active: Version {
                id: id(0),
                rules: rules
                    .map(|(at, rule)| Written::legacy(rule.clone(), || id(at + 1)))
                    .collect(),
                edited: None,
                published: None,
            },
            draft: None,
            pending: None,
        }
    }

    /// What people work on: until somebody saves another, what waits or what is in force.
    pub(crate) fn draft(&self) -> &Version {
        let waits = self.pending.as_ref();
        self.draft.as_ref().or(waits).unwrap_or(&self.active)
    }

    /// Saves a draft of these rules.
    pub(crate) fn save(&mut self, id: String, rules: Vec<Written>, by: Act) {
        self.draft = Some(Version {
            id,
            rules,
            edited: Some(by),
            published: None,
        });
    }

    /// Saves a draft with these rules in the place of those of some types.
    pub(crate) fn save_types(
        &mut self,
        id: String,
        types: &[String],
        rules: Vec<Written>,
        by: Act,
    ) {
        let rules = self.draft().with(types, rules);
        self.save(id, rules, by);
    }

    /// The draft of that id; or the draft, where none is named.
    pub(crate) fn draft_of(&self, id: Option<&str>) -> Result<Version, ApiError> {
        let draft = self.draft();
        if id.is_none_or(|id| id == draft.id) {
            Ok(draft.clone())
        } else {
            let why = "there is no such draft: it has been edited since, or was published";
            Err(ApiError::uncoded(404, why))
        }
    }

    /// The policy in force with a draft's rules of some types.
    pub(crate) fn with_types(&self, draft: &Version, types: &[String]) -> Version {
        let of_types = |rule: &&Written| types.iter().any(|kind| kind == rule.kind());
        let rules = draft.rules.iter().filter(of_types).cloned().collect();
        Version {
            rules: self.active.with(types, rules),
            ..draft.clone()
        }
    }

    /// Lets a version wait for people.
    fn ask_for(&mut self, mut version: Version, by: Act) -> Result<Version, ApiError> {
        if self.pending.is_some() {
            let why = "a policy waits for its approval: only one can";
            return Err(ApiError::uncoded(409, why));
        }
        version.published = Some(by);
        // What was edited of other types is a draft still.
        self.draft = self
            .draft
            .take()
            .filter(|draft| draft.rules != version.rules);
        self.pending = Some(version.clone());
        Ok(version)
    }

    /// People have agreed: what waits is in force. Without a rule, the usual ones hold.
    fn agree(&mut self, mut fresh: impl FnMut() -> String) {
        let Some(mut version) = self.pending.take() else {
            return;
        };
        if version.rules.is_empty() {
            let rules = usual().into_iter();
            version.rules = rules
                .map(|rule| Written::legacy(rule, &mut fresh))
                .collect();
        }
        self.active = version;
    }

    /// People do not agree, or never said anything: what waits is a draft again.
    fn disagree(&mut self) {
        if let Some(version) = self.pending.take() {
            self.draft.get_or_insert(version);
        }
    }
}

/// What waits is in force.
pub(crate) fn in_force(deed: &mut Deed<'_, '_>) -> Result<(), Fault> {
    let mut policy = deed.policy()?;
    policy.agree(|| deed.chance.uuid().to_string());
    Ok(deed.keep(&policy)?)
}

/// What waits will not be in force.
pub(crate) fn not_in_force(deed: &mut Deed<'_, '_>) -> Result<(), Fault> {
    let mut policy = deed.policy()?;
    policy.disagree();
    Ok(deed.keep(&policy)?)
}

impl Deed<'_, '_> {
    /// Asks people for a version of the policy. It is the draft until they agree.
    pub(crate) fn publish(
        &mut self,
        mut policy: Policy,
        version: Version,
        by: UserId,
    ) -> Result<Version, Fault> {
        let act = Act {
            by: by.to_string(),
            at: self.at,
        };
        let version = policy.ask_for(version, act)?;
        self.keep(&policy)?;
        let ask = Ask::PolicyChange {
            version: version.id.clone(),
        };
        self.ask(ask, Some(by))?;
        Ok(version)
    }

    /// The workspace's policy.
    pub(crate) fn policy(&mut self) -> Result<Policy, StoreError> {
        let kept = self.kept::<Policy>(KEY)?;
        Ok(kept.unwrap_or_else(|| Policy::first(self.hall)))
    }
}

impl Hall {
    /// The workspace's policy.
    pub(crate) async fn policy(self: &Arc<Self>) -> Result<Policy, ApiError> {
        let kept = self.kept::<Policy>(KEY).await?;
        Ok(kept.unwrap_or_else(|| Policy::first(self)))
    }
}
