//! `vestibule gate change`: what waits for more signatures.

use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use gate::changes::{Change, ChangeState, signed_text};
use gate::connections::differences;
use gate::operations::changes::Shown;
use serde_json::json;
use uuid::Uuid;

use super::At;
use super::connection::told::day;
use super::desk::Desk;
use crate::output::{Output, note, printable};

/// What waits for more signatures: whatever lets more through than before.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate change list              the newest first
  vestibule gate change show ID           what would be otherwise, and why
  vestibule gate change approve ID        signed with your key, over exactly this change")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The newest changes.
    #[command(after_help = "Examples:
  vestibule gate change list
  vestibule --json gate change list | jq 'select(.state == \"WAITING\") | .id'")]
    List,
    /// One change: what would be otherwise, why, and who has signed.
    #[command(after_help = "Example:
  vestibule gate change show 5c1f0b1e-...")]
    Show {
        /// Its id.
        id: Uuid,
    },
    /// Sign it with your key; with the last signature that is needed it is made.
    #[command(after_help = "Example:
  vestibule gate change approve 5c1f0b1e-...")]
    Approve {
        /// Its id.
        id: Uuid,
    },
    /// Turn it down, alone.
    #[command(after_help = "Example:
  vestibule gate change reject 5c1f0b1e-... --reason 'not without a contract'")]
    Reject {
        /// Its id.
        id: Uuid,
        /// Why; the log keeps it.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let desk = Desk::open(at)?;
    match args.command {
        Command::List => {
            let list: Vec<Shown> = desk.list("/changes").await?;
            let header = ["ID", "STATE", "SIGNED", "ASKED", "BY", "WHAT"];
            out.table(&list, &header, |one| {
                vec![
                    one.request.id.to_string(),
                    one.request.state.as_str().to_owned(),
                    format!("{} of {}", one.counts, one.needed),
                    day(one.request.asked_at),
                    signers(one).first().cloned().unwrap_or_default(),
                    one.what.clone(),
                ]
            })?;
        }
        Command::Show { id } => {
            let one: Shown = desk.get(&format!("/changes/{id}")).await?;
            out.show(&one, told)?;
        }
        Command::Approve { id } => out.show(&decide(&desk, id, true, "").await?, told)?,
        Command::Reject { id, reason } => {
            out.show(&decide(&desk, id, false, &reason).await?, told)?
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Looks at the change, and signs the decision over exactly what was seen.
async fn decide(desk: &Desk, id: Uuid, approve: bool, reason: &str) -> anyhow::Result<Shown> {
    let seen: Shown = desk.get(&format!("/changes/{id}")).await?;
    let digest = seen.request.digest();
    let text = signed_text(approve, id, &digest);
    let signature = STANDARD.encode(desk.key.sign_rs256(text.as_bytes())?);
    let word = if approve { "approve" } else { "reject" };
    let body = json!({"digest": digest, "signature": signature, "reason": reason});
    desk.send("POST", &format!("/changes/{id}/{word}"), &body)
        .await
}

/// Says so where what was asked for waits for others.
pub(super) fn waits(change: Option<&Shown>) {
    let Some(change) = change.filter(|one| one.request.state == ChangeState::Waiting) else {
        return;
    };
    note(format_args!(
        "waits for signatures ({} of {}): vestibule gate change approve {}",
        change.counts, change.needed, change.request.id
    ));
}

fn signers(one: &Shown) -> Vec<String> {
    let signed = one.request.signed.iter();
    signed.map(|by| by.operator.clone()).collect()
}

pub(super) fn told(one: &Shown) -> String {
    let mut lines = vec![
        ("id", one.request.id.to_string()),
        ("what", one.what.clone()),
        ("why", one.request.reason.clone()),
        ("state", one.request.state.as_str().to_owned()),
        (
            "signed",
            format!(
                "{} of {}: {}",
                one.counts,
                one.needed,
                signers(one).join(", ")
            ),
        ),
        ("until", day(one.waits_until)),
        ("digest", one.digest.clone()),
    ];
    if let Some((who, why)) = &one.request.rejected {
        lines.push(("rejected", format!("{who}: {why}")));
    }
    if let Change::Terms { before, after, .. } = &one.request.change {
        for (what, before, after) in differences(before, after) {
            lines.push((what, format!("{before} -> {after}")));
        }
    }
    let lines = lines.iter();
    let lines = lines.map(|(name, value)| format!("{name:<10}{}", printable(value)));
    lines.collect::<Vec<_>>().join("\n")
}
