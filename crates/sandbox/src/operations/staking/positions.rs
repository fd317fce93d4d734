//! Staking, read: chains, providers, positions and their sums, as of the workspace's time.

use std::collections::BTreeMap;

use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::deed::Deed;
use crate::holdings::stake::{
    Chain, Form, Life, PROVIDERS, Position, Progress, Provider, Related, Status, chain, chains,
};
use crate::operations::dates::date_time;
use crate::operations::paging::{First, page};
use crate::operations::{Visit, area};
use crate::shelf::Kept;
use crate::world::Network;

area! { visit;
    "getChains" => Ok(list(visit)),
    "getChainInfo" => info(visit),
    "getProviders" => providers(visit).await,
    "approveTermsOfServiceByProviderId" => approve(visit).await,
    "getAllDelegations" => delegations(visit).await,
    "getPositions" => positions(visit).await,
    "getDelegationById" => one(visit).await,
    "getPositionRelatedTransactions" => related(visit).await,
    "getSummary" => summary(visit).await,
    "getSummaryByVault" => summary_by_vault(visit).await,
}

/// Rows of a page where the query does not say.
const PAGE: usize = 50;

/// That somebody has approved a provider's terms of service.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Approval {
    provider: String,
}

impl Kept for Approval {
    const KIND: &'static str = "staking_terms";

    fn key(&self) -> String {
        self.provider.clone()
    }
}

fn not_found(what: &str) -> ApiError {
    ApiError::uncoded(404, format!("{what} not found"))
}

fn is_test(visit: &Visit<'_>) -> bool {
    visit.hall.network == Network::Testnet
}

/// `GET /staking/chains`.
fn list(visit: &Visit<'_>) -> Reply {
    let ids: Vec<_> = chains(is_test(visit)).map(|chain| chain.id).collect();
    Reply::json(200, &ids)
}

/// The chain that the path names, if the workspace can stake on it.
pub(super) fn asked(visit: &Visit<'_>) -> Result<&'static Chain, ApiError> {
    let found = chain(visit.params.get("chainDescriptor"));
    let found = found.filter(|chain| chain.test == is_test(visit));
    found.ok_or_else(|| not_found("Chain"))
}

/// `GET /staking/chains/{chainDescriptor}/chainInfo`.
fn info(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let chain = asked(visit)?;
    let now = visit.hall.clock.now();
    let elapsed = Amount::from_units(now.0.rem_euclid(chain.epoch), 0);
    let elapsed = elapsed.checked_div(&Amount::from_units(chain.epoch, 0), 4);
    let elapsed: serde_json::Number = elapsed
        .and_then(|elapsed| elapsed.to_string().parse().ok())
        .ok_or_else(ApiError::internal)?;
    let told = json!({
        "chainDescriptor": chain.id,
        "currentEpoch": now.0.div_euclid(chain.epoch),
        "epochElapsed": elapsed,
        "epochDuration": chain.epoch,
        "additionalInfo": {"lockupPeriod": chain.wait(), "activationPeriod": chain.wait()},
        "lastUpdated": now,
    });
    Ok(Reply::json(200, &told))
}

/// `GET /staking/providers`: those that validate on the workspace's chains.
async fn providers(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let approved = visit.hall.all_kept::<Approval>().await?;
    let shown = |provider: &Provider| {
        let validators: Vec<_> = chains(is_test(visit))
            .filter(|chain| provider.validates(chain))
            .map(|chain| json!({"chainDescriptor": chain.id, "feePercent": provider.fee, "isPrivate": false}))
            .collect();
        json!({
            "id": provider.id,
            "providerName": provider.name,
            "validators": validators,
            "iconUrl": format!("https://{}.staking.example/icon.svg", provider.id),
            "termsOfServiceUrl": format!("https://{}.staking.example/terms", provider.id),
            "isTermsOfServiceApproved": approved.iter().any(|one| one.provider == provider.id),
            "isPrivate": false,
            "isLiquidStaking": false,
        })
    };
    let all = PROVIDERS
        .iter()
        .filter(|provider| chains(is_test(visit)).any(|chain| provider.validates(chain)));
    Ok(Reply::json(200, &all.map(shown).collect::<Vec<_>>()))
}

/// The provider of that id.
pub(super) fn provider(id: &str) -> Result<&'static Provider, ApiError> {
    let found = PROVIDERS.iter().find(|provider| provider.id == id);
    found.ok_or_else(|| not_found("Provider"))
}

/// `POST /staking/providers/{providerId}/approveTermsOfService`.
async fn approve(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let provider = provider(visit.params.get("providerId"))?.id;
    let work = move |deed: &mut Deed<'_, '_>| {
        deed.keep(&Approval {
            provider: provider.to_owned(),
        })?;
        Ok(Reply::empty(201))
    };
    visit.hall.effect(visit.call, work).await
}

/// What position and delegation have in common.
fn shown(position: &Position, now: Millis) -> Value {
    let provider = PROVIDERS.iter().find(|one| one.id == position.provider);
    let solana = chain(&position.chain).is_some_and(|chain| chain.form == Form::Solana);
    let mut info = if solana {
        json!({
            "stakeAccountAddress": position.stake_account,
            "stakeAccountDerivationChangeValue": position.derivation,
        })
    } else {
        json!({ "isCompoundingValidator": position.compounding })
    };
    if !solana && let Some(turns) = position.turns() {
        match position.status(now) {
            Status::Activating => info["estimatedActivationTime"] = date_time(turns).into(),
            Status::Deactivating => info["estimatedWithdrawalTime"] = date_time(turns).into(),
            _ => {}
        }
    }
    let mut shown = json!({
        "id": position.id,
        "vaultAccountId": position.account.to_string(),
        "validatorName": position.validator,
        "providerName": provider.map(|provider| provider.name),
        "chainDescriptor": position.chain,
        "amount": position.amount(now),
        "rewardsAmount": position.rewards(now),
        "dateCreated": date_time(position.created),
        "dateUpdated": date_time(position.updated),
        "status": position.status(now),
        "validatorAddress": position.validator,
        "providerId": position.provider,
        "availableActions": position.actions(now),
        "inProgress": position.busy.is_some(),
        "blockchainPositionInfo": info,
    });
    if let Some(first) = position.busy.filter(|_| position.life == Life::Creating) {
        shown["inProgressTxId"] = first.to_string().into();
    }
    shown
}

/// The older form: small letters, and its transactions with it.
fn delegation(position: &Position, now: Millis) -> Value {
    let mut shown = shown(position, now);
    let small = |word: &Value| word.as_str().unwrap_or_default().to_lowercase();
    shown["status"] = small(&shown["status"]).into();
    let actions = shown["availableActions"].as_array().into_iter().flatten();
    shown["availableActions"] = actions.map(small).collect();
    let related = position.related.iter();
    shown["relatedTransactions"] = related
        .map(|one| json!({"txId": one.tx_id, "completed": one.progress == Progress::Completed}))
        .collect();
    shown
}

/// The positions that a query asks for.
async fn found(visit: &Visit<'_>) -> Result<Vec<Position>, ApiError> {
    let query = &visit.call.query;
    let (chain, account) = (query.one("chainDescriptor"), query.one("vaultAccountId"));
    if account.is_some_and(|account| !account.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(ApiError::invalid("vaultAccountId", "a number"));
    }
    let mut all = visit.hall.all_kept::<Position>().await?;
    all.retain(|position| {
        chain.is_none_or(|chain| position.chain == chain)
            && account.is_none_or(|account| position.account.to_string() == account)
    });
    Ok(all)
}

/// `GET /staking/positions`.
async fn delegations(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let now = visit.hall.clock.now();
    let all = found(visit).await?;
    let shown: Vec<_> = all.iter().map(|one| delegation(one, now)).collect();
    Ok(Reply::json(200, &shown))
}

/// `GET /staking/positions_paginated`.
async fn positions(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let now = visit.hall.clock.now();
    let key = |one: &Position| (one.created.0, String::new(), one.id.clone());
    let all = found(visit).await?;
    let page = page(&visit.call.query, all, PAGE, First::Newest, key)?;
    let data: Vec<_> = page.data.iter().map(|one| shown(one, now)).collect();
    Ok(Reply::json(200, &json!({"data": data, "next": page.next})))
}

async fn named(visit: &Visit<'_>) -> Result<Position, ApiError> {
    let id = visit.params.get("id");
    let found = visit.hall.kept::<Position>(id).await?;
    found.ok_or_else(|| not_found("Position"))
}

/// `GET /staking/positions/{id}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let now = visit.hall.clock.now();
    Ok(Reply::json(200, &delegation(&named(visit).await?, now)))
}

/// `GET /staking/positions/{id}/related_transactions`.
async fn related(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let rows: Vec<_> = (0_i64..).zip(named(visit).await?.related).collect();
    let key = |(at, one): &(i64, Related)| (*at, String::new(), one.tx_id.clone());
    let page = page(&visit.call.query, rows, PAGE, First::Newest, key)?;
    let row = |(_, one): &(i64, Related)| {
        let mut row = json!({
            "txId": one.tx_id,
            "stakingOperation": one.operation,
            "timestamp": date_time(one.at),
            "status": one.progress,
            "amount": one.amount,
        });
        if !one.tx_hash.is_empty() {
            row["txHash"] = one.tx_hash.clone().into();
        }
        if let Some(note) = &one.note {
            row["txNote"] = note.clone().into();
        }
        row
    };
    let data: Vec<_> = page.data.iter().map(row).collect();
    Ok(Reply::json(200, &json!({"data": data, "next": page.next})))
}

/// Sums by chain.
#[derive(Default)]
struct Sums(BTreeMap<String, Amount>);

impl Sums {
    fn add(&mut self, chain: &str, amount: &Amount) {
        let sum = self.0.entry(chain.to_owned()).or_default();
        *sum = sum.checked_add(amount).unwrap_or_default();
    }

    fn shown(self) -> Value {
        let sums = self.0.into_iter();
        sums.map(|(chain, amount)| json!({"chainDescriptor": chain, "amount": amount}))
            .collect()
    }
}

fn sums<'a>(positions: impl Iterator<Item = &'a Position>, now: Millis) -> Value {
    let (mut active, mut inactive) = (Sums::default(), Sums::default());
    let (mut rewards, mut total) = (Sums::default(), Sums::default());
    for position in positions {
        let amount = position.amount(now);
        let half = match position.status(now) {
            Status::Active => &mut active,
            Status::Activating | Status::Deactivating | Status::Deactivated => &mut inactive,
            Status::Creating
            | Status::Withdrawn
            | Status::Merged
            | Status::Consolidated
            | Status::Canceled => continue,
        };
        half.add(&position.chain, &amount);
        total.add(&position.chain, &amount);
        rewards.add(&position.chain, &position.rewards(now));
    }
    json!({
        "active": active.shown(),
        "inactive": inactive.shown(),
        "rewardsAmount": rewards.shown(),
        "totalStaked": total.shown(),
    })
}

/// `GET /staking/positions/summary`.
async fn summary(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let now = visit.hall.clock.now();
    let all = visit.hall.all_kept::<Position>().await?;
    Ok(Reply::json(200, &sums(all.iter(), now)))
}

/// `GET /staking/positions/summary/vaults`.
async fn summary_by_vault(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let now = visit.hall.clock.now();
    let mut vaults: BTreeMap<_, Vec<Position>> = BTreeMap::new();
    for position in visit.hall.all_kept::<Position>().await? {
        vaults.entry(position.account).or_default().push(position);
    }
    let told: BTreeMap<String, Value> = vaults
        .into_iter()
        .map(|(account, all)| (account.to_string(), sums(all.iter(), now)))
        .collect();
    Ok(Reply::json(200, &told))
}
