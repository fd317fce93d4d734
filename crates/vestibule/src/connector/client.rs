//! `vestibule connector client`: the clients, and the files that go to and fro.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use connector::ClientName;
use connector::clients::known_role;
use connector::environment::Environment;
use connector::operations::client_add::{self, AddClient, Straight};
use connector::operations::client_handover::{self, Handover};
use connector::operations::client_list;
use protocol::handover::WantedScope;
use protocol::ids::{AssetId, UserId, VaultAccountId, WalletId, WebhookId, WorkspaceId};
use protocol::role::ProviderRole;
use url::Url;

use super::At;
use crate::output::{Output, note};

/// The clients, and the files that go to and fro.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule connector client handover fund --vault-account 1 > handover.json
  vestibule connector client add fund --handback handback.json
  vestibule connector client list")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the hand-over file for a client: CSR, addresses, webhook URL, wanted role and scope.
    Handover(Box<Wanted>),
    /// Add a client: from its hand-back file, or straight at Fireblocks.
    Add(Box<Add>),
    /// Every client.
    #[command(after_help = "Examples:
  vestibule connector client list
  vestibule connector --json client list")]
    List,
}

/// Print the hand-over file for a client.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule connector client handover fund --role editor --vault-account 1 --asset BTC > handover.json")]
struct Wanted {
    /// The client; it has a key already.
    name: ClientName,
    /// What we want to do.
    #[arg(long, value_enum, default_value = "viewer")]
    role: RoleWord,
    /// A vault account that we want to see (may be given more than once).
    #[arg(long, value_name = "ID", required = true)]
    vault_account: Vec<VaultAccountId>,
    /// An asset that we want to see; without any, all of them.
    #[arg(long, value_name = "ID")]
    asset: Vec<AssetId>,
    /// A whitelisted wallet that we want to see.
    #[arg(long, value_name = "ID")]
    whitelist: Vec<WalletId>,
    /// No webhooks.
    #[arg(long)]
    no_webhooks: bool,
    /// Where webhooks go, if not to our own /webhooks/NAME.
    #[arg(long, value_name = "URL")]
    webhook_url: Option<Url>,
    /// We want the older signature header, too.
    #[arg(long)]
    legacy_signature: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleWord {
    /// Reads what is in scope.
    Viewer,
    /// Reads, and proposes transactions.
    Editor,
}

/// Add a client.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule connector client add fund --handback handback.json
  vestibule connector client add fund --environment us --api-key ID --workspace ID")]
struct Add {
    /// What we call it; its key is in the keystore.
    name: ClientName,
    /// The client's hand-back file.
    #[arg(long, value_name = "FILE", conflicts_with = "environment")]
    handback: Option<PathBuf>,
    /// Straight at Fireblocks: us, eu, eu2, sandbox, or the base URL of an API.
    #[arg(
        long,
        value_name = "ENV|URL",
        requires = "api_key",
        requires = "workspace"
    )]
    environment: Option<Environment>,
    /// The API key that the client's Console shows: an id, no secret.
    #[arg(long, value_name = "ID")]
    api_key: Option<UserId>,
    /// The workspace's id: events of any other are refused.
    #[arg(long, value_name = "ID")]
    workspace: Option<WorkspaceId>,
    /// The webhook that the client made for us, once it is known.
    #[arg(long, value_name = "ID")]
    webhook: Option<WebhookId>,
    /// Where webhook keys are listed, if not where the environment lists them.
    #[arg(long, value_name = "URL")]
    jwks_url: Option<Url>,
    /// Go on with a key whose role cannot be seen.
    #[arg(long)]
    accept_unseen_role: bool,
    /// Ask nobody now.
    #[arg(long)]
    offline: bool,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let connector = at.open().await?;
    match args.command {
        Command::Handover(wanted) => {
            let wanted = *wanted;
            let every_asset = wanted.asset.is_empty();
            let ask = Handover {
                client: wanted.name,
                role: match wanted.role {
                    RoleWord::Viewer => ProviderRole::Viewer,
                    RoleWord::Editor => ProviderRole::Editor,
                },
                scope: WantedScope {
                    vault_accounts: wanted.vault_account.into_iter().collect(),
                    assets: (!every_asset).then(|| wanted.asset.into_iter().collect()),
                    whitelists: wanted.whitelist.into_iter().collect(),
                },
                webhooks: !wanted.no_webhooks,
                webhook_url: wanted.webhook_url,
                legacy_signature: wanted.legacy_signature,
            };
            out.line(
                client_handover::client_handover(&connector, &ask)
                    .await?
                    .to_json(),
            )?;
        }
        Command::Add(add) => {
            let (accept_unseen_role, offline, client) =
                (add.accept_unseen_role, add.offline, add.name.clone());
            let add = AddClient {
                client,
                at: place(*add)?,
                accept_unseen_role,
                offline,
            };
            let added = client_add::client_add(&connector, &add).await?;
            out.show(&added, |added| {
                let role = added
                    .role
                    .as_ref()
                    .map_or_else(|| "role not asked".to_owned(), known_role::told);
                format!(
                    "added {}\n{role}\nwebhooks {}",
                    add.client,
                    added.webhook_url.as_deref().unwrap_or("none")
                )
            })?;
            note("a running connector takes it in by itself");
        }
        Command::List => {
            let list = client_list::client_list(&connector).await?;
            out.table(
                &list,
                &["CLIENT", "UPSTREAM", "WORKSPACE", "BASE URL", "WEBHOOKS"],
                |one| {
                    vec![
                        one.client.to_string(),
                        one.upstream.clone(),
                        one.workspace.to_string(),
                        one.base_url.clone(),
                        one.webhook_url.clone().unwrap_or_default(),
                    ]
                },
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn place(add: Add) -> anyhow::Result<client_add::At> {
    if let Some(file) = &add.handback {
        let content =
            std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        return Ok(client_add::At::Gate(content));
    }
    let (Some(environment), Some(api_key), Some(workspace)) =
        (add.environment, add.api_key, add.workspace)
    else {
        bail!("give --handback FILE, or --environment, --api-key and --workspace");
    };
    Ok(client_add::At::Fireblocks(Box::new(Straight {
        environment,
        api_key,
        workspace,
        webhook: add.webhook,
        jwks_url: add.jwks_url,
        jwks: None,
    })))
}
