//! Opaque cursors: where a page begins. They hold the last key of the page before, so that a list
//! stays stable while rows are added, and they name no more than their reader has seen.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::error::ApiError;
use protocol::model::vault::Paging;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Ask;

/// Longest cursor read, in bytes.
const MAX_LEN: usize = 512;

/// A cursor that holds this.
pub(super) fn make(key: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

/// What a cursor holds; a made-up one is the caller's error.
pub(super) fn read<T: DeserializeOwned>(name: &str, cursor: &str) -> Result<T, ApiError> {
    let bad = || ApiError::invalid(name, "a cursor of an answer");
    if cursor.len() > MAX_LEN {
        return Err(bad());
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
    serde_json::from_slice(&bytes).map_err(|_| bad())
}

/// Where a page lies of a list that is walked by `after` and `before`.
pub(super) struct Walk<P> {
    /// The row next to the page, in the direction it is walked from.
    pub(super) from: Option<P>,
    /// Whether the page ends there.
    pub(super) back: bool,
}

impl<P: Serialize + DeserializeOwned> Walk<P> {
    pub(super) fn of(ask: &Ask<'_>) -> Result<Self, ApiError> {
        let (from, back) = match (ask.query.one("after"), ask.query.one("before")) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid("after", "not together with before"));
            }
            (Some(after), None) => (Some(read("after", after)?), false),
            (None, Some(before)) => (Some(read("before", before)?), true),
            (None, None) => (None, false),
        };
        Ok(Self { from, back })
    }

    /// Makes a page of what was read from there on: one row more than it holds, if there is one.
    pub(super) fn cut<T>(
        &self,
        mut rows: Vec<T>,
        limit: usize,
        place: impl Fn(&T) -> P,
    ) -> (Vec<T>, Paging) {
        let more = rows.len() > limit;
        rows.truncate(limit);
        if self.back {
            rows.reverse();
        }
        let (begins, ends) = if self.back {
            (more, true)
        } else {
            (self.from.is_some(), more)
        };
        let cursor = |row: Option<&T>, is_there: bool| {
            let row = row.filter(|_| is_there)?;
            Some(make(&place(row)))
        };
        let paging = Paging {
            before: cursor(rows.first(), begins),
            after: cursor(rows.last(), ends),
        };
        (rows, paging)
    }
}
