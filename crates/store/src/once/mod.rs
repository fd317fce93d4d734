//! What makes a write happen once: a token's nonce and an `Idempotency-Key`, each a unique row in
//! the transaction of the effect. For whichever room serves writes.

mod rows;

use crate::{StoreError, Writing};

pub use rows::ROOM;

/// Longest `Idempotency-Key`, in characters.
pub const MAX_KEY: usize = 40;
/// How long an answer is remembered under its key, in milliseconds.
pub const REMEMBERED: i64 = 24 * 60 * 60 * 1_000;

/// A write, as far as it must happen once.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// In which workspace: what happened in one says nothing of another.
    pub workspace: String,
    /// Whose: nonces and keys of different callers never meet.
    pub caller: String,
    /// The token's nonce.
    pub nonce: String,
    /// Until when the nonce must be remembered, in seconds since the epoch.
    pub nonce_until: i64,
    /// The `Idempotency-Key`, if there is one.
    pub key: Option<String>,
    /// Now by the world's clock, in seconds since the epoch: for nonces.
    pub now_seconds: i64,
    /// Now by the clock that answers are remembered by, in milliseconds since the epoch.
    pub now: i64,
}

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The HTTP status.
    pub status: i64,
    /// Its own headers, a line each: `name: value`.
    pub headers: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Where an attempt stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the first.
    First,
    /// The key was answered before: this was the answer.
    Answered(Given),
    /// The nonce was used before.
    Replayed,
}

/// Begins an attempt, in the transaction of its effect.
pub fn begin(writing: &mut Writing<'_>, attempt: &Attempt) -> Result<Standing, StoreError> {
    rows::forget(writing, attempt)?;
    if !rows::take_nonce(writing, attempt)? {
        return Ok(Standing::Replayed);
    }
    let given = match &attempt.key {
        Some(key) => rows::answered(writing, attempt, key)?,
        None => None,
    };
    Ok(given.map_or(Standing::First, Standing::Answered))
}

/// Keeps the answer under the attempt's key, in the same transaction.
pub fn end(writing: &mut Writing<'_>, attempt: &Attempt, given: &Given) -> Result<(), StoreError> {
    match &attempt.key {
        Some(key) => rows::keep(writing, attempt, key, given),
        None => Ok(()),
    }
}
