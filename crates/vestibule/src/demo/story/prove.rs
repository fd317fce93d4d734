//! Proof: providers' books equal to the workspace's, also after a lost webhook; the log holds.

use std::collections::BTreeMap;

use connector::operations::reconcile::reconcile;
use gate::operations::posture::Posture;
use gate::posture::Verdict;
use protocol::amount::Amount;
use protocol::handover::WantedScope;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::transaction::Transaction;
use protocol::model::vault::VaultAccount;
use serde_json::Value;

use super::{books, scope_of, until};
use crate::demo::provider::Provider;
use crate::demo::stage::Stage;
use crate::demo::step::{Saw, Teller};

pub(super) async fn tell(stage: &Stage, teller: &mut Teller) -> anyhow::Result<()> {
    let asset: AssetId = "ETH".parse()?;
    let amount: Amount = "0.75".parse()?;
    // All that this payment would tell: made, confirmed twice, and each time the balance.
    stage.console.lose_next(stage.gate_webhook, 20).await?;
    let id = stage
        .console
        .pay_in(VaultAccountId::new(2), &asset, &amount)
        .await?;
    let over = until("the payment is over", || async {
        let all = stage.console.transactions().await?;
        Ok(all
            .iter()
            .any(|one| one.id.to_string() == id && one.status.is_final())
            .then_some(()))
    });
    over.await?;
    stage.console.lose_next(stage.gate_webhook, 0).await?;
    let lost = !books(&stage.accounting).await?.contains(&id);
    let _: Value = stage
        .desk
        .send("POST", "/refresh", &serde_json::json!({}))
        .await?;
    teller.step("C6", "client", format!("is paid 0.75 ETH while every webhook to the gate gets lost ({id}); then the gate looks (gate refresh)"), "the provider had not heard of it; the gate finds it and relays it", heard(stage, &id, lost).await)?;
    let direct = &stage.direct;
    let compared = reconcile(&direct.connector, &direct.client).await;
    teller.step(
        "P6",
        "direct",
        "reconciles with the workspace's lists",
        "equal, and says with what it was compared",
        compared
            .map(|seen| (seen.equal, seen.sentence))
            .map_err(Into::into),
    )?;
    let (accounts, transactions) = (
        stage.console.accounts().await?,
        stage.console.transactions().await?,
    );
    for provider in stage.providers() {
        let saw = equal(stage, provider, &accounts, &transactions).await;
        teller.step(
            "P5 P6",
            provider.name,
            "exports its books; they are held against the workspace's own API",
            "every balance and every transaction in scope is equal",
            saw,
        )?;
    }
    let posture: Vec<Posture> = stage.desk.get("/posture").await?;
    let broken: Vec<String> = posture
        .iter()
        .flat_map(|one| {
            one.findings
                .iter()
                .filter(|finding| finding.verdict == Verdict::Broken)
                .map(|finding| format!("{} {}", one.connection, finding.practice))
        })
        .collect();
    teller.step(
        "C1-C7",
        "client",
        "looks at its posture (gate posture)",
        "each of its three connections is there, with nothing broken",
        Ok((
            broken.is_empty() && posture.len() == 3,
            format!(
                "{} connections, broken: {}",
                posture.len(),
                if broken.is_empty() {
                    "none".to_owned()
                } else {
                    broken.join(", ")
                }
            ),
        )),
    )?;
    teller.step(
        "-",
        "client",
        "verifies the log (gate log verify)",
        "every entry, the tree, every signed checkpoint hold",
        log(stage).await,
    )
}

/// Whether a gate's provider has the payment in its books.
async fn heard(stage: &Stage, id: &str, lost: bool) -> Saw {
    let provider = &stage.accounting;
    let found = until("the accounting provider has it in its books", || async {
        let text = books(provider).await?;
        Ok(text.contains(id).then_some(()))
    });
    found.await?;
    let before = if lost {
        "not there before"
    } else {
        "there before"
    };
    Ok((
        lost,
        format!("it is in the accounting provider's books, and was {before}"),
    ))
}

/// What the books say of wallets and transactions, comparable.
#[derive(Default, PartialEq, Eq)]
struct Facts {
    wallets: BTreeMap<(VaultAccountId, AssetId), String>,
    transactions: BTreeMap<String, u32>,
}

impl Facts {
    fn account(&mut self, account: &VaultAccount, scope: Option<&WantedScope>) {
        for wallet in &account.assets {
            if scope.is_none_or(|scope| covers(scope, account.id, &wallet.id)) {
                let balance = format!("{} {} {}", wallet.total, wallet.available, wallet.pending);
                self.wallets
                    .insert((account.id, wallet.id.clone()), balance);
            }
        }
    }

    fn transaction(&mut self, one: &Transaction, scope: Option<&WantedScope>) {
        let sides = [one.source.vault_account(), one.destination.vault_account()];
        let seen = |scope: &WantedScope| {
            sides
                .iter()
                .flatten()
                .any(|account| covers(scope, *account, &one.asset_id))
        };
        if scope.is_none_or(seen) {
            // Not the id: what began as a proposal has the gate's.
            let amount = one
                .amount_info
                .amount
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            let fact = format!(
                "{} {amount} {} {} {}",
                one.asset_id, one.status, one.tx_hash, one.last_updated
            );
            *self.transactions.entry(fact).or_default() += 1;
        }
    }
}

fn covers(scope: &WantedScope, account: VaultAccountId, asset: &AssetId) -> bool {
    scope.vault_accounts.contains(&account)
        && scope
            .assets
            .as_ref()
            .is_none_or(|assets| assets.contains(asset))
}

async fn equal(
    stage: &Stage,
    provider: &Provider,
    accounts: &[VaultAccount],
    transactions: &[Transaction],
) -> Saw {
    let wanted = scope_of(provider.name);
    let scope = (provider.name != stage.direct.name).then_some(&wanted);
    let mut theirs = Facts::default();
    accounts
        .iter()
        .for_each(|account| theirs.account(account, scope));
    transactions
        .iter()
        .for_each(|one| theirs.transaction(one, scope));
    let ours = until("the books are equal", || async {
        let mut ours = Facts::default();
        for line in books(provider).await?.lines() {
            let mut line: Value = serde_json::from_str(line)?;
            let value = line["value"].take();
            match line["kind"].as_str() {
                Some("account") => ours.account(&serde_json::from_value(value)?, None),
                Some("transaction") => ours.transaction(&serde_json::from_value(value)?, None),
                _ => {}
            }
        }
        Ok((ours == theirs).then_some(ours))
    });
    let ours = ours.await?;
    Ok((
        !ours.wallets.is_empty() && !ours.transactions.is_empty(),
        format!(
            "{} wallets and {} transactions, equal to the workspace's",
            ours.wallets.len(),
            ours.transactions.values().sum::<u32>()
        ),
    ))
}

async fn log(stage: &Stage) -> Saw {
    let at = crate::gate::At::owner(stage.data.join("gate"));
    let (folder, config) = crate::gate::desk::config(&at)?;
    let verified = gate::log::audit(&folder, &config, None, gate::log::Demand::default()).await?;
    Ok((
        verified.entries > 0 && verified.checkpoints > 0,
        format!(
            "{} entries, {} checkpoints, root {}",
            verified.entries, verified.checkpoints, verified.root
        ),
    ))
}
