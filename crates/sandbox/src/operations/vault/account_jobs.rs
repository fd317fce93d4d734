//! Accounts and addresses by the dozen: jobs that can be asked about.

use std::collections::HashSet;
use std::ops::Range;

use ledger::change::WalletFacts;
use ledger::{AccountFacts, Change, Fault};
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::event::EventType;
use protocol::model::vault::{Tag, VaultAsset};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::accounts::{account_name, add_address, asset_of, first_address, several_addresses};
use crate::deed::Deed;
use crate::jobs::{self, Of, State};
use crate::operations::tag_attachments::at_birth;
use crate::operations::{Visit, area};
use crate::world::vault_address;

area! { visit;
    "createMultipleAccounts" => accounts(visit).await,
    "getCreateMultipleVaultAccountsJobStatus" => status(visit, Of::Accounts).await,
    "createMultipleDepositAddresses" => addresses(visit).await,
    "getCreateMultipleDepositAddressesJobStatus" => status(visit, Of::Addresses).await,
}

/// Most accounts or addresses of one job.
const MAX_COUNT: u32 = 10_000;

/// What a job is to make.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Plan {
    Accounts {
        names: Vec<String>,
        assets: Vec<AssetId>,
        tags: Vec<String>,
    },
    Addresses {
        account: VaultAccountId,
        asset: AssetId,
        count: u32,
        descriptions: Vec<String>,
    },
}

impl Plan {
    pub(crate) const fn of(&self) -> Of {
        match self {
            Self::Accounts { .. } => Of::Accounts,
            Self::Addresses { .. } => Of::Addresses,
        }
    }

    /// How many tasks it has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Accounts { names, .. } => names.len(),
            Self::Addresses { count, .. } => usize::try_from(*count).unwrap_or(usize::MAX),
        }
    }
}

/// Does tasks of a plan: what each has made.
pub(crate) fn make(
    deed: &mut Deed<'_, '_>,
    plan: &Plan,
    tasks: Range<usize>,
) -> Result<Vec<Value>, Fault> {
    match plan {
        Plan::Accounts {
            names,
            assets,
            tags,
        } => {
            let tags = at_birth(deed, tags)?;
            make_accounts(deed, names.get(tasks).unwrap_or_default(), assets, &tags)
        }
        Plan::Addresses {
            account,
            asset,
            descriptions,
            ..
        } => {
            let row = asset_of(deed.hall, asset)?;
            tasks
                .map(|task| {
                    let text = descriptions.get(task).map_or("", String::as_str);
                    let made = add_address(deed, *account, asset, row, text, None)?;
                    Ok(json!({
                        "address": made.address,
                        "index": made.bip44_address_index,
                        "description": text,
                    }))
                })
                .collect()
        }
    }
}

/// `GET .../bulk/{jobId}`.
async fn status(visit: &Visit<'_>, of: Of) -> Result<Reply, ApiError> {
    let job = visit.hall.job(visit.params.get("jobId")).await?;
    if job.of != of {
        return Err(ApiError::uncoded(404, "No such job"));
    }
    let made = visit.hall.made(&job).await?;
    let mut told = json!({"status": match job.state {
        State::Active | State::Paused => "IN_PROGRESS",
        State::Completed => "SUCCESS",
        State::Canceled | State::Failed => "FAILED",
    }});
    if job.state == State::Canceled {
        told["errorMessage"] = "The job was canceled".into();
    }
    if let Some(error) = job.error {
        told["errorMessage"] = error.into();
    }
    match of {
        Of::Addresses => told["addresses"] = made.into(),
        Of::Accounts => {
            let accounts = made.into_iter().filter_map(|mut one| {
                let id = one["id"].as_str()?.to_owned();
                Some((id, one["addresses"].take()))
            });
            told["vaultAccounts"] = accounts.collect::<Map<_, _>>().into();
        }
    }
    Ok(Reply::json(200, &told))
}

fn count(wanted: u32) -> Result<u32, ApiError> {
    if (1..=MAX_COUNT).contains(&wanted) {
        Ok(wanted)
    } else {
        let must = format_args!("a number from 1 to {MAX_COUNT}");
        Err(ApiError::invalid("count", must))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accounts {
    count: u32,
    base_asset_ids: Vec<AssetId>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    vault_account_names_starting_index: Option<u32>,
    #[serde(default)]
    prefix: Option<String>,
    #[serde(default)]
    tag_ids: Vec<String>,
}

impl Accounts {
    /// The names, as given or as counted on.
    fn names(&self) -> Result<Vec<String>, ApiError> {
        let count = count(self.count)?;
        if !self.names.is_empty() {
            if usize::try_from(count) != Ok(self.names.len()) {
                return Err(ApiError::invalid("names", "as many as count says"));
            }
            let named = self.names.iter().cloned();
            return named.map(|name| account_name(Some(name))).collect();
        }
        let prefix = self.prefix.as_deref().unwrap_or("Vault Account ");
        let first = self.vault_account_names_starting_index.unwrap_or(1);
        let numbers = first..first.saturating_add(count);
        numbers
            .map(|number| account_name(Some(format!("{prefix}{number}"))))
            .collect()
    }
}

/// `POST /vault/accounts/bulk`.
async fn accounts(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Accounts = visit.body()?;
    let names = wanted.names()?;
    for id in &wanted.base_asset_ids {
        let asset = asset_of(visit.hall, id)?;
        if asset.native != asset.id {
            return Err(ApiError::invalid("baseAssetIds", "base assets alone"));
        }
    }
    let (assets, tags, by) = (wanted.base_asset_ids, wanted.tag_ids, visit.guest.user);
    let work = move |deed: &mut Deed<'_, '_>| {
        free(deed, &names)?;
        let plan = Plan::Accounts {
            names: names.clone(),
            assets: assets.clone(),
            tags: tags.clone(),
        };
        let id = jobs::begin(deed, plan, by)?;
        Ok(Reply::json(200, &json!({ "jobId": id })))
    };
    visit.hall.effect(visit.call, work).await
}

/// Whether no account has any of the names, and no two of them are the same.
fn free(deed: &mut Deed<'_, '_>, names: &[String]) -> Result<(), Fault> {
    let mut taken = HashSet::new();
    for name in names {
        if !taken.insert(name) || deed.batch.account_named(deed.writing, name)?.is_some() {
            return Err(ApiError::vault_account_name_exists().into());
        }
    }
    Ok(())
}

fn make_accounts(
    deed: &mut Deed<'_, '_>,
    names: &[String],
    assets: &[AssetId],
    tags: &[Tag],
) -> Result<Vec<Value>, Fault> {
    free(deed, names)?;
    let first = deed.batch.next_account(deed.writing)?.number();
    let numbered = (first..).zip(names);
    numbered
        .map(|(number, name)| {
            let id = VaultAccountId::new(number);
            Ok(json!({"id": id, "addresses": one(deed, id, name, assets, tags)?}))
        })
        .collect()
}

/// One account of a job with its wallets; their addresses, by asset.
fn one(
    deed: &mut Deed<'_, '_>,
    id: VaultAccountId,
    name: &str,
    assets: &[AssetId],
    tags: &[Tag],
) -> Result<Value, Fault> {
    deed.apply(Change::Account(AccountFacts {
        id,
        name: name.to_owned(),
        hidden_on_ui: false,
        customer_ref_id: None,
        auto_fuel: false,
        tags: tags.to_vec(),
    }))?;
    let told = json!({"id": id, "name": name, "hiddenOnUI": false, "assets": []});
    deed.announce(EventType::VaultAccountCreated, Some(id.to_string()), &told)?;
    let mut made = Map::new();
    for asset in assets {
        let address = first_address(deed, id, asset_of(deed.hall, asset)?)?;
        let balance = VaultAsset::empty(asset.clone());
        let created_at = deed.at;
        deed.apply(Change::Wallet(
            id,
            WalletFacts {
                balance,
                created_at,
            },
        ))?;
        let shown = vault_address(asset.clone(), &address, 0, "");
        deed.apply(Change::Address(id, shown))?;
        made.insert(asset.to_string(), address.text.into());
    }
    Ok(made.into())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Addresses {
    vault_account_id: u32,
    asset_id: AssetId,
    count: u32,
    #[serde(default)]
    descriptions: Vec<String>,
}

/// `POST /vault/accounts/addresses/bulk`.
async fn addresses(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Addresses = visit.body()?;
    let count = count(wanted.count)?;
    let asset = asset_of(visit.hall, &wanted.asset_id)?;
    if !several_addresses(asset) {
        return Err(ApiError::one_address_only());
    }
    let account = VaultAccountId::new(wanted.vault_account_id);
    let by = visit.guest.user;
    let work = move |deed: &mut Deed<'_, '_>| {
        let plan = Plan::Addresses {
            account,
            asset: wanted.asset_id.clone(),
            count,
            descriptions: wanted.descriptions.clone(),
        };
        let id = jobs::begin(deed, plan, by)?;
        Ok(Reply::json(200, &json!({ "jobId": id })))
    };
    visit.hall.effect(visit.call, work).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(body: Value) -> Result<Vec<String>, u16> {
        let wanted: Accounts = serde_json::from_value(body).expect("a body");
        wanted.names().map_err(|error| error.status())
    }

    #[test]
    fn names_are_given_or_counted_on() {
        let ask = |more: Value| {
            let mut body = json!({"count": 2, "baseAssetIds": []});
            for (name, value) in more.as_object().into_iter().flatten() {
                body[name] = value.clone();
            }
            names(body)
        };
        let two = |a: &str, b: &str| Ok(vec![a.to_owned(), b.to_owned()]);
        assert_eq!(ask(json!({})), two("Vault Account 1", "Vault Account 2"));
        assert_eq!(
            ask(json!({"prefix": "D", "vaultAccountNamesStartingIndex": 9})),
            two("D9", "D10")
        );
        assert_eq!(ask(json!({"names": ["a", "b"]})), two("a", "b"));
        for bad in [
            json!({"names": ["a"]}),
            json!({"names": ["a", ""]}),
            json!({"count": 0}),
            json!({"count": 10_001}),
        ] {
            assert_eq!(ask(bad.clone()), Err(400), "{bad}");
        }
    }
}
