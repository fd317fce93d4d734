//! `vestibule gate connection key NAME`: a provider's keys, shown, replaced, ended.

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use gate::connections::ShownKey;
use gate::operations::keys::Done;
use protocol::time::Millis;
use serde_json::json;
use wire::clock::{SystemClock, WallClock};

use super::handed;
use crate::durations;
use crate::gate::change::waits;
use crate::gate::desk::Desk;
use crate::output::{Output, note};

/// A provider's keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate connection key acme list
  vestibule gate connection key acme rotate --csr acme-new.csr --overlap 24h --reason 'a new machine'
  vestibule gate connection key acme confirm FINGERPRINT --reason 'the yearly change'   what the provider has offered
  vestibule gate connection key acme rotate --csr acme-new.csr --emergency --reason 'their laptop is lost'")]
pub(super) struct Args {
    /// The connection's name.
    name: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every key that it has or had.
    #[command(after_help = "Example:
  vestibule gate connection key acme list")]
    List,
    /// Replace its key with one that it has sent you.
    #[command(after_help = "Examples:
  vestibule gate connection key acme rotate --csr acme-new.csr --reason 'a new machine'                  both are let in for 24 hours
  vestibule gate connection key acme rotate --csr acme-new.csr --overlap 7d --reason 'a new machine'
  vestibule gate connection key acme rotate --csr acme-new.csr --emergency --reason 'a laptop is lost'   the old one dies at once")]
    Rotate {
        /// The new key's CSR; a mail or an archive with it does, too.
        #[arg(long, value_name = "FILE")]
        csr: PathBuf,
        #[command(flatten)]
        overlap: Overlap,
        #[command(flatten)]
        why: Why,
        /// Let a key come back that was retired before.
        #[arg(long)]
        again: bool,
    },
    /// Confirm the key that the provider has offered.
    #[command(after_help = "Example:
  vestibule gate connection key acme confirm 2d6d66555cf46f45e361ddca1670a18a443912664b9f783efa88644d860e845c --reason 'the yearly change'

Compare the fingerprint with the provider by another way than the one it came by.")]
    Confirm {
        /// Its fingerprint.
        fingerprint: String,
        #[command(flatten)]
        overlap: Overlap,
        #[command(flatten)]
        why: Why,
    },
    /// Refuse the key that the provider has offered.
    #[command(after_help = "Example:
  vestibule gate connection key acme refuse FINGERPRINT --reason 'they know of no rotation'")]
    Refuse {
        /// Its fingerprint.
        fingerprint: String,
        #[command(flatten)]
        why: Why,
    },
    /// Set when a key expires.
    #[command(after_help = "Examples:
  vestibule gate connection key acme expire FINGERPRINT --in 90d --reason 'a key a quarter'
  vestibule gate connection key acme expire FINGERPRINT --now --reason 'somebody has seen it'   it lets nobody in
  vestibule gate connection key acme expire FINGERPRINT --never --reason 'the connection ends sooner'

Sooner holds at once; later and never wait for the quorum.")]
    Expire {
        /// Its fingerprint.
        fingerprint: String,
        /// How long from now.
        #[arg(long = "in", value_name = "SPAN", value_parser = durations::parse, required_unless_present_any = ["never", "now"])]
        after: Option<Duration>,
        /// It does not expire.
        #[arg(long, conflicts_with = "after")]
        never: bool,
        /// It lets nobody in from now on.
        #[arg(long, conflicts_with_all = ["after", "never"])]
        now: bool,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Debug, clap::Args)]
struct Why {
    /// Why; the log keeps it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Debug, clap::Args)]
struct Overlap {
    /// How long the old key is let in beside the new one.
    #[arg(long, value_name = "SPAN", value_parser = durations::parse, default_value = "24h")]
    overlap: Duration,
    /// The old key dies at once.
    #[arg(long, conflicts_with = "overlap")]
    emergency: bool,
}

impl Overlap {
    const fn seconds(&self) -> u64 {
        if self.emergency {
            0
        } else {
            self.overlap.as_secs()
        }
    }
}

pub(super) async fn run(desk: &Desk, args: Args, out: Output) -> anyhow::Result<()> {
    let keys = format!("/connections/{}/keys", args.name);
    let done: Done = match args.command {
        Command::List => Done {
            keys: desk.list(&keys).await?,
            change: None,
        },
        Command::Rotate {
            csr,
            overlap,
            why,
            again,
        } => {
            let body = json!({"csr": handed::sent(&handed::read(&csr)?), "overlap_seconds": overlap.seconds(), "again": again, "reason": why.reason});
            desk.send("POST", &keys, &body).await?
        }
        Command::Confirm {
            fingerprint,
            overlap,
            why,
        } => {
            let path = format!("{keys}/{fingerprint}/confirm");
            let body = json!({"overlap_seconds": overlap.seconds(), "reason": why.reason});
            desk.send("POST", &path, &body).await?
        }
        Command::Refuse { fingerprint, why } => {
            let path = format!("{keys}/{fingerprint}/refuse");
            let body = json!({"reason": why.reason});
            desk.send("POST", &path, &body).await?
        }
        Command::Expire {
            fingerprint,
            after,
            now,
            why,
            ..
        } => {
            let path = format!("{keys}/{fingerprint}/expire");
            let millis = |after: Duration| i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
            let from_now = |after| SystemClock.now().0.saturating_add(millis(after));
            // At once is by the gate's clock, not by this machine's.
            let at = if now { Some(0) } else { after.map(from_now) };
            let body = json!({"expires_at": at, "reason": why.reason});
            desk.send("POST", &path, &body).await?
        }
    };
    waits(done.change.as_ref());
    let list = done.keys;
    advise(&list);
    let header = [
        "FINGERPRINT",
        "BITS",
        "STATE",
        "SINCE",
        "UNTIL",
        "LAST USED",
    ];
    out.table(&list, &header, |key| {
        vec![
            key.fingerprint.clone(),
            key.bits.to_string(),
            key.state.clone(),
            told(Some(key.since)),
            told(key.until),
            told(key.last_used),
        ]
    })
}

/// What could be better about the keys that stand.
pub(super) fn advise(keys: &[ShownKey]) {
    for advice in keys.iter().filter_map(|key| key.advice.as_ref()) {
        note(advice);
    }
}

fn told(at: Option<Millis>) -> String {
    let Some(at) = at.filter(|at| at.0 > 0) else {
        return "-".to_owned();
    };
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}
