//! What is known of a workspace: from a key, from exports, from what was handed over.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use protocol::ids::UserId;
use protocol::model::policy_v2::PolicyRuleV2;
use protocol::model::user::User;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use crate::connections::examine_request;

/// Why something was not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// The words for whoever wants to see it.
    pub why: String,
    /// Whether the look itself failed: it was asked for, and neither an answer came nor a no.
    pub failed: bool,
}

impl Unseen {
    /// Nobody gave what it is seen by, or upstream said no.
    pub fn closed(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            failed: false,
        }
    }

    /// The look itself failed.
    pub fn failed(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            failed: true,
        }
    }
}

/// A CSR that was handed over by nobody, or not by one alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongName {
    /// No API user has the name or id.
    #[error("the workspace has no API user '{0}', by name or id")]
    Nobody(String),
    /// More than one has the name.
    #[error("the workspace has several API users '{0}': give the id of the one that is meant")]
    Several(String),
    /// Both are one user's.
    #[error("'{0}' and '{1}' are the same API user: give one CSR of it")]
    Same(String, String),
}

/// What was seen, each from one source.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Every API user.
    pub users: Result<Vec<User>, Unseen>,
    /// Everybody with a seat in the Console.
    pub people: Result<Vec<User>, Unseen>,
    /// The webhooks.
    pub webhooks: Result<Vec<Hook>, Unseen>,
    /// The IP lists of API users.
    pub addresses: BTreeMap<UserId, Result<Vec<String>, Unseen>>,
    /// The rules for transfers, in order.
    pub rules: Result<Vec<PolicyRuleV2>, Unseen>,
    /// Whether the rules come from the Console's export, and not from the API.
    pub exported_rules: bool,
    /// Fireblocks' own findings.
    pub theirs: Result<Vec<Theirs>, Unseen>,
    /// The CSRs that third parties handed over, by their names or ids.
    pub handed: BTreeMap<String, Handed>,
    /// Who created what, by the Console's transaction history.
    pub history: Option<History>,
}

impl Seen {
    /// Nothing is seen, and this is why.
    pub fn nothing(why: &str) -> Self {
        Self::unseen(Unseen::closed(why))
    }

    /// All is unseen for the same reason.
    pub fn unseen(unseen: Unseen) -> Self {
        Self {
            users: Err(unseen.clone()),
            people: Err(unseen.clone()),
            webhooks: Err(unseen.clone()),
            addresses: BTreeMap::new(),
            rules: Err(unseen.clone()),
            exported_rules: false,
            theirs: Err(unseen),
            handed: BTreeMap::new(),
            history: None,
        }
    }

    /// Why the look itself failed, of each question that it failed at; nothing where another source
    /// tells the same.
    pub fn failures(&self) -> impl Iterator<Item = &str> {
        let parts = [
            self.users.as_ref().err(),
            self.people.as_ref().err(),
            self.webhooks.as_ref().err(),
            self.rules.as_ref().err(),
            self.theirs.as_ref().err(),
        ];
        let lists = self
            .addresses
            .values()
            .filter_map(|list| list.as_ref().err());
        let failed = |unseen: &&Unseen| unseen.failed;
        let all = parts.into_iter().flatten().chain(lists).filter(failed);
        all.map(|unseen| unseen.why.as_str())
    }

    /// Checks, where API users are seen, that whatever was handed over is of one of them.
    pub fn check_handed(&self) -> Result<(), WrongName> {
        let Ok(users) = &self.users else {
            return Ok(());
        };
        let mut called: HashMap<String, BTreeSet<UserId>> = HashMap::new();
        for user in users {
            for name in user.name.clone().into_iter().chain([user.id.to_string()]) {
                called.entry(name).or_default().insert(user.id);
            }
        }
        let mut met: HashMap<UserId, &str> = HashMap::new();
        for by in self.handed.keys() {
            let mut found = called.get(by).into_iter().flatten();
            let user = found.next().ok_or_else(|| WrongName::Nobody(by.clone()))?;
            if found.next().is_some() {
                return Err(WrongName::Several(by.clone()));
            }
            if let Some(before) = met.insert(*user, by) {
                return Err(WrongName::Same(before.to_owned(), by.clone()));
            }
        }
        Ok(())
    }
}

/// What a third party handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// Names its key, where there is a sound one.
    pub fingerprint: Option<String>,
    /// What was seen of it.
    pub evidence: String,
}

impl Handed {
    /// Looks at what was handed over. Nothing of a private key is kept.
    pub fn of(paste: &[u8]) -> Self {
        match examine_request(paste, false) {
            Ok(key) => Self {
                fingerprint: Some(key.fingerprint().to_string()),
                evidence: format!("its CSR is sound: RSA of {} bits", key.public_key().bits()),
            },
            Err(refused) => Self {
                fingerprint: None,
                evidence: refused.to_string(),
            },
        }
    }
}

/// Who created transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// By the creator's name.
    pub created: BTreeMap<String, Created>,
    /// From its first transaction to its last.
    pub span: Option<(Millis, Millis)>,
}

/// What somebody created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Created {
    /// How many transactions.
    pub count: usize,
    /// When the last one.
    pub last: Millis,
}

impl History {
    /// Notes that somebody created a transaction.
    pub fn note(&mut self, by: &str, at: Millis) {
        let none = Created { count: 0, last: at };
        let created = self.created.entry(by.to_owned()).or_insert(none);
        created.count += 1;
        created.last = created.last.max(at);
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
    }
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Hook {
    /// Where it sends to.
    pub url: String,
    /// Whether it sends, in their word.
    pub status: String,
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
