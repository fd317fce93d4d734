//! What a sandbox's ready file tells of a workspace, and its users with their keys.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use protocol::ids::UserId;
use protocol::keys::PrivateKey;
use serde::Deserialize;
use serde_json::Value;

/// The first workspace of a sandbox.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    pub(crate) base_url: String,
    pub(crate) jwks_url: String,
    pub(crate) control_url: String,
    pub(crate) control_token_path: PathBuf,
    pub(crate) workspace_id: String,
    users: Vec<User>,
}

#[derive(Debug, Deserialize)]
struct User {
    name: String,
    api_key: UserId,
    secret_key_path: PathBuf,
}

/// Somebody who can sign.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub(crate) user: UserId,
    pub(crate) key: PrivateKey,
}

impl Workspace {
    /// Out of a ready file.
    pub(crate) fn of(ready: &Value) -> anyhow::Result<Self> {
        let told = ready.get("sandbox").context("a ready file of a sandbox")?;
        Ok(Self::deserialize(told)?)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        address(self.base_url.trim_end_matches("/v1"))
    }

    /// Where the control plane listens.
    pub(crate) fn control(&self) -> anyhow::Result<SocketAddr> {
        address(self.control_url.trim_end_matches("/_sandbox"))
    }

    /// A user by name, with the key.
    pub(crate) fn user(&self, name: &str) -> anyhow::Result<Signer> {
        let user = self.users.iter().find(|user| user.name == name);
        let user = user.with_context(|| format!("the sandbox has a user {name}"))?;
        let key = PrivateKey::from_pem(&std::fs::read_to_string(&user.secret_key_path)?)?;
        Ok(Signer {
            user: user.api_key,
            key,
        })
    }
}

fn address(origin: &str) -> anyhow::Result<SocketAddr> {
    let text = origin.trim_start_matches("http://");
    text.parse().with_context(|| format!("an address: {text}"))
}
