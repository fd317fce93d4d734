//! What is known of a workspace: from a key, from exports, from what was handed over.

use std::collections::BTreeMap;

use protocol::ids::UserId;
use protocol::model::policy_v2::PolicyRuleV2;
use protocol::model::user::User;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use crate::connections::examine_request;

/// Why something was not seen: the words for whoever wants to see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unseen(pub String);

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
        let unseen = Unseen(why.to_owned());
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
