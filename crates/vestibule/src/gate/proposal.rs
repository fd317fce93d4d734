//! `vestibule gate proposal`: transactions that wait for the client's people.

mod told;

use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use gate::operations::proposals::{Names, signed_text};
use gate::proposals::Proposal;
use protocol::ids::TxId;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::At;
use super::desk::Desk;
use crate::output::Output;
use told::told;

/// Transactions that wait for the client's people.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate proposal list             the newest first
  vestibule gate proposal show ID          all of it, before you decide
  vestibule gate proposal approve ID       signed with your key, over exactly this transaction")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The newest proposals.
    #[command(after_help = "Examples:
  vestibule gate proposal list
  vestibule --json gate proposal list | jq 'select(.state == \"WAITING\") | .id'")]
    List,
    /// One proposal, exactly as it would be sent.
    #[command(after_help = "Example:
  vestibule gate proposal show 5c1f0b1e-...    every field, the places' names, who decided")]
    Show {
        /// Its id.
        id: TxId,
    },
    /// Say yes: signed with your key, over exactly this transaction.
    #[command(after_help = "Example:
  vestibule gate proposal approve 5c1f0b1e-... then it goes up, once; the policy and the signer decide there")]
    Approve {
        /// Its id.
        id: TxId,
    },
    /// Say no.
    #[command(after_help = "Example:
  vestibule gate proposal reject 5c1f0b1e-... --reason 'not this week'
  vestibule gate proposal reject 5c1f0b1e-... --reason 'the board must agree' --tell 'not this week'")]
    Reject {
        /// Its id.
        id: TxId,
        /// Why; the log keeps it, and the provider does not read it.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// What the provider reads, in place of "the client rejected it".
        #[arg(long, value_name = "TEXT")]
        tell: Option<String>,
    },
}

#[derive(Deserialize, Serialize)]
pub(crate) struct Shown {
    #[serde(flatten)]
    pub(crate) proposal: Proposal,
    pub(crate) digest: String,
    #[serde(default)]
    pub(crate) names: Names,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let desk = Desk::open(at)?;
    match args.command {
        Command::List => {
            let list: Vec<Shown> = desk.list("/proposals").await?;
            out.table(
                &list,
                &["ID", "CONNECTION", "STATE", "AMOUNT", "ASSET", "FROM", "TO"],
                |one| row(&one.proposal),
            )?;
        }
        Command::Show { id } => {
            let one: Shown = desk.get(&format!("/proposals/{id}")).await?;
            out.show(&one, told)?;
        }
        Command::Approve { id } => out.show(&decide(&desk, id, Word::Yes).await?, told)?,
        Command::Reject { id, reason, tell } => {
            let word = Word::No {
                reason: &reason,
                tell: tell.as_deref(),
            };
            out.show(&decide(&desk, id, word).await?, told)?
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is decided.
#[derive(Clone, Copy)]
pub(crate) enum Word<'a> {
    Yes,
    No {
        reason: &'a str,
        tell: Option<&'a str>,
    },
}

/// Looks at the proposal, and signs the decision over exactly what was seen.
pub(crate) async fn decide(desk: &Desk, id: TxId, decision: Word<'_>) -> anyhow::Result<Shown> {
    let seen: Shown = desk.get(&format!("/proposals/{id}")).await?;
    let digest = seen.proposal.digest();
    let signature = STANDARD.encode(
        desk.key
            .sign_rs256(signed_text(matches!(decision, Word::Yes), id, &digest).as_bytes())?,
    );
    let mut body = json!({"digest": digest, "signature": signature});
    let word = match decision {
        Word::Yes => "approve",
        Word::No { reason, tell } => {
            body["reason"] = json!(reason);
            if let Some(tell) = tell {
                body["tell"] = json!(tell);
            }
            "reject"
        }
    };
    desk.send("POST", &format!("/proposals/{id}/{word}"), &body)
        .await
}

fn row(one: &Proposal) -> Vec<String> {
    let place = |peer: &Option<protocol::model::transaction_request::PeerRequest>| {
        peer.as_ref().map_or_else(String::new, |peer| {
            format!(
                "{} {}",
                peer.kind.as_str(),
                peer.id.as_deref().unwrap_or_default()
            )
        })
    };
    vec![
        one.id.to_string(),
        one.connection.clone(),
        one.state.as_str().to_owned(),
        one.transfer
            .amount
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        one.asset.to_string(),
        place(&one.transfer.source),
        place(&one.transfer.destination),
    ]
}
