//! C7, P7: a provider's transaction waits for the client, and is signed by the client alone.

use std::time::Duration;

use bytes::Bytes;
use connector::operations::trade::{Trade, Traded, trade};
use http::Method;
use protocol::ids::{TxId, VaultAccountId};
use protocol::keys::PrivateKey;
use protocol::model::transaction::{PeerKind, TransactionStatus};
use serde_json::{Value, json};
use wire::client::{Client, Once};

use super::until;
use crate::demo::console;
use crate::demo::provider::Provider;
use crate::demo::stage::Stage;
use crate::demo::step::{Saw, Teller, refused};
use crate::gate::proposal;

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
        refused(post(&viewer, &transfer).await, "401"),
    )?;
    teller.step(
        "C7",
        "trading",
        "asks for a RAW signature",
        "refused by name: only a TRANSFER may be proposed",
        refused(post(&trader, &with("operation", json!("RAW"))).await, "RAW"),
    )?;
    teller.step(
        "C7",
        "trading",
        "asks for a transfer from an account outside its scope",
        "refused as if the account did not exist",
        refused(
            post(
                &trader,
                &with("source", json!({"type": "VAULT_ACCOUNT", "id": "9"})),
            )
            .await,
            "does not exist",
        ),
    )?;
    teller.step(
        "C7",
        "trading",
        "asks for a transfer to an address on no list",
        "refused: only places that the client has listed",
        refused(
            post(
                &trader,
                &with(
                    "destination",
                    json!({"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": "0x00"}}),
                ),
            )
            .await,
            "one",
        ),
    )?;

    let rejected = decided(stage, "1", false);
    teller.step(
        "C7",
        "client",
        "looks at a proposal and says no (gate proposal reject)",
        "it never goes up; the provider sees CANCELLED, REJECTED_BY_USER",
        rejected.await,
    )?;
    let approved = decided(stage, "1.25", true);
    teller.step("C7 P7", "trading", "proposes 1.25 ETH; the owner approves with her own signature; the workspace's approver and signer act", "one transaction upstream, signed by the client's signer, COMPLETED under the proposal's id", approved.await)?;
    teller.step(
        "C7",
        "trading",
        "looks at that transaction",
        "the workspace shows who made it: the gate's Editor, not the provider's key",
        upstream_of(stage).await,
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

async fn post(client: &Client, body: &Value) -> anyhow::Result<()> {
    let body = Bytes::from(serde_json::to_vec(body)?);
    client
        .write(Method::POST, "/v1/transactions", body, Once::Unkeyed)
        .await
        .map(drop)
        .map_err(Into::into)
}

/// The provider proposes and follows; meanwhile the owner decides.
async fn decided(stage: &Stage, amount: &str, approve: bool) -> Saw {
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
        proposal::decide(&stage.desk, id, approve, "not this week").await
    };
    let follow = async {
        trade(&provider.connector, &wanted)
            .await
            .map_err(anyhow::Error::from)
    };
    let (traded, shown): (Traded, proposal::Shown) = tokio::try_join!(follow, owner)?;
    let path: Vec<String> = traded
        .steps
        .iter()
        .map(|step| step.status.to_string())
        .collect();
    let expected = if approve {
        TransactionStatus::Completed
    } else {
        TransactionStatus::Cancelled
    };
    let same = traded.id == shown.proposal.id;
    Ok((
        same && traded.status == expected,
        format!("{}: {} {}", traded.id, path.join(" > "), traded.sub_status),
    ))
}

/// Who the workspace thinks made the last proposal's transaction.
async fn upstream_of(stage: &Stage) -> Saw {
    let list: Vec<Value> = stage.desk.get("/proposals").await?;
    let sent = list
        .iter()
        .find(|one| one["state"] == "SENT")
        .ok_or_else(|| anyhow::anyhow!("no proposal was sent"))?;
    let id = sent["upstream_id"].as_str().unwrap_or_default();
    let all = stage.console.transactions().await?;
    let found: Vec<_> = all
        .iter()
        .filter(|one| {
            one.external_tx_id.as_deref()
                == Some(&format!(
                    "vestibule-{}",
                    sent["id"].as_str().unwrap_or_default()
                ))
        })
        .collect();
    let provider = stage
        .trading
        .api_key
        .get()
        .map(ToString::to_string)
        .unwrap_or_default();
    let fine = found.len() == 1
        && found.iter().all(|one| {
            one.id.to_string() == id && one.created_by != provider && !one.signed_by.is_empty()
        });
    let who: Vec<String> = found
        .iter()
        .map(|one| {
            format!(
                "{} made by {} signed by {}",
                one.id,
                one.created_by,
                one.signed_by.join(",")
            )
        })
        .collect();
    Ok((fine, who.join("; ")))
}
