//! Accounts and addresses by the dozen: jobs that can be asked about. A job is done in the deed
//! that takes it in: whoever asks finds it completed.

use ledger::change::WalletFacts;
use ledger::{AccountFacts, Change, Fault};
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::event::EventType;
use protocol::model::vault::VaultAsset;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::accounts::{account_name, add_address, asset_of, first_address, several_addresses};
use super::{Visit, area};
use crate::deed::Deed;
use crate::shelf::Kept;
use crate::world::vault_address;

area! { visit;
    "createMultipleAccounts" => accounts(visit).await,
    "getCreateMultipleVaultAccountsJobStatus" => job(visit, Of::Accounts).await,
    "createMultipleDepositAddresses" => addresses(visit).await,
    "getCreateMultipleDepositAddressesJobStatus" => job(visit, Of::Addresses).await,
}

/// Most accounts or addresses of one job.
const MAX_COUNT: u32 = 10_000;

/// What a job makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Of {
    Accounts,
    Addresses,
}

/// A job, and what it answers who asks.
#[derive(Debug, Serialize, Deserialize)]
struct Job {
    id: String,
    of: Of,
    status: Value,
}

impl Kept for Job {
    const KIND: &'static str = "vault_job";

    fn key(&self) -> String {
        self.id.clone()
    }
}

fn keep(deed: &mut Deed<'_, '_>, of: Of, status: Value) -> Result<Reply, Fault> {
    let id = deed.chance.uuid().to_string();
    let reply = Reply::json(200, &json!({ "jobId": id }));
    deed.keep(&Job { id, of, status })?;
    Ok(reply)
}

/// `GET .../bulk/{jobId}`.
async fn job(visit: &Visit<'_>, of: Of) -> Result<Reply, ApiError> {
    let found = visit.hall.kept::<Job>(visit.params.get("jobId")).await?;
    let found = found.filter(|job| job.of == of);
    let found = found.ok_or_else(|| ApiError::uncoded(404, "No such job"))?;
    Ok(Reply::json(200, &found.status))
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
    let assets = wanted.base_asset_ids;
    let work = move |deed: &mut Deed<'_, '_>| {
        let there = deed.batch.accounts(deed.writing)?;
        let taken: std::collections::HashSet<_> =
            there.iter().map(|account| account.name.as_str()).collect();
        let mut made = Map::new();
        let mut next = there.iter().map(|known| known.id.number() + 1).max();
        let mut fresh = std::collections::HashSet::new();
        for name in &names {
            if taken.contains(name.as_str()) || !fresh.insert(name) {
                return Err(ApiError::vault_account_name_exists().into());
            }
            let id = VaultAccountId::new(next.unwrap_or(0));
            next = Some(id.number() + 1);
            made.insert(id.to_string(), one(deed, id, name, &assets)?);
        }
        keep(
            deed,
            Of::Accounts,
            json!({"status": "SUCCESS", "vaultAccounts": made}),
        )
    };
    visit.hall.effect(visit.call, work).await
}

/// One account of a job with its wallets; their addresses, by asset.
fn one(
    deed: &mut Deed<'_, '_>,
    id: VaultAccountId,
    name: &str,
    assets: &[AssetId],
) -> Result<Value, Fault> {
    deed.apply(Change::Account(AccountFacts {
        id,
        name: name.to_owned(),
        hidden_on_ui: false,
        customer_ref_id: None,
        auto_fuel: false,
        tags: Vec::new(),
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
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut made = Vec::new();
        for number in 0..count {
            let text = usize::try_from(number)
                .ok()
                .and_then(|at| wanted.descriptions.get(at))
                .map_or("", String::as_str);
            let address = add_address(deed, account, &wanted.asset_id, asset, text, None)?;
            made.push(json!({
                "address": address.address,
                "index": address.bip44_address_index,
                "description": text,
            }));
        }
        keep(
            deed,
            Of::Addresses,
            json!({"status": "SUCCESS", "addresses": made}),
        )
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
