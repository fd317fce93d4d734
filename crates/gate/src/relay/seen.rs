//! What a scope shows of an event. Pure.

use ledger::{Change, Scope, view_transaction};
use serde::Serialize;
use serde_json::value::RawValue;
use store::StoreError;

use super::{About, Told, account_created};

pub(super) type Data = (Box<RawValue>, Option<String>);

pub(super) fn raw(value: &impl Serialize) -> Result<Box<RawValue>, StoreError> {
    serde_json::value::to_raw_value(value).map_err(|error| StoreError::Engine(error.to_string()))
}

/// The event's data and resource, as the scope's reader may see it; nothing where it may not.
pub(super) fn data(told: &Told<'_>, scope: &Scope) -> Result<Option<Data>, StoreError> {
    Ok(match &told.about {
        About::Change(Change::Transaction(transaction, origin)) => {
            match view_transaction(transaction, origin, scope) {
                Some(seen) => Some((raw(seen.get())?, Some(seen.get().id.to_string()))),
                None => None,
            }
        }
        About::Change(Change::Account(facts)) if scope.covers_account(facts.id) => {
            Some((raw(&account_created(facts))?, Some(facts.id.to_string())))
        }
        About::Added(added) if scope.covers_wallet(added.account_id, &added.asset_id) => {
            Some((raw(added)?, None))
        }
        About::Balance(balance)
            if scope.covers_wallet(balance.vault_account_id, &balance.asset_id) =>
        {
            Some((raw(balance)?, None))
        }
        About::Whitelist(changed)
            if scope.covers_whitelist(changed.wallet_id)
                && scope.covers_asset(&changed.asset_id) =>
        {
            Some((raw(changed)?, Some(changed.wallet_id.to_string())))
        }
        _ => None,
    })
}
