//! `vestibule posture`: the seven practices in a workspace as it stands, without any gate.

mod given;
mod page;
mod report;
mod sarif;
mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use connector::environment::Environment;
use gate::posture::look::look;
use gate::posture::workspace::{Seen, judge};
use protocol::ids::UserId;

use crate::given_key;
use crate::output::{Output, failed};
use report::Fireblocks;
pub(crate) use report::{How, Report, now};

/// The exit code of a command line that cannot be meant.
const WRONG_USAGE: u8 = 2;

/// The seven practices in a workspace as it stands, without any gate: from a key given for this run, from
/// the Console's exports, and from what third parties handed over.
///
/// Nothing is changed: the key is used for GET alone. Each practice of each API user is held, broken,
/// or cannot be seen from what is given; a Security Auditor's key sees Fireblocks' own findings, an
/// Admin's users, IP lists and policy. Where the workspace could not be reached or the key was not
/// accepted, that is told on stderr, and with --fail-on the exit code is 1. A --csr of nobody whom the
/// workspace knows is exit code 2.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule posture --environment us --api-key ID --secret-key audit.pem
  vestibule posture --environment us --api-key ID --secret-key audit.pem --third-party acme --third-party books
  vestibule posture --csr acme=acme.csr --csr books=books.csr     does each have a sound key of its own?
  vestibule posture --policy policy.json --history transactions.csv --third-party acme
                                                         from the Console's exports alone
  vestibule posture ... --format html > posture.html     one page for an auditor
  vestibule posture ... --format sarif --fail-on medium  for a CI: exit code 1
  vestibule posture ... --fail-on low --fail-on-unseen=C1,C4,C7
                                                         also where one of these cannot be seen")]
pub(crate) struct Args {
    /// us, eu, eu2, sandbox, or the base URL of an API.
    #[arg(
        long,
        value_name = "ENV|URL",
        requires_all = ["api_key", "secret_key"],
        required_unless_present_any = ["csrs", "history", "policy"]
    )]
    environment: Option<Environment>,
    /// The API key to read with.
    #[arg(long, value_name = "ID", requires = "environment")]
    api_key: Option<UserId>,
    /// The file of its private key, PEM.
    #[arg(long, value_name = "FILE", requires = "environment")]
    secret_key: Option<PathBuf>,
    #[command(flatten)]
    given: given::Given,
    /// An API user of a third party's, by name or id (may be given more than once); all, if none is.
    #[arg(long = "third-party", value_name = "NAME|ID")]
    third_parties: Vec<String>,
    #[command(flatten)]
    how: How,
}

pub(crate) async fn run(args: &Args, out: Output) -> anyhow::Result<ExitCode> {
    let (environment, mut seen) = match (&args.environment, args.api_key, &args.secret_key) {
        (Some(environment), Some(user), Some(key)) => {
            let base = environment.base_url();
            let seen = look(&given_key::client(environment, user, key)?.reading()).await;
            (base, seen)
        }
        _ => (
            "what was given".to_owned(),
            Seen::nothing(given::WITHOUT_KEY),
        ),
    };
    let as_of = now();
    args.given.add_to(&mut seen)?;
    if let Err(wrong) = seen.check_handed() {
        let error = anyhow::Error::new(wrong).context("--csr");
        let _ = failed(&error, out.json);
        return Ok(ExitCode::from(WRONG_USAGE));
    }
    let (fireblocks, fireblocks_unseen) = match &seen.theirs {
        Ok(theirs) => (theirs.clone(), None),
        Err(unseen) => (Vec::new(), Some(unseen.why.clone())),
    };
    let report = Report {
        environment,
        as_of,
        failed: seen.failures().map(str::to_owned).collect(),
        findings: judge(&seen, &args.third_parties),
        standings: BTreeMap::new(),
        theirs: Some(Fireblocks {
            fireblocks,
            fireblocks_unseen,
        }),
    };
    args.how.tell(&report, out)
}
