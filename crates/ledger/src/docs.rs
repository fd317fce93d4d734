//! Facts as the tables keep them: JSON documents; and what answers are put together of, JSON already.

use bytes::{BufMut, Bytes, BytesMut};
use serde::de::DeserializeOwned;
use store::StoreError;

use crate::rows;

pub(crate) fn to_doc(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Engine(error.to_string()))
}

pub(crate) fn parse<T: DeserializeOwned>(what: &'static str, doc: &str) -> Result<T, StoreError> {
    serde_json::from_str(doc).map_err(|_| rows::corrupt("facts", "doc", what))
}

/// What is JSON already.
pub(crate) trait Json {
    /// Its bytes, or more.
    fn room(&self) -> usize;

    /// Writes it.
    fn put(&self, out: &mut BytesMut);
}

impl Json for Bytes {
    fn room(&self) -> usize {
        self.len()
    }

    fn put(&self, out: &mut BytesMut) {
        out.put_slice(self);
    }
}
