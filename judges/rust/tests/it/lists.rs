//! Whitelists, assets, gas stations, NFTs, tags: what is made is listed, and goes again.

use fireblocks_sdk::apis::Api as _;
use fireblocks_sdk::apis::blockchains_assets_api::*;
use fireblocks_sdk::apis::gas_station_api::*;
use fireblocks_sdk::apis::nfts_api::*;
use fireblocks_sdk::apis::tags_api::*;
use fireblocks_sdk::apis::whitelisted_contracts_api::*;
use fireblocks_sdk::apis::whitelisted_external_wallets_api::*;
use fireblocks_sdk::apis::whitelisted_internal_wallets_api::*;
use fireblocks_sdk::{ApiClient, Client, WalletType};
use serde_json::json;

use crate::sandbox::{Outcome, Sandbox, body};

const ADDRESS: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

/// Adds an asset. For contracts the client's own word gives the address as the contract's id.
async fn list(client: &Client, apis: &ApiClient, kind: WalletType, id: &str) -> Outcome {
    if matches!(kind, WalletType::Contract) {
        let asked = AddContractAssetParams::builder()
            .contract_id(id.to_owned())
            .asset_id("ETH".to_owned())
            .add_contract_asset_request(body(json!({"address": ADDRESS})));
        apis.whitelisted_contracts_api()
            .add_contract_asset(asked.build())
            .await?;
    } else {
        client.wallet_create_asset(kind, id, "ETH", ADDRESS).await?;
    }
    Ok(())
}

#[tokio::test]
async fn whitelists_by_the_clients_own_words() -> Outcome {
    let sandbox = Sandbox::start(&[]).await?;
    let fund = sandbox.fresh().await?;
    let (client, apis) = (fund.client("editor")?, fund.apis("editor")?);
    for kind in [
        WalletType::Internal,
        WalletType::External,
        WalletType::Contract,
    ] {
        let name = format!("Rust {kind}");
        let id = client.wallet_create(kind, &name).await?;
        list(&client, &apis, kind, &id).await?;
        let found = client
            .wallet_by_name(kind, &name)
            .await?
            .ok_or("it is listed")?;
        assert_eq!(found.id.to_string(), id);
        assert_eq!(client.wallet_by_id(kind, &id).await?.assets.len(), 1);
        client.wallet_delete(kind, &id).await?;
        assert!(client.wallet_by_name(kind, &name).await?.is_none());
    }
    Ok(())
}

#[tokio::test]
async fn single_assets_of_whitelists() -> Outcome {
    let sandbox = Sandbox::start(&[]).await?;
    let fund = sandbox.fresh().await?;
    let (client, apis) = (fund.client("editor")?, fund.apis("editor")?);
    let eth = || "ETH".to_owned();

    let id = client.wallet_create(WalletType::Internal, "One").await?;
    client
        .wallet_create_asset(WalletType::Internal, &id, "ETH", ADDRESS)
        .await?;
    let lists = apis.whitelisted_internal_wallets_api();
    let asset = GetInternalWalletAssetParams::builder()
        .wallet_id(id.clone())
        .asset_id(eth())
        .build();
    assert_eq!(
        lists
            .get_internal_wallet_asset(asset)
            .await?
            .address
            .as_deref(),
        Some(ADDRESS)
    );
    lists
        .set_customer_ref_id_for_internal_wallet(
            SetCustomerRefIdForInternalWalletParams::builder()
                .wallet_id(id.clone())
                .set_customer_ref_id_request(body(json!({"customerRefId": "rs:2"})))
                .build(),
        )
        .await?;
    let page = GetInternalWalletAssetsPaginatedParams::builder()
        .wallet_id(id.clone())
        .page_size(1.0)
        .build();
    lists.get_internal_wallet_assets_paginated(page).await?;
    let gone = DeleteInternalWalletAssetParams::builder()
        .wallet_id(id)
        .asset_id(eth())
        .build();
    lists.delete_internal_wallet_asset(gone).await?;

    let id = client.wallet_create(WalletType::External, "Two").await?;
    client
        .wallet_create_asset(WalletType::External, &id, "ETH", ADDRESS)
        .await?;
    let lists = apis.whitelisted_external_wallets_api();
    let asset = GetExternalWalletAssetParams::builder()
        .wallet_id(id.clone())
        .asset_id(eth())
        .build();
    assert_eq!(
        lists
            .get_external_wallet_asset(asset)
            .await?
            .address
            .as_deref(),
        Some(ADDRESS)
    );
    lists
        .set_external_wallet_customer_ref_id(
            SetExternalWalletCustomerRefIdParams::builder()
                .wallet_id(id.clone())
                .set_customer_ref_id_request(body(json!({"customerRefId": "rs:3"})))
                .build(),
        )
        .await?;
    let gone = RemoveAssetFromExternalWalletParams::builder()
        .wallet_id(id)
        .asset_id(eth())
        .build();
    lists.remove_asset_from_external_wallet(gone).await?;

    let id = client.wallet_create(WalletType::Contract, "Three").await?;
    list(&client, &apis, WalletType::Contract, &id).await?;
    let lists = apis.whitelisted_contracts_api();
    let asset = GetContractAssetParams::builder()
        .contract_id(id.clone())
        .asset_id(eth())
        .build();
    assert_eq!(
        lists.get_contract_asset(asset).await?.address.as_deref(),
        Some(ADDRESS)
    );
    let gone = DeleteContractAssetParams::builder()
        .contract_id(id)
        .asset_id(eth())
        .build();
    lists.delete_contract_asset(gone).await?;
    Ok(())
}

#[tokio::test]
async fn assets_and_gas_stations() -> Outcome {
    let sandbox = Sandbox::start(&[]).await?;
    let fund = sandbox.fresh().await?;
    let (client, apis) = (fund.client("editor")?, fund.apis("editor")?);
    let assets = apis.blockchains_assets_api();
    let dai = json!({"blockchainId": "ETH", "address": "0x6B175474E89094C44Da98b954EedeAC495271d0F", "symbol": "DAI"});
    let asked = RegisterNewAssetParams::builder()
        .register_new_asset_request(body(dai))
        .build();
    let id = assets.register_new_asset(asked).await?.legacy_id;
    let shown = assets
        .get_asset(GetAssetParams::builder().id(id.clone()).build())
        .await?;
    assert_eq!(shown.legacy_id, id);
    let price = SetAssetPriceParams::builder()
        .id(id.clone())
        .set_asset_price_request(body(json!({"currency": "USD", "price": 1.01})));
    assert_eq!(assets.set_asset_price(price.build()).await?.legacy_id, id);
    assert!(
        client
            .supported_assets()
            .await?
            .iter()
            .any(|asset| asset.id == id)
    );
    let listed = assets
        .list_assets(ListAssetsParams::builder().page_size(1000.0).build())
        .await?;
    assert!(listed.data.iter().any(|asset| asset.legacy_id == id));
    let chains = assets
        .list_blockchains(ListBlockchainsParams::builder().build())
        .await?
        .data;
    let chain = GetBlockchainParams::builder()
        .id(chains[0].id.clone())
        .build();
    assert_eq!(assets.get_blockchain(chain).await?.id, chains[0].id);

    let stations = apis.gas_station_api();
    let set = UpdateGasStationConfigurationParams::builder()
        .gas_station_configuration(body(json!({"gasThreshold": "0.02", "gasCap": "0.03"})));
    stations
        .update_gas_station_configuration(set.build())
        .await?;
    let one = GetGasStationByAssetIdParams::builder()
        .asset_id("ETH".to_owned())
        .build();
    let told = stations.get_gas_station_by_asset_id(one).await?;
    assert_eq!(serde_json::to_value(&told.configuration)?["gasCap"], "0.03");
    assert_eq!(stations.get_gas_station_info().await?.balance, told.balance);
    Ok(())
}

#[tokio::test]
async fn nfts_and_tags() -> Outcome {
    let sandbox = Sandbox::start(&[]).await?;
    let apis = sandbox.fresh().await?.apis("admin")?;
    let nfts = apis.nfts_api();
    let owned = nfts
        .get_ownership_tokens(GetOwnershipTokensParams::builder().build())
        .await?;
    let id = owned.data.ok_or("tokens")?[0].id.clone();
    assert_eq!(
        nfts.get_nft(GetNftParams::builder().id(id.clone()).build())
            .await?
            .id,
        id
    );
    let status = UpdateTokenOwnershipStatusParams::builder()
        .id(id.clone())
        .update_token_ownership_status_dto(body(json!({"status": "ARCHIVED"})));
    nfts.update_token_ownership_status(status.build()).await?;
    let archived = ListOwnedTokensParams::builder()
        .status("ARCHIVED".to_owned())
        .build();
    let archived = nfts
        .list_owned_tokens(archived)
        .await?
        .data
        .unwrap_or_default();
    assert!(archived.iter().any(|token| token.id == id));
    nfts.list_owned_collections(ListOwnedCollectionsParams::builder().build())
        .await?;
    nfts.get_nfts(GetNftsParams::builder().ids(id.clone()).build())
        .await?;
    nfts.refresh_nft_metadata(RefreshNftMetadataParams::builder().id(id).build())
        .await?;

    let tags = apis.tags_api();
    let asked = CreateTagParams::builder()
        .create_tag_request(body(json!({"label": "Treasury"})))
        .build();
    let id = tags.create_tag(asked).await?.id.to_string();
    let changed = UpdateTagParams::builder()
        .tag_id(id.clone())
        .update_tag_request(body(json!({"label": "Own money"})));
    tags.update_tag(changed.build()).await?;
    let shown = tags
        .get_tag(GetTagParams::builder().tag_id(id.clone()).build())
        .await?;
    assert_eq!(shown.label, "Own money");
    assert_eq!(
        tags.get_tags(GetTagsParams::builder().build())
            .await?
            .data
            .len(),
        1
    );
    tags.delete_tag(DeleteTagParams::builder().tag_id(id.clone()).build())
        .await?;
    assert!(
        tags.get_tag(GetTagParams::builder().tag_id(id).build())
            .await
            .is_err()
    );
    Ok(())
}
