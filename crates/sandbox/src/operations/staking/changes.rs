//! Staking, changed: positions begin, end, pay their rewards out, part and come together. Rewards
//! come to the wallet without a transaction of their own, once they are claimed or withdrawn.

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
use crate::flight::Pot;
use crate::holdings::stake::{Action, Chain, Form, Life, Position, Provider, Refusal};
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

fn refused(refusal: Refusal) -> ApiError {
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
        asker.covered(deed, account, &amount)?;
        let mut position = match &id {
            Some(id) => {
                let mut known = asker.position(deed, id)?;
                if known.account != account || known.provider != provider.id {
                    return Err(refused(Refusal::Apart).into());
                }
                if !amount.is_positive() || amount.decimals() > u64::from(asker.chain.decimals) {
                    return Err(refused(Refusal::Amount).into());
                }
                known.add(&amount, deed.at).map_err(refused)?;
                known
            }
            None if !asker.chain.takes(&amount, compounding) => {
                return Err(refused(Refusal::Amount).into());
            }
            None => fresh(deed, asker.chain, account, provider, &amount, compounding)?,
        };
        let moves = [(amount.clone(), Pot::Available, Pot::Staked)];
        asker.done(deed, &mut position, "STAKE", &amount, &moves)?;
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
        life: Life::Staked { at: deed.at },
        related: Vec::new(),
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
        position.unstake(deed.at).map_err(refused)?;
        asker.done(deed, &mut position, "UNSTAKE", &amount, &[])?;
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
        let out = position.withdraw(wanted.amount.as_ref(), deed.at);
        let (principal, rewards) = out.map_err(refused)?;
        let amount = principal.checked_add(&rewards).unwrap_or_default();
        let moves = [
            (principal, Pot::Staked, Pot::Available),
            (rewards, Pot::Outside, Pot::Available),
        ];
        asker.done(deed, &mut position, "WITHDRAW", &amount, &moves)?;
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
        let rewards = position.claim(deed.at).map_err(refused)?;
        let moves = [(rewards.clone(), Pot::Outside, Pot::Available)];
        asker.done(deed, &mut position, "CLAIM_REWARDS", &rewards, &moves)?;
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
        let named = |part| Position {
            id,
            stake_account,
            derivation,
            ..part
        };
        let part = position.split(&amount, deed.at, named).map_err(refused)?;
        asker.done(deed, &mut position, "SPLIT", &amount, &[])?;
        deed.keep(&part)?;
        Ok(Reply::json(201, &json!({ "id": part.id })))
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
    let word = if how == Action::Merge {
        "MERGE"
    } else {
        "CONSOLIDATE"
    };
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut source = asker.position(deed, &wanted.source_id)?;
        let mut destination = asker.position(deed, &wanted.destination_id)?;
        let amount = source.principal.clone();
        let done = destination.absorb(&mut source, how, deed.at);
        done.map_err(refused)?;
        deed.keep(&source)?;
        asker.done(deed, &mut destination, word, &amount, &[])?;
        Ok(Reply::json(201, &json!({ "id": destination.id })))
    };
    visit.hall.effect(visit.call, work).await
}
