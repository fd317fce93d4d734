//! `vestibule gate connection`: who may come in, with which key, from where, to see what.

mod editor;
pub(crate) mod handed;
mod key;
mod leave;
mod preview;
pub(super) mod told;
pub(super) mod wish;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use gate::config::MailAddress;
use gate::connections::{Connection, Mode, Place, ScopeGrant, ShownKey, State};
use gate::operations::connections::Shown;
use gate::operations::record::Told;
use gate::posture::scope_words;
use ipnet::IpNet;
use protocol::handover::HandOver;
use protocol::role::ProviderRole;
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use super::At;
use super::change::waits;
use super::desk::Desk;
use super::terms;
use crate::output::{Output, note};
use protocol::time::Millis;
use told::{day, scope_told, told};
use wish::Wish;

/// Who may come in, with which key, from where, to see what.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate connection request acme acme-handover.json   keep what a provider asks for
  vestibule gate connection approve acme --reason 'as agreed' > acme-handback.json   let it in; the file goes back to it
  vestibule gate connection handback acme > acme-handback.json   the same file again, as it is now
  vestibule gate connection list                              who there is
  vestibule gate connection preview acme                      what it would see
  vestibule gate connection suspend acme --reason 'moving'    shut it for now")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep a provider's request: its hand-over file, or its parts one by one.
    Request(Box<Request>),
    /// Approve a request; prints the hand-back file for the provider.
    Approve(Box<Approve>),
    /// The hand-back file again, as it is now: for a provider that has lost it, or whose scope has changed.
    #[command(after_help = "Example:
  vestibule gate connection handback acme > acme-handback.json")]
    Handback {
        /// Its name.
        name: String,
    },
    /// Every connection.
    #[command(after_help = "Examples:
  vestibule gate connection list
  vestibule --json gate connection list | jq 'select(.state == \"ACTIVE\") | .name'")]
    List,
    /// One connection.
    #[command(after_help = "Example:
  vestibule gate connection show acme      its key, its addresses, its scope")]
    Show {
        /// Its name.
        name: String,
    },
    /// What it would see, before and after a change.
    Preview(preview::Args),
    /// Change what it may do: narrower at once, wider by the quorum.
    Change(Box<terms::Args>),
    /// Ask again to open the door of an approved connection.
    #[command(after_help = "Example:
  vestibule gate connection activate acme --reason 'asked for again'")]
    Activate(Change),
    Editor(editor::Args),
    /// Its keys: shown, replaced, ended.
    Key(key::Args),
    /// Close it for now.
    #[command(after_help = "Example:
  vestibule gate connection suspend acme --reason 'their laptop is lost'")]
    Suspend(Change),
    /// Open it again.
    #[command(after_help = "Example:
  vestibule gate connection resume acme --reason 'found again'")]
    Resume(Change),
    /// Close it for ever.
    #[command(after_help = "Example:
  vestibule gate connection revoke acme --reason 'the contract has ended'")]
    Revoke(Change),
    Leave(Box<leave::Args>),
    /// The signed record of a connection that was revoked.
    #[command(after_help = "Example:
  vestibule gate connection record acme > acme-record.note")]
    Record {
        /// Its name.
        name: String,
    },
}

/// Keep a provider's request.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate connection request acme acme-handover.json
  vestibule gate connection request acme acme-handover.json --vault-account 1 --role viewer
                                      as the file asks, but for what is named here
  vestibule gate connection request acme --csr acme.csr --role viewer --address 203.0.113.7 --vault-account 1")]
struct Request {
    /// The connection's name: letters, digits, '-' and '_'.
    name: String,
    /// The provider's hand-over file.
    #[arg(conflicts_with = "csr")]
    handover: Option<PathBuf>,
    /// The provider's CSR, where there is no hand-over file. Without --asset, every asset is asked for.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "handover",
        requires = "role"
    )]
    csr: Option<PathBuf>,
    /// What it may do, in place of what the file asks for.
    #[arg(long, value_enum)]
    role: Option<RoleWord>,
    /// Where its webhooks go; a hand-over file says that itself.
    #[arg(long, value_name = "URL", conflicts_with = "handover")]
    webhook_url: Option<Url>,
    /// Send the older signature header, too; a hand-over file says that itself.
    #[arg(long, conflicts_with = "handover")]
    legacy_signature: bool,
    #[command(flatten)]
    wish: Wish,
}

/// Approve a request.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate connection approve acme --reason 'as agreed' > acme-handback.json               as it was asked for
  vestibule gate connection approve acme --asset BTC --reason 'the audit' > acme-handback.json   BTC alone, of the accounts asked for
  vestibule gate connection approve acme --vault-account 1 --all-assets --reason 'the audit'     one account, whatever it holds")]
struct Approve {
    /// The connection's name.
    name: String,
    #[command(flatten)]
    wish: Wish,
    /// Why; the log keeps it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RoleWord {
    /// Reads what is in scope.
    Viewer,
    /// Reads, and proposes transactions.
    Editor,
}

impl RoleWord {
    pub(crate) const fn role(self) -> ProviderRole {
        match self {
            Self::Viewer => ProviderRole::Viewer,
            Self::Editor => ProviderRole::Editor,
        }
    }
}

#[derive(Debug, clap::Args)]
struct Change {
    /// The connection's name.
    name: String,
    /// Why; the log keeps it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// A request as the gate takes it.
#[derive(Serialize)]
struct Asked<'a> {
    name: &'a str,
    handover: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<ProviderRole>,
    scope: ScopeGrant,
    #[serde(skip_serializing_if = "Option::is_none")]
    addresses: Option<&'a [IpNet]>,
    addresses_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_certificate: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<Option<&'a MailAddress>>,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let desk = Desk::open(at)?;
    match args.command {
        Command::Request(request) => ask(&desk, &request, out).await?,
        Command::Approve(approve) => {
            let wish = &approve.wish;
            let mut body = json!({"scope": wish.scope()?, "addresses": wish.addresses(), "addresses_reason": wish.address_reason, "client_certificate": wish.client_certificate()?, "place": wish.place(), "mode": wish.mode(), "until": wish.until, "reason": approve.reason});
            wish.name_contact(&mut body);
            let done: Approved = desk
                .send(
                    "POST",
                    &format!("/connections/{}/approve", approve.name),
                    &body,
                )
                .await?;
            note(format_args!(
                "granted: {}",
                scope_told(&done.connection.connection)
            ));
            for step in &done.todo {
                note(format_args!("to do: {step}"));
            }
            if !done.handback.is_null() {
                out.line(serde_json::to_string_pretty(&done.handback)?)?;
            }
        }
        Command::Handback { name } => {
            let file: Value = desk.get(&format!("/connections/{name}/handback")).await?;
            out.line(serde_json::to_string_pretty(&file)?)?;
        }
        Command::List => {
            let list: Vec<Shown> = desk.list("/connections").await?;
            let header = [
                "NAME", "PROVIDER", "MODE", "ROLE", "STATE", "UNTIL", "SCOPE", "API KEY",
            ];
            out.table(&list, &header, |shown| {
                let one = &shown.connection;
                vec![
                    one.name.clone(),
                    one.provider.clone(),
                    one.mode.as_str().to_owned(),
                    one.role.to_string(),
                    shown.standing.as_str().to_owned(),
                    day(one.until),
                    scope_words(one),
                    one.api_key.to_string(),
                ]
            })?;
        }
        Command::Show { name } => {
            let one: Shown = desk.get(&format!("/connections/{name}")).await?;
            out.show(&one, told)?;
        }
        Command::Preview(args) => preview::run(&desk, &args, out).await?,
        Command::Change(args) => terms::run(&desk, &args, out).await?,
        Command::Activate(change) => moved(&desk, "activate", change, out).await?,
        Command::Editor(args) => editor::run(&desk, &args, out).await?,
        Command::Key(args) => key::run(&desk, args, out).await?,
        Command::Suspend(change) => moved(&desk, "suspend", change, out).await?,
        Command::Resume(change) => moved(&desk, "resume", change, out).await?,
        Command::Revoke(change) => moved(&desk, "revoke", change, out).await?,
        Command::Leave(args) => return leave::run(&desk, &args, out).await,
        Command::Record { name } => record(&desk, &name, out).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What comes of an approval.
#[derive(serde::Deserialize)]
pub(super) struct Approved {
    pub(super) handback: Value,
    pub(super) connection: Shown,
    pub(super) todo: Vec<String>,
}

async fn record(desk: &Desk, name: &str, out: Output) -> anyhow::Result<()> {
    let told: Told = desk.get(&format!("/connections/{name}/record")).await?;
    out.show(&told, |told| told.note.clone())
}

async fn moved(desk: &Desk, how: &str, change: Change, out: Output) -> anyhow::Result<()> {
    let path = format!("/connections/{}/{how}", change.name);
    let one: Shown = desk
        .send("POST", &path, &json!({"reason": change.reason}))
        .await?;
    waits(one.change.as_ref());
    left_upstream(&one.connection);
    out.show(&one, told)
}

/// The Editor that a connection had of its own is nobody's once the connection has ended.
fn left_upstream(connection: &Connection) {
    if let (State::Revoked, Some(editor)) = (connection.state, connection.editor) {
        note(format_args!(
            "to do: delete API user {editor} at the workspace: it was the Editor of {} alone",
            connection.name
        ));
    }
}

async fn ask(desk: &Desk, request: &Request, out: Output) -> anyhow::Result<()> {
    let wish = &request.wish;
    let asked = match &request.handover {
        Some(file) => Asked {
            name: &request.name,
            handover: handed::sent(&handed::read(file)?),
            role: request.role.map(RoleWord::role),
            scope: wish.scope()?,
            addresses: wish.addresses(),
            addresses_reason: wish.address_reason.as_deref(),
            client_certificate: wish.client_certificate()?,
            place: wish.place(),
            mode: wish.mode(),
            until: wish.until,
            contact: wish.contact(),
        },
        None => Asked {
            name: &request.name,
            handover: handed::sent(made_of_parts(request)?.to_json().as_bytes()),
            role: None,
            scope: wish.scope()?,
            addresses: None,
            addresses_reason: wish.address_reason.as_deref(),
            client_certificate: wish.client_certificate()?,
            place: wish.place(),
            mode: wish.mode(),
            until: wish.until,
            contact: wish.contact(),
        },
    };
    let kept: Connection = desk.send("POST", "/connections", &asked).await?;
    note(format_args!("asked for: {}", scope_told(&kept)));
    let kept: Shown = desk.get(&format!("/connections/{}", kept.name)).await?;
    key::advise(
        &desk
            .list::<ShownKey>(&format!("/connections/{}/keys", kept.connection.name))
            .await?,
    );
    out.show(&kept, |kept| {
        format!(
            "{}\nNow: vestibule gate connection approve {} --reason WHY",
            told(kept),
            kept.connection.name
        )
    })
}

/// A hand-over of its parts, where there is no file.
fn made_of_parts(request: &Request) -> anyhow::Result<HandOver> {
    let csr = request.csr.as_ref();
    let csr = csr.context("a hand-over file or --csr is needed")?;
    let role = request.role.context("--role is needed with --csr")?;
    Ok(HandOver {
        provider: request.name.clone(),
        role: role.role(),
        csr: handed::csr_text(handed::read(csr)?),
        addresses: request.wish.addresses().unwrap_or_default().to_vec(),
        webhook_url: request.webhook_url.clone(),
        legacy_signature: request.legacy_signature,
        scope: request.wish.wanted(),
    })
}
