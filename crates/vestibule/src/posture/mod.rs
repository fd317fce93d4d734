//! `vestibule posture`: the seven practices in a workspace as it stands, without any gate.

mod given;
mod page;
mod sarif;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use connector::environment::Environment;
use gate::posture::Verdict;
use gate::posture::look::look;
use gate::posture::workspace::{Judged, Seen, Severity, Theirs, judge};
use protocol::ids::UserId;
use serde::Serialize;

use crate::given_key;
use crate::output::{Output, printable};

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
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Exit code 1 where something this bad or worse is broken.
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For scripts.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// One page that needs nothing else.
    Html,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FailOn {
    Low,
    Medium,
    High,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    /// Where.
    environment: String,
    /// The practices.
    findings: Vec<Judged>,
    /// Fireblocks' own findings.
    fireblocks: Vec<Theirs>,
    /// Why there are none of those, where they could not be read.
    fireblocks_unseen: Option<String>,
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
    let (fireblocks, unseen) = match &seen.theirs {
        Ok(theirs) => (theirs.clone(), None),
        Err(unseen) => (Vec::new(), Some(unseen.0.clone())),
    };
    let report = Report {
        environment,
        findings: judge(&seen, &args.third_parties),
        fireblocks,
        fireblocks_unseen: unseen,
    };
    out.line(match args.format {
        Format::Text if !out.json => text(&report),
        Format::Text | Format::Json => serde_json::to_string(&report)?,
        Format::Sarif => serde_json::to_string_pretty(&sarif::of(&report))?,
        Format::Html => page::of(&report),
    })?;
    let bad = args.fail_on.is_some_and(|least| {
        let least = match least {
            FailOn::Low => Severity::Low,
            FailOn::Medium => Severity::Medium,
            FailOn::High => Severity::High,
        };
        let broken = |one: &Judged| one.verdict == Verdict::Broken && one.severity >= least;
        report.findings.iter().any(broken)
    });
    Ok(if bad {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn text(report: &Report) -> String {
    let mut lines = Vec::new();
    let mut subject = None;
    for one in &report.findings {
        if subject != Some(&one.subject) {
            subject = Some(&one.subject);
            lines.push(printable(&one.subject));
        }
        let verdict = word(one.verdict);
        lines.push(format!(
            "  {} {verdict:6} {}: {}",
            one.practice,
            one.asks,
            printable(&one.evidence)
        ));
        if one.verdict == Verdict::Broken {
            lines.push(format!("     {:?}: {}", one.severity, one.todo));
        }
    }
    lines.push("Fireblocks' own findings".to_owned());
    let theirs = report.fireblocks.iter();
    lines.extend(theirs.map(|one| format!("  {} {}: {}", one.severity, one.status, one.title)));
    lines.extend(
        report
            .fireblocks_unseen
            .iter()
            .map(|why| format!("  unseen: {why}")),
    );
    lines.join("\n")
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Held => "held",
        Verdict::Broken => "BROKEN",
        Verdict::CannotBeSeen => "unseen",
    }
}
