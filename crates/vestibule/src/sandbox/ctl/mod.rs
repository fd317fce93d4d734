//! `vestibule sandbox ctl`: every call of `/_sandbox` from the command line.

mod clocks;
mod desk;
mod faults;
mod people;
mod show;
mod workspaces;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
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
}

/// What stands before the path of a workspace.
const HERE: &str = "/workspaces/{workspace}";

impl Ask {
    fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            body: None,
        }
    }

    fn post(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: Method::POST,
            path: path.into(),
            body: Some(body),
        }
    }

    fn put(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: Method::PUT,
            path: path.into(),
            body: Some(body),
        }
    }

    fn delete(path: impl Into<String>) -> Self {
        Self {
            method: Method::DELETE,
            path: path.into(),
            body: None,
        }
    }
}

pub(crate) async fn run(args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let desk = Desk::find(&args.ready_file, args.control_url, args.token_file)?;
    let ask = match args.command {
        Command::Workspace(command) => command.ask(&desk).await?,
        Command::Snapshot(command) => command.ask(),
        Command::Clock(command) => command.ask(),
        Command::Fault(command) => command.ask(),
        Command::Rates(command) => command.ask(),
        Command::People(command) => command.ask(),
        Command::Call { method, path, body } => Ask { method, path, body },
        Command::Events { only } => {
            let path = if only {
                format!("{HERE}/events")
            } else {
                "/events".to_owned()
            };
            desk.hear(&path, &args.workspace, out).await?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let answer = desk.ask(ask, &args.workspace).await?;
    show::answer(&answer, out)?;
    Ok(ExitCode::SUCCESS)
}
