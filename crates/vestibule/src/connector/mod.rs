//! `vestibule connector`: the provider's side. A file per command.

mod client;
mod export;
mod import;
mod init;
mod keys;
mod run;
mod status;
mod sync;
mod trade;

use std::path::PathBuf;
use std::process::ExitCode;

use ::connector::Connector;
use ::connector::keystore::Passphrase;
use anyhow::Context;
use clap::Subcommand;

use crate::output::Output;

/// The provider's side: keys, books and exports of its clients.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule connector init --organization \"Acme Books\" --egress 203.0.113.7 --public-url https://hooks.acme.example
  vestibule connector keys new --client fund            a key that never leaves; only its CSR does
  vestibule connector client handover fund --vault-account 1 > handover.json
  vestibule connector client add fund --handback handback.json
  vestibule connector run                               first sync from reports, then webhooks
  vestibule connector status")]
pub(crate) struct Args {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    command: Command,
}

/// Which connector.
#[derive(Debug, clap::Args)]
pub(crate) struct At {
    /// The connector's folder: configuration, keystore and books.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = "vestibule-connector",
        env = "VESTIBULE_CONNECTOR_DIR"
    )]
    pub(crate) dir: PathBuf,
    /// A file with the keystore's passphrase (or the variable VESTIBULE_PASSPHRASE holds it).
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "VESTIBULE_PASSPHRASE_FILE"
    )]
    pub(crate) passphrase_file: Option<PathBuf>,
}

impl At {
    /// What opens the keystore.
    pub(crate) fn passphrase(&self) -> anyhow::Result<Passphrase> {
        if let Some(file) = &self.passphrase_file {
            return Ok(Passphrase::from_file(file)?);
        }
        let text = std::env::var("VESTIBULE_PASSPHRASE")
            .context("the keystore needs a passphrase: --passphrase-file FILE, or the variable VESTIBULE_PASSPHRASE")?;
        Ok(Passphrase::new(text)?)
    }

    /// The connector of this folder.
    pub(crate) async fn open(&self) -> anyhow::Result<Connector> {
        Ok(Connector::open(&self.dir, self.passphrase()?).await?)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the folder, the keystore and the books.
    Init(init::Args),
    /// One key for one client: new, or adopted from elsewhere.
    Keys(keys::Args),
    /// The clients, and the files that go to and fro.
    Client(client::Args),
    /// Read report files: a gate's, with their manifest, or the Console's exports.
    Import(import::Args),
    /// Fill a client's books: reports first, then what they do not hold.
    Sync(sync::Args),
    /// Receive webhooks, keep the books, reconcile.
    Run(run::Args),
    /// Per client: role and how it is known, as of when, equal to what or what differs.
    Status(status::Args),
    /// Propose a transaction and follow it to the end.
    Trade(trade::Args),
    /// Write a client's books for accountants and quants.
    Export(export::Args),
}

/// Runs the command.
pub(crate) async fn run(args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let at = args.at;
    match args.command {
        Command::Init(args) => init::run(&at, args, out).await,
        Command::Keys(args) => keys::run(&at, args, out).await,
        Command::Client(args) => client::run(&at, args, out).await,
        Command::Import(args) => import::run(&at, args, out).await,
        Command::Sync(args) => sync::run(&at, args, out).await,
        Command::Run(args) => run::run(&at, args, out).await,
        Command::Status(args) => status::run(&at, args, out).await,
        Command::Trade(args) => trade::run(&at, args, out).await,
        Command::Export(args) => export::run(&at, args, out).await,
    }
}
