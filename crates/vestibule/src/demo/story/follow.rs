//! C5, C6, P5, P6: books from reports, kept by webhooks, not by polling.

use connector::operations::status::{StatusOf, status};
use protocol::amount::Amount;
use protocol::ids::{AssetId, VaultAccountId};

use super::{books, until};
use crate::demo::provider::Provider;
use crate::demo::stage::Stage;
use crate::demo::step::{Saw, Teller};

pub(super) async fn tell(stage: &Stage, teller: &mut Teller) -> anyhow::Result<()> {
    for provider in stage.providers() {
        let (did, from) = if provider.name == "direct" {
            (
                "fills its books straight from the workspace's lists",
                "upstream's lists",
            )
        } else {
            (
                "fills its books from the gate's balance, address and transaction reports",
                "reports of the gate",
            )
        };
        teller.step(
            "C5 P5",
            provider.name,
            did,
            format!("filled from {from}; compared with what they came from, and equal"),
            first_books(provider, from).await,
        )?;
    }
    let (account, asset): (VaultAccountId, AssetId) = (VaultAccountId::new(1), "ETH".parse()?);
    let before = events(stage).await?;
    let amount: Amount = "2.5".parse()?;
    let id = stage.console.pay_in(account, &asset, &amount).await?;
    let saw = until("every provider has it", || async {
        let after = events(stage).await?;
        let more: Vec<_> = after
            .iter()
            .zip(&before)
            .map(|(after, before)| (after.0, after.1 - before.1))
            .collect();
        for provider in stage.providers() {
            if !books(provider).await?.contains(&id) {
                return Ok(None);
            }
        }
        Ok(more.iter().all(|(_, more)| *more >= 3).then(|| {
            let told = more.iter().map(|(name, more)| format!("{name} +{more}"));
            told.collect::<Vec<_>>().join(", ")
        }))
    });
    let saw = saw.await.map(|heard| {
        (
            true,
            format!("in each one's books; webhooks applied: {heard}"),
        )
    });
    teller.step(
        "C6 P6",
        "client",
        format!("is paid 2.5 ETH into account 1 (transaction {id})"),
        "all four have it in their books, each from at least 3 webhooks whose signatures hold",
        saw,
    )
}

/// Waits until a provider's books are filled and equal to what they came from.
async fn first_books(provider: &Provider, expected: &str) -> Saw {
    let of = || StatusOf {
        client: Some(provider.client.clone()),
        offline: provider.name == "direct",
    };
    let told = until("its books are filled and equal", || async {
        let all = status(&provider.connector, &of()).await?;
        let one = all.into_iter().next();
        Ok(one.and_then(|one| {
            Some((
                one.first_sync?.from,
                one.comparison.filter(|seen| seen.equal)?.sentence,
            ))
        }))
    });
    let (from, sentence) = told.await?;
    Ok((from == expected, format!("from {from}; {sentence}")))
}

/// How many events each provider has applied.
async fn events(stage: &Stage) -> anyhow::Result<Vec<(&'static str, u64)>> {
    let mut counts = Vec::new();
    for provider in stage.providers() {
        let all = status(
            &provider.connector,
            &StatusOf {
                client: Some(provider.client.clone()),
                offline: true,
            },
        )
        .await?;
        counts.push((
            provider.name,
            all.first().map_or(0, |one| one.events.applied),
        ));
    }
    Ok(counts)
}
