//! `vestibule gate init`: keys, store, log, the first owner; and what to do in the Console.

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

use anyhow::Context;
use connector::environment::Environment;
use gate::config::{Areas, Config, Development, Log, Records, Serve, StoreAt, Upstream};
use gate::{Folder, init};
use ipnet::IpNet;
use protocol::handover::parse_range;
use protocol::ids::WorkspaceId;
use serde::Serialize;
use url::Url;
use wire::clock::SystemClock;

use super::At;
use super::entrance::EntranceArgs;
use crate::output::{Output, note};

/// Make keys, store, log and the first owner's key; print what to do in the Console.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule gate init --upstream us --workspace 5c1f0b1e-... --public-url https://gate.example.com --egress 203.0.113.10")]
pub(crate) struct Args {
    /// The workspace's environment: us, eu, eu2, sandbox, or the base URL of an API.
    #[arg(long, value_name = "ENV|URL")]
    pub(crate) upstream: Environment,
    /// The workspace's id: events of any other are refused.
    #[arg(long, value_name = "ID")]
    pub(crate) workspace: WorkspaceId,
    /// The JWKS that signs its webhooks; known for named environments.
    #[arg(long, value_name = "URL")]
    pub(crate) jwks_url: Option<Url>,
    /// Where providers and upstream's webhooks come in.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    pub(crate) listen: SocketAddr,
    /// Where the client's own people come in; loopback.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8444")]
    pub(crate) admin: SocketAddr,
    /// How providers reach the gate, such as https://gate.example.com.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<Url>,
    /// An address that the gate calls from (may be given more than once).
    #[arg(long, value_name = "IP")]
    pub(crate) egress: Vec<IpAddr>,
    #[command(flatten)]
    pub(crate) entrance: EntranceArgs,
    /// An address or a range that is not public, where webhooks may go all the same.
    #[arg(long, value_name = "ADDR|NET", value_parser = parse_range)]
    pub(crate) private_target: Vec<IpNet>,
    /// postgres://... in place of a file in the folder.
    #[arg(long, value_name = "URL")]
    pub(crate) store_url: Option<String>,
    /// The first owner's name, as the log tells it.
    #[arg(long, default_value = "owner")]
    pub(crate) owner: String,
}

#[derive(Serialize)]
struct Shown {
    config: std::path::PathBuf,
    viewer_csr: std::path::PathBuf,
    owner_key: std::path::PathBuf,
    owner_id: String,
    todo: Vec<String>,
}

/// Makes the gate.
pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    note("making keys (RSA-4096 takes some seconds)");
    let (folder, made) = make(at, args).await?;
    let shown = Shown {
        config: folder.config(),
        viewer_csr: made.viewer_csr,
        owner_key: made.owner_key,
        owner_id: made.owner_id.to_string(),
        todo: made.todo,
    };
    out.show(&shown, |shown| {
        let todo: Vec<_> = shown
            .todo
            .iter()
            .enumerate()
            .map(|(at, step)| format!("  {}. {step}", at + 1))
            .collect();
        format!(
            "made      {}\nCSR       {}\nowner key {}\n\nNow:\n{}",
            shown.config.display(),
            shown.viewer_csr.display(),
            shown.owner_key.display(),
            todo.join("\n")
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The same for the demo.
pub(crate) async fn make(at: &At, args: Args) -> anyhow::Result<(Folder, init::Made)> {
    gate::start::check_admin(args.admin)?;
    let base_url = Url::parse(&args.upstream.base_url())?;
    let jwks_url = args.jwks_url.or_else(|| args.upstream.jwks_url()).context(
        "--jwks-url is needed with a base URL: where are the keys that sign its webhooks?",
    )?;
    let config = Config {
        upstream: Upstream {
            base_url,
            workspace_id: args.workspace,
            jwks_url,
            calls_per_minute: Upstream::budget(),
            timeout_seconds: Upstream::timeout(),
        },
        serve: Serve {
            listen: args.listen,
            admin: args.admin,
            public_url: args.public_url,
            egress_addresses: args.egress,
            calls_per_second: Serve::rate(),
            entrance: args.entrance.settings(),
            private_targets: args.private_target,
        },
        areas: Areas::default(),
        records: Records::default(),
        store: StoreAt {
            url: args.store_url,
            gate: None,
        },
        mail: None,
        webhook: None,
        log: Log::default(),
        development: Development::default(),
    };
    gate::start::check_plain(&config.serve)?;
    let text = toml::to_string_pretty(&config)?;
    let folder = Folder::new(std::path::absolute(&at.dir)?);
    let made = init::init(&folder, &config, &text, &args.owner, &SystemClock).await?;
    Ok((folder, made))
}
