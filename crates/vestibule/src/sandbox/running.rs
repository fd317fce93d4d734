//! A sandbox that runs, as its ready file or the command line tells of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sandbox::hosts;
use sandbox::scenario::play::Address;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

/// Which sandbox to play in; none of these: one that is started for it.
#[derive(Debug, clap::Args)]
pub(crate) struct At {
    /// Play in the running sandbox of this ready file.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Play in the running sandbox whose /_sandbox is here.
    #[arg(long, value_name = "URL", requires_all = ["token_file", "base_url"], conflicts_with = "ready_file")]
    control_url: Option<Url>,
    /// The file with its control token.
    #[arg(long, value_name = "FILE", requires = "control_url")]
    token_file: Option<PathBuf>,
    /// Where its API is, with /v1.
    #[arg(long, value_name = "URL", requires = "control_url")]
    base_url: Option<Url>,
}

#[derive(Deserialize)]
struct Ready {
    sandbox: Served,
}

/// What a ready file says.
#[derive(Deserialize)]
pub(super) struct Served {
    pub(super) base_url: Url,
    pub(super) control_url: Url,
    pub(super) control_token_path: PathBuf,
    pub(super) jwks_url: Url,
}

impl At {
    /// The sandbox, if one is named.
    pub(crate) fn address(&self) -> anyhow::Result<Option<Address>> {
        let served = match (
            &self.ready_file,
            &self.control_url,
            &self.token_file,
            &self.base_url,
        ) {
            (Some(file), ..) => ready(file)?,
            (None, Some(control_url), Some(token_file), Some(base_url)) => {
                let mut jwks_url = base_url.clone();
                jwks_url.set_path(wire::jwks::PATH);
                Served {
                    base_url: base_url.clone(),
                    control_url: control_url.clone(),
                    control_token_path: token_file.clone(),
                    jwks_url,
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(Address {
            control_token: token(&served.control_token_path)?,
            base_url: served.base_url,
            control_url: served.control_url,
            jwks_url: served.jwks_url,
        }))
    }
}

/// What a ready file says.
pub(super) fn ready(file: &Path) -> anyhow::Result<Served> {
    let name = file.display();
    let text = std::fs::read_to_string(file).with_context(|| {
        format!("{name} cannot be read: start a sandbox with `vestibule sandbox`, or name its ready file with --ready-file")
    })?;
    let ready: Ready = serde_json::from_str(&text)
        .with_context(|| format!("{name} is no ready file of a sandbox"))?;
    Ok(ready.sandbox)
}

/// The control token that a file keeps.
pub(super) fn token(file: &Path) -> anyhow::Result<SecretString> {
    let token = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    match token.trim() {
        "" => bail!("{} has no control token in it", file.display()),
        token => Ok(token.into()),
    }
}

/// A URL of a sandbox, which is never Fireblocks'.
pub(super) fn own(url: Url) -> anyhow::Result<Url> {
    hosts::not_fireblocks(&url)?;
    Ok(url)
}
