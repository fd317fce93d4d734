//! The two files that go to and fro: the provider *hands over* what it asks for, the client *hands
//! back* what it granted. JSON; what is unknown, too long or too much is refused by name.
//!
//! Before any of it is read, the bytes go through [`crate::private_key::find`].

mod check;
mod text;

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::ed25519::VerifyingKey;
use crate::ids::{AssetId, UserId, VaultAccountId, WalletId, WebhookId, WorkspaceId};
use crate::role::ProviderRole;
use crate::signature::Jwks;
use text::{HandBackText, HandOverText};

/// The form of both files that is written and read.
pub const VERSION: u32 = 1;
/// Longest file read, in bytes: as much as is looked through for private keys.
pub const MAX_LEN: usize = crate::private_key::MAX_INPUT;
/// Longest name of a provider or a connection, in characters.
pub const MAX_NAME_CHARS: usize = 100;
/// Most addresses in one list.
pub const MAX_ADDRESSES: usize = 64;
/// Most vault accounts, assets or whitelisted wallets in one scope, each.
pub const MAX_SCOPE: usize = 10_000;
/// Longest URL, in bytes.
pub const MAX_URL_LEN: usize = 2_048;

/// What a provider asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "HandOverText", into = "HandOverText")]
pub struct HandOver {
    /// The provider's name.
    pub provider: String,
    /// The role it wants.
    pub role: ProviderRole,
    /// The request for its key, PEM. Read, and not yet checked.
    pub csr: String,
    /// From where it will call.
    pub addresses: Vec<IpNet>,
    /// Where it wants webhooks.
    pub webhook_url: Option<Url>,
    /// Whether webhooks shall carry the legacy signature too.
    pub legacy_signature: bool,
    /// What it wants to see.
    pub scope: WantedScope,
}

/// What is asked for, or what was granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedScope {
    /// These vault accounts.
    pub vault_accounts: BTreeSet<VaultAccountId>,
    /// These assets; all where nothing is said.
    pub assets: Option<BTreeSet<AssetId>>,
    /// These whitelisted wallets.
    pub whitelists: BTreeSet<WalletId>,
}

/// What a client granted, and what the provider needs to use it and to believe it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "HandBackText", into = "HandBackText")]
pub struct HandBack {
    /// The connection's name at the client.
    pub connection: String,
    /// The role granted.
    pub role: ProviderRole,
    /// Where to call; ends in `/v1`.
    pub base_url: Url,
    /// The API key to call with: an id, no secret.
    pub api_key: UserId,
    /// Whose workspace it is.
    pub workspace_id: WorkspaceId,
    /// What was granted.
    pub scope: WantedScope,
    /// What webhooks are checked with, where there are any.
    pub webhooks: Option<WebhookKeys>,
    /// The key that signs the log and the manifests of reports.
    pub log_key: VerifyingKey,
}

/// What webhooks are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookKeys {
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The keys to pin.
    pub jwks: Jwks,
    /// Where their successors are served.
    pub jwks_url: Option<Url>,
    /// The key of the legacy signature, PEM.
    pub legacy_key_pem: Option<String>,
    /// From where webhooks come.
    pub sender_addresses: Vec<IpAddr>,
}

/// What is wrong with a file. No value of it is repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandoverError {
    /// Too many bytes.
    #[error("the file has more than {MAX_LEN} bytes")]
    TooLarge,
    /// It is no JSON of this shape.
    #[error("line {line}, column {column}: {problem}")]
    Shape {
        /// In which line, from 1.
        line: usize,
        /// In which column.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// It is of another form.
    #[error("version: the file is of form {0}; this program reads form {VERSION}")]
    Version(u32),
    /// A value is not what belongs there.
    #[error("{place}: {problem}")]
    Value {
        /// Where it stands.
        place: Place,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// A text that is no address and no range of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRange(&'static str);

/// Reads an address (`192.0.2.7`, a range of one) or a range (`192.0.2.0/24`) as these files do, so
/// that what is written elsewhere (a flag, a setting) can stand in one.
pub fn parse_range(text: &str) -> Result<IpNet, BadRange> {
    check::range(text).map_err(BadRange)
}

/// Where a value stands: a field, and in a list which entry, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The field, with those it is in: `scope.assets`.
    pub field: &'static str,
    /// The entry, in a list.
    pub entry: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry {
            Some(entry) => write!(f, "{}[{entry}]", self.field),
            None => f.write_str(self.field),
        }
    }
}

impl HandOver {
    /// Reads a file.
    pub fn from_json(json: &[u8]) -> Result<Self, HandoverError> {
        read::<HandOverText>(json)?.try_into()
    }

    /// Prints a file.
    pub fn to_json(&self) -> String {
        print(self)
    }
}

impl HandBack {
    /// Reads a file.
    pub fn from_json(json: &[u8]) -> Result<Self, HandoverError> {
        read::<HandBackText>(json)?.try_into()
    }

    /// Prints a file.
    pub fn to_json(&self) -> String {
        print(self)
    }
}

fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, HandoverError> {
    if json.len() > MAX_LEN {
        return Err(HandoverError::TooLarge);
    }
    serde_json::from_slice(json).map_err(|error| match serde_json::from_slice(json) {
        // A newer form may have any shape.
        Ok(text::Version { version }) if version != VERSION => HandoverError::Version(version),
        _ => HandoverError::Shape {
            line: error.line(),
            column: error.column(),
            problem: check::shape(&error),
        },
    })
}

fn print(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
