//! The log's entries, the latest first.

use protocol::error::ApiError;
use protocol::time::Millis;
use serde::Serialize;
use serde_json::value::RawValue;
use store::StoreError;

use super::refused;
use crate::gate::Gate;
use crate::rows;

/// Most entries of a list.
const MAX_LISTED: u32 = 500;

/// An entry as it is shown.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Its place in the log.
    pub index: u64,
    /// When.
    pub at: Millis,
    /// What kind.
    pub kind: String,
    /// What it tells, unless that was erased.
    pub entry: Option<Box<RawValue>>,
}

/// The latest entries.
pub(crate) async fn latest(gate: &Gate) -> Result<Vec<Shown>, ApiError> {
    let workspace = gate.workspace();
    let read = gate.store.read(move |reading| {
        let size = rows::log::size(reading, workspace)?;
        rows::log::leaves(
            reading,
            workspace,
            size.saturating_sub(u64::from(MAX_LISTED)),
            MAX_LISTED,
        )
    });
    let leaves = read
        .await
        .map_err(|error: StoreError| refused(500, error))?;
    Ok(leaves
        .into_iter()
        .rev()
        .map(|leaf| Shown {
            index: leaf.index,
            at: leaf.at,
            kind: leaf.kind,
            entry: leaf
                .payload
                .and_then(|payload| RawValue::from_string(payload).ok()),
        })
        .collect())
}
