//! `vestibule gate connection`: who may come in, with which key, from where, to see what.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use gate::connections::{Connection, Place};
use gate::posture::scope_words;
use ipnet::IpNet;
use ledger::{AssetFilter, PartScope};
use protocol::handover::{HandOver, WantedScope};
use protocol::ids::{AssetId, VaultAccountId, WalletId};
use protocol::role::ProviderRole;
use serde_json::{Value, json};
use url::Url;

use super::At;
use super::desk::Desk;
use crate::output::{Output, note};

/// Who may come in, with which key, from where, to see what.
#[derive(Debug, clap::Args)]
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
    /// Every connection.
    List,
    /// One connection.
    Show {
        /// Its name.
        name: String,
    },
    /// Close it for now.
    Suspend(Change),
    /// Open it again.
    Resume(Change),
    /// Close it for ever.
    Revoke(Change),
}

/// Keep a provider's request.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate connection request acme acme-handover.json
  vestibule gate connection request acme --csr acme.csr --role viewer --address 203.0.113.7/32 --vault-account 1")]
struct Request {
    /// The connection's name: letters, digits, '-' and '_'.
    name: String,
    /// The provider's hand-over file.
    #[arg(conflicts_with = "csr")]
    handover: Option<PathBuf>,
    /// The provider's CSR, where there is no hand-over file.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "handover",
        requires = "role"
    )]
    csr: Option<PathBuf>,
    /// What it may do.
    #[arg(long, value_enum)]
    role: Option<RoleWord>,
    /// Where its webhooks go.
    #[arg(long, value_name = "URL")]
    webhook_url: Option<Url>,
    /// Send the older signature header, too.
    #[arg(long)]
    legacy_signature: bool,
    #[command(flatten)]
    wish: Wish,
}

/// Approve a request.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule gate connection approve acme --vault-account 1 --vault-account 2 --asset BTC > acme-handback.json")]
struct Approve {
    /// The connection's name.
    name: String,
    #[command(flatten)]
    wish: Wish,
}

/// Scope, addresses and place; in a file, or one by one.
#[derive(Debug, clap::Args)]
struct Wish {
    /// A vault account in scope (may be given more than once); in place of those asked for.
    #[arg(long, value_name = "ID")]
    vault_account: Vec<VaultAccountId>,
    /// An asset in scope; without any, all of them.
    #[arg(long, value_name = "ID")]
    asset: Vec<AssetId>,
    /// A whitelisted wallet in scope; without any, none.
    #[arg(long, value_name = "ID")]
    whitelist: Vec<WalletId>,
    /// An address or range that it may come from; in place of those asked for.
    #[arg(long, value_name = "NET")]
    address: Vec<IpNet>,
    /// Why a wide range is right.
    #[arg(long, value_name = "TEXT")]
    address_reason: Option<String>,
    /// Where its transactions are approved.
    #[arg(long, value_enum)]
    place: Option<PlaceWord>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleWord {
    /// Reads what is in scope.
    Viewer,
    /// Reads, and proposes transactions.
    Editor,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PlaceWord {
    /// Here, by an operator, before anything goes up.
    Gate,
    /// At Fireblocks: it goes up at once, and waits there.
    Fireblocks,
}

#[derive(Debug, clap::Args)]
struct Change {
    /// The connection's name.
    name: String,
    /// Why; the log keeps it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

impl Wish {
    fn part(&self) -> Option<PartScope> {
        (!self.vault_account.is_empty()).then(|| PartScope {
            accounts: self.vault_account.iter().copied().collect(),
            assets: match self.asset.as_slice() {
                [] => AssetFilter::All,
                some => AssetFilter::Only(some.iter().cloned().collect()),
            },
            whitelists: self.whitelist.iter().copied().collect(),
            history_from: None,
        })
    }

    fn addresses(&self) -> Option<&[IpNet]> {
        (!self.address.is_empty()).then_some(self.address.as_slice())
    }

    fn place(&self) -> Option<Place> {
        self.place.map(|word| match word {
            PlaceWord::Gate => Place::Gate,
            PlaceWord::Fireblocks => Place::Fireblocks,
        })
    }
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let desk = Desk::open(at)?;
    match args.command {
        Command::Request(request) => {
            let handover = handover(&request)?;
            let mut body = json!({"name": request.name, "handover": handover});
            if let Some(fields) = body.as_object_mut() {
                if let Some(addresses) = request.wish.addresses() {
                    fields.insert("addresses".to_owned(), json!(addresses));
                }
                fields.insert(
                    "addresses_reason".to_owned(),
                    json!(request.wish.address_reason),
                );
                if let Some(place) = request.wish.place() {
                    fields.insert("place".to_owned(), json!(place));
                }
            }
            let kept: Connection = desk.send("POST", "/connections", &body).await?;
            out.show(&kept, |kept| {
                format!(
                    "{}\nNow: vestibule gate connection approve {}",
                    told(kept),
                    kept.name
                )
            })?;
        }
        Command::Approve(approve) => {
            let wish = &approve.wish;
            let body = json!({"scope": wish.part(), "addresses": wish.addresses(), "addresses_reason": wish.address_reason, "place": wish.place()});
            let done: Approved = desk
                .send(
                    "POST",
                    &format!("/connections/{}/approve", approve.name),
                    &body,
                )
                .await?;
            for step in &done.todo {
                note(format_args!("to do: {step}"));
            }
            out.line(serde_json::to_string_pretty(&done.handback)?)?;
        }
        Command::List => {
            let list: Vec<Connection> = desk.get("/connections").await?;
            let header = ["NAME", "PROVIDER", "ROLE", "STATE", "SCOPE", "API KEY"];
            out.table(&list, &header, |one| {
                vec![
                    one.name.clone(),
                    one.provider.clone(),
                    one.role.to_string(),
                    one.state.as_str().to_owned(),
                    scope_words(one),
                    one.api_key.to_string(),
                ]
            })?;
        }
        Command::Show { name } => {
            let one: Connection = desk.get(&format!("/connections/{name}")).await?;
            out.show(&one, told)?;
        }
        Command::Suspend(change) => moved(&desk, "suspend", change, out).await?,
        Command::Resume(change) => moved(&desk, "resume", change, out).await?,
        Command::Revoke(change) => moved(&desk, "revoke", change, out).await?,
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(serde::Deserialize)]
struct Approved {
    handback: Value,
    todo: Vec<String>,
}

async fn moved(desk: &Desk, how: &str, change: Change, out: Output) -> anyhow::Result<()> {
    let path = format!("/connections/{}/{how}", change.name);
    let one: Connection = desk
        .send("POST", &path, &json!({"reason": change.reason}))
        .await?;
    out.show(&one, told)
}

/// The hand-over file's text; made of its parts where there is no file.
fn handover(request: &Request) -> anyhow::Result<String> {
    let read = |file: &PathBuf| {
        std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
    };
    if let Some(file) = &request.handover {
        return Ok(String::from_utf8_lossy(&read(file)?).into_owned());
    }
    let csr = request
        .csr
        .as_ref()
        .context("a hand-over file or --csr is needed")?;
    let wanted: BTreeSet<_> = request.wish.vault_account.iter().copied().collect();
    let handover = HandOver {
        provider: request.name.clone(),
        role: match request.role.context("--role is needed with --csr")? {
            RoleWord::Viewer => ProviderRole::Viewer,
            RoleWord::Editor => ProviderRole::Editor,
        },
        csr: String::from_utf8_lossy(&read(csr)?).into_owned(),
        addresses: request.wish.address.clone(),
        webhook_url: request.webhook_url.clone(),
        legacy_signature: request.legacy_signature,
        scope: WantedScope {
            vault_accounts: wanted,
            assets: (!request.wish.asset.is_empty())
                .then(|| request.wish.asset.iter().cloned().collect()),
            whitelists: request.wish.whitelist.iter().copied().collect(),
        },
    };
    Ok(handover.to_json())
}

fn told(one: &Connection) -> String {
    let addresses: Vec<_> = one.addresses.iter().map(ToString::to_string).collect();
    format!(
        "name      {}\nprovider  {}\nrole      {}\nstate     {}\nAPI key   {}\nkey       {}\nfrom      {}\nscope     {}\nwebhook   {}",
        one.name,
        one.provider,
        one.role,
        one.state.as_str(),
        one.api_key,
        one.fingerprint,
        addresses.join(", "),
        scope_words(one),
        one.webhook
            .as_ref()
            .map_or("none", |target| target.url.as_str())
    )
}
