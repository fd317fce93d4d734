//! `vestibule sandbox` itself: starts the workspaces, says where they are, serves until told to end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use sandbox::people::PEOPLE;
use sandbox::rates::Profile;
use sandbox::{Config, ControlToken, Running};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::described;
use crate::files;
use crate::output::{Output, note};
use crate::{ready, shutdown};

/// Where the workspaces are kept unless told otherwise.
const DATA: &str = "vestibule-sandbox/sandbox.db";
/// The latest moment that a clock shows: the year 9999.
const MAX_MOMENT: i64 = 253_402_300_799_999;
/// Where the ready file is then.
pub(crate) const READY_FILE: &str = "vestibule-sandbox/sandbox.db.ready.json";

/// How the workspaces are served.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Where the API listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where /_sandbox listens, for what people and the chain do.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8081")]
    control: SocketAddr,
    /// The file that keeps the workspaces; keys and the control token lie beside it.
    #[arg(
        long,
        value_name = "FILE",
        default_value = DATA,
        conflicts_with = "ephemeral"
    )]
    data: PathBuf,
    /// Keep nothing; keys and the control token go to a temporary folder.
    #[arg(long)]
    ephemeral: bool,
    /// What there is from the start: a workspace file, or fund, exchange, treasury, empty (with
    /// :testnet behind it for test assets); again for more. Unless told otherwise a fund and a
    /// fund:testnet.
    #[arg(long, value_name = "FILE|NAME")]
    workspace: Vec<String>,
    /// What workspaces are made from by chance: 1, or what the file was made with.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Nobody acts by themselves: approvals, signatures, incoming transfers and blocks come from /_sandbox.
    #[arg(long)]
    manual: bool,
    /// Make new workspaces as of then, with clocks that stand there: milliseconds since 1970, or
    /// like 2026-01-31T12:00:00Z. (Tokens are judged by the machine's clock all the same.)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    frozen_at: Option<Millis>,
    /// How often may be called, named after Fireblocks' environments; /_sandbox changes it.
    #[arg(long, value_name = "PROFILE", value_parser = ["sandbox", "testnet", "mainnet"])]
    rate_limits: Option<String>,
    /// Write each call of the API to this file, a line of JSON each, behind what is there.
    #[arg(long, value_name = "FILE")]
    call_log: Option<PathBuf>,
    /// What calls of /_sandbox must show, where a caller cannot read the file that a random one is in:
    /// from another container.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "VESTIBULE_CONTROL_TOKEN",
        hide_env_values = true
    )]
    control_token: Option<ControlToken>,
    /// Do not tell in the header X-Vestibule-Why why a call was refused.
    #[arg(long)]
    no_explain: bool,
    /// Refuse bodies with fields that the contract has not: 400, with the field's name.
    #[arg(long)]
    strict: bool,
    /// Send webhooks to https on port 443 at public addresses alone, as Fireblocks does.
    #[arg(long)]
    strict_webhooks: bool,
    /// Write this file once everything serves; it goes at the end. Unless told otherwise it lies
    /// beside the data, with .ready.json behind its name.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

/// A moment, as a person or a script writes it.
pub(crate) fn moment(text: &str) -> Result<Millis, String> {
    let millis = text.parse().ok().or_else(|| {
        let at: Option<jiff::Timestamp> = text.parse().ok();
        at.map(jiff::Timestamp::as_millisecond)
    });
    let known = millis.filter(|millis| (0..=MAX_MOMENT).contains(millis));
    let must = || "milliseconds since 1970, or like 2026-01-31T12:00:00Z".to_owned();
    known.map(Millis).ok_or_else(must)
}

fn profile(name: &str) -> Option<Profile> {
    Profile::ALL
        .into_iter()
        .find(|profile| profile.name() == name)
}

/// The sandbox's part of a ready file.
#[derive(Debug, Serialize)]
pub(crate) struct Ready {
    pub(crate) base_url: String,
    pub(crate) control_url: String,
    pub(crate) control_token_path: PathBuf,
    pub(crate) jwks_url: String,
    pub(crate) workspace_id: String,
    pub(crate) users: Vec<User>,
    pub(crate) workspaces: Vec<Workspace>,
}

/// A workspace beside the first.
#[derive(Debug, Serialize)]
pub(crate) struct Workspace {
    workspace_id: String,
    name: String,
    network: &'static str,
    users: Vec<User>,
}

/// An API user, and where its key lies.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) role: &'static str,
    pub(crate) api_key: String,
    pub(crate) secret_key_path: PathBuf,
}

/// Writes keys and control token, and says what a script needs to know.
pub(crate) fn ready(running: &Running, folder: &Path) -> anyhow::Result<Ready> {
    let token = folder.join("control.token");
    files::write_secret(&token, running.control_token.expose_secret().as_bytes())?;
    let keys = folder.join("keys");
    for person in &PEOPLE {
        if let Some(pem) = person.key_pem {
            files::write_secret(&keys.join(format!("{}.pem", person.name)), pem.as_bytes())?;
        }
    }
    let users = |workspace: WorkspaceId| -> Vec<User> {
        let api = running.api_users(workspace).into_iter();
        api.map(|user| User {
            name: user.name,
            role: user.role.as_str(),
            api_key: user.id.to_string(),
            secret_key_path: keys.join(format!("{}.pem", user.key.name)),
        })
        .collect()
    };
    let workspaces: Vec<_> = running
        .workspaces
        .iter()
        .map(|(id, network)| Workspace {
            workspace_id: id.to_string(),
            name: running.name(*id).unwrap_or_default(),
            network: network.name(),
            users: users(*id),
        })
        .collect();
    let first = workspaces.first().context("the sandbox has no workspace")?;
    Ok(Ready {
        base_url: format!("{}/v1", running.origin),
        control_url: format!("{}/_sandbox", running.control_origin),
        control_token_path: token,
        jwks_url: format!("{}{}", running.origin, wire::jwks::PATH),
        workspace_id: first.workspace_id.clone(),
        users: first.users.clone(),
        workspaces,
    })
}

#[derive(Serialize)]
struct ReadyFile<'a> {
    sandbox: &'a Ready,
}

pub(crate) async fn run(args: Serve, out: Output) -> anyhow::Result<ExitCode> {
    let temporary;
    let (data, folder) = if args.ephemeral {
        temporary = files::TemporaryFolder::new("vestibule-sandbox")?;
        (None, temporary.path().to_owned())
    } else {
        let folder = args
            .data
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        files::private_folder(folder)?;
        (Some(args.data.clone()), std::path::absolute(folder)?)
    };
    let beside = data.as_ref().map(|data| {
        let mut name = data.as_os_str().to_owned();
        name.push(".ready.json");
        PathBuf::from(name)
    });
    let (workspaces, files) = described::given(&args.workspace)?;
    let config = Config {
        listen: args.listen,
        control: args.control,
        data,
        seed: args.seed,
        workspaces,
        files,
        manual: args.manual,
        frozen_at: args.frozen_at,
        rate_limits: args.rate_limits.as_deref().and_then(profile),
        call_log: args.call_log,
        control_token: args.control_token,
        keys: Some(folder.join("keys")),
        explain: !args.no_explain,
        strict: args.strict,
        strict_webhooks: args.strict_webhooks,
    };
    let shutdown = shutdown::on_signal();
    let opened = sandbox::open(config).await?;
    let ready_file = ready::File::cleared(args.ready_file.or(beside))?;
    let running = opened.serve(shutdown.clone()).await?;
    let ready = ready(&running, &folder)?;
    out.show(&ReadyFile { sandbox: &ready }, |_| {
        told(&ready, args.manual)
    })?;
    ready_file.write(&ReadyFile { sandbox: &ready })?;
    shutdown.cancelled().await;
    note("finishing what is under way; once more stops at once");
    running.done().await;
    Ok(ExitCode::SUCCESS)
}

fn told(ready: &Ready, manual: bool) -> String {
    let mut text = format!(
        "API       {}\ncontrol   {}  (token in {})\nJWKS      {}\n",
        ready.base_url,
        ready.control_url,
        ready.control_token_path.display(),
        ready.jwks_url
    );
    for workspace in &ready.workspaces {
        text.push_str(&format!(
            "\nworkspace {} ({}, {})\n",
            workspace.workspace_id, workspace.name, workspace.network
        ));
        for user in &workspace.users {
            text.push_str(&format!(
                "  {:<18} {}  {}\n",
                user.role,
                user.api_key,
                user.secret_key_path.display()
            ));
        }
    }
    text.push_str(if manual {
        "\nNobody acts by themselves: approve, sign and mine through the control URL.\n"
    } else {
        "\nPeople and chain act by themselves, within a second or so.\n"
    });
    text.push_str("Ctrl-C ends it.\n");
    text
}
