//! A transfer by an SDK, and the webhook that tells of its end.

mod sandbox;
mod webhooks;

use fireblocks_sdk::apis::transactions_api::{CreateTransactionParams, GetTransactionsParams};
use serde_json::json;
use vestibule_example::Payment;

use sandbox::{Result, Sandbox};
use webhooks::Webhooks;

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_completed_and_told() -> Result {
    let sandbox = Sandbox::shared()?;
    let workspace = sandbox.workspace().await?;
    let webhooks = Webhooks::listen(&sandbox.url).await?;
    let wanted = json!({"url": webhooks.url, "events": ["transaction.status.updated"]});
    workspace.post("admin", "/webhooks", &wanted).await?;

    let vault = |id: &str| json!({"type": "VAULT_ACCOUNT", "id": id});
    let transfer = json!({"assetId": "SOL", "amount": "0.25", "source": vault("0"), "destination": vault("1"), "note": "of a test"});
    let asked = CreateTransactionParams::builder()
        .transaction_request(serde_json::from_value(transfer)?)
        .build();
    let signer = workspace.client("signer")?;
    let made = signer.transactions_api().create_transaction(asked).await?;

    let is_paid = |status: &serde_json::Value| {
        Payment::of(status.as_str().unwrap_or_default()) == Payment::Paid
    };
    let event = webhooks.wait(|event| is_paid(&event["data"]["status"]))?;
    assert_eq!(event["resourceId"].as_str(), made.id.as_deref());
    assert_eq!(event["workspaceId"], workspace.id());
    Ok(())
}

#[tokio::test]
async fn another_test_sees_none_of_it() -> Result {
    let sandbox = Sandbox::shared()?;
    let viewer = sandbox.workspace().await?.client("viewer")?;
    let asked = GetTransactionsParams::builder()
        .assets("SOL".to_owned())
        .source_id("0".to_owned())
        .limit(1)
        .build();
    let recent = viewer.transactions_api().get_transactions(asked).await?;
    assert!(
        recent
            .iter()
            .all(|one| one.note.as_deref() != Some("of a test"))
    );
    Ok(())
}
