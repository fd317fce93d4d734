//! Transfers to their end; fees; what is called back, frozen and waited for.

use std::sync::Arc;

use fireblocks_sdk::ApiClient;
use fireblocks_sdk::apis::Api as _;
use fireblocks_sdk::apis::blockchains_assets_api::{
    EstimateNetworkFeeParams, ValidateAddressParams,
};
use fireblocks_sdk::apis::transactions_api::*;
use fireblocks_sdk::apis::webhooks_api::{ResendTransactionWebhooksParams, ResendWebhooksParams};
use fireblocks_sdk::models::{TransactionResponse, TransactionStatus};
use serde_json::{Value, json};

use crate::sandbox::{Outcome, Sandbox, body, until};

fn transfer(asset: &str, amount: &str, more: &Value) -> Value {
    let vault = |id: &str| json!({"type": "VAULT_ACCOUNT", "id": id});
    let mut wire = json!({"assetId": asset, "amount": amount, "source": vault("0"), "destination": vault("1")});
    for (name, value) in more.as_object().into_iter().flatten() {
        wire[name] = value.clone();
    }
    wire
}

async fn ask(apis: &Arc<ApiClient>, wire: Value) -> Outcome<String> {
    let asked = CreateTransactionParams::builder()
        .transaction_request(body(wire))
        .build();
    let made = apis.transactions_api().create_transaction(asked).await?;
    Ok(made.id.ok_or("no id")?)
}

async fn shown(apis: &Arc<ApiClient>, id: &str) -> Outcome<TransactionResponse> {
    let asked = GetTransactionParams::builder().tx_id(id.to_owned()).build();
    Ok(apis.transactions_api().get_transaction(asked).await?)
}

async fn reaches(
    apis: &Arc<ApiClient>,
    id: &str,
    status: TransactionStatus,
) -> Outcome<TransactionResponse> {
    until("the transaction gets there", async || {
        let now = shown(apis, id).await?;
        Ok((now.status == status).then_some(now))
    })
    .await
}

#[tokio::test]
async fn a_transfer_to_its_end_and_all_of_them_in_pages() -> Outcome {
    let sandbox = Sandbox::start(&[]).await?;
    let fund = sandbox.fresh().await?;
    let (signer, admin) = (fund.apis("signer")?, fund.apis("admin")?);
    let transactions = signer.transactions_api();
    // The client writes a blank of a path as `+`, which is a plus there: no blanks in this id.
    let wire = transfer(
        "SOL",
        "0.1",
        &json!({"note": "ü / %", "externalTxId": "rs/1"}),
    );
    let estimate = EstimateTransactionFeeParams::builder()
        .transaction_request(body(wire.clone()))
        .build();
    let fees = transactions.estimate_transaction_fee(estimate).await?;
    assert!(fees.low.network_fee.is_some() && fees.high.network_fee.is_some());
    let id = ask(&signer, wire).await?;
    let done = reaches(&signer, &id, TransactionStatus::Completed).await?;
    assert_eq!(done.note.as_deref(), Some("ü / %"));
    let named = GetTransactionByExternalIdParams::builder()
        .external_tx_id("rs/1".to_owned())
        .build();
    assert_eq!(
        transactions.get_transaction_by_external_id(named).await?.id,
        id
    );

    let mut found: Vec<String> = Vec::new();
    let mut before = None;
    loop {
        let asked = GetTransactionsParams::builder()
            .after("1".to_owned())
            .limit(100)
            .maybe_before(before);
        let page = transactions.get_transactions(asked.build()).await?;
        let Some(last) = page.last() else { break };
        before = last.created_at.map(|at| (at as i64).to_string());
        let fresh: Vec<_> = page
            .into_iter()
            .map(|one| one.id)
            .filter(|id| !found.contains(id))
            .collect();
        if fresh.is_empty() {
            break;
        }
        found.extend(fresh);
    }
    assert!(found.len() > 400 && found[0] == id, "{}", found.len());

    let again = ResendTransactionWebhooksParams::builder()
        .tx_id(id)
        .resend_transaction_webhooks_request(body(json!({"resendCreated": true})));
    let told = admin
        .webhooks_api()
        .resend_transaction_webhooks(again.build())
        .await?;
    assert!(told.success);
    let all = ResendWebhooksParams::builder().build();
    assert_eq!(
        admin
            .webhooks_api()
            .resend_webhooks(all)
            .await?
            .messages_count,
        Some(0.0)
    );
    let network = EstimateNetworkFeeParams::builder()
        .asset_id("BTC".to_owned())
        .build();
    assert!(
        signer
            .blockchains_assets_api()
            .estimate_network_fee(network)
            .await?
            .low
            .fee_per_byte
            .is_some()
    );
    let address = ValidateAddressParams::builder()
        .asset_id("ETH".to_owned())
        .address("0x52908400098527886E0F7030069857D2E4169EE7".to_owned());
    let told = admin
        .blockchains_assets_api()
        .validate_address(address.build())
        .await?;
    assert_eq!(told.is_valid, Some(true));
    Ok(())
}

#[tokio::test]
async fn called_back_dropped_frozen_and_waited_for() -> Outcome {
    let sandbox = Sandbox::start(&["--manual"]).await?;
    let fund = sandbox.fresh().await?;
    let (signer, admin) = (fund.apis("signer")?, fund.apis("admin")?);
    let transactions = signer.transactions_api();
    let act = async |id: &str, what: &str| {
        fund.control("POST", &format!("/transactions/{id}/{what}"), json!({}))
            .await
    };
    let mine = async || fund.control("POST", "/mine", json!({})).await;

    let one = ask(&signer, transfer("ETH", "0.01", &json!({}))).await?;
    reaches(&signer, &one, TransactionStatus::PendingSignature).await?;
    let cancel = CancelTransactionParams::builder()
        .tx_id(one.clone())
        .build();
    assert_eq!(
        transactions.cancel_transaction(cancel).await?.success,
        Some(true)
    );
    reaches(&signer, &one, TransactionStatus::Cancelled).await?;

    let stuck = ask(&signer, transfer("ETH", "0.01", &json!({}))).await?;
    reaches(&signer, &stuck, TransactionStatus::PendingSignature).await?;
    act(&stuck, "sign").await?;
    let drop = DropTransactionParams::builder()
        .tx_id(stuck.clone())
        .drop_transaction_request(body(json!({"feeLevel": "HIGH"})));
    let instead = transactions
        .drop_transaction(drop.build())
        .await?
        .tx_id
        .ok_or("an id")?;
    reaches(&signer, &instead, TransactionStatus::PendingSignature).await?;
    act(&instead, "sign").await?;
    mine().await?;
    let wanted = SetTransactionConfirmationThresholdParams::builder()
        .tx_id(instead.clone())
        .set_confirmations_threshold_request(body(json!({"numOfConfirmations": 1})));
    transactions
        .set_transaction_confirmation_threshold(wanted.build())
        .await?;
    reaches(&signer, &instead, TransactionStatus::Completed).await?;
    reaches(&signer, &stuck, TransactionStatus::Failed).await?;

    let told = json!({"vaultAccountId": "3", "assetId": "SOL", "amount": "4"});
    let arrived = fund.control("POST", "/incoming", told).await?["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    until("it is mined to its end", async || {
        mine().await?;
        Ok((shown(&signer, &arrived).await?.status == TransactionStatus::Completed).then_some(()))
    })
    .await?;
    let freeze = FreezeTransactionParams::builder()
        .tx_id(arrived.clone())
        .build();
    assert_eq!(
        admin
            .transactions_api()
            .freeze_transaction(freeze)
            .await?
            .success,
        Some(true)
    );
    reaches(&signer, &arrived, TransactionStatus::Rejected).await?;
    let free = UnfreezeTransactionParams::builder()
        .tx_id(arrived.clone())
        .build();
    assert_eq!(
        admin
            .transactions_api()
            .unfreeze_transaction(free)
            .await?
            .success,
        Some(true)
    );
    reaches(&signer, &arrived, TransactionStatus::Completed).await?;
    Ok(())
}
