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
use crate::output::Output;
use report::Fireblocks;
pub(crate) use report::{How, Report};

/// The seven practices in a workspace as it stands, without any gate: from a key given for this run, from
/// the Console's exports, and from what third parties handed over.
///
/// Nothing is changed: the key is used for GET alone. Each practice of each API user is held, broken,
/// or cannot be seen from what is given; a Security Auditor's key sees Fireblocks' own findings, an
/// Admin's users, IP lists and policy.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule posture --environment us --api-key ID --secret-key audit.pem
  vestibule posture --environment us --api-key ID --secret-key audit.pem --third-party acme --third-party books
  vestibule posture --csr acme=acme.csr --csr books=books.csr     does each have a sound key of its own?
  vestibule posture --policy policy.json --history transactions.csv --third-party acme
                                                         from the Console's exports alone
  vestibule posture ... --format html > posture.html     one page for an auditor
  vestibule posture ... --format sarif --fail-on medium  for a CI: exit code 1")]
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
    args.given.add_to(&mut seen)?;
    let (fireblocks, fireblocks_unseen) = match &seen.theirs {
        Ok(theirs) => (theirs.clone(), None),
        Err(unseen) => (Vec::new(), Some(unseen.0.clone())),
    };
    let report = Report {
        environment,
        findings: judge(&seen, &args.third_parties),
        standings: BTreeMap::new(),
        theirs: Some(Fireblocks {
            fireblocks,
            fireblocks_unseen,
        }),
    };
    args.how.tell(&report, out)
}
