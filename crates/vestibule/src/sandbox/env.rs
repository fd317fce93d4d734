//! `vestibule sandbox env`: shell lines for the SDKs, from the ready file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use url::Url;

use super::serve::READY_FILE;
use crate::output::Output;

/// How often it is looked whether the sandbox serves.
const PAUSE: Duration = Duration::from_millis(50);

/// Print shell lines with URL, API key and secret for the SDKs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule sandbox env
  eval \"$(vestibule sandbox env ready.json --user editor)\"
  eval \"$(vestibule sandbox env --workspace testnet)\"       of a sandbox that was started without --data
  python -c 'from fireblocks.client import Fireblocks; ...'   # reads FIREBLOCKS_API_KEY, FIREBLOCKS_SECRET_KEY, FIREBLOCKS_BASE_PATH")]
pub(crate) struct Args {
    /// The ready file of a sandbox. One that is just starting is waited for.
    #[arg(default_value = READY_FILE)]
    ready_file: PathBuf,
    /// Whose key, by name or role.
    #[arg(long, default_value = "viewer")]
    user: String,
    /// Of which workspace: mainnet, testnet, its name or its id; unless told otherwise the first.
    #[arg(long, value_name = "NETWORK|NAME|ID")]
    workspace: Option<String>,
    /// Longest wait for the sandbox, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    wait: u64,
}

#[derive(Deserialize)]
struct Ready {
    sandbox: Served,
}

#[derive(Deserialize)]
struct Served {
    base_url: Url,
    workspaces: Vec<Workspace>,
}

#[derive(Deserialize)]
struct Workspace {
    workspace_id: String,
    name: String,
    network: String,
    users: Vec<User>,
}

#[derive(Deserialize)]
struct User {
    name: String,
    role: String,
    api_key: String,
    secret_key_path: PathBuf,
}

/// What the SDKs read.
#[derive(Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Environment {
    fireblocks_base_path: String,
    fireblocks_api_key: String,
    /// The key itself: they take that, or a path to it.
    fireblocks_secret_key: String,
}

pub(crate) async fn run(args: &Args, out: Output) -> anyhow::Result<ExitCode> {
    let served = awaited(&args.ready_file, Duration::from_secs(args.wait)).await?;
    let workspace = served.workspaces.iter().find(|workspace| {
        let names = [&workspace.network, &workspace.name, &workspace.workspace_id];
        args.workspace.as_ref().is_none_or(|wanted| {
            let mut names = names.into_iter();
            names.any(|name| name.eq_ignore_ascii_case(wanted))
        })
    });
    let Some(workspace) = workspace else {
        let all = served.workspaces.iter();
        let names: Vec<_> = all.map(|workspace| workspace.name.as_str()).collect();
        bail!(
            "no workspace '{}' there; the workspaces are: {}",
            args.workspace.as_deref().unwrap_or_default(),
            names.join(", ")
        );
    };
    let user = workspace.users.iter().find(|user| {
        let names = [&user.name, &user.role];
        names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&args.user))
    });
    let Some(user) = user else {
        let all = workspace.users.iter();
        let names: Vec<_> = all.map(|user| user.name.as_str()).collect();
        bail!(
            "no user '{}' there; the users are: {}",
            args.user,
            names.join(", ")
        );
    };
    let key = std::fs::read_to_string(&user.secret_key_path)
        .with_context(|| format!("{} cannot be read", user.secret_key_path.display()))?;
    let environment = Environment {
        fireblocks_base_path: served.base_url.to_string(),
        fireblocks_api_key: user.api_key.clone(),
        fireblocks_secret_key: key.trim_end().to_owned(),
    };
    out.show(&environment, lines)?;
    Ok(ExitCode::SUCCESS)
}

/// What the ready file says, once its sandbox serves.
async fn awaited(file: &Path, wait: Duration) -> anyhow::Result<Served> {
    let end = Instant::now() + wait;
    loop {
        let why = match look(file).await? {
            Ok(served) => return Ok(served),
            Err(why) => why,
        };
        if Instant::now() >= end {
            let hint = "start one with `vestibule sandbox`, or name its ready file";
            let waited = wait.as_secs();
            return Err(why.context(format!("no sandbox serves, after {waited} s: {hint}")));
        }
        sleep(PAUSE).await;
    }
}

/// What the file says; inside, why not yet; outside, why never.
async fn look(file: &Path) -> anyhow::Result<Result<Served, anyhow::Error>> {
    let name = file.display();
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(Err(anyhow!("there is no {name}")));
        }
        Err(error) => return Err(error).with_context(|| format!("{name} cannot be read")),
    };
    let ready: Ready = serde_json::from_str(&text)
        .with_context(|| format!("{name} is no ready file of a sandbox"))?;
    let served = ready.sandbox;
    let addresses = served
        .base_url
        .socket_addrs(|| None)
        .with_context(|| format!("{name} names no server"))?;
    // One that was killed has left its file behind.
    Ok(match TcpStream::connect(&addresses[..]).await {
        Ok(_) => Ok(served),
        Err(error) => {
            let at = served.base_url;
            Err(anyhow!("nobody answers at {at}, as {name} says: {error}"))
        }
    })
}

fn lines(environment: &Environment) -> String {
    [
        ("FIREBLOCKS_BASE_PATH", &environment.fireblocks_base_path),
        ("FIREBLOCKS_API_KEY", &environment.fireblocks_api_key),
        ("FIREBLOCKS_SECRET_KEY", &environment.fireblocks_secret_key),
    ]
    .map(|(name, value)| format!("export {name}={}", quoted(value)))
    .join("\n")
}

/// A value as one word of a POSIX shell.
pub(crate) fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_word_whatever_is_in_it() {
        assert_eq!(quoted("a b$(c)"), "'a b$(c)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
