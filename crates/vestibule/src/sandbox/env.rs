//! `vestibule sandbox env`: shell lines for the SDKs, from the ready file.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::output::Output;

/// Print shell lines with URL, API key and secret for the SDKs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  eval \"$(vestibule sandbox env ready.json --user editor)\"
  python -c 'from fireblocks.client import Fireblocks; ...'   # reads FIREBLOCKS_API_KEY, FIREBLOCKS_SECRET_KEY, FIREBLOCKS_BASE_PATH")]
pub(crate) struct Args {
    /// The ready file of a running sandbox.
    ready_file: PathBuf,
    /// Whose key, by name or role.
    #[arg(long, default_value = "viewer")]
    user: String,
}

#[derive(Deserialize)]
struct Ready {
    sandbox: Served,
}

#[derive(Deserialize)]
struct Served {
    base_url: String,
    users: Vec<User>,
}

#[derive(Deserialize)]
struct User {
    name: String,
    role: String,
    api_key: String,
    secret_key_path: PathBuf,
}

pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<ExitCode> {
    let file = &args.ready_file;
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    let ready: Ready = serde_json::from_str(&text)
        .with_context(|| format!("{} is no ready file of a sandbox", file.display()))?;
    let wanted = |user: &&User| {
        user.name.eq_ignore_ascii_case(&args.user) || user.role.eq_ignore_ascii_case(&args.user)
    };
    let Some(user) = ready.sandbox.users.iter().find(wanted) else {
        let names: Vec<_> = ready
            .sandbox
            .users
            .iter()
            .map(|user| user.name.as_str())
            .collect();
        bail!(
            "no user '{}' there; the users are: {}",
            args.user,
            names.join(", ")
        );
    };
    // The SDKs take the key itself, or a path to it, from FIREBLOCKS_SECRET_KEY.
    let key = std::fs::read_to_string(&user.secret_key_path)
        .with_context(|| format!("{} cannot be read", user.secret_key_path.display()))?;
    for (name, value) in [
        ("FIREBLOCKS_BASE_PATH", ready.sandbox.base_url.as_str()),
        ("FIREBLOCKS_API_KEY", &user.api_key),
        ("FIREBLOCKS_SECRET_KEY", key.trim_end()),
    ] {
        out.line(format_args!("export {name}={}", quoted(value)))?;
    }
    Ok(ExitCode::SUCCESS)
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
