//! Whether transactions may go to one-time addresses.

use ledger::Fault;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::deed::Deed;
use crate::operations::{Visit, area};
use crate::quorum::Ask;
use crate::shelf::Kept;

area! { visit;
    "getOtaStatus" => show(visit).await,
    "setOtaStatus" => set(visit).await,
}

/// The setting.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct OneTimeAddresses {
    enabled: bool,
}

impl Default for OneTimeAddresses {
    fn default() -> Self {
        Self { enabled: true }
    }
}

impl Kept for OneTimeAddresses {
    const KIND: &'static str = "one_time_addresses";

    fn key(&self) -> String {
        String::new()
    }
}

fn now(deed: &mut Deed<'_, '_>) -> Result<OneTimeAddresses, Fault> {
    Ok(deed.kept::<OneTimeAddresses>("")?.unwrap_or_default())
}

/// Refuses a transaction to a one-time address where they are turned off.
pub(crate) fn check(deed: &mut Deed<'_, '_>) -> Result<(), Fault> {
    if now(deed)?.enabled {
        return Ok(());
    }
    let why = "One-time addresses are turned off in this workspace";
    Err(ApiError::bad_transaction(why).into())
}

/// The quorum has decided.
pub(crate) fn turn(deed: &mut Deed<'_, '_>, enabled: bool) -> Result<(), Fault> {
    Ok(deed.keep(&OneTimeAddresses { enabled })?)
}

/// `GET /management/ota`.
async fn show(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let kept = visit.hall.kept::<OneTimeAddresses>("").await?;
    Ok(Reply::json(200, &kept.unwrap_or_default()))
}

#[derive(Deserialize)]
struct Wanted {
    enabled: Option<bool>,
}

/// `PUT /management/ota`: accepted; the quorum decides.
async fn set(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Wanted = visit.body()?;
    let missing = || ApiError::invalid("enabled", "true or false");
    let (enabled, by) = (wanted.enabled.ok_or_else(missing)?, visit.guest.user);
    let work = move |deed: &mut Deed<'_, '_>| {
        if now(deed)?.enabled == enabled {
            let message = format!("No change needed. The current status is {enabled}");
            return Ok(Reply::json(202, &json!({ "message": message })));
        }
        deed.ask(Ask::OneTimeAddress { enabled }, Some(by))?;
        Ok(Reply::json(202, &"Accepted"))
    };
    visit.hall.effect(visit.call, work).await
}
