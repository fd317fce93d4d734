//! `vestibule gate run`: serves providers, takes webhooks, sends what was approved.

use std::path::PathBuf;
use std::process::ExitCode;

use gate::KeyName;
use serde::Serialize;

use super::{At, desk};
use crate::output::{Output, note};
use crate::{ready, shutdown};

/// Serve providers, receive webhooks, send what was approved.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate run                                   serves until Ctrl-C
  vestibule gate --dir /srv/gate run --ready-file ready.json &
                                                       for scripts: wait for the file")]
pub(crate) struct Args {
    /// Write this file once everything serves.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

/// The gate's part of a ready file.
#[derive(Debug, Serialize)]
pub(crate) struct Ready {
    pub(crate) base_url: String,
    pub(crate) admin_url: String,
    pub(crate) admin_key_path: PathBuf,
    pub(crate) jwks_url: String,
    pub(crate) webhook_url: String,
}

/// What a script needs to know.
pub(crate) fn ready(running: &gate::Running, folder: &gate::Folder) -> Ready {
    let owner_key = folder.key_path(KeyName::Owner);
    Ready {
        base_url: format!("{}/v1", running.origin),
        admin_url: running.admin_origin.clone(),
        // Whoever reads the file may stand in another folder.
        admin_key_path: std::path::absolute(&owner_key).unwrap_or(owner_key),
        jwks_url: format!("{}{}", running.origin, wire::jwks::PATH),
        webhook_url: format!(
            "{}{}/upstream",
            running.origin,
            wire::hooks_in::Receiver::PREFIX
        ),
    }
}

#[derive(Serialize)]
struct ReadyFile<'a> {
    gate: &'a Ready,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let (folder, config) = desk::config(at)?;
    let ready_file = ready::File::cleared(args.ready_file)?;
    let shutdown = shutdown::on_signal();
    let running = gate::start(folder.clone(), config, shutdown.clone()).await?;
    let ready = ready(&running, &folder);
    out.show(&ReadyFile { gate: &ready }, |_| {
        format!(
            "providers  {}\nadmin      {}\nJWKS       {}\nwebhook    {}   (for the Console)\nCtrl-C ends it.",
            ready.base_url, ready.admin_url, ready.jwks_url, ready.webhook_url
        )
    })?;
    ready_file.write(&ReadyFile { gate: &ready })?;
    shutdown.cancelled().await;
    note("finishing what is under way; once more stops at once");
    running.done().await?;
    Ok(ExitCode::SUCCESS)
}
