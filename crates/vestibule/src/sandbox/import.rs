//! `vestibule sandbox import`: a workspace file of somebody's workspace, with nothing in it by which
//! it could be known again.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use connector::environment::Environment;
use connector::import::{self as exports, Malformed};
use ledger::{Books, Change};
use protocol::ids::{UserId, WorkspaceId};
use protocol::keys::PrivateKey;
use protocol::role::ProviderRole;
use protocol::time::Millis;
use sandbox::sketch::{Factor, Sketch};
use store::{Location, Store};
use sync::walk::Options;
use sync::{Area, roles, walk};
use url::Url;
use uuid::Uuid;
use wire::client::{Budget, Client, LocalKey};
use wire::clock::{SystemClock, WallClock};

use crate::files;
use crate::output::{Output, note};

/// Calls a minute, and at once: a tenth of what Fireblocks lets a workspace have.
const CALLS: NonZeroU32 = NonZeroU32::MIN.saturating_add(149);
/// Longest wait for one's turn.
const PATIENCE: Duration = Duration::from_secs(120);

/// Make a workspace file of somebody's workspace, anonymised.
///
/// Either from the Console's exports, or with an API key that can be nothing but a Viewer's: what it
/// may do is proven by reading first, and nothing but GET is ever signed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule sandbox import accounts.csv transactions_1777000000000.csv --out ours.toml
  vestibule sandbox import --url https://api.fireblocks.io/v1 --key viewer.pem --api-key ID --out ours.toml
  vestibule sandbox --workspace ours.toml

Names, ids, addresses, notes and moments are not in the file; amounts are rounded, and multiplied with
a number that is written nowhere. People, groups and policy, which a Viewer cannot read, are the shipped
fund's.")]
pub(crate) struct Args {
    /// The Console's exports, accounts before transactions.
    #[arg(required_unless_present = "url", conflicts_with = "url")]
    exports: Vec<PathBuf>,
    /// Leave malformed rows of exports out, instead of refusing the file.
    #[arg(long)]
    skip_malformed: bool,
    /// Whose API: https, or http on this machine.
    #[arg(long, value_name = "URL", requires_all = ["key", "api_key"])]
    url: Option<Url>,
    /// The API user's private key, PEM.
    #[arg(long, value_name = "FILE", requires = "url")]
    key: Option<PathBuf>,
    /// The API key: the API user's id.
    #[arg(long, value_name = "ID", requires = "url")]
    api_key: Option<UserId>,
    /// How many days of history are read.
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=3_650))]
    days: u16,
    /// What the number comes from that amounts are multiplied with; unless told, it is a secret.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Where the file goes; unless told otherwise it is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let sketch = match (&args.url, &args.key, args.api_key) {
        (Some(url), Some(key), Some(user)) => of_api(url, key, user, args.days).await?,
        _ => of_exports(&args.exports, args.skip_malformed)?,
    };
    let factor = args.seed.map_or_else(Factor::secret, Factor::of);
    let text = sketch.file(factor)?;
    // What is written can be read.
    sandbox::described::read("what was made", &text)?;
    match &args.out {
        Some(file) => {
            files::write_secret(file, text.as_bytes())?;
            out.show(&sketch.counted(), |counted| {
                format!(
                    "{}: {} accounts, {} wallets, {} whitelisted, {} transactions",
                    file.display(),
                    counted.accounts,
                    counted.wallets,
                    counted.whitelisted,
                    counted.transactions
                )
            })?;
        }
        None => out.line(text.trim_end())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn of_exports(paths: &[PathBuf], skip: bool) -> anyhow::Result<Sketch> {
    let malformed = if skip {
        Malformed::Skip
    } else {
        Malformed::Refuse
    };
    let (mut sketch, mut names) = (Sketch::default(), Vec::new());
    for path in paths {
        let name = path.display().to_string();
        let size = std::fs::metadata(path).with_context(|| format!("{name} cannot be read"))?;
        if size.len() > exports::MAX_FILE {
            bail!(
                "{name} is larger than {} bytes: export it in parts",
                exports::MAX_FILE
            );
        }
        let content = std::fs::read(path).with_context(|| format!("{name} cannot be read"))?;
        let known = names.iter().cloned().collect();
        let now = SystemClock.now();
        let imported = exports::read(&name, &content, &known, now, malformed)?;
        for (_, change) in &imported.changes {
            if let Change::Account(facts) = change {
                names.push((facts.name.clone(), facts.id));
            }
            sketch.take(change);
        }
        for bad in &imported.told {
            note(format_args!("left out: {bad}"));
        }
    }
    Ok(sketch)
}

/// Walks an API that the key can do nothing at but read, as a Viewer.
async fn of_api(url: &Url, key: &Path, user: UserId, days: u16) -> anyhow::Result<Sketch> {
    if Environment::At(url.clone()).is_heard() {
        bail!("{url}: expected https, or http on this machine alone");
    }
    let file = key.display();
    let pem = std::fs::read_to_string(key).with_context(|| format!("{file} cannot be read"))?;
    let key = PrivateKey::from_pem(&pem).with_context(|| format!("{file} is no private key"))?;
    let budget = Budget::per_minute(CALLS, CALLS, PATIENCE);
    let signer = Arc::new(LocalKey::new(user, key));
    let client = Client::new(url.as_str(), signer, budget, Arc::new(SystemClock))?.reading();
    let seen = roles::by_reading(&client).await?;
    if seen.role() != Some(ProviderRole::Viewer) {
        bail!(
            "this key cannot be shown to be a Viewer's, and no other is used: {}. Nothing was imported; make an API user of the role Viewer",
            seen.how
        );
    }
    let store = Store::open(&Location::SqliteMemory, &[ledger::ROOM]).await?;
    let books = Books::open(&store, WorkspaceId(Uuid::nil())).await?;
    let sketch = Arc::new(Mutex::new(Sketch::default()));
    let taking = Arc::clone(&sketch);
    let mut options = Options::new(Arc::new(SystemClock));
    options.beside = Some(Arc::new(move |_, _, outcomes| {
        let mut sketch = taking.lock().unwrap_or_else(PoisonError::into_inner);
        for outcome in outcomes {
            sketch.take(&outcome.change);
        }
        Ok(())
    }));
    let after = SystemClock.now().plus(-i64::from(days) * Millis::DAY);
    let areas = [
        Area::Accounts,
        Area::AssetWallets,
        Area::Whitelists,
        Area::Transactions { after },
    ];
    let walked = walk(&client, &books, &areas, &options).await?;
    if walked.not_understood > 0 {
        note(format_args!(
            "{} rows were not understood and are left out",
            walked.not_understood
        ));
    }
    let sketch = sketch.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(sketch.clone())
}
