//! A stake from its beginning to its end, moved by the workspace's clock.

use fireblocks_sdk::apis::Api as _;
use fireblocks_sdk::apis::staking_api::*;
use fireblocks_sdk::models::{ChainDescriptor, StakingProvider};
use serde_json::json;

use crate::sandbox::{Outcome, Sandbox, body, until};

const DAY: u64 = 86_400_000;

#[tokio::test]
async fn a_stake_to_its_end() -> Outcome {
    let sandbox = Sandbox::start(&[]).await?;
    let fund = sandbox.fresh().await?;
    let apis = fund.apis("signer")?;
    let staking = apis.staking_api();
    let later = async |days: u64| {
        fund.control("POST", "/clock/advance", json!({"millis": days * DAY}))
            .await
    };
    let status = async |id: &str| -> Outcome<String> {
        let asked = GetDelegationByIdParams::builder().id(id.to_owned()).build();
        Ok(staking.get_delegation_by_id(asked).await?.status)
    };
    // What is asked of positions is under way like any transaction.
    let through = async || {
        until("nothing is under way", async || {
            let all = GetAllDelegationsParams::builder().build();
            let all = staking.get_all_delegations(all).await?;
            Ok(all.iter().all(|one| !one.in_progress).then_some(()))
        })
        .await
    };
    assert_eq!(
        staking.get_chains().await?,
        [ChainDescriptor::Eth, ChainDescriptor::Sol]
    );
    let info = GetChainInfoParams::builder()
        .chain_descriptor(ChainDescriptor::Sol)
        .build();
    staking.get_chain_info(info).await?;
    let terms = ApproveTermsOfServiceByProviderIdParams::builder()
        .provider_id(StakingProvider::Kiln)
        .build();
    staking
        .approve_terms_of_service_by_provider_id(terms)
        .await?;
    assert!(!staking.get_providers().await?.is_empty());
    let wire = json!({"vaultAccountId": "0", "providerId": "kiln", "stakeAmount": "10"});
    let stake = StakeParams::builder()
        .chain_descriptor(ChainDescriptor::Sol)
        .stake_request(body(wire))
        .build();
    let id = staking.stake(stake).await?.id;
    through().await?;
    assert_eq!(status(&id).await?, "activating");
    later(2).await?;
    let split = SplitParams::builder()
        .chain_descriptor("SOL".to_owned())
        .split_request(body(json!({"id": id, "amount": "4"})));
    let part = staking.split(split.build()).await?.id;
    through().await?;
    let merge = MergeStakeAccountsParams::builder()
        .chain_descriptor("SOL".to_owned())
        .merge_stake_accounts_request(body(json!({"sourceId": part, "destinationId": id})));
    staking.merge_stake_accounts(merge.build()).await?;
    through().await?;
    assert_eq!(status(&part).await?, "merged");
    later(30).await?;
    let claim = ClaimRewardsParams::builder()
        .chain_descriptor("SOL".to_owned())
        .claim_rewards_request(body(json!({"id": id})));
    staking.claim_rewards(claim.build()).await?;
    through().await?;
    let unstake = UnstakeParams::builder()
        .chain_descriptor(ChainDescriptor::Sol)
        .unstake_request(body(json!({"id": id})));
    staking.unstake(unstake.build()).await?;
    through().await?;
    later(2).await?;
    let withdraw = WithdrawParams::builder()
        .chain_descriptor(ChainDescriptor::Sol)
        .withdraw_request(body(json!({"id": id})));
    staking.withdraw(withdraw.build()).await?;
    through().await?;
    assert_eq!(status(&id).await?, "withdrawn");
    assert_eq!(
        staking
            .get_all_delegations(GetAllDelegationsParams::builder().build())
            .await?
            .len(),
        2
    );
    staking.get_summary().await?;
    assert!(staking.get_summary_by_vault().await?.contains_key("0"));
    Ok(())
}
