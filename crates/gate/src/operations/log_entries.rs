//! The log's entries, the latest first.

use protocol::error::ApiError;
use protocol::time::Millis;
use serde::Serialize;
use serde_json::value::RawValue;
use store::StoreError;

use super::refused;
use crate::admin_api::page::{Page, Rows};
use crate::gate::Gate;
use crate::rows;
use crate::rows::log::Leaf;

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

/// Entries, the newest first.
pub(crate) async fn latest(gate: &Gate, page: &Page) -> Result<Rows<Shown>, ApiError> {
    let workspace = gate.workspace();
    let before: Option<u64> = page.key(|text| text.parse().ok())?;
    let wanted = page.wanted();
    let read = gate.store.read(move |reading| {
        let size = rows::log::size(reading, workspace)?;
        let end = before.map_or(size, |before| before.min(size));
        let from = end.saturating_sub(wanted.into());
        let count = u32::try_from(end - from).unwrap_or(wanted);
        rows::log::leaves(reading, workspace, from, count)
    });
    let leaves = read
        .await
        .map_err(|error: StoreError| refused(500, error))?;
    let shown = |leaf: Leaf| Shown {
        index: leaf.index,
        at: leaf.at,
        kind: leaf.kind,
        entry: leaf
            .payload
            .and_then(|payload| RawValue::from_string(payload).ok()),
    };
    let newest_first = leaves.into_iter().rev().map(shown).collect();
    Ok(page.cut(newest_first, |one: &Shown| one.index.to_string()))
}
