//! `vestibule connector trade`: proposes, and follows to the end.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use connector::ClientName;
use connector::operations::trade::{Step, Trade, trade};
use protocol::amount::Amount;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::transaction::{PeerKind, TransactionStatus};

use super::At;
use crate::output::{Output, note};

/// Propose a transaction and follow it to the end.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule connector trade fund --asset ETH --amount 1.5 --from 1 --to vault-account 2 --note 'rebalance'

The client approves; its own designated signer signs. This key cannot.")]
pub(crate) struct Args {
    /// At which client.
    client: ClientName,
    /// Of what.
    #[arg(long, value_name = "ID")]
    asset: AssetId,
    /// How much, in the asset's unit.
    #[arg(long)]
    amount: Amount,
    /// From which vault account.
    #[arg(long, value_name = "ID")]
    from: VaultAccountId,
    /// To what kind of place, and which.
    #[arg(long, num_args = 2, value_names = ["KIND", "ID"], required = true)]
    to: Vec<String>,
    /// What people read when they approve.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Our own id for it; made where there is none.
    #[arg(long, value_name = "ID")]
    external_tx_id: Option<String>,
    /// How long it is followed, in seconds; 0 only proposes.
    #[arg(long, value_name = "SECONDS", default_value_t = 7200)]
    follow: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PlaceWord {
    VaultAccount,
    InternalWallet,
    ExternalWallet,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let [kind, id] = <[String; 2]>::try_from(args.to)
        .map_err(|_| anyhow::anyhow!("--to takes a kind and an id"))?;
    let kind = PlaceWord::from_str(&kind, true).map_err(|_| {
        anyhow::anyhow!("--to: vault-account, internal-wallet or external-wallet, not '{kind}'")
    })?;
    let connector = at.open().await?;
    let wanted = Trade {
        client: args.client,
        asset: args.asset,
        amount: args.amount,
        source: args.from,
        destination: match kind {
            PlaceWord::VaultAccount => PeerKind::VaultAccount,
            PlaceWord::InternalWallet => PeerKind::InternalWallet,
            PlaceWord::ExternalWallet => PeerKind::ExternalWallet,
        },
        destination_id: id,
        note: args.note,
        external_tx_id: args.external_tx_id,
        fee_level: None,
        follow: Duration::from_secs(args.follow),
        progress: Some(Arc::new(|step: &Step| {
            note(format!("{} {}", step.status, step.sub_status).trim_end())
        })),
    };
    let traded = trade(&connector, &wanted).await?;
    out.show(&traded, |traded| {
        format!(
            "{}  {}\n{}",
            traded.id,
            format!("{} {}", traded.status, traded.sub_status).trim_end(),
            traded.tx_hash
        )
    })?;
    let over = traded.status == TransactionStatus::Completed || args.follow == 0;
    Ok(if over {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
