//! `vestibule gate connection leave`: the end of a connection, and where its provider goes from here.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use connector::environment::Environment;
use gate::connections::{Mode, State};
use gate::enroll::Wanted;
use gate::operations::connections::Shown;
use gate::operations::keys::csr::KeptCsr;
use ipnet::IpNet;
use protocol::ids::UserId;
use serde_json::json;

use super::{Desk, RoleWord, left_upstream, record};
use crate::durations;
use crate::enroll::{Enrolment, With};
use crate::output::{Output, note, printable};

/// Close it for ever, and print the signed record of what it held and until when.
///
/// A guarded provider that is to stay goes straight to Fireblocks from now on: `--enroll` makes an API
/// user of the workspace's own from the CSR that it gave, with an Admin-class key that is given for this
/// run and kept nowhere, as `vestibule enroll` does. Nothing is revoked before it was asked for. Run
/// again, it goes on from what is there. Exit code 1 while something is left to do in the Console.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate connection leave acme --reason 'the contract has ended' > acme-record.note
  vestibule gate connection leave acme --reason 'no gate any more' \\
      --enroll --environment us --api-key ID --secret-key admin.pem > acme-record.note")]
pub(super) struct Args {
    /// The connection's name; its API user at Fireblocks has the same, of 30 characters at most.
    name: String,
    /// Why; the log keeps it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Let the provider into the workspace itself, with the key that it has here.
    #[arg(long, requires_all = ["environment", "api_key", "secret_key"])]
    enroll: bool,
    /// What it may do there, in place of what it might do here.
    #[arg(long, value_enum, requires = "enroll")]
    role: Option<RoleWord>,
    /// An IPv4 address that it calls from, in place of those of the connection (may be given more than
    /// once).
    #[arg(long, value_name = "ADDR", requires = "enroll")]
    address: Vec<Ipv4Addr>,
    /// us, eu, eu2, sandbox, or the base URL of an API.
    #[arg(long, value_name = "ENV|URL", requires = "enroll")]
    environment: Option<Environment>,
    /// The API key of an Admin or a Non-Signing Admin.
    #[arg(long, value_name = "ID", requires = "enroll")]
    api_key: Option<UserId>,
    /// The file of its private key, PEM.
    #[arg(long, value_name = "FILE", requires = "enroll")]
    secret_key: Option<PathBuf>,
    /// How long to watch the quorum and the IP list.
    #[arg(long, value_name = "SPAN", default_value = "15m", value_parser = durations::parse)]
    wait: Duration,
}

impl Args {
    /// The key that enrols, where one is given.
    fn with(&self) -> Option<With> {
        Some(With {
            environment: self.environment.clone()?,
            api_key: self.api_key?,
            secret_key: self.secret_key.clone()?,
            wait: self.wait,
        })
    }
}

pub(super) async fn run(desk: &Desk, args: &Args, out: Output) -> anyhow::Result<ExitCode> {
    let path = format!("/connections/{}", args.name);
    let shown: Shown = desk.get(&path).await?;
    let enrolment = match args.with() {
        Some(with) => Some(begin(desk, args, &with, &shown).await?),
        None => None,
    };
    if let Some(enrolment) = &enrolment {
        enrolment.ask().await?;
    }
    let revoked = if shown.connection.state == State::Revoked {
        note("it is REVOKED already, and the reason is that of then: its record again");
        shown
    } else {
        let body = json!({"reason": args.reason});
        desk.send("POST", &format!("{path}/revoke"), &body).await?
    };
    left_upstream(&revoked.connection);
    record(desk, &args.name, out).await?;
    let Some(enrolment) = enrolment else {
        return Ok(ExitCode::SUCCESS);
    };
    let standing = enrolment.watch().await?;
    let key = standing.api_key.map(|id| id.to_string());
    note(format_args!(
        "its API key at Fireblocks: {}; role {}",
        printable(&key.unwrap_or_else(|| "not there yet".to_owned())),
        standing.role
    ));
    Ok(if standing.left.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Looks whether it can be enrolled. Nothing is changed.
async fn begin(desk: &Desk, args: &Args, with: &With, shown: &Shown) -> anyhow::Result<Enrolment> {
    let connection = &shown.connection;
    if connection.mode != Mode::Guarded {
        bail!(
            "'{}' is {}: only a guarded connection has a key here that can go on at Fireblocks",
            args.name,
            connection.mode.as_str()
        );
    }
    let kept: KeptCsr = desk.get(&format!("/connections/{}/csr", args.name)).await?;
    let role = args.role.map_or(connection.role, RoleWord::role);
    let own = args.address.iter().map(|ip| IpNet::from(IpAddr::V4(*ip)));
    let own: Vec<_> = own.collect();
    let addresses = if own.is_empty() {
        &connection.addresses
    } else {
        &own
    };
    let wanted = Wanted::new(&args.name, role, kept.csr, addresses)?;
    Enrolment::begin(with, wanted).await
}
