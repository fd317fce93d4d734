//! `vestibule sandbox ctl`: every call of `/_sandbox` from the command line.

mod clocks;
mod console;
mod desk;
mod elsewhere;
mod faults;
mod people;
mod show;
#[cfg(test)]
mod tests;
mod webhooks;
mod workspaces;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use sandbox::control::calls;
use serde_json::Value;
use url::Url;

use self::desk::Desk;
use super::serve::READY_FILE;
use crate::output::Output;

/// Do in a running sandbox what people, the chain and time do in the real world.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule sandbox ctl workspace make --name \"Test 7\"          a workspace of its own, with keys
  vestibule sandbox ctl mine                                   a block, in the mainnet workspace
  vestibule sandbox ctl --workspace testnet clock advance 24h
  vestibule sandbox ctl fault plan --operation createTransaction --lost-answer --times 1
  vestibule sandbox ctl events                                 everything that happens")]
pub(crate) struct Args {
    /// The ready file of the sandbox.
    #[arg(long, value_name = "FILE", default_value = READY_FILE, global = true)]
    ready_file: PathBuf,
    /// Where /_sandbox is, instead of what the ready file says.
    #[arg(long, value_name = "URL", global = true)]
    control_url: Option<Url>,
    /// The file with the control token, instead of what the ready file says.
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// Which workspace: mainnet, testnet, its name or its id.
    #[arg(
        long,
        value_name = "NETWORK|NAME|ID",
        default_value = "mainnet",
        global = true
    )]
    workspace: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Workspaces: make, show, reset and remove them.
    #[command(
        subcommand,
        after_help = "Example:
  vestibule sandbox ctl workspace make --name Test"
    )]
    Workspace(workspaces::Workspace),
    /// Snapshots of a workspace.
    #[command(
        subcommand,
        after_help = "Example:
  vestibule sandbox ctl snapshot take ready"
    )]
    Snapshot(workspaces::Snapshot),
    /// The clock of a workspace.
    #[command(
        subcommand,
        after_help = "Example:
  vestibule sandbox ctl clock advance 24h"
    )]
    Clock(clocks::Clock),
    /// Faults on calls of the API.
    #[command(
        subcommand,
        after_help = "Example:
  vestibule sandbox ctl fault plan --path '/v1/vault/*' --internal-error"
    )]
    Fault(faults::Fault),
    /// Rate limits of the API.
    #[command(
        subcommand,
        after_help = "Example:
  vestibule sandbox ctl rates set --profile testnet"
    )]
    Rates(faults::Rates),
    /// What happens, as it happens; Ctrl-C ends it.
    #[command(after_help = "Examples:
  vestibule sandbox ctl events                   of every workspace
  vestibule sandbox ctl events --only            of one, the mainnet one
  vestibule --json sandbox ctl events | jq .     a line of JSON each")]
    Events {
        /// Of the one workspace alone.
        #[arg(long)]
        only: bool,
    },
    #[command(flatten)]
    People(people::People),
    /// The quorum of a workspace.
    #[command(
        subcommand,
        after_help = "Example:
  vestibule sandbox ctl quorum show"
    )]
    Quorum(console::Quorum),
    #[command(flatten)]
    Console(console::Console),
    #[command(flatten)]
    Elsewhere(elsewhere::Elsewhere),
    /// Webhooks: what goes wrong with them, and which key signs.
    #[command(
        subcommand,
        after_help = "Example:
  vestibule sandbox ctl webhook rotate-keys"
    )]
    Webhook(webhooks::Webhook),
    /// Any other call of /_sandbox: its OpenAPI document names them.
    #[command(after_help = "Examples:
  vestibule sandbox ctl call GET /openapi.json
  vestibule sandbox ctl call POST /workspaces/{workspace}/mine
  vestibule sandbox ctl call PUT /workspaces/{workspace}/rate_limits '{\"profile\": \"testnet\"}'")]
    Call {
        /// GET, POST, PUT or DELETE.
        method: Method,
        /// The path below /_sandbox; {workspace} stands for the workspace's id.
        path: String,
        /// The body, JSON.
        #[arg(value_parser = json)]
        body: Option<Value>,
    },
}

fn json(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}

/// A call of the control listener.
#[derive(Debug)]
struct Ask {
    method: Method,
    /// Below `/_sandbox`; `{workspace}` stands for the workspace's id.
    path: String,
    body: Option<Value>,
    /// Whose snapshot is asked for in the body, by name: its id is put there.
    whose: Option<String>,
}

/// What stands before the path of a workspace.
const HERE: &str = "/workspaces/{workspace}";

impl Ask {
    fn new(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        Self {
            method,
            path: path.into(),
            body,
            whose: None,
        }
    }

    fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, None)
    }

    fn post(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::POST, path, Some(body))
    }

    fn put(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::PUT, path, Some(body))
    }

    fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path, None)
    }

    /// Whether the answer goes on until somebody ends it.
    fn streams(&self) -> bool {
        let call = calls::find(self.method.as_str(), &self.path);
        call.is_some_and(|call| call.streams)
    }
}

impl Command {
    fn ask(self) -> Ask {
        match self {
            Self::Workspace(command) => command.ask(),
            Self::Snapshot(command) => command.ask(),
            Self::Clock(command) => command.ask(),
            Self::Fault(command) => command.ask(),
            Self::Rates(command) => command.ask(),
            Self::People(command) => command.ask(),
            Self::Quorum(command) => command.ask(),
            Self::Console(command) => command.ask(),
            Self::Elsewhere(command) => command.ask(),
            Self::Webhook(command) => command.ask(),
            Self::Call { method, path, body } => Ask::new(method, path, body),
            Self::Events { only: true } => Ask::get(format!("{HERE}/events")),
            Self::Events { only: false } => Ask::get("/events"),
        }
    }
}

pub(crate) async fn run(args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let desk = Desk::find(&args.ready_file, args.control_url, args.token_file)?;
    let ask = args.command.ask();
    if ask.streams() {
        desk.hear(&ask.path, &args.workspace, out).await?;
    } else {
        let answer = desk.ask(ask, &args.workspace).await?;
        show::answer(&answer, out)?;
    }
    Ok(ExitCode::SUCCESS)
}
