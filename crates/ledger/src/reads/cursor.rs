//! Opaque cursors: where a page begins. They hold the last key of the page before, so that a list
//! stays stable while rows are added, and they name no more than their reader has seen. With a
//! [`Seal`] they are bound to one reader: no other's is taken, nor one that was made up.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::error::ApiError;
use protocol::model::vault::Paging;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Ask;

/// Longest cursor read, in bytes.
const MAX_LEN: usize = 512;
/// Bytes of a seal.
const SEAL_LEN: usize = 16;

/// What binds cursors to one reader.
#[derive(Clone)]
pub struct Seal(hmac::Key);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(..)")
    }
}

impl Seal {
    /// A reader's, made of the server's own secret.
    pub fn of(secret: &[u8], reader: &str) -> Self {
        let whole = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let own = hmac::sign(&whole, reader.as_bytes());
        Self(hmac::Key::new(hmac::HMAC_SHA256, own.as_ref()))
    }

    fn tag(&self, key: &[u8]) -> [u8; SEAL_LEN] {
        let mut short = [0; SEAL_LEN];
        let whole = hmac::sign(&self.0, key);
        for (byte, of_whole) in short.iter_mut().zip(whole.as_ref()) {
            *byte = *of_whole;
        }
        short
    }

    /// Whether the tag is this reader's, in the same time whatever it is.
    fn fits(&self, tag: &[u8], key: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(tag, &self.tag(key)).is_ok()
    }
}

/// A cursor that holds this.
pub(super) fn make(seal: Option<&Seal>, key: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(2 * SEAL_LEN);
    if seal.is_some() {
        bytes.extend([0; SEAL_LEN]);
    }
    // Into memory, and a key is always JSON.
    let _ = serde_json::to_writer(&mut bytes, key);
    if let Some((seal, (tag, key))) = seal.zip(bytes.split_at_mut_checked(SEAL_LEN)) {
        tag.copy_from_slice(&seal.tag(key));
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What a cursor holds; a made-up one, or another reader's, is the caller's error.
pub(super) fn read<T: DeserializeOwned>(
    seal: Option<&Seal>,
    name: &str,
    cursor: &str,
) -> Result<T, ApiError> {
    let bad = || ApiError::invalid(name, "a cursor of an answer");
    if cursor.len() > MAX_LEN {
        return Err(bad());
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
    let key = match seal {
        None => bytes.as_slice(),
        Some(seal) => {
            let (tag, key) = bytes.split_at_checked(SEAL_LEN).ok_or_else(bad)?;
            if !seal.fits(tag, key) {
                return Err(bad());
            }
            key
        }
    };
    serde_json::from_slice(key).map_err(|_| bad())
}

/// Where a page lies of a list that is walked by `after` and `before`.
pub(super) struct Walk<'a, P> {
    /// The row next to the page, in the direction it is walked from.
    pub(super) from: Option<P>,
    /// Whether the page ends there.
    pub(super) back: bool,
    seal: Option<&'a Seal>,
}

impl<'a, P: Serialize + DeserializeOwned> Walk<'a, P> {
    pub(super) fn of(ask: &Ask<'a>) -> Result<Self, ApiError> {
        let (from, back) = match (ask.query.one("after"), ask.query.one("before")) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid("after", "not together with before"));
            }
            (Some(after), None) => (Some(read(ask.seal, "after", after)?), false),
            (None, Some(before)) => (Some(read(ask.seal, "before", before)?), true),
            (None, None) => (None, false),
        };
        let seal = ask.seal;
        Ok(Self { from, back, seal })
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
            Some(make(self.seal, &place(row)))
        };
        let paging = Paging {
            before: cursor(rows.first(), begins),
            after: cursor(rows.last(), ends),
        };
        (rows, paging)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn invariant_7_a_cursor_is_of_one_reader(id in any::<u32>(), flip in 0..64_usize, bit in 0..8_u8) {
            let (ours, theirs) = (Seal::of(b"secret", "acme"), Seal::of(b"secret", "other"));
            let cursor = make(Some(&ours), &id);
            let read = |seal: Option<&Seal>, text: &str| read::<u32>(seal, "after", text);
            prop_assert_eq!(read(Some(&ours), &cursor), Ok(id));
            prop_assert!(read(Some(&theirs), &cursor).is_err());
            prop_assert!(read(Some(&ours), &make(None, &id)).is_err(), "made up");
            prop_assert!(read(None, &cursor).is_err());
            let mut bytes = URL_SAFE_NO_PAD.decode(&cursor).expect("base64");
            let at = flip % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert!(read(Some(&ours), &URL_SAFE_NO_PAD.encode(bytes)).is_err());
        }
    }
}
