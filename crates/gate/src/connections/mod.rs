//! Connections: a provider, its one key, where it comes from, what it may see, how far it is.

pub(crate) mod addresses;
mod budgets;
mod directory;
mod door_keys;
mod grant;
mod intake;
mod keys;
mod life;
mod rules;
mod terms;

use std::collections::BTreeSet;

use ipnet::IpNet;
use ledger::{AssetFilter, PartScope, Scope};
use protocol::certificate::SpkiPin;
use protocol::handover::WantedScope;
use protocol::ids::{UserId, WebhookId, WorkspaceId};
use protocol::role::ProviderRole;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::mail::MailAddress;

pub use addresses::{BadAddresses, check as check_addresses};
pub use budgets::{BudgetGrant, BudgetName, Budgets, NoBudget};
pub(crate) use directory::{Directory, Provider};
pub(crate) use door_keys::DoorKeys;
pub use grant::{BadGrant, ScopeGrant};
pub use intake::{Refused, examine, examine_certificate, examine_csr, examine_request};
pub use keys::{HeldKey, KeyState, MAX_KEYS, MAX_OVERLAP, OVERLAP, ShownKey, rotate};
pub use life::{DAY, DEFAULT_DAYS, MAX_DAYS, Mode, Move, Standing, State};
pub use rules::{AccountRule, AssetRule, BadRule, Followed};
#[cfg(test)]
pub(crate) use terms::tests::terms;
pub use terms::{Direction, Terms, classify, differences};

/// Longest name of a connection.
pub const MAX_NAME: usize = 40;

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its name, unique in the gate.
    pub name: String,
    /// The provider's own name.
    pub provider: String,
    /// What it may do.
    pub role: ProviderRole,
    /// How it works with the workspace.
    #[serde(default)]
    pub mode: Mode,
    /// How far it is; its end date counts beside that: [`Connection::standing`].
    pub state: State,
    /// When it ends. One that was kept without an end is over.
    #[serde(default = "over")]
    pub until: Millis,
    /// The API key that the provider calls with.
    pub api_key: UserId,
    /// Names its key.
    pub fingerprint: String,
    /// Where it may come from.
    pub addresses: Vec<IpNet>,
    /// Why a wide range among them is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses_reason: Option<String>,
    /// The key of the client certificate that it must show on each of its connections; none: it need
    /// not show one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<SpkiPin>,
    /// What it may see.
    pub part: PartScope,
    /// Accounts that come and go with protected tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed: Option<Followed>,
    /// Whether what the books do not hold is asked upstream for it.
    #[serde(default)]
    pub forward: bool,
    /// How much it may use.
    #[serde(default)]
    pub budgets: Budgets,
    /// Where its transactions are approved.
    pub place: Place,
    /// The API user upstream that proposes for it alone; none: the gate's Editor does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub editor: Option<UserId>,
    /// Who of the provider's is written to before it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<MailAddress>,
    /// Where its webhooks go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Target>,
    /// When it was asked for.
    pub requested_at: Millis,
    /// When it was approved, and by which operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<(Millis, String)>,
    /// When its terms were confirmed last, and by which operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<(Millis, String)>,
    /// Of which end it was reminded last, and how many days before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded: Option<(Millis, i64)>,
    /// When it was closed for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
}

/// The end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// When.
    pub at: Millis,
    /// By which operator.
    pub by: String,
    /// Why.
    pub reason: String,
}

fn over() -> Millis {
    Millis(0)
}

/// Where a proposal is approved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Here, by an operator, before anything goes up.
    #[default]
    Gate,
    /// It goes up at once and waits there for the workspace's own approvers.
    Fireblocks,
}

impl Place {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Fireblocks => "fireblocks",
        }
    }
}

/// Where webhooks go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// What the provider pins as the webhook's id.
    pub id: WebhookId,
    /// Where.
    pub url: Url,
    /// Whether the older signature header is sent, too.
    #[serde(default)]
    pub legacy_signature: bool,
}

/// Why an operator's move is not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// The connection is at a point where that cannot be done.
    #[error("the connection is {}: that cannot be done", .0.as_str())]
    State(Standing),
    /// Its end date has passed.
    #[error("the connection is EXPIRED: give it a later end date first")]
    Expired,
    /// It would be over before it began.
    #[error("its end date has passed already: name a later one")]
    Past,
    /// It has too long a life.
    #[error("a connection ends within {MAX_DAYS} days: name an earlier end date")]
    TooLong,
    /// What reads nothing proposes nothing.
    #[error("a fed connection gets reports and webhooks alone: its role is VIEWER")]
    FedEditor,
    /// It could be reached from anywhere.
    #[error("it has no IP allow-list: name the addresses that the provider calls from")]
    NoAddresses,
    /// It could see nothing, or its scope was never said.
    #[error("it has no scope: name the vault accounts that it may see")]
    NoScope,
    /// It could not see what it proposes.
    #[error(
        "an Editor follows what it proposes: its scope shows transactions that go out, and within"
    )]
    Blind,
    /// It would see what another connection proposed, and nothing else.
    #[error("only_of names this connection itself, or nobody")]
    OnlyOfAnother,
    /// No scope is like this.
    #[error(transparent)]
    Scope(#[from] BadGrant),
    /// Its addresses are too wide.
    #[error(transparent)]
    Addresses(#[from] BadAddresses),
}

impl Connection {
    /// How it stands at a moment.
    pub fn standing(&self, now: Millis) -> Standing {
        self.state.at(now, self.until)
    }

    /// Whether its key may be used at the gate at all.
    pub fn comes_in(&self, now: Millis) -> bool {
        self.mode != Mode::Watched && self.standing(now) == Standing::Active
    }

    /// Whether a request may come over a connection that showed this client certificate, or none.
    pub fn is_certified(&self, shown: Option<SpkiPin>) -> bool {
        self.client_certificate
            .is_none_or(|pinned| shown == Some(pinned))
    }

    /// What the connection is after a move. Pure.
    pub fn after(&self, what: Move, now: Millis) -> Result<State, NotNow> {
        let standing = self.standing(now);
        let next = self.state.after(what).ok_or(NotNow::State(standing))?;
        if what == Move::Approve || what.opens() {
            if standing == Standing::Expired {
                return Err(NotNow::Expired);
            }
            self.fit(now)?;
        }
        Ok(next)
    }

    /// Whether its terms may be those of a connection that is let in.
    pub fn fit(&self, now: Millis) -> Result<(), NotNow> {
        if self.addresses.is_empty() {
            return Err(NotNow::NoAddresses);
        }
        // What a key straight at Fireblocks sees is not decided here.
        if self.part.accounts.is_empty() && self.mode != Mode::Watched {
            return Err(NotNow::NoScope);
        }
        if (self.mode, self.role) == (Mode::Fed, ProviderRole::Editor) {
            return Err(NotNow::FedEditor);
        }
        let ways = self.part.directions;
        let proposes = self.role == ProviderRole::Editor && self.mode != Mode::Watched;
        if proposes && !(ways.outgoing && ways.internal) {
            return Err(NotNow::Blind);
        }
        let only = self.part.only_of.as_deref();
        if only.is_some_and(|only| only != self.name) {
            return Err(NotNow::OnlyOfAnother);
        }
        grant::check(&self.part)?;
        short_enough(self.until, now)?;
        check_addresses(&self.addresses, self.addresses_reason.as_deref())?;
        Ok(())
    }

    /// Its scope: what it may see, and its own words on what it proposed.
    pub fn scope(&self, workspace: WorkspaceId) -> Scope {
        Scope::part(workspace, self.part.clone()).for_reader(&self.name)
    }

    /// Whose position its events count.
    pub fn subscriber(&self) -> String {
        format!("connection:{}", self.name)
    }
}

/// Whether what is only asked for now may end then.
pub fn check_end(until: Millis, now: Millis) -> Result<(), NotNow> {
    if until <= now {
        return Err(NotNow::Past);
    }
    short_enough(until, now)
}

fn short_enough(until: Millis, now: Millis) -> Result<(), NotNow> {
    if until > now.plus(MAX_DAYS * DAY) {
        return Err(NotNow::TooLong);
    }
    Ok(())
}

/// A wanted scope as the books have it.
pub fn part_of(wanted: &WantedScope) -> PartScope {
    PartScope {
        accounts: wanted.vault_accounts.clone(),
        assets: wanted
            .assets
            .clone()
            .map_or(AssetFilter::All, AssetFilter::Only),
        whitelists: wanted.whitelists.clone(),
        ..PartScope::default()
    }
}

/// A scope of the books in the hand-back's words.
pub fn granted(part: &PartScope) -> WantedScope {
    let assets: Option<BTreeSet<_>> = match &part.assets {
        AssetFilter::All => None,
        AssetFilter::Only(assets) => Some(assets.clone()),
    };
    WantedScope {
        vault_accounts: part.accounts.clone(),
        assets,
        whitelists: part.whitelists.clone(),
    }
}

/// A name that can be a connection's: letters, digits, `-` and `_`.
pub fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests;
