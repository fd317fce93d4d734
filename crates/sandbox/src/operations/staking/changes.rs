//! Staking, changed: positions begin, end, pay their rewards out, part and come together, each once
//! its transaction is through. Rewards come to the wallet without a transaction of their own, once
//! they are claimed or withdrawn.

use ledger::Fault;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::VaultAccountId;
use serde::Deserialize;
use serde_json::json;

use super::positions::{Approval, provider};
use super::transactions::{Asker, Cost};
use crate::deed::Deed;
use crate::holdings::stake::{Action, Chain, Form, Life, Part, Position, Provider, Refusal, Task};
use crate::operations::{Visit, area};
use crate::world::{addresses, assets};

area! { visit;
    "stake" => stake(visit).await,
    "unstake" => unstake(visit).await,
    "withdraw" => withdraw(visit).await,
    "claimRewards" => claim(visit).await,
    "split" => split(visit).await,
    "mergeStakeAccounts" => absorb(visit, Action::Merge, Form::Solana).await,
    "consolidate" => absorb(visit, Action::Consolidate, Form::Ethereum).await,
}

pub(super) fn refused(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::Amount => ApiError::invalid("amount", refusal),
        Refusal::Unfit | Refusal::Apart | Refusal::NoRewards => {
            ApiError::uncoded(400, refusal.to_string())
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stake {
    vault_account_id: String,
    provider_id: String,
    stake_amount: Amount,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    is_compounding_validator: Option<bool>,
    #[serde(flatten)]
    cost: Cost,
}

/// `POST .../stake`.
async fn stake(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Stake = visit.body()?;
    let asker = Asker::read(visit, wanted.cost)?;
    let provider = provider(&wanted.provider_id)?;
    let account: VaultAccountId = wanted
        .vault_account_id
        .parse()
        .map_err(|_| ApiError::vault_account_not_found())?;
    let compounding = wanted.is_compounding_validator.unwrap_or(false);
    if (compounding || wanted.id.is_some()) && asker.chain.form != Form::Ethereum {
        let must = "for Ethereum alone";
        return Err(ApiError::invalid("isCompoundingValidator and id", must));
    }
    if !provider.validates(asker.chain) {
        return Err(ApiError::invalid(
            "providerId",
            "one that validates on the chain",
        ));
    }
    let (amount, id) = (wanted.stake_amount, wanted.id);
    let work = move |deed: &mut Deed<'_, '_>| {
        if deed.kept::<Approval>(provider.id)?.is_none() {
            let why = "The provider's terms of service are not approved";
            return Err(ApiError::uncoded(403, why).into());
        }
        if deed.batch.account(deed.writing, account)?.is_none() {
            return Err(ApiError::vault_account_not_found().into());
        }
        let (mut position, task) = match &id {
            Some(id) => {
                let known = asker.position(deed, id)?;
                if known.account != account || known.provider != provider.id {
                    return Err(refused(Refusal::Apart).into());
                }
                if !amount.is_positive() || amount.decimals() > u64::from(asker.chain.decimals) {
                    return Err(refused(Refusal::Amount).into());
                }
                (known, Task::Add(amount.clone()))
            }
            None if !asker.chain.takes(&amount, compounding) => {
                return Err(refused(Refusal::Amount).into());
            }
            None => {
                let chain = asker.chain;
                let fresh = fresh(deed, chain, account, provider, &amount, compounding)?;
                (fresh, Task::Begin)
            }
        };
        asker.ask(deed, &mut position, None, task, &amount)?;
        Ok(Reply::json(201, &json!({ "id": position.id })))
    };
    visit.hall.effect(visit.call, work).await
}

/// A new position.
fn fresh(
    deed: &mut Deed<'_, '_>,
    chain: &Chain,
    account: VaultAccountId,
    provider: &Provider,
    amount: &Amount,
    compounding: bool,
) -> Result<Position, Fault> {
    let (id, validator) = (deed.chance.uuid(), deed.chance.bytes::<48>());
    let validator = match chain.form {
        Form::Ethereum => format!("0x{}", hex::encode(validator)),
        Form::Solana => address(deed, chain),
    };
    let (stake_account, derivation) = place(deed, chain, account)?;
    Ok(Position {
        id: id.to_string(),
        account,
        provider: provider.id.to_owned(),
        chain: chain.id.to_owned(),
        validator,
        stake_account,
        derivation,
        compounding,
        principal: amount.clone(),
        rewards: Amount::zero(),
        counted: deed.at,
        created: deed.at,
        updated: deed.at,
        life: Life::Creating,
        related: Vec::new(),
        busy: None,
    })
}

/// Where a new position is on its chain: an address, and its number among its account's.
fn place(
    deed: &mut Deed<'_, '_>,
    chain: &Chain,
    account: VaultAccountId,
) -> Result<(String, u32), Fault> {
    let mut all = deed.all_kept::<Position>()?;
    all.retain(|known| known.account == account && known.chain == chain.id);
    let number = u32::try_from(all.len()).unwrap_or(u32::MAX);
    Ok((address(deed, chain), number))
}

fn address(deed: &mut Deed<'_, '_>, chain: &Chain) -> String {
    let bytes = deed.chance.bytes();
    let row = chain.id.parse().ok().and_then(|id| assets::find(&id));
    let chain = row.and_then(assets::chain_of);
    chain.map_or_else(String::new, |chain| {
        addresses::of_nobody(chain, &bytes).text
    })
}

#[derive(Deserialize)]
struct Named {
    id: String,
    #[serde(default)]
    amount: Option<Amount>,
    #[serde(flatten)]
    cost: Cost,
}

/// `POST .../unstake`: the whole position. `amount` is for liquid staking, which is not served.
async fn unstake(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Named = visit.body()?;
    let asker = Asker::read(visit, wanted.cost)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut position = asker.position(deed, &wanted.id)?;
        let amount = position.principal.clone();
        asker.ask(deed, &mut position, None, Task::Unstake, &amount)?;
        Ok(Reply::empty(201))
    };
    visit.hall.effect(visit.call, work).await
}

/// `POST .../withdraw`.
async fn withdraw(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Named = visit.body()?;
    let asker = Asker::read(visit, wanted.cost)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut position = asker.position(deed, &wanted.id)?;
        let decimals = u64::from(asker.chain.decimals);
        if wanted
            .amount
            .as_ref()
            .is_some_and(|amount| amount.decimals() > decimals)
        {
            return Err(refused(Refusal::Amount).into());
        }
        let task = Task::Withdraw(wanted.amount.clone());
        let amount = wanted.amount.clone().unwrap_or_default();
        asker.ask(deed, &mut position, None, task, &amount)?;
        Ok(Reply::empty(201))
    };
    visit.hall.effect(visit.call, work).await
}

/// `POST .../claim_rewards`.
async fn claim(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Named = visit.body()?;
    let asker = Asker::read(visit, wanted.cost)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut position = asker.position(deed, &wanted.id)?;
        let rewards = position.rewards(deed.at);
        asker.ask(deed, &mut position, None, Task::Claim, &rewards)?;
        Ok(Reply::empty(201))
    };
    visit.hall.effect(visit.call, work).await
}

/// `POST .../split`: the id of the new position.
async fn split(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Named = visit.body()?;
    let asker = Asker::read(visit, wanted.cost)?;
    let amount = wanted.amount.ok_or_else(|| refused(Refusal::Amount))?;
    let work = move |deed: &mut Deed<'_, '_>| {
        if amount.decimals() > u64::from(asker.chain.decimals) {
            return Err(refused(Refusal::Amount).into());
        }
        let mut position = asker.position(deed, &wanted.id)?;
        let id = deed.chance.uuid().to_string();
        let (stake_account, derivation) = place(deed, asker.chain, position.account)?;
        let part = Part {
            id: id.clone(),
            stake_account,
            derivation,
        };
        let task = Task::Split(amount.clone(), part);
        asker.ask(deed, &mut position, None, task, &amount)?;
        Ok(Reply::json(201, &json!({ "id": id })))
    };
    visit.hall.effect(visit.call, work).await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Two {
    source_id: String,
    destination_id: String,
    #[serde(flatten)]
    cost: Cost,
}

/// `POST .../merge`, `POST .../consolidate`: the id of the position that stays.
async fn absorb(visit: &Visit<'_>, how: Action, form: Form) -> Result<Reply, ApiError> {
    let wanted: Two = visit.body()?;
    let asker = Asker::read(visit, wanted.cost)?;
    if asker.chain.form != form {
        return Err(ApiError::invalid(
            "chainDescriptor",
            "a chain where that can be done",
        ));
    }
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut source = asker.position(deed, &wanted.source_id)?;
        let mut destination = asker.position(deed, &wanted.destination_id)?;
        let amount = source.principal.clone();
        let task = Task::Absorb(source.id.clone(), how);
        asker.ask(deed, &mut destination, Some(&mut source), task, &amount)?;
        Ok(Reply::json(201, &json!({ "id": destination.id })))
    };
    visit.hall.effect(visit.call, work).await
}
