//! `vestibule gate log`: the tamper-evident log.

mod syslog;
mod tail;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use gate::log::{Demand, Held, LogKey, Verified, Vouched, WitnessKey};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use wire::clock::{SystemClock, WallClock};

use super::{At, desk};
use crate::files;
use crate::output::Output;

/// The tamper-evident log.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate log list                    the latest first
  vestibule gate log verify                  that nobody has rewritten it
  vestibule gate log export copy --access    for an auditor; then, anywhere: log verify copy --key KEY
  vestibule gate log tail --follow --format cef | logger -t vestibule")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The latest entries.
    #[command(after_help = "Examples:
  vestibule gate log list                    the latest first: who did what, and when
  vestibule --json gate log list | jq .kind  for scripts: an entry a line")]
    List,
    /// Check every entry, the tree and every signed checkpoint; of a gate, of a copy, or of a proof.
    #[command(after_help = "Examples:
  vestibule gate log verify                  exit code 1 if anything was changed or taken out
  vestibule gate --dir /srv/gate log verify  of a gate's folder elsewhere, or a copy of it
  vestibule gate log verify --since kept.checkpoint          against one that an auditor kept
  vestibule gate log verify copy --key log.key --since kept.checkpoint   an exported copy, anywhere
  vestibule gate log verify copy --key log.key --witness w1.key --witness w2.key --witness-quorum 1
  vestibule gate log verify --proof 17.tlog-proof --key log.key          one decision")]
    Verify(Verify),
    /// The log's public key: all that an auditor needs beside a copy.
    #[command(after_help = "Example:
  vestibule gate log key > log.key           then: vestibule gate log verify copy --key log.key")]
    Key,
    /// Copy the log as files (C2SP tlog-tiles), as far as it is signed.
    #[command(after_help = "Examples:
  vestibule gate log export copy             a folder that is not there yet, or empty
  vestibule gate log export copy --access    with the records of what was read
  vestibule gate log export copy --witness-quorum 2   as far as two witnesses vouch for it")]
    Export {
        /// The folder.
        #[arg(value_name = "FOLDER")]
        to: PathBuf,
        /// Copy the closed segments of access records, too.
        #[arg(long)]
        access: bool,
        /// Only as far as so many witnesses have cosigned.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        witness_quorum: Option<u32>,
    },
    /// The proof of one entry, in one file (C2SP tlog-proof).
    #[command(after_help = "Examples:
  vestibule gate log prove 17 17.tlog-proof  then: vestibule gate log verify --proof 17.tlog-proof --key log.key
  vestibule gate log prove 17 17.tlog-proof --witness-quorum 2   only if two witnesses vouch for it")]
    Prove {
        /// Which entry.
        index: u64,
        /// The file.
        file: PathBuf,
        /// Only by a checkpoint that so many witnesses have cosigned; as many as have, where it is not said.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        witness_quorum: Option<u32>,
    },
    /// Erase what entries tell; every proof stays whole, and the log tells that it was done.
    #[command(after_help = "Examples:
  vestibule gate log erase --before 2025-01-01T00:00:00Z --reason 'kept for a year'
  vestibule gate log erase --connection acme --reason 'asked for on 3 May'
  vestibule gate log erase --entry 17 --entry 18 --reason 'a name in the reason'")]
    Erase(Erase),
    /// Entries in order, for a SIEM: JSON lines, CEF or syslog.
    Tail(tail::Args),
}

#[derive(Debug, clap::Args)]
struct Verify {
    /// An exported copy, in place of the gate's folder.
    #[arg(value_name = "COPY", requires = "key")]
    copy: Option<PathBuf>,
    /// The log's public key, or a file that holds it.
    #[arg(long, value_name = "KEY|FILE")]
    key: Option<String>,
    /// A checkpoint that was kept elsewhere, such as an auditor's (may be given more than once).
    #[arg(long, visible_alias = "checkpoint", value_name = "FILE")]
    since: Vec<PathBuf>,
    /// A witness that must have cosigned the newest checkpoint: its key, or a file that holds it (may be
    /// given more than once).
    #[arg(long, value_name = "KEY|FILE")]
    witness: Vec<String>,
    /// How many of them must; all where it is not said.
    #[arg(long, value_name = "N", requires = "witness")]
    witness_quorum: Option<usize>,
    /// The proof of one entry, in place of a log.
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with_all = ["copy", "since"])]
    proof: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Erase {
    /// This entry (may be given more than once).
    #[arg(long = "entry", value_name = "INDEX")]
    entries: Vec<u64>,
    /// Entries that are older.
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    before: Option<Millis>,
    /// Entries that tell of this connection.
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// Why; the log keeps it.
    #[arg(long)]
    reason: String,
}

#[derive(Deserialize, Serialize)]
struct Entry {
    index: u64,
    at: i64,
    kind: String,
    entry: Option<Box<RawValue>>,
}

#[derive(Deserialize, Serialize)]
struct Erased {
    erased: u64,
    kept: u64,
}

#[derive(Deserialize)]
struct Proof {
    proof: String,
    cosigned: u32,
    witnesses: u32,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List => list(at, out).await?,
        Command::Verify(verify) => verified(at, verify, out).await?,
        Command::Key => {
            let (folder, config) = desk::config(at)?;
            let key = gate_key(&folder, &config)?;
            out.show(&json!({ "key": key }), |_| key.clone())?;
        }
        Command::Export {
            to,
            access,
            witness_quorum,
        } => {
            let (folder, config) = desk::config(at)?;
            let key = LogKey::of(config.upstream.workspace_id, folder.log_key()?.public());
            let store = gate::start::open_store(&folder, &config).await?;
            let access = access.then(|| gate::log::Access {
                folder: folder.access(),
                gate: config.store.gate.clone(),
            });
            let workspace = config.upstream.workspace_id;
            let copied =
                gate::log::export(&store, workspace, &key, &to, access, witness_quorum).await?;
            out.show(&copied, |copied| {
                let mut text = format!(
                    "{} entries in {} files in {}\nkey {key}",
                    copied.entries,
                    copied.files + 1,
                    to.display()
                );
                if copied.unsigned > 0 {
                    text += &format!(
                        "\n{} newer entries are not signed yet: they are not in it",
                        copied.unsigned
                    );
                }
                text
            })?;
        }
        Command::Prove {
            index,
            file,
            witness_quorum,
        } => {
            let desk = desk::Desk::open(at)?;
            let quorum = witness_quorum.unwrap_or(0);
            let path = format!("/log/proof/{index}?witnessQuorum={quorum}");
            let Proof {
                proof,
                cosigned,
                witnesses,
            } = desk.get(&path).await?;
            files::write_secret(&file, proof.as_bytes())?;
            let told = json!({
                "index": index, "file": file, "cosigned": cosigned, "witnesses": witnesses,
            });
            out.show(&told, |_| {
                let by = by(cosigned, witnesses);
                format!("entry {index} is proven by {}{by}", file.display())
            })?;
        }
        Command::Erase(erase) => {
            let body = json!({
                "entries": Some(erase.entries).filter(|entries| !entries.is_empty()),
                "before": erase.before,
                "connection": erase.connection,
                "reason": erase.reason,
            });
            let erased: Erased = desk::Desk::open(at)?
                .send("POST", "/log/erase", &body)
                .await?;
            out.show(&erased, |erased| {
                format!(
                    "{} payloads erased; {} stay, since the log's own proof needs them\nbackups and copies that were made before still hold them",
                    erased.erased, erased.kept
                )
            })?;
        }
        Command::Tail(args) => tail::run(at, &args, out).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// How many witnesses have cosigned what proves an entry.
fn by(cosigned: u32, witnesses: u32) -> String {
    match cosigned {
        _ if witnesses == 0 => String::new(),
        all if all == witnesses => format!("\nits checkpoint is cosigned by all {all} witnesses"),
        0 => format!(
            "\nits checkpoint is the newest, and cosigned by none of the {witnesses} witnesses: `vestibule gate status` says how far they are"
        ),
        some => format!(
            "\nits checkpoint is cosigned by {some} of {witnesses} witnesses: `vestibule gate status` says how far the others are"
        ),
    }
}

fn gate_key(folder: &gate::Folder, config: &gate::Config) -> anyhow::Result<String> {
    let key = LogKey::of(config.upstream.workspace_id, folder.log_key()?.public());
    Ok(key.to_string())
}

async fn list(at: &At, out: Output) -> anyhow::Result<()> {
    let list: Vec<Entry> = desk::Desk::open(at)?.list("/log").await?;
    out.table(&list, &["INDEX", "AT", "KIND", "ENTRY"], |one| {
        let at = jiff::Timestamp::from_millisecond(one.at)
            .map(|at| at.to_string())
            .unwrap_or_default();
        let entry = one.entry.as_ref().map_or("(erased)", |entry| entry.get());
        vec![
            one.index.to_string(),
            at,
            one.kind.clone(),
            entry.to_owned(),
        ]
    })
}

/// A key, or the file that holds it.
fn key(text: &str) -> anyhow::Result<LogKey> {
    let held = held(text);
    held.trim().parse().with_context(|| format!("--key {text}"))
}

fn held(text: &str) -> String {
    std::fs::read_to_string(text).unwrap_or_else(|_| text.to_owned())
}

/// The witnesses that are named.
fn demand(verify: &Verify, log: &LogKey) -> anyhow::Result<Demand> {
    let key = |text: &String| -> anyhow::Result<WitnessKey> {
        let key = held(text).trim().parse();
        key.with_context(|| format!("--witness {text}"))
    };
    let keys: Vec<_> = verify.witness.iter().map(key).collect::<Result<_, _>>()?;
    Ok(Demand::new(keys, verify.witness_quorum, log)?)
}

async fn verified(at: &At, verify: Verify, out: Output) -> anyhow::Result<()> {
    let key = verify.key.as_deref().map(key).transpose()?;
    let now = SystemClock.now();
    match (verify.proof.clone(), verify.copy.clone(), key) {
        (Some(file), _, Some(key)) => {
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            let proven = gate::log::verify_proof(&text, &key, &demand(&verify, &key)?)?;
            out.show(&proven, |proven| {
                format!(
                    "entry {} of {} was logged as it stands here\nat    {}\nkind  {}\nentry {}\nsigned {}\n{}",
                    proven.index,
                    proven.size,
                    super::shown(proven.at),
                    proven.kind,
                    proven.entry.as_ref().map_or("(erased)", |entry| entry.get()),
                    age(proven.signed_at, now),
                    vouched(proven.vouched.as_ref(), now)
                )
            })
        }
        (_, Some(copy), Some(key)) => {
            let held = verify.since.iter().map(|file| Held::read(file));
            let held: Vec<Held> = held.collect::<Result<_, _>>()?;
            let demand = demand(&verify, &key)?;
            let copied = move || gate::log::verify_copy(&copy, &key, &held, &demand);
            let verified = tokio::task::spawn_blocking(copied).await??;
            out.show(&verified, |verified| told(verified, now))
        }
        (_, _, key) => {
            let (folder, config) = desk::config(at)?;
            let own = gate_key(&folder, &config)?;
            if key.is_some_and(|key| key.to_string() != own) {
                anyhow::bail!("--key is not the key of this gate's log, which is {own}");
            }
            let demand = demand(&verify, &own.parse()?)?;
            let since = verify.since.iter().map(PathBuf::as_path);
            let verified = gate::log::audit(&folder, &config, since, demand).await?;
            out.show(&verified, |verified| told(verified, now))
        }
    }
}

fn age(at: Option<Millis>, now: Millis) -> String {
    at.map_or_else(
        || "it does not tell when".to_owned(),
        |at| format!("{} s ago", (now.0 - at.0).max(0) / Millis::SECOND),
    )
}

/// What witnesses say, and what nobody has said where they were not asked for.
fn vouched(vouched: Option<&Vouched>, now: Millis) -> String {
    let Some(vouched) = vouched else {
        return "no witness was named (--witness): that nobody was shown another log by this key is not vouched for".to_owned();
    };
    let by = vouched.by.iter().map(|word| {
        let when = age(Some(word.at), now);
        format!("{} for {}, {when}", word.witness, word.size)
    });
    format!(
        "witnesses vouch for the first {} entries ({} must): {}",
        vouched.size,
        vouched.quorum,
        by.collect::<Vec<_>>().join("; ")
    )
}

fn told(verified: &Verified, now: Millis) -> String {
    let newest = verified.newest;
    let mut text = format!(
        "the log holds: {} entries, {} erased, {} signed checkpoints, root {}\nnewest signed checkpoint: {} entries, signed {}",
        verified.entries,
        verified.erased,
        verified.checkpoints,
        verified.root,
        newest.size,
        age(newest.at, now)
    );
    text += "; what came after it cannot be known from here\n";
    text += &vouched(verified.vouched.as_ref(), now);
    if verified.uncovered > 0 {
        text += &format!(
            "\n{} newer entries are in no signed checkpoint yet; the gate that runs signs them in a moment",
            verified.uncovered
        );
    }
    if verified.access_segments > 0 {
        text += &format!("\n{} segments of access records", verified.access_segments);
        if verified.access_missing > 0 {
            text += &format!(", {} of them are not in this copy", verified.access_missing);
        }
    }
    if verified.restored > 0 {
        text += &format!(
            "\na copy of the store was put back {} times",
            verified.restored
        );
    }
    text
}
