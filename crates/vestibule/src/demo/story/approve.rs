//! C7, P7: a provider's transaction waits for the client, and is signed by the client alone.

use std::time::Duration;

use bytes::Bytes;
use connector::operations::trade::{Trade, Traded, trade};
use gate::proposals::{Proposal, State};
use http::Method;
use protocol::ids::{TxId, VaultAccountId};
use protocol::keys::PrivateKey;
use protocol::model::transaction::{PeerKind, Transaction, TransactionStatus};
use serde_json::{Value, json};
use wire::client::{Client, ClientError, Once};

use super::{GATE_EDITOR, until};
use crate::demo::console;
use crate::demo::provider::Provider;
use crate::demo::stage::Stage;
use crate::demo::step::{Saw, Teller, answered};
use crate::gate::proposal;

/// The code for a source that is not there.
const NO_SUCH_ACCOUNT: i64 = 11_001;
/// How the external ids of what went up through the gate begin.
const UP_PREFIX: &str = "vestibule-";

pub(super) async fn tell(stage: &Stage, teller: &mut Teller) -> anyhow::Result<()> {
    let trader = open_client(stage, &stage.trading)?;
    let viewer = open_client(stage, &stage.portfolio)?;
    let transfer = json!({
        "operation": "TRANSFER", "assetId": "ETH", "amount": "1",
        "source": {"type": "VAULT_ACCOUNT", "id": "1"}, "destination": {"type": "VAULT_ACCOUNT", "id": "2"},
    });
    let with = |field: &str, value: Value| {
        let mut body = transfer.clone();
        body[field] = value;
        body
    };
    teller.step(
        "C1",
        "portfolio",
        "asks for a transfer, as a Viewer",
        "refused: 401 -8",
        answered(post(&viewer, &transfer).await, (401, Some(-8)), ""),
    )?;
    teller.step(
        "C7",
        "trading",
        "asks for a RAW signature",
        "refused by name: only a TRANSFER may be proposed",
        answered(
            post(&trader, &with("operation", json!("RAW"))).await,
            (400, Some(1401)),
            "'RAW' is not offered: only TRANSFER is",
        ),
    )?;
    teller.step(
        "C7",
        "trading",
        "asks for a transfer from an account outside its scope, and from one that nobody has",
        "refused alike, word for word: the account does not exist",
        outside(&trader, &with).await,
    )?;
    let one_time = json!({"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": "0x00"}});
    teller.step(
        "C7",
        "trading",
        "asks for a transfer to an address on no list",
        "refused by name: a one-time address is not offered",
        answered(
            post(&trader, &with("destination", one_time)).await,
            (400, Some(1409)),
            "field 'destination.oneTimeAddress' is not offered",
        ),
    )?;

    let rejected = decided(stage, "1", false).await?;
    teller.step(
        "C7",
        "client",
        "looks at a proposal and says no (gate proposal reject)",
        "the workspace has no such transaction; the provider sees CANCELLED, REJECTED_BY_USER",
        refusal(stage, &rejected).await,
    )?;
    let approved = decided(stage, "1.25", true).await?;
    teller.step(
        "C7 P7",
        "trading",
        "proposes 1.25 ETH; the owner approves with her own signature; the workspace's approver and signer act",
        "one transaction upstream, signed by the client's signer, COMPLETED under the proposal's id",
        completion(stage, &approved).await,
    )?;
    teller.step(
        "C7",
        "trading",
        "looks at that transaction",
        "the workspace shows who made it: the gate's Editor, not the provider's key",
        maker(stage, &approved).await,
    )
}

/// A provider's own client, as an SDK would call.
fn open_client(stage: &Stage, provider: &Provider) -> anyhow::Result<Client> {
    let path = provider
        .key_path
        .as_ref()
        .ok_or_else(|| anyhow::anyhow!("{} has no open key", provider.name))?;
    let key = PrivateKey::from_pem(&std::fs::read_to_string(path)?)?;
    let user = provider
        .api_key
        .get()
        .ok_or_else(|| anyhow::anyhow!("{} is not let in", provider.name))?;
    console::client(&stage.gate.origin, *user, key)
}

async fn post(client: &Client, body: &Value) -> Result<(), ClientError> {
    let body = Bytes::from(body.to_string());
    let sent = client.write(Method::POST, "/v1/transactions", body, Once::Unkeyed);
    sent.await.map(drop)
}

/// A source outside the scope, beside one that no workspace has.
async fn outside(trader: &Client, with: &impl Fn(&str, Value) -> Value) -> Saw {
    let from = |account: &str| with("source", json!({"type": "VAULT_ACCOUNT", "id": account}));
    let there = post(trader, &from("9")).await;
    let nowhere = post(trader, &from("999999")).await;
    let (there, nowhere) = (
        answered(there, (400, Some(NO_SUCH_ACCOUNT)), "does not exist")?,
        answered(nowhere, (400, Some(NO_SUCH_ACCOUNT)), "does not exist")?,
    );
    Ok((there.0 && nowhere == there, there.1))
}

/// What a decision came to: as the provider saw it, and as the gate has it.
struct Decided {
    traded: Traded,
    proposal: Proposal,
}

impl Decided {
    /// As the provider saw it, in a line.
    fn told(&self) -> String {
        let steps = self.traded.steps.iter().map(|step| step.status.to_string());
        format!(
            "{}: {} {}",
            self.traded.id,
            steps.collect::<Vec<_>>().join(" > "),
            self.traded.sub_status
        )
    }

    /// Whether the provider saw this end, under the proposal's own id.
    fn ended(&self, status: TransactionStatus) -> bool {
        self.traded.status == status && self.traded.id == self.proposal.id
    }
}

/// The provider proposes and follows; meanwhile the owner decides.
async fn decided(stage: &Stage, amount: &str, approve: bool) -> anyhow::Result<Decided> {
    let provider = &stage.trading;
    let wanted = Trade {
        client: provider.client.clone(),
        asset: "ETH".parse()?,
        amount: amount.parse()?,
        source: VaultAccountId::new(1),
        destination: PeerKind::VaultAccount,
        destination_id: "2".to_owned(),
        note: Some("rebalance".to_owned()),
        external_tx_id: None,
        fee_level: None,
        follow: Duration::from_secs(60),
        progress: None,
    };
    let owner = async {
        let id: TxId = until("the proposal waits at the gate", || async {
            let list: Vec<Value> = stage.desk.get("/proposals").await?;
            let waits = list.iter().find(|one| one["state"] == "WAITING");
            Ok(waits.and_then(|one| one["id"].as_str()?.parse().ok()))
        })
        .await?;
        let word = if approve {
            proposal::Word::Yes
        } else {
            proposal::Word::No {
                reason: "not this week",
                tell: None,
            }
        };
        proposal::decide(&stage.desk, id, word).await
    };
    let follow = async {
        trade(&provider.connector, &wanted)
            .await
            .map_err(anyhow::Error::from)
    };
    let (traded, shown) = tokio::try_join!(follow, owner)?;
    // As it stands now: what was decided has gone on meanwhile.
    let now: proposal::Shown = stage
        .desk
        .get(&format!("/proposals/{}", shown.proposal.id))
        .await?;
    Ok(Decided {
        traded,
        proposal: now.proposal,
    })
}

/// What the workspace itself has of proposals: all that went up at all.
async fn upstream(stage: &Stage) -> anyhow::Result<Vec<Transaction>> {
    let mut all = stage.console.transactions().await?;
    all.retain(|one| {
        one.external_tx_id
            .as_deref()
            .is_some_and(|id| id.starts_with(UP_PREFIX))
    });
    Ok(all)
}

async fn refusal(stage: &Stage, rejected: &Decided) -> Saw {
    let sent = upstream(stage).await?.len();
    let ok = rejected.ended(TransactionStatus::Cancelled)
        && rejected.traded.sub_status == "REJECTED_BY_USER"
        && rejected.proposal.state == State::Rejected
        && rejected.proposal.upstream_id.is_none()
        && sent == 0;
    Ok((
        ok,
        format!("{}; sent upstream so far: {sent}", rejected.told()),
    ))
}

/// By now one was rejected and one approved: the workspace has that one alone.
async fn completion(stage: &Stage, approved: &Decided) -> Saw {
    let sent = upstream(stage).await?;
    let signer = console::person("signing-officer")?.to_string();
    let ok = approved.ended(TransactionStatus::Completed)
        && approved.proposal.state == State::Sent
        && matches!(sent.as_slice(), [one]
            if Some(one.id) == approved.proposal.upstream_id
                && one.external_tx_id == Some(approved.proposal.up_external_id())
                && one.status == TransactionStatus::Completed
                && one.signed_by == [signer]);
    Ok((
        ok,
        format!("{}; upstream: {}", approved.told(), told_of(&sent)),
    ))
}

/// Who made it, as the client's Console names its API users.
async fn maker(stage: &Stage, approved: &Decided) -> Saw {
    let sent = upstream(stage).await?;
    let editor = stage.console.api_user(GATE_EDITOR).await?.to_string();
    let provider = stage.trading.api_key.get().map(ToString::to_string);
    let ok = matches!(sent.as_slice(), [one]
        if Some(one.id) == approved.proposal.upstream_id
            && one.created_by == editor
            && Some(&one.created_by) != provider.as_ref());
    Ok((ok, format!("{}; {GATE_EDITOR} is {editor}", told_of(&sent))))
}

fn told_of(sent: &[Transaction]) -> String {
    let each = sent.iter().map(|one| {
        format!(
            "{} made by {} signed by {}",
            one.id,
            one.created_by,
            one.signed_by.join(",")
        )
    });
    each.collect::<Vec<_>>().join("; ")
}
