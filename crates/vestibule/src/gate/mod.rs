//! `vestibule gate`: the client's side. A file per command.

mod access;
mod backup;
mod change;
pub(crate) mod connection;
mod declared;
pub(crate) mod desk;
mod doctor;
pub(crate) mod entrance;
pub(crate) mod init;
mod log;
mod operator;
mod posture;
pub(crate) mod proposal;
mod report;
mod resume;
mod review;
pub(crate) mod run;
mod settings;
mod status;
mod terms;
mod upstream;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use protocol::ids::UserId;
use protocol::time::Millis;

use crate::output::Output;

/// The client's side: what stands in front of the workspace.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate init --upstream us --workspace ID     keys, store, log; what to do in the Console
  vestibule gate run                                   serve
  vestibule gate connection request acme handover.json then: approve acme > handback.json
  vestibule gate proposal list                         what waits for a decision
  vestibule gate posture                               the practices, per connection")]
pub(crate) struct Args {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    command: Command,
}

/// Which gate.
#[derive(Debug, clap::Args)]
pub(crate) struct At {
    /// The gate's folder: configuration, keys, store and log.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = "vestibule-gate",
        env = "VESTIBULE_GATE_DIR"
    )]
    pub(crate) dir: PathBuf,
    /// Who calls: the id that an owner's `operator add` printed; the first owner if missing.
    #[arg(
        long,
        global = true,
        value_name = "ID",
        requires = "operator_key",
        env = "VESTIBULE_OPERATOR_ID"
    )]
    operator_id: Option<UserId>,
    /// The caller's own key, a file that `operator key` has made.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        requires = "operator_id",
        env = "VESTIBULE_OPERATOR_KEY"
    )]
    operator_key: Option<PathBuf>,
    /// The gate's admin listener, where its folder cannot be read.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        requires = "operator_id",
        env = "VESTIBULE_GATE_ADMIN_URL"
    )]
    admin_url: Option<String>,
}

impl At {
    /// A gate's folder, at the first owner's hands.
    pub(crate) fn owner(dir: PathBuf) -> Self {
        Self {
            dir,
            operator_id: None,
            operator_key: None,
            admin_url: None,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make keys, store, log and the first owner's key; print what to do in the Console.
    Init(Box<init::Args>),
    /// Serve providers, receive webhooks, send what was approved.
    Run(run::Args),
    /// Tell the gate what the Console gave you: API keys and the webhook's id.
    Upstream(upstream::Args),
    /// Look at all of the workspace now: finds what has no event, and what a lost webhook did not tell.
    #[command(after_help = "Example:
  vestibule gate refresh       then: vestibule gate doctor, to see as of when the books are")]
    Refresh,
    /// As of when the books are, part by part, and how old each part may get.
    #[command(after_help = "Examples:
  vestibule gate status        each subject of the books, its age and its greatest age
  vestibule --json gate status | jq .areas")]
    Status,
    /// Check the set-up as far as it can be seen.
    Doctor(doctor::Args),
    /// Who may come in, with which key, from where, to see what.
    Connection(connection::Args),
    /// What waits for more signatures: whatever lets more through than before.
    Change(change::Args),
    /// The client's people: who they are, what each may do, how many must sign.
    Operator(operator::Args),
    /// Look at every connection again, one by one, and say which is right as it is.
    Review(review::Args),
    /// Write who may do what as a file, from what is.
    #[command(after_help = "Example:
  vestibule gate export > access.toml        then: vestibule gate plan access.toml has nothing to do")]
    Export,
    Plan(declared::Plan),
    Apply(declared::Apply),
    /// Transactions that wait for the client's people.
    Proposal(proposal::Args),
    /// Balance, address and transaction reports for providers.
    Report(report::Args),
    /// The tamper-evident log.
    Log(log::Args),
    /// What was read, by whom, from where.
    Access(access::Args),
    /// Copy the store of the running gate into a file.
    Backup(backup::Backup),
    /// Put a copy of the store back, where no gate runs. It serves once it is released.
    Restore(backup::Restore),
    /// Let a store that was put back serve again.
    Release(backup::Release),
    Resume(resume::Args),
    /// The seven practices, per connection: held, broken, or cannot be seen.
    #[command(after_help = "Examples:
  vestibule gate posture       C1 to C7 for every connection, and what mends what is broken
  vestibule gate posture --fail-on medium                exit code 1 where something is broken
  vestibule gate posture --format html > connections.html
  vestibule --json gate posture | jq .findings")]
    Posture(crate::posture::How),
}

/// Runs the command.
pub(crate) async fn run(args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let at = args.at;
    match args.command {
        Command::Init(args) => init::run(&at, *args, out).await,
        Command::Run(args) => run::run(&at, args, out).await,
        Command::Upstream(args) => upstream::run(&at, &args, out).await,
        Command::Refresh => upstream::refresh(&at, out).await,
        Command::Status => status::run(&at, out).await,
        Command::Doctor(args) => doctor::run(&at, args, out).await,
        Command::Connection(args) => connection::run(&at, args, out).await,
        Command::Change(args) => change::run(&at, args, out).await,
        Command::Operator(args) => operator::run(&at, args, out).await,
        Command::Review(args) => review::run(&at, args, out).await,
        Command::Export => declared::export(&at, out).await,
        Command::Plan(args) => declared::show(&at, args, out).await,
        Command::Apply(args) => declared::apply(&at, args, out).await,
        Command::Proposal(args) => proposal::run(&at, args, out).await,
        Command::Report(args) => report::run(&at, args, out).await,
        Command::Log(args) => log::run(&at, args, out).await,
        Command::Access(args) => access::run(&at, args, out).await,
        Command::Backup(args) => backup::backup(&at, &args, out).await,
        Command::Restore(args) => backup::restore(&at, &args, out).await,
        Command::Release(args) => backup::release(&at, &args, out).await,
        Command::Resume(args) => resume::run(&at, &args, out).await,
        Command::Posture(how) => posture::run(&at, how, out).await,
    }
}

/// A time, as people write it.
fn time(text: &str) -> Result<Millis, String> {
    let at: Result<jiff::Timestamp, _> = text.parse();
    at.map(|at| Millis(at.as_millisecond()))
        .map_err(|_| format!("'{text}' is no time such as 2026-11-26T08:00:00Z"))
}

/// A time, as people read it.
fn shown(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}
