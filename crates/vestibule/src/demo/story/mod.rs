//! The story, chapter by chapter.

mod approve;
mod enrol;
mod follow;
mod leak;
mod prove;
mod straight;

use std::future::Future;
use std::time::Duration;

use anyhow::bail;
use connector::export::Format;
use connector::operations::export::texts;
use protocol::handover::WantedScope;
use protocol::ids::{AssetId, VaultAccountId};
use tokio::time::Instant;

use super::provider::Provider;
use super::stage::Stage;
use super::step::Teller;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the gate's Editor is called in the client's Console.
const GATE_EDITOR: &str = "vestibule gate editor";

/// Tells it.
pub(crate) async fn tell(stage: &Stage, teller: &mut Teller) -> anyhow::Result<()> {
    teller.chapter("Letting providers in (C1-C4, P1-P4)");
    enrol::tell(stage, teller).await?;
    teller.chapter("First sync and webhooks (C5, C6, P5, P6)");
    follow::tell(stage, teller).await?;
    teller.chapter("Transactions: the provider initiates, the client approves and signs (C7, P7)");
    approve::tell(stage, teller).await?;
    teller.chapter("Proof: after all that, and a lost webhook");
    prove::tell(stage, teller).await
}

/// Waits until there is something.
pub(crate) async fn until<T, F>(what: &str, mut look: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    let end = Instant::now() + PATIENCE;
    let mut last = None;
    while Instant::now() < end {
        match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    match last {
        Some(error) => Err(error.context(format!("in {} s not: {what}", PATIENCE.as_secs()))),
        None => bail!("in {} s not: {what}", PATIENCE.as_secs()),
    }
}

/// All that a provider's books hold, a JSON line each.
async fn books(provider: &Provider) -> anyhow::Result<String> {
    let files = texts(&provider.connector, &provider.client, Format::Jsonl).await?;
    Ok(files.into_iter().map(|file| file.text).collect())
}

/// What each provider may see.
pub(crate) fn scope_of(provider: &str) -> WantedScope {
    let (accounts, assets): (&[u32], Option<&[&str]>) = match provider {
        "accounting" => (&[0, 1, 2, 3, 4, 5], None),
        "portfolio" => (&[1, 2], Some(&["BTC", "ETH"])),
        _ => (&[1, 2, 3], Some(&["ETH", "USDC", "SOL"])),
    };
    WantedScope {
        vault_accounts: accounts.iter().copied().map(VaultAccountId::new).collect(),
        assets: assets.map(|ids| {
            ids.iter()
                .filter_map(|id| id.parse::<AssetId>().ok())
                .collect()
        }),
        whitelists: std::collections::BTreeSet::new(),
    }
}
