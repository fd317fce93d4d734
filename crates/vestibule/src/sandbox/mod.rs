//! `vestibule sandbox`: Fireblocks-compatible workspaces on localhost.

mod check;
mod compare;
mod ctl;
mod described;
pub(crate) mod env;
mod import;
mod listen;
mod play;
mod running;
pub(crate) mod serve;

use std::process::ExitCode;

use clap::Subcommand;

use crate::output::Output;

/// Fireblocks-compatible workspaces on localhost.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  vestibule sandbox                                   two seeded workspaces, kept in ./vestibule-sandbox
  vestibule sandbox --ephemeral --manual --seed 7     nothing kept, nobody acts by themselves
  vestibule sandbox --workspace treasury --workspace mine.toml
                                                      workspaces described in files, shipped or your own
  vestibule sandbox check mine.toml                   what is wrong with one
  vestibule sandbox import accounts.csv               one of your own workspace, anonymised
  vestibule sandbox --ready-file ready.json &         for scripts: the file is there once everything serves
  eval \"$(vestibule sandbox env ready.json)\"          waits for it: API key, secret and URL for the SDKs
  vestibule sandbox ctl workspace make                a workspace of its own for a test
  vestibule sandbox play deposit-reorganised          a scenario, step by step
  vestibule sandbox listen 9000                       print webhooks as they arrive, verified")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what is wrong with workspace files; nothing is started.
    Check(check::Args),
    /// Tell what differs between a developer sandbox of your own and this one.
    Compare(compare::Args),
    /// Do what people, the chain and time do: workspaces, clocks, faults, approvals, blocks.
    Ctl(Box<ctl::Args>),
    /// Print shell lines with URL, API key and secret for the SDKs.
    Env(env::Args),
    /// Make a workspace file of somebody's workspace, anonymised.
    Import(Box<import::Args>),
    /// Play scenarios: what is asked, step by step, and what must be seen.
    Play(play::Args),
    /// Receive webhooks and print them as they arrive, verified.
    Listen(listen::Args),
}

/// Runs the command.
pub(crate) async fn run(args: Args, out: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        None => serve::run(args.serve, out).await,
        Some(Command::Check(args)) => check::run(&args, out),
        Some(Command::Compare(args)) => compare::run(args, out).await,
        Some(Command::Ctl(args)) => ctl::run(*args, out).await,
        Some(Command::Env(args)) => env::run(&args, out).await,
        Some(Command::Import(args)) => import::run(*args, out).await,
        Some(Command::Play(args)) => play::run(args, out).await,
        Some(Command::Listen(args)) => listen::run(args, out).await,
    }
}
