//! The tables of nonces and idempotency keys.

use super::{Attempt, Given, REMEMBERED};
use crate::{Migration, Query, Room, Sql, StoreError, Writing, params};

/// The tables.
pub const ROOM: Room = Room {
    name: "once",
    migrations: &[
        Migration {
            id: 1,
            name: "nonces and answers",
            sql: Sql::Same(TABLES),
        },
        Migration {
            id: 2,
            name: "headers",
            sql: Sql::Same("ALTER TABLE once_answers ADD COLUMN headers TEXT NOT NULL DEFAULT ''"),
        },
    ],
};

const TABLES: &str = "
CREATE TABLE once_nonces (workspace TEXT NOT NULL, caller TEXT NOT NULL, nonce TEXT NOT NULL, until BIGINT NOT NULL,
    PRIMARY KEY (workspace, caller, nonce));
CREATE INDEX once_nonces_by_end ON once_nonces (workspace, until);
CREATE TABLE once_answers (workspace TEXT NOT NULL, caller TEXT NOT NULL, key TEXT NOT NULL, given_at BIGINT NOT NULL,
    status BIGINT NOT NULL, body BYTEA NOT NULL, PRIMARY KEY (workspace, caller, key));
CREATE INDEX once_answers_by_time ON once_answers (workspace, given_at);
";

/// Forgets what is over, in the attempt's workspace: each has clocks of its own.
pub(super) fn forget(writing: &mut Writing<'_>, attempt: &Attempt) -> Result<(), StoreError> {
    let workspace = attempt.workspace.as_str();
    writing.execute(
        "DELETE FROM once_nonces WHERE workspace = $1 AND until < $2",
        &params![workspace, attempt.now_seconds],
    )?;
    writing
        .execute(
            "DELETE FROM once_answers WHERE workspace = $1 AND given_at < $2",
            &params![workspace, attempt.now - REMEMBERED],
        )
        .map(drop)
}

pub(super) fn take_nonce(writing: &mut Writing<'_>, attempt: &Attempt) -> Result<bool, StoreError> {
    let sql = "INSERT INTO once_nonces (workspace, caller, nonce, until) VALUES ($1, $2, $3, $4)
        ON CONFLICT (workspace, caller, nonce) DO NOTHING";
    let params = params![
        attempt.workspace.as_str(),
        attempt.caller.as_str(),
        attempt.nonce.as_str(),
        attempt.nonce_until
    ];
    Ok(writing.execute(sql, &params)? == 1)
}

pub(super) fn answered(
    query: &mut impl Query,
    attempt: &Attempt,
    key: &str,
) -> Result<Option<Given>, StoreError> {
    let sql = "SELECT status, headers, body FROM once_answers
        WHERE workspace = $1 AND caller = $2 AND key = $3 AND given_at >= $4";
    let params = params![
        attempt.workspace.as_str(),
        attempt.caller.as_str(),
        key,
        attempt.now - REMEMBERED
    ];
    let row = query.row(sql, &params)?;
    row.map(|row| {
        Ok(Given {
            status: row.int(0)?,
            headers: row.text(1)?.to_owned(),
            body: row.bytes(2)?.to_vec(),
        })
    })
    .transpose()
}

pub(super) fn keep(
    writing: &mut Writing<'_>,
    attempt: &Attempt,
    key: &str,
    given: &Given,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO once_answers (workspace, caller, key, given_at, status, headers, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = params![
        attempt.workspace.as_str(),
        attempt.caller.as_str(),
        key,
        attempt.now,
        given.status,
        given.headers.as_str(),
        given.body.as_slice()
    ];
    writing.execute(sql, &params).map(drop)
}
