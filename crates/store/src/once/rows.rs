//! The tables of nonces and idempotency keys.

use super::{Attempt, Given};
use crate::{Migration, Query, Room, Sql, StoreError, Writing, params};

/// The tables.
pub const ROOM: Room = Room {
    name: "once",
    migrations: &[Migration {
        id: 1,
        name: "nonces and answers",
        sql: Sql::Same(TABLES),
    }],
};

const TABLES: &str = "
CREATE TABLE once_nonces (caller TEXT NOT NULL, nonce TEXT NOT NULL, until BIGINT NOT NULL, PRIMARY KEY (caller, nonce));
CREATE INDEX once_nonces_by_end ON once_nonces (until);
CREATE TABLE once_answers (caller TEXT NOT NULL, key TEXT NOT NULL, given_at BIGINT NOT NULL,
    status BIGINT NOT NULL, body BYTEA NOT NULL, PRIMARY KEY (caller, key));
CREATE INDEX once_answers_by_time ON once_answers (given_at);
";

pub(super) fn forget(
    writing: &mut Writing<'_>,
    seconds: i64,
    millis: i64,
) -> Result<(), StoreError> {
    writing.execute(
        "DELETE FROM once_nonces WHERE until < $1",
        &params![seconds],
    )?;
    writing
        .execute(
            "DELETE FROM once_answers WHERE given_at < $1",
            &params![millis],
        )
        .map(drop)
}

pub(super) fn take_nonce(writing: &mut Writing<'_>, attempt: &Attempt) -> Result<bool, StoreError> {
    let sql = "INSERT INTO once_nonces (caller, nonce, until) VALUES ($1, $2, $3) ON CONFLICT (caller, nonce) DO NOTHING";
    let params = params![
        attempt.caller.as_str(),
        attempt.nonce.as_str(),
        attempt.nonce_until
    ];
    Ok(writing.execute(sql, &params)? == 1)
}

pub(super) fn answered(
    query: &mut impl Query,
    caller: &str,
    key: &str,
    since: i64,
) -> Result<Option<Given>, StoreError> {
    let sql =
        "SELECT status, body FROM once_answers WHERE caller = $1 AND key = $2 AND given_at >= $3";
    let row = query.row(sql, &params![caller, key, since])?;
    row.map(|row| {
        Ok(Given {
            status: row.int(0)?,
            body: row.bytes(1)?.to_vec(),
        })
    })
    .transpose()
}

pub(super) fn keep(
    writing: &mut Writing<'_>,
    attempt: &Attempt,
    key: &str,
    status: i64,
    body: &[u8],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO once_answers (caller, key, given_at, status, body) VALUES ($1, $2, $3, $4, $5)";
    let params = params![attempt.caller.as_str(), key, attempt.now, status, body];
    writing.execute(sql, &params).map(drop)
}
