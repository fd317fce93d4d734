//! `vestibule gate doctor --probe`: a dust transfer between two of the client's own accounts, which the
//! workspace's policy must hold for the expected approvers. It is cancelled.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use gate::proposals::{Probe, State};
use protocol::ids::UserId;
use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;

use super::At;
use crate::gate::desk::Desk;
use crate::gate::proposal::{Shown, Word, decide};
use crate::output::{Output, note};

/// How often the gate is asked how far it is.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
#[group(id = "policy-probe")]
pub(crate) struct Args {
    /// Send so much from one of your accounts to another, see that the policy holds it for the expected
    /// approvers, and cancel it. For owners; it MAY COMPLETE where the policy is wrong.
    #[arg(long, value_name = "AMOUNT", requires_all = ["asset", "from", "to", "expect", "reason"])]
    probe: Option<String>,
    /// What is sent.
    #[arg(long, value_name = "ID", requires = "probe")]
    asset: Option<String>,
    /// From which vault account.
    #[arg(long, value_name = "ID", requires = "probe")]
    from: Option<String>,
    /// To which vault account.
    #[arg(long, value_name = "ID", requires = "probe")]
    to: Option<String>,
    /// The connection whose own Editor proposes it, in place of the gate's.
    #[arg(long, value_name = "NAME", requires = "probe")]
    connection: Option<String>,
    /// Who must be asked upstream, and nobody else: a user id of the workspace (may be given more than once).
    #[arg(long, value_name = "USER", requires = "probe")]
    expect: Vec<UserId>,
    /// Why.
    #[arg(long, value_name = "TEXT", requires = "probe")]
    reason: Option<String>,
    /// Your word that it may complete.
    #[arg(long, requires = "probe")]
    it_may_complete: bool,
    /// How long to wait for the end, in seconds. The gate goes on without you.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 180,
        requires = "probe"
    )]
    patience: u64,
}

impl Args {
    /// Whether a probe is wanted.
    pub(super) fn is_wanted(&self) -> bool {
        self.probe.is_some()
    }
}

#[derive(Serialize)]
struct Told {
    proposal: String,
    held: Option<bool>,
    saw: String,
    ended: Option<&'static str>,
}

pub(super) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let (Some(amount), Some(asset), Some(from), Some(to), Some(reason)) =
        (args.probe, args.asset, args.from, args.to, args.reason)
    else {
        bail!("say what is probed: --probe AMOUNT --asset ID --from ID --to ID --reason TEXT");
    };
    let warning = format!(
        "the probe sends {amount} {asset} from vault account {from} to {to} through the workspace's own policy. A policy that is right holds it until it is cancelled; ONE THAT IS WRONG LETS IT COMPLETE, and the fee is paid"
    );
    if !args.it_may_complete {
        bail!("{warning}. Say --it-may-complete if that is what you want");
    }
    note(&warning);
    let desk = Desk::open(at)?;
    let wanted = json!({
        "asset": asset, "amount": amount, "from": from, "to": to,
        "connection": args.connection, "expects": args.expect, "reason": reason,
    });
    let made: Shown = desk.send("POST", "/probes", &wanted).await?;
    let id = made.proposal.id;
    note(format_args!(
        "proposal {id} is signed with your key and sent"
    ));
    decide(&desk, id, Word::Yes).await?;
    let deadline = Instant::now() + Duration::from_secs(args.patience);
    let proposal = loop {
        let seen: Shown = desk.get(&format!("/proposals/{id}")).await?;
        let proposal = seen.proposal;
        if matches!(proposal.state, State::Failed | State::Rejected) {
            let why = proposal.why.unwrap_or_default();
            bail!("the probe was not sent: {why}");
        }
        let over = proposal
            .probe
            .as_ref()
            .is_some_and(|probe| probe.ended.is_some());
        if over || Instant::now() >= deadline {
            break proposal;
        }
        tokio::time::sleep(PAUSE).await;
    };
    let probe: Probe = proposal
        .probe
        .context("the gate tells nothing of the probe")?;
    let (held, saw) = probe.judged.map_or_else(
        || {
            (
                None,
                "the policy has not decided yet: see `vestibule gate proposal show`".to_owned(),
            )
        },
        |judged| (judged.held, judged.saw),
    );
    let told = Told {
        proposal: id.to_string(),
        held,
        saw,
        ended: probe.ended.map(|status| status.as_str()),
    };
    out.show(&told, words)?;
    Ok(match told.held {
        Some(true) if told.ended.is_some() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn words(told: &Told) -> String {
    let mark = match told.held {
        Some(true) => "ok     ",
        Some(false) => "BROKEN ",
        None => "unseen ",
    };
    let end = told.ended.map_or_else(
        || "it is not over yet: the gate goes on cancelling it".to_owned(),
        |status| format!("it ended as {status}"),
    );
    format!(
        "{mark} the policy holds what the gate proposes: {}; {end}",
        told.saw
    )
}
