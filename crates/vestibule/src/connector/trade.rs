//! `vestibule connector trade`: proposes, and follows to the end.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use clap::ValueEnum;
use connector::ClientName;
use connector::operations::trade::{Follow, OnStep, Step, Trade, follow, trade};
use protocol::amount::Amount;
use protocol::ids::{AssetId, TxId, VaultAccountId};
use protocol::model::transaction::{PeerKind, TransactionStatus};

use super::At;
use crate::output::{Output, note};

/// Propose a transaction and follow it to the end.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule connector trade fund --asset ETH --amount 1.5 --from 1 --to vault-account 2 --note 'rebalance'
  vestibule connector trade fund --asset ETH --amount 1.5 --from 1 --to vault-account 2 --wait 0
  vestibule connector trade fund --follow 27d31042-2224-472c-890d-7af4aad503a7

The client approves; its own designated signer signs. This key cannot.
The exit code is 1 unless the transaction is COMPLETED (or --wait 0 was given).")]
pub(crate) struct Args {
    /// At which client.
    client: ClientName,
    /// Propose nothing: go on following this one, which was proposed before.
    #[arg(long, value_name = "ID")]
    follow: Option<TxId>,
    #[command(flatten)]
    wanted: Option<Wanted>,
    /// How long it is followed, in seconds; 0 does not wait.
    #[arg(long, value_name = "SECONDS", default_value_t = 7200)]
    wait: u64,
}

/// What is to be proposed.
#[derive(Debug, clap::Args)]
#[group(conflicts_with = "follow")]
struct Wanted {
    /// Of what.
    #[arg(long, value_name = "ID")]
    asset: AssetId,
    /// How much, in the asset's unit.
    #[arg(long)]
    amount: Amount,
    /// From which vault account.
    #[arg(long, value_name = "ID")]
    from: VaultAccountId,
    /// To what kind of place (vault-account, internal-wallet, external-wallet), and which.
    #[arg(long, num_args = 2, value_names = ["KIND", "ID"], required = true)]
    to: Vec<String>,
    /// What people read when they approve.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Our own id for it; made where there is none.
    #[arg(long, value_name = "ID")]
    external_tx_id: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PlaceWord {
    VaultAccount,
    InternalWallet,
    ExternalWallet,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let wait = Duration::from_secs(args.wait);
    let progress: Option<Arc<OnStep>> = Some(Arc::new(|step: &Step| {
        note(format!("{} {}", step.status, step.sub_status).trim_end());
    }));
    let traded = match (args.follow, args.wanted) {
        (Some(id), _) => {
            let of = Follow {
                client: args.client,
                id,
                wait,
                progress,
            };
            follow(&at.open().await?, &of).await?
        }
        (None, Some(wanted)) => {
            let wanted = proposal(args.client, wanted, wait, progress)?;
            trade(&at.open().await?, &wanted).await?
        }
        (None, None) => bail!(
            "say what to propose (--asset, --amount, --from, --to), or what to follow (--follow ID)"
        ),
    };
    out.show(&traded, |traded| {
        format!(
            "{}  {}\n{}",
            traded.id,
            format!("{} {}", traded.status, traded.sub_status).trim_end(),
            traded.tx_hash
        )
    })?;
    let over = traded.status == TransactionStatus::Completed || wait.is_zero();
    Ok(if over {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn proposal(
    client: ClientName,
    wanted: Wanted,
    follow: Duration,
    progress: Option<Arc<OnStep>>,
) -> anyhow::Result<Trade> {
    let [kind, id] = <[String; 2]>::try_from(wanted.to)
        .map_err(|_| anyhow::anyhow!("--to takes a kind and an id"))?;
    let kind = PlaceWord::from_str(&kind, true).map_err(|_| {
        anyhow::anyhow!("--to: vault-account, internal-wallet or external-wallet, not '{kind}'")
    })?;
    Ok(Trade {
        client,
        asset: wanted.asset,
        amount: wanted.amount,
        source: wanted.from,
        destination: match kind {
            PlaceWord::VaultAccount => PeerKind::VaultAccount,
            PlaceWord::InternalWallet => PeerKind::InternalWallet,
            PlaceWord::ExternalWallet => PeerKind::ExternalWallet,
        },
        destination_id: id,
        note: wanted.note,
        external_tx_id: wanted.external_tx_id,
        fee_level: None,
        follow,
        progress,
    })
}
