//! Users, groups, the audit, network, money at third parties.

use fireblocks_sdk::apis::Api as _;
use fireblocks_sdk::apis::fiat_accounts_api::*;
use fireblocks_sdk::apis::workspace_management_api::*;
use serde_json::json;

use crate::sandbox::{Outcome, Sandbox, body};

#[tokio::test]
async fn people_and_their_groups() -> Outcome {
    let sandbox = Sandbox::start(&[]).await?;
    let fund = sandbox.fresh().await?;
    let apis = fund.apis("admin")?;
    let people = apis.workspace_management_api();
    let ada = json!({"firstName": "Ada", "lastName": "Rust", "email": "ada@fund.example", "role": "APPROVER"});
    people
        .create_console_user(
            CreateConsoleUserParams::builder()
                .create_console_user(body(ada))
                .build(),
        )
        .await?;
    let console = serde_json::to_value(people.get_console_users().await?)?;
    let users = console["users"].as_array().ok_or("users")?;
    let ada = users
        .iter()
        .find(|user| user["email"] == "ada@fund.example")
        .ok_or("she is listed")?;
    let id = ada["id"].as_str().unwrap_or_default().to_owned();
    people
        .reset_device(ResetDeviceParams::builder().id(id).build())
        .await?;
    let signer = fund.id_of("signer")?;
    let api_users = serde_json::to_value(people.get_api_users().await?)?;
    assert!(
        api_users["users"]
            .as_array()
            .is_some_and(|all| all.iter().any(|user| user["id"] == signer.as_str()))
    );
    assert!(people.get_users().await?.len() > 5);

    let desk = json!({"groupName": "Desk", "memberIds": [signer]});
    let asked = CreateUserGroupParams::builder()
        .user_group_create_request(body(desk))
        .build();
    let group = people.create_user_group(asked).await?.id.ok_or("an id")?;
    let change = json!({"groupName": "Desk 2", "memberIds": [fund.id_of("approver")?]});
    let asked = UpdateUserGroupParams::builder()
        .group_id(group.clone())
        .user_group_update_request(body(change))
        .build();
    people.update_user_group(asked).await?;
    let one = GetUserGroupParams::builder()
        .group_id(group.clone())
        .build();
    assert_eq!(
        people.get_user_group(one).await?.name.as_deref(),
        Some("Desk 2")
    );
    assert_eq!(people.get_user_groups().await?.len(), 1);
    people
        .delete_user_group(DeleteUserGroupParams::builder().group_id(group).build())
        .await?;
    assert!(people.get_user_groups().await?.is_empty());

    assert_eq!(people.get_ota_status().await?.enabled, Some(true));
    let listed = GetWhitelistIpAddressesParams::builder()
        .user_id(signer)
        .build();
    people.get_whitelist_ip_addresses(listed).await?;
    let audit = people
        .get_audit_logs(GetAuditLogsParams::builder().build())
        .await?;
    assert!(!audit.data.unwrap_or_default().is_empty());
    people
        .get_audits(GetAuditsParams::builder().build())
        .await?;
    assert_eq!(
        serde_json::to_value(people.get_workspace_status().await?)?["status"],
        "ACTIVE"
    );
    assert!(
        !apis
            .keys_beta_api()
            .get_mpc_keys_list()
            .await?
            .keys
            .is_empty()
    );
    Ok(())
}

#[tokio::test]
async fn fiat_money_moves() -> Outcome {
    let sandbox = Sandbox::start(&[]).await?;
    let fund = sandbox.fresh().await?;
    let told = json!({"name": "Second", "assetId": "EUR", "linkedBalance": "100"});
    fund.control("POST", "/fiat_accounts", told).await?;
    let apis = fund.apis("admin")?;
    let fiat = apis.fiat_accounts_api();
    let accounts = fiat.get_fiat_accounts().await?;
    let second = accounts
        .into_iter()
        .find(|account| account.name.as_deref() == Some("Second"));
    let id = second
        .and_then(|account| account.id)
        .ok_or("it is listed")?;
    let funds = |amount: f64| Some(body(json!({"amount": amount})));
    let deposit = DepositFundsFromLinkedDdaParams::builder()
        .account_id(id.clone())
        .maybe_funds(funds(10.0))
        .build();
    fiat.deposit_funds_from_linked_dda(deposit).await?;
    let redeem = RedeemFundsToLinkedDdaParams::builder()
        .account_id(id.clone())
        .maybe_funds(funds(4.0))
        .build();
    fiat.redeem_funds_to_linked_dda(redeem).await?;
    let shown = fiat
        .get_fiat_account(GetFiatAccountParams::builder().account_id(id).build())
        .await?;
    assert_eq!(serde_json::to_value(&shown)?["assets"][0]["balance"], "6");
    Ok(())
}
