//! Coins of wallets on UTXO chains: what is unspent, what is labelled, which are spent first.

use ledger::Fault;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::{Query, Reply};
use protocol::ids::{AssetId, TxId, VaultAccountId};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::accounts::asset_of;
use crate::coins::has_coins;
use crate::deed::Deed;
use crate::operations::dates::date_time;
use crate::operations::paging::{First, page_within};
use crate::operations::{Visit, area};
use crate::shelf::Kept;
use crate::utxo::{Coin, CoinStatus, Filter, MAX_INPUTS, Outpoint, Strategy};
use crate::world::assets::AssetRow;

area! { visit;
    "getUnspentInputs" => unspent_inputs(visit).await,
    "getMaxSpendableAmount" => max_spendable(visit).await,
    "getUtxos" => list(visit).await,
    "updateUtxoLabels" => label(visit).await,
    "getUtxoSelectionConfig" => strategy(visit).await,
    "upsertUtxoSelectionConfig" => set_strategy(visit).await,
    "getVaultAssetUtxoSelectionConfig" => strategy(visit).await,
    "upsertVaultAssetUtxoSelectionConfig" => set_strategy(visit).await,
}

/// Time between two blocks.
const BLOCK: i64 = 10 * Millis::MINUTE;
/// Rows of a page where the query does not say, and most of one.
const PAGE: usize = 50;
const MAX_PAGE: usize = 250;
/// Most labels of a coin.
const MAX_LABELS: usize = 5;

/// The wallet that the path names, whose asset has coins.
fn wallet(visit: &Visit<'_>) -> Result<(VaultAccountId, &'static AssetRow), ApiError> {
    let account = visit.param("vaultAccountId", ApiError::vault_account_not_found)?;
    let id: AssetId = visit.param("assetId", ApiError::unsupported_wallet_asset)?;
    let asset = asset_of(visit.hall, &id)?;
    if has_coins(asset) {
        Ok((account, asset))
    } else {
        Err(ApiError::new(
            400,
            1401,
            "The asset's chain knows no inputs",
        ))
    }
}

async fn coins(visit: &Visit<'_>) -> Result<Vec<Coin>, ApiError> {
    let (account, asset) = wallet(visit)?;
    Ok(visit.hall.utxo_set(account, asset).await?.coins)
}

fn confirmations(coin: &Coin, now: Millis) -> i64 {
    match coin.status {
        CoinStatus::Pending => 1,
        _ => 3 + (now.0 - coin.since.0).max(0) / BLOCK,
    }
}

/// `GET .../unspent_inputs`.
async fn unspent_inputs(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let now = visit.hall.clock.now();
    let coins = coins(visit).await?;
    let shown = coins.iter().map(|coin| {
        json!({
            "input": coin.at,
            "address": coin.address,
            "amount": coin.amount,
            "confirmations": confirmations(coin, now),
            "status": match coin.status {
                CoinStatus::Pending => "PENDING",
                CoinStatus::Available => "CONFIRMED",
                CoinStatus::Frozen => "FROZEN",
                CoinStatus::Selected => "SELECTED",
            },
        })
    });
    Ok(Reply::json(200, &shown.collect::<Vec<_>>()))
}

/// `GET .../max_spendable_amount`: what one transaction's inputs can hold.
async fn max_spendable(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let filter = filter(&visit.call.query)?;
    let mut amounts: Vec<Amount> = coins(visit)
        .await?
        .into_iter()
        .filter(|coin| coin.status == CoinStatus::Available && filter.passes(coin))
        .map(|coin| coin.amount)
        .collect();
    amounts.sort_by(|a, b| b.cmp(a));
    let most = Amount::checked_sum(amounts.iter().take(MAX_INPUTS));
    let most = most.ok_or_else(ApiError::internal)?;
    Ok(Reply::json(200, &json!({ "maxSpendableAmount": most })))
}

fn filter(query: &Query) -> Result<Filter, ApiError> {
    let all = |name| query.many(name).map(str::to_owned).collect();
    let amount = |name| query.read::<Amount, _>(name, |_| ApiError::invalid(name, "an amount"));
    Ok(Filter {
        include_all_labels: all("includeAllLabels"),
        include_any_labels: all("includeAnyLabels"),
        exclude_any_labels: all("excludeAnyLabels"),
        address: query.one("address").map(str::to_owned),
        min_amount: amount("minAmount")?,
        max_amount: amount("maxAmount")?,
    })
}

fn shown(coin: &Coin, now: Millis) -> Value {
    let at = date_time(coin.since);
    let mut shown = json!({
        "input": coin.at,
        "utxoId": format!("{}:{}", coin.at.tx_hash, coin.at.index),
        "address": coin.address,
        "amount": coin.amount,
        "confirmations": confirmations(coin, now),
        "status": coin.status,
        "isChange": coin.change,
        "isCoinbase": false,
        "createdByHash": coin.at.tx_hash,
        "createdAt": at,
        "updatedAt": at,
        "labels": coin.labels,
    });
    if let Some(made_by) = coin.made_by {
        shown["fbTxId"] = json!(made_by);
    }
    if let Some(taken_by) = coin.taken_by {
        shown["spentByFbTxId"] = json!([taken_by]);
    }
    shown
}

/// `GET /utxo_management/{vaultAccountId}/{assetId}/unspent_outputs`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let now = visit.hall.clock.now();
    let by_age = match query.one("sort") {
        None | Some("AMOUNT") => false,
        Some("CONFIRMATIONS") => true,
        Some(_) => return Err(ApiError::invalid("sort", "AMOUNT or CONFIRMATIONS")),
    };
    let statuses = crate::operations::paging::words::<CoinStatus>(query, "includeStatuses")?;
    let made_by = query.read::<TxId, _>("txId", |_| ApiError::invalid("txId", "a UUID"))?;
    let (filter, hash) = (filter(query)?, query.one("txHash"));
    let mut coins = coins(visit).await?;
    coins.retain(|coin| {
        filter.passes(coin)
            && (statuses.is_empty() || statuses.contains(&coin.status))
            && made_by.is_none_or(|id| coin.made_by == Some(id))
            && hash.is_none_or(|hash| coin.at.tx_hash == hash)
    });
    let key = |coin: &Coin| {
        let place = format!("{}:{:010}", coin.at.tx_hash, coin.at.index);
        if by_age {
            (confirmations(coin, now), String::new(), place)
        } else {
            (0, coin.amount.sort_key(), place)
        }
    };
    let found = page_within(query, coins, (PAGE, MAX_PAGE), First::Newest, key)?;
    let data: Vec<_> = found.data.iter().map(|coin| shown(coin, now)).collect();
    Ok(Reply::json(
        200,
        &json!({ "data": data, "next": found.next }),
    ))
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Labels {
    utxo_identifiers: Vec<Identifier>,
    #[serde(default)]
    labels_to_attach: Vec<String>,
    #[serde(default)]
    labels_to_detach: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identifier {
    tx_id: Option<TxId>,
    tx_hash: Option<String>,
    index: Option<u32>,
}

impl Identifier {
    /// Whether a coin is meant; all that a transaction made, or one by its place on the chain.
    fn means(&self, coin: &Coin) -> bool {
        match (&self.tx_id, &self.tx_hash, self.index) {
            (Some(id), None, None) => coin.made_by == Some(*id),
            (None, Some(hash), Some(index)) => {
                let at = &coin.at;
                at == &Outpoint {
                    tx_hash: hash.clone(),
                    index,
                }
            }
            _ => false,
        }
    }
}

/// `PATCH /utxo_management/{vaultAccountId}/{assetId}/labels`.
async fn label(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (account, asset) = wallet(visit)?;
    let wanted: Labels = visit.body()?;
    if wanted.labels_to_attach.is_empty() && wanted.labels_to_detach.is_empty() {
        return Err(ApiError::invalid(
            "labelsToAttach",
            "or labelsToDetach must name a label",
        ));
    }
    let now = visit.hall.clock.now();
    let work = move |deed: &mut Deed<'_, '_>| {
        if deed
            .batch
            .wallet(deed.writing, account, &asset.asset_id())?
            .is_none()
        {
            return Err(ApiError::vault_asset_not_found().into());
        }
        let mut set = deed.utxo_set(account, asset)?;
        let mut changed = Vec::new();
        for identifier in &wanted.utxo_identifiers {
            let before = changed.len();
            for coin in set.coins.iter_mut().filter(|coin| identifier.means(coin)) {
                relabel(coin, &wanted)?;
                changed.push(shown(coin, now));
            }
            if changed.len() == before {
                return Err(ApiError::uncoded(404, "There is no such unspent output").into());
            }
        }
        deed.keep(&set)?;
        Ok(Reply::json(200, &json!({ "utxos": changed })))
    };
    visit.hall.effect(visit.call, work).await
}

fn relabel(coin: &mut Coin, wanted: &Labels) -> Result<(), ApiError> {
    coin.labels
        .retain(|label| !wanted.labels_to_detach.contains(label));
    for label in &wanted.labels_to_attach {
        if !coin.labels.contains(label) {
            coin.labels.push(label.clone());
        }
    }
    if coin.labels.len() > MAX_LABELS {
        let must = format_args!("an output has at most {MAX_LABELS} labels");
        return Err(ApiError::invalid("labelsToAttach", must));
    }
    Ok(())
}

/// Where a strategy holds.
#[derive(Clone, Debug)]
enum Scope {
    Workspace,
    Wallet(String),
}

impl Scope {
    fn key(&self) -> &str {
        match self {
            Self::Workspace => "*",
            Self::Wallet(key) => key,
        }
    }

    const fn source(&self) -> &'static str {
        match self {
            Self::Workspace => "WORKSPACE",
            Self::Wallet(_) => "VAULT_ASSET",
        }
    }
}

/// The scope that the path names: a wallet, or the workspace.
fn scope(visit: &Visit<'_>) -> Result<Scope, ApiError> {
    if visit.params.get("vaultAccountId").is_empty() {
        return Ok(Scope::Workspace);
    }
    let (account, asset) = wallet(visit)?;
    let whole = ledger::Scope::whole(visit.hall.id());
    let found = visit.hall.books.wallet(&whole, account, &asset.asset_id());
    found.ok_or_else(ApiError::vault_asset_not_found)?;
    Ok(Scope::Wallet(format!("{account}/{}", asset.id)))
}

/// What is configured: in other words than requests have.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Preference {
    Asc,
    Desc,
    /// The fewest inputs: here the same as `Desc`.
    #[default]
    Adaptive,
}

impl From<Preference> for Strategy {
    fn from(preference: Preference) -> Self {
        match preference {
            Preference::Asc => Self::Ascending,
            Preference::Desc | Preference::Adaptive => Self::Descending,
        }
    }
}

/// Which coins are spent first where a request does not say.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SelectionConfig {
    scope: String,
    strategy: Preference,
    updated_at: Millis,
}

impl Kept for SelectionConfig {
    const KIND: &'static str = "utxo_selection";

    fn key(&self) -> String {
        self.scope.clone()
    }
}

/// The configured strategy of a scope, and what holds there.
fn configuration(
    own: Option<&SelectionConfig>,
    scope: &Scope,
    above: Option<&SelectionConfig>,
) -> Value {
    let (strategy, source) = match (own, above) {
        (Some(own), _) => (own.strategy, scope.source()),
        (None, Some(above)) => (above.strategy, Scope::Workspace.source()),
        (None, None) => (Preference::default(), "DEFAULT"),
    };
    let mut shown = json!({ "effective": { "strategy": strategy, "source": source } });
    if let Some(own) = own {
        let at = date_time(own.updated_at);
        shown["configured"] = json!({ "strategy": own.strategy, "updatedAt": at });
    }
    shown
}

async fn strategy(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let scope = scope(visit)?;
    let own = visit.hall.kept::<SelectionConfig>(scope.key()).await?;
    let above = visit
        .hall
        .kept::<SelectionConfig>(Scope::Workspace.key())
        .await?;
    Ok(Reply::json(
        200,
        &configuration(own.as_ref(), &scope, above.as_ref()),
    ))
}

#[derive(Deserialize)]
struct WantedStrategy {
    strategy: Preference,
}

async fn set_strategy(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let scope = scope(visit)?;
    let wanted: WantedStrategy = visit.body()?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let own = SelectionConfig {
            scope: scope.key().to_owned(),
            strategy: wanted.strategy,
            updated_at: deed.at,
        };
        deed.keep(&own)?;
        Ok(Reply::json(200, &configuration(Some(&own), &scope, None)))
    };
    visit.hall.effect(visit.call, work).await
}

impl Deed<'_, '_> {
    /// Which coins of a wallet are spent first where a request does not say.
    pub(crate) fn strategy(
        &mut self,
        account: VaultAccountId,
        asset: &AssetRow,
    ) -> Result<Strategy, Fault> {
        for key in [
            format!("{account}/{}", asset.id),
            Scope::Workspace.key().to_owned(),
        ] {
            if let Some(own) = self.kept::<SelectionConfig>(&key)? {
                return Ok(own.strategy.into());
            }
        }
        Ok(Strategy::default())
    }
}
