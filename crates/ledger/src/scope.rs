//! What a reader may see.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use protocol::ids::{AssetId, VaultAccountId, WalletId, WorkspaceId};
use protocol::model::transaction::PeerKind;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

/// What a reader may see of one workspace. No query of the books can be made without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    workspace: WorkspaceId,
    part: Option<Arc<PartScope>>,
    reader: Option<Arc<str>>,
}

/// A part of a workspace. What is not named is not in it. A dimension that is not known is refused: it
/// could be one that hides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartScope {
    /// The vault accounts.
    pub accounts: BTreeSet<VaultAccountId>,
    /// Their assets.
    #[serde(default)]
    pub assets: AssetFilter,
    /// The whitelisted wallets and contracts.
    #[serde(default)]
    pub whitelists: BTreeSet<WalletId>,
    /// The first moment of the history that is shown; the first of a month, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_from: Option<Millis>,
    /// Accounts at exchanges that are named where a transaction touches them; by their ids.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub exchange_accounts: BTreeSet<String>,
    /// Accounts at banks that are named where a transaction touches them; by their ids.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fiat_accounts: BTreeSet<String>,
    /// Which ways transactions go that are shown.
    #[serde(default, skip_serializing_if = "Directions::all")]
    pub directions: Directions,
    /// What of a transaction is shown beside its amount and its sides.
    #[serde(default, skip_serializing_if = "Shown::is_usual")]
    pub shown: Shown,
    /// Other people's transactions are not shown: those alone that this reader proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_of: Option<String>,
}

/// Which ways transactions go, as the scope sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Directions {
    /// From outside the scope into it.
    pub incoming: bool,
    /// Out of the scope.
    pub outgoing: bool,
    /// Within it.
    pub internal: bool,
}

impl Default for Directions {
    fn default() -> Self {
        Self {
            incoming: true,
            outgoing: true,
            internal: true,
        }
    }
}

impl Directions {
    /// Whether none is hidden.
    pub fn all(&self) -> bool {
        *self == Self::default()
    }
}

/// What of a transaction is shown beside its amount and its sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shown {
    /// What it was worth in US dollars.
    pub usd: bool,
    /// What people wrote on it, whoever did.
    pub notes: bool,
    /// Who made it, approved it, signed it or said no.
    pub users: bool,
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            usd: true,
            notes: false,
            users: false,
        }
    }
}

impl Shown {
    /// Whether it is what is shown where nothing is said.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl PartScope {
    /// What is left to hide in books that hold nothing but what this part shows, such as a
    /// provider's own: a whole union of cells.
    #[must_use]
    pub fn held(&self) -> Self {
        Self {
            directions: Directions::default(),
            only_of: None,
            ..self.clone()
        }
    }

    /// Whether there are transactions of its wallets that it does not show: older ones, a way, other
    /// people's.
    pub fn hides_transactions(&self) -> bool {
        self.history_from.is_some() || !self.is_union_of_cells()
    }

    /// Whether it is a union of cells of digests: whether whoever may see a wallet may see every
    /// transaction that touches it.
    pub(crate) fn is_union_of_cells(&self) -> bool {
        self.directions.all() && self.only_of.is_none()
    }
}

/// Which assets of the accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetFilter {
    /// All of them.
    #[default]
    All,
    /// These.
    Only(BTreeSet<AssetId>),
}

/// Names a scope by what it covers: equal scopes have equal ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId([u8; 32]);

impl fmt::Display for ScopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ScopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScopeId({self})")
    }
}

impl Scope {
    /// The whole workspace.
    pub const fn whole(workspace: WorkspaceId) -> Self {
        Self {
            workspace,
            part: None,
            reader: None,
        }
    }

    /// A part of it.
    pub fn part(workspace: WorkspaceId, part: PartScope) -> Self {
        Self {
            workspace,
            part: Some(Arc::new(part)),
            reader: None,
        }
    }

    /// The same, for a reader who also sees its own words on what it proposed.
    #[must_use]
    pub fn for_reader(mut self, reader: &str) -> Self {
        self.reader = Some(reader.into());
        self
    }

    /// Whose workspace.
    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    /// Whether nothing is hidden.
    pub fn is_whole(&self) -> bool {
        self.part.is_none()
    }

    /// What part it is, if it is one.
    pub fn as_part(&self) -> Option<&PartScope> {
        self.part.as_deref()
    }

    /// Its name. The reader is no part of it.
    pub fn id(&self) -> ScopeId {
        let text =
            serde_json::to_string(&(self.workspace, self.part.as_deref())).unwrap_or_default();
        let mut id = [0; 32];
        id.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        ScopeId(id)
    }

    /// Whether the account is in it.
    pub fn covers_account(&self, account: VaultAccountId) -> bool {
        self.part
            .as_ref()
            .is_none_or(|part| part.accounts.contains(&account))
    }

    /// Whether the asset may be shown where its account is.
    pub fn covers_asset(&self, asset: &AssetId) -> bool {
        self.part.as_ref().is_none_or(|part| match &part.assets {
            AssetFilter::All => true,
            AssetFilter::Only(assets) => assets.contains(asset),
        })
    }

    /// Whether the wallet (the asset in the account) is in it.
    pub fn covers_wallet(&self, account: VaultAccountId, asset: &AssetId) -> bool {
        self.covers_account(account) && self.covers_asset(asset)
    }

    /// Whether the whitelist entry is in it.
    pub fn covers_whitelist(&self, wallet: WalletId) -> bool {
        self.part
            .as_ref()
            .is_none_or(|part| part.whitelists.contains(&wallet))
    }

    /// Whether what was made then is in it.
    pub fn covers_time(&self, created_at: Millis) -> bool {
        self.part
            .as_ref()
            .and_then(|part| part.history_from)
            .is_none_or(|from| created_at >= from)
    }

    /// Whether an account at an exchange or a bank is named.
    pub fn covers_account_of(&self, kind: PeerKind, id: &str) -> bool {
        self.part.as_ref().is_none_or(|part| match kind {
            PeerKind::ExchangeAccount => part.exchange_accounts.contains(id),
            PeerKind::FiatAccount => part.fiat_accounts.contains(id),
            _ => false,
        })
    }

    /// Which ways transactions go that are shown.
    pub fn directions(&self) -> Directions {
        self.part
            .as_ref()
            .map_or_else(Directions::default, |part| part.directions)
    }

    /// What of a transaction is shown beside its amount and its sides.
    pub fn shown(&self) -> Shown {
        let everything = Shown {
            usd: true,
            notes: true,
            users: true,
        };
        self.part.as_ref().map_or(everything, |part| part.shown)
    }

    /// Whether transactions are shown, whoever proposed them; otherwise those of one reader alone.
    pub fn covers_proposer(&self, proposer: Option<&str>) -> bool {
        let only = self.part.as_ref().and_then(|part| part.only_of.as_deref());
        only.is_none() || only == proposer
    }

    /// Who reads, where its own is told apart.
    pub(crate) fn reader(&self) -> Option<&str> {
        self.reader.as_deref()
    }

    /// Whether the reader proposed it.
    pub fn is_own(&self, proposer: Option<&str>) -> bool {
        self.part.is_none() || (proposer.is_some() && self.reader.as_deref() == proposer)
    }
}
