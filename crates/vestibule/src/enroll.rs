//! `vestibule enroll`: lets a provider into the workspace itself, without a gate in between.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use connector::environment::Environment;
use gate::connections::{Mode, examine, is_name};
use gate::enroll::{self, Standing, Wanted};
use ipnet::IpNet;
use protocol::csr;
use protocol::handover::{HandOver, MAX_LEN, WantedScope};
use protocol::ids::UserId;
use protocol::role::ProviderRole;
use serde_json::{Value, json};
use wire::client::Client;
use zeroize::Zeroizing;

use crate::durations;
use crate::files::read_at_most;
use crate::gate::At;
use crate::gate::connection::{RoleWord, handed};
use crate::gate::desk::Desk;
use crate::given_key;
use crate::output::{Output, note, printable};

/// How often it is looked how far it is.
const TURN: Duration = Duration::from_secs(2);

/// Let a provider into the workspace itself: an API user of the role Viewer or Editor from its CSR.
///
/// The CSR is examined as a gate would; the API user is asked for with an Admin-class key that is given for
/// this run and kept nowhere. Then the quorum and the IP list are watched, and what is left to do in the
/// Console is told. Run again, it goes on from what is there. Exit code 0 once nothing is left.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule enroll acme acme-handover.json --environment us --api-key ID --secret-key admin.pem
  vestibule enroll acme --csr acme.csr --role viewer --address 203.0.113.7 --environment us --api-key ID --secret-key admin.pem
  vestibule enroll acme ... --wait 0s                     look once, and say what is left
  vestibule enroll acme ... --record vestibule-gate       and keep it at the gate, as 'watched'")]
pub(crate) struct Args {
    /// The API user's name, at most 30 characters.
    name: String,
    /// The provider's hand-over file.
    #[arg(conflicts_with = "csr")]
    handover: Option<PathBuf>,
    /// The provider's CSR, where there is no hand-over file.
    #[arg(long, value_name = "FILE", required_unless_present = "handover", requires_all = ["role", "address"])]
    csr: Option<PathBuf>,
    /// What it may do, in place of what the file asks for.
    #[arg(long, value_enum)]
    role: Option<RoleWord>,
    /// An IPv4 address that it calls from, in place of those of the file (may be given more than once).
    #[arg(long, value_name = "ADDR")]
    address: Vec<std::net::Ipv4Addr>,
    #[command(flatten)]
    with: With,
    /// The folder of a gate that keeps the connection, as 'watched'.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
}

/// The key that enrols, given for this run and kept nowhere; and how long to watch.
#[derive(Debug, clap::Args)]
pub(crate) struct With {
    /// us, eu, eu2, sandbox, or the base URL of an API.
    #[arg(long, value_name = "ENV|URL")]
    pub(crate) environment: Environment,
    /// The API key of an Admin or a Non-Signing Admin.
    #[arg(long, value_name = "ID")]
    pub(crate) api_key: UserId,
    /// The file of its private key, PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_key: PathBuf,
    /// How long to watch the quorum and the IP list.
    #[arg(long, value_name = "SPAN", default_value = "15m", value_parser = durations::parse)]
    pub(crate) wait: Duration,
}

pub(crate) async fn run(args: &Args, out: Output) -> anyhow::Result<ExitCode> {
    if args.record.is_some() && !is_name(&args.name) {
        bail!(
            "a gate keeps names of 1 to 40 letters, digits, '-' or '_': '{}' is none",
            args.name
        );
    }
    let handover = handover(args)?;
    let wanted = Wanted::new(
        &args.name,
        handover.role,
        handover.csr.clone(),
        &handover.addresses,
    )?;
    let enrolment = Enrolment::begin(&args.with, wanted).await?;
    enrolment.ask().await?;
    let standing = enrolment.watch().await?;
    if let Some(folder) = &args.record {
        record(folder, &args.name, &handover).await?;
    }
    out.show(&standing, text)?;
    Ok(if standing.left.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// An API user on its way.
pub(crate) struct Enrolment {
    client: Client,
    wanted: Wanted,
    is_there: bool,
    wait: Duration,
}

impl Enrolment {
    /// Looks whether it can be asked for. Nothing is changed.
    pub(crate) async fn begin(with: &With, wanted: Wanted) -> anyhow::Result<Self> {
        let client = given_key::client(&with.environment, with.api_key, &with.secret_key)?;
        let standing = enroll::look(&client, &wanted).await?;
        Ok(Self {
            client,
            wanted,
            is_there: standing.api_key.is_some(),
            wait: with.wait,
        })
    }

    /// Asks for it, once.
    pub(crate) async fn ask(&self) -> anyhow::Result<()> {
        if self.is_there {
            note(
                "there is an API user of this name: it goes on from there. Whether it has this key, no call tells",
            );
            return Ok(());
        }
        let once = uuid::Uuid::new_v4().to_string();
        enroll::ask(&self.client, &self.wanted, &once).await?;
        note(format_args!("asked for: API user {}", self.wanted));
        Ok(())
    }

    /// Watches until nothing is left to do, or for as long as was said.
    pub(crate) async fn watch(&self) -> anyhow::Result<Standing> {
        let deadline = tokio::time::Instant::now() + self.wait;
        let mut standing = enroll::look(&self.client, &self.wanted).await?;
        let mut told = Vec::new();
        while !standing.left.is_empty() {
            if told != standing.left {
                for left in &standing.left {
                    note(format_args!("to do: {}", printable(left)));
                }
                told.clone_from(&standing.left);
            }
            if tokio::time::Instant::now() + TURN > deadline {
                break;
            }
            tokio::time::sleep(TURN).await;
            standing = enroll::look(&self.client, &self.wanted).await?;
        }
        Ok(standing)
    }
}

/// What the provider handed over, examined, with what is said otherwise here.
fn handover(args: &Args) -> anyhow::Result<HandOver> {
    let role = args.role.map(RoleWord::role);
    let addresses: Vec<IpNet> = args
        .address
        .iter()
        .map(|ip| IpNet::from(std::net::IpAddr::V4(*ip)))
        .collect();
    let (name, file) = match (&args.handover, &args.csr) {
        (Some(file), _) => (file, Zeroizing::new(read_at_most(file, MAX_LEN)?)),
        (None, Some(csr)) => (
            csr,
            Zeroizing::new(made(&args.name, csr, role, &addresses)?),
        ),
        (None, None) => bail!("expected a hand-over file, or --csr FILE"),
    };
    let (mut handover, key) =
        examine(&file, false).with_context(|| format!("{} is refused", name.display()))?;
    if let Some(advice) = csr::advice(key.public_key()) {
        note(advice);
    }
    handover.role = role.unwrap_or(handover.role);
    if !addresses.is_empty() {
        handover.addresses = addresses;
    }
    Ok(handover)
}

/// The hand-over file of a provider that has handed over a CSR alone.
fn made(
    name: &str,
    csr: &Path,
    role: Option<ProviderRole>,
    addresses: &[IpNet],
) -> anyhow::Result<Vec<u8>> {
    let handover = HandOver {
        provider: name.to_owned(),
        role: role.unwrap_or(ProviderRole::Viewer),
        csr: handed::csr_text(read_at_most(csr, MAX_LEN)?),
        addresses: addresses.to_vec(),
        webhook_url: None,
        legacy_signature: false,
        scope: WantedScope::default(),
    };
    Ok(handover.to_json().into_bytes())
}

/// Keeps the connection at the client's gate: nobody comes in there by it, and it is reviewed with the others.
async fn record(folder: &Path, name: &str, handover: &HandOver) -> anyhow::Result<()> {
    let desk = Desk::open(&At::owner(folder.to_owned()))?;
    let known = desk.get::<Value>(&format!("/connections/{name}")).await;
    if let Ok(known) = known {
        note(format_args!(
            "the gate has kept '{name}' before, as {}",
            printable(&known["mode"].to_string())
        ));
        return Ok(());
    }
    let body = json!({"name": name, "handover": handover.to_json(), "mode": Mode::Watched, "role": handover.role});
    let _: Value = desk.send("POST", "/connections", &body).await?;
    let _: Value = desk
        .send(
            "POST",
            &format!("/connections/{name}/approve"),
            &json!({"reason": "enrolled by the command"}),
        )
        .await?;
    note(format_args!(
        "the gate keeps '{name}' as watched: `vestibule gate connection show {name}`"
    ));
    Ok(())
}

fn text(standing: &Standing) -> String {
    let key = standing
        .api_key
        .map_or_else(|| "-".to_owned(), |id| id.to_string());
    let mut lines = vec![
        format!("name      {}", printable(&standing.name)),
        format!("api key   {key}"),
        format!("role      {}", standing.role),
        format!("ready     {}", if standing.ready { "yes" } else { "no" }),
        format!("addresses {}", printable(&standing.addresses.join(", "))),
    ];
    lines.extend(
        standing
            .left
            .iter()
            .map(|left| format!("to do     {}", printable(left))),
    );
    lines.join("\n")
}
