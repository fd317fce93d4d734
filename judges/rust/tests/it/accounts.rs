//! Vault accounts, their wallets and addresses; jobs, which no official client manages.

use fireblocks_sdk::apis::Api as _;
use fireblocks_sdk::apis::job_management_api::{
    CancelJobParams, ContinueJobParams, GetJobParams, GetJobTasksParams, GetJobsParams,
    PauseJobParams,
};
use fireblocks_sdk::apis::vaults_api::*;
use fireblocks_sdk::{Client, PagedClient};
use serde_json::json;

use crate::sandbox::{Outcome, Sandbox, body};

async fn made(client: &Client, name: &str) -> Outcome<String> {
    Ok(client.create_vault(body(json!({"name": name}))).await?.id)
}

#[tokio::test]
async fn an_account_is_made_changed_and_found() -> Outcome {
    let sandbox = Sandbox::start(&[]).await?;
    let fund = sandbox.fresh().await?;
    let (client, apis) = (fund.client("admin")?, fund.apis("admin")?);
    let vaults = apis.vaults_api();
    let id = made(&client, "Rust / ü").await?;
    let renamed = vaults
        .update_vault_account(
            UpdateVaultAccountParams::builder()
                .vault_account_id(id.clone())
                .update_vault_account_request(body(json!({"name": "Rust 2"})))
                .build(),
        )
        .await?;
    assert_eq!(renamed.name.as_deref(), Some("Rust 2"));
    let hidden = HideVaultAccountParams::builder()
        .vault_account_id(id.clone())
        .build();
    assert_eq!(vaults.hide_vault_account(hidden).await?.success, Some(true));
    assert!(client.vault(&id).await?.hidden_on_ui);
    let shown = UnhideVaultAccountParams::builder()
        .vault_account_id(id.clone())
        .build();
    vaults.unhide_vault_account(shown).await?;
    vaults
        .set_vault_account_customer_ref_id(
            SetVaultAccountCustomerRefIdParams::builder()
                .vault_account_id(id.clone())
                .set_customer_ref_id_request(body(json!({"customerRefId": "rs:1"})))
                .build(),
        )
        .await?;
    vaults
        .set_vault_account_auto_fuel(
            SetVaultAccountAutoFuelParams::builder()
                .vault_account_id(id.clone())
                .set_auto_fuel_request(body(json!({"autoFuel": true})))
                .build(),
        )
        .await?;
    let now = client.vault(&id).await?;
    assert_eq!(
        (now.customer_ref_id.as_deref(), now.auto_fuel),
        (Some("rs:1"), Some(true))
    );
    assert!(!now.hidden_on_ui);
    let unknown = client.vault("99999").await.map(|_| ());
    assert!(unknown.is_err_and(|error| error.to_string().contains("404")));
    Ok(())
}

#[tokio::test]
async fn a_wallet_and_its_addresses() -> Outcome {
    let sandbox = Sandbox::start(&[]).await?;
    let fund = sandbox.fresh().await?;
    let (client, apis) = (fund.client("admin")?, fund.apis("admin")?);
    let vaults = apis.vaults_api();
    let (id, asset) = (made(&client, "With a wallet").await?, "BTC".to_owned());
    // Without one the client sends the body `null`, which no contract has.
    let wallet = CreateVaultAccountAssetParams::builder()
        .vault_account_id(id.clone())
        .asset_id(asset.clone())
        .create_assets_request(body(json!({})));
    let first = vaults
        .create_vault_account_asset(wallet.build())
        .await?
        .address;
    let second = vaults
        .create_vault_account_asset_address(
            CreateVaultAccountAssetAddressParams::builder()
                .vault_account_id(id.clone())
                .asset_id(asset.clone())
                .create_address_request(body(json!({"description": "no. 2"})))
                .build(),
        )
        .await?;
    vaults
        .set_customer_ref_id_for_address(
            SetCustomerRefIdForAddressParams::builder()
                .vault_account_id(id.clone())
                .asset_id(asset.clone())
                .address_id(first.clone())
                .set_customer_ref_id_for_address_request(body(json!({"customerRefId": "c-1"})))
                .build(),
        )
        .await?;
    let listed = client.addresses(&id, asset.clone()).await?;
    let shown: Vec<_> = listed
        .iter()
        .map(|one| (one.address.as_deref(), one.customer_ref_id.as_deref()))
        .collect();
    assert_eq!(shown[0], (Some(first.as_str()), Some("c-1")));
    assert_eq!(shown[1].0, second.address.as_deref());
    // The bare list, which newer clients have no method for.
    let bare = GetVaultAccountAssetAddressesParams::builder()
        .vault_account_id(id.clone())
        .asset_id(asset.clone());
    assert_eq!(
        vaults
            .get_vault_account_asset_addresses(bare.build())
            .await?
            .len(),
        2
    );
    let balance = UpdateVaultAccountAssetBalanceParams::builder()
        .vault_account_id(id.clone())
        .asset_id(asset.clone());
    assert_eq!(
        vaults
            .update_vault_account_asset_balance(balance.build())
            .await?
            .total,
        "0"
    );
    let one = GetVaultAccountAssetParams::builder()
        .vault_account_id(id.clone())
        .asset_id(asset.clone());
    assert_eq!(vaults.get_vault_account_asset(one.build()).await?.id, asset);
    assert_eq!(client.create_asset(&id, asset.clone()).await?, first);

    let most = GetMaxSpendableAmountParams::builder()
        .vault_account_id("1".to_owned())
        .asset_id(asset);
    let most = vaults
        .get_max_spendable_amount(most.build())
        .await?
        .max_spendable_amount;
    assert!(most.ok_or("an amount")?.parse::<f64>()? > 0.0);
    let key = GetPublicKeyInfoForAddressParams::builder()
        .vault_account_id("1".to_owned())
        .asset_id("ETH".to_owned())
        .change(0.0)
        .address_index(0.0);
    assert!(
        vaults
            .get_public_key_info_for_address(key.build())
            .await?
            .public_key
            .is_some()
    );
    Ok(())
}

#[tokio::test]
async fn lists_end_and_add_up() -> Outcome {
    let sandbox = Sandbox::start(&[]).await?;
    let fund = sandbox.fresh().await?;
    let (client, apis) = (fund.client("viewer")?, fund.apis("viewer")?);
    let vaults = apis.vaults_api();
    let all = vaults
        .get_paged_vault_accounts(GetPagedVaultAccountsParams::builder().limit(500.0).build())
        .await?;
    let all: Vec<String> = all
        .accounts
        .unwrap_or_default()
        .into_iter()
        .map(|account| account.id)
        .collect();
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let asked = GetPagedVaultAccountsParams::builder()
            .limit(7.0)
            .maybe_after(after);
        let page = vaults.get_paged_vault_accounts(asked.build()).await?;
        found.extend(
            page.accounts
                .unwrap_or_default()
                .into_iter()
                .map(|account| account.id),
        );
        after = page.paging.and_then(|paging| paging.after);
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, all);
    let wallets = GetAssetWalletsParams::builder()
        .asset_id("BTC".to_owned())
        .limit(500.0);
    let wallets = vaults
        .get_asset_wallets(wallets.build())
        .await?
        .asset_wallets
        .unwrap_or_default();
    let balance = GetVaultBalanceByAssetParams::builder()
        .asset_id("BTC".to_owned())
        .build();
    let total: f64 = vaults
        .get_vault_balance_by_asset(balance)
        .await?
        .total
        .parse()?;
    let sum: f64 = wallets
        .iter()
        .filter_map(|wallet| wallet.total.as_deref()?.parse::<f64>().ok())
        .sum();
    assert!((total - sum).abs() < 1e-6, "{total} {sum}");
    assert!(
        vaults
            .get_vault_assets(GetVaultAssetsParams::builder().build())
            .await?
            .len()
            > 3
    );
    let _ = PagedClient::new(std::sync::Arc::new(client));
    Ok(())
}

#[tokio::test]
async fn a_job_is_held_up_and_goes_on() -> Outcome {
    let sandbox = Sandbox::start(&["--manual"]).await?;
    let fund = sandbox.fresh().await?;
    let apis = fund.apis("admin")?;
    let (vaults, jobs) = (apis.vaults_api(), apis.job_management_api());
    let begin = async |prefix: &str| -> Outcome<String> {
        let request = body(json!({"count": 600, "baseAssetIds": [], "prefix": prefix}));
        let asked =
            CreateMultipleAccountsParams::builder().create_multiple_accounts_request(request);
        Ok(vaults
            .create_multiple_accounts(asked.build())
            .await?
            .job_id
            .ok_or("an id")?)
    };
    let id = begin("Held ").await?;
    jobs.pause_job(PauseJobParams::builder().job_id(id.clone()).build())
        .await?;
    let job = jobs
        .get_job(GetJobParams::builder().job_id(id.clone()).build())
        .await?;
    assert_eq!(job.id.as_deref(), Some(id.as_str()));
    let tasks = jobs
        .get_job_tasks(GetJobTasksParams::builder().job_id(id.clone()).build())
        .await?;
    assert_eq!(tasks.len(), 600);
    jobs.continue_job(ContinueJobParams::builder().job_id(id.clone()).build())
        .await?;
    fund.control("POST", "/jobs/work", json!({})).await?;
    let polled = GetCreateMultipleVaultAccountsJobStatusParams::builder()
        .job_id(id.clone())
        .build();
    let told = vaults
        .get_create_multiple_vault_accounts_job_status(polled)
        .await?;
    assert_eq!(serde_json::to_value(&told)?["status"], "SUCCESS");
    let other = begin("Cut ").await?;
    jobs.cancel_job(CancelJobParams::builder().job_id(other.clone()).build())
        .await?;
    let listed = jobs.get_jobs(GetJobsParams::builder().build()).await?;
    let ids: Vec<_> = listed.iter().filter_map(|job| job.id.clone()).collect();
    assert_eq!(ids, [id, other]);
    Ok(())
}
