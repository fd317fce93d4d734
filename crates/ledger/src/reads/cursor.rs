//! Opaque cursors: where a page begins. They hold the last key of the page before, so that a list
//! stays stable while rows are added, and they name no more than their reader has seen.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::error::ApiError;
use serde::Serialize;
use serde::de::DeserializeOwned;

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
