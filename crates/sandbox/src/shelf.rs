//! What a workspace keeps beside its books, as documents: tags, groups, gas stations, exchange
//! accounts and the like, each kind a type of its own.
//!
//! To add a kind: implement [`Kept`]. No table and no statement is added.

use ledger::Fault;
use protocol::error::ApiError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Query, StoreError};

use crate::deed::Deed;
use crate::hall::{Hall, doc};
use crate::rows::shelf;

/// A kind of thing that is kept as a document.
pub(crate) trait Kept: Serialize + DeserializeOwned + Send + 'static {
    /// What the kind is called in the table; never to be changed.
    const KIND: &'static str;

    /// What no two of the kind in one workspace share.
    fn key(&self) -> String;
}

fn read<T: Kept>(key: &str, doc: &str) -> Result<T, StoreError> {
    serde_json::from_str(doc).map_err(|_| StoreError::Corrupt {
        table: "things",
        column: "doc",
        id: format!("{}/{key}", T::KIND),
    })
}

pub(crate) fn one<T: Kept>(
    query: &mut impl Query,
    hall: &Hall,
    key: &str,
) -> Result<Option<T>, StoreError> {
    let found = shelf::one(query, hall.id(), T::KIND, key)?;
    found.map(|doc| read(key, &doc)).transpose()
}

/// Every thing of a kind, in the order in which they came.
pub(crate) fn all<T: Kept>(query: &mut impl Query, hall: &Hall) -> Result<Vec<T>, StoreError> {
    let rows = shelf::all(query, hall.id(), T::KIND)?;
    rows.iter().map(|(key, doc)| read(key, doc)).collect()
}

impl Deed<'_, '_> {
    /// The thing of this key.
    pub(crate) fn kept<T: Kept>(&mut self, key: &str) -> Result<Option<T>, StoreError> {
        one(self.writing, self.hall, key)
    }

    /// Every thing of a kind, in the order in which they came.
    pub(crate) fn all_kept<T: Kept>(&mut self) -> Result<Vec<T>, StoreError> {
        all(self.writing, self.hall)
    }

    /// Keeps a thing, new or changed.
    pub(crate) fn keep<T: Kept>(&mut self, thing: &T) -> Result<(), StoreError> {
        let text = doc(thing)?;
        shelf::put(self.writing, self.hall.id(), T::KIND, &thing.key(), &text)
    }

    /// Keeps a thing that was not there, at a place of its own among those of its kind.
    pub(crate) fn append<T: Kept>(&mut self, thing: &T, place: i64) -> Result<(), StoreError> {
        let text = doc(thing)?;
        let key = thing.key();
        shelf::add(self.writing, self.hall.id(), T::KIND, &key, &text, place)
    }

    /// Keeps a thing no longer; `false` if there was none.
    pub(crate) fn discard<T: Kept>(&mut self, key: &str) -> Result<bool, StoreError> {
        shelf::remove(self.writing, self.hall.id(), T::KIND, key)
    }
}

impl Hall {
    /// The thing of this key.
    pub(crate) async fn kept<T: Kept>(
        self: &std::sync::Arc<Self>,
        key: &str,
    ) -> Result<Option<T>, ApiError> {
        let (hall, key) = (std::sync::Arc::clone(self), key.to_owned());
        let read = self
            .books
            .store()
            .read(move |reading| one(reading, &hall, &key));
        Ok(read.await.map_err(Fault::from)?)
    }

    /// Every thing of a kind, in the order in which they came.
    pub(crate) async fn all_kept<T: Kept>(self: &std::sync::Arc<Self>) -> Result<Vec<T>, ApiError> {
        let hall = std::sync::Arc::clone(self);
        let read = self.books.store().read(move |reading| all(reading, &hall));
        Ok(read.await.map_err(Fault::from)?)
    }

    /// Up to `limit` things of a kind at places after `from` and before `to`: the first ones, or
    /// the last ones, the last first.
    pub(crate) async fn kept_between<T: Kept>(
        self: &std::sync::Arc<Self>,
        between: (i64, i64),
        last: bool,
        limit: i64,
    ) -> Result<Vec<T>, ApiError> {
        let hall = std::sync::Arc::clone(self);
        let read = self.books.store().read(move |reading| {
            let rows = shelf::between(reading, hall.id(), T::KIND, between, last, limit)?;
            let things = rows.iter().map(|(key, doc)| read(key, doc));
            things.collect::<Result<Vec<T>, StoreError>>()
        });
        Ok(read.await.map_err(Fault::from)?)
    }
}
