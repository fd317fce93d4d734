//! What a reader may see.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use protocol::ids::{AssetId, VaultAccountId, WalletId, WorkspaceId};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

/// What a reader may see of one workspace. No query of the books can be made without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    workspace: WorkspaceId,
    part: Option<Arc<PartScope>>,
    reader: Option<Arc<str>>,
}

/// A part of a workspace. What is not named is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

    /// Whether the reader proposed it.
    pub fn is_own(&self, proposer: Option<&str>) -> bool {
        self.part.is_none() || (proposer.is_some() && self.reader.as_deref() == proposer)
    }
}
