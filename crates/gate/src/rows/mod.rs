//! The gate's own tables and every statement on them.

pub(crate) mod ages;
pub(crate) mod connections;
pub(crate) mod deliveries;
pub(crate) mod log;
pub(crate) mod proposals;
pub(crate) mod reports;
#[cfg(test)]
pub(crate) mod tests;

use store::{Migration, Room, Sql, StoreError};

/// The gate's tables.
pub const ROOM: Room = Room {
    name: "gate",
    migrations: &[Migration {
        id: 1,
        name: "gate",
        sql: Sql::Same(TABLES),
    }],
};

const TABLES: &str = "
CREATE TABLE gate_settings (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE gate_operators (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, spki BYTEA NOT NULL);
CREATE TABLE gate_connections (name TEXT NOT NULL PRIMARY KEY, doc TEXT NOT NULL);
-- A key belongs to exactly one connection.
CREATE TABLE gate_keys (fingerprint TEXT NOT NULL PRIMARY KEY, connection TEXT NOT NULL, api_key TEXT NOT NULL UNIQUE, spki BYTEA NOT NULL);
-- Keys whose private half was seen: they are never enrolled again.
CREATE TABLE gate_burned (fingerprint TEXT NOT NULL PRIMARY KEY, at BIGINT NOT NULL, how TEXT NOT NULL);
CREATE TABLE gate_proposals (
    id BYTEA NOT NULL PRIMARY KEY, connection TEXT NOT NULL, state TEXT NOT NULL, external_id TEXT, up_external_id TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL, doc TEXT NOT NULL);
CREATE UNIQUE INDEX gate_proposals_own_id ON gate_proposals (connection, external_id);
CREATE INDEX gate_proposals_of ON gate_proposals (connection, created_at);
CREATE INDEX gate_proposals_by_state ON gate_proposals (state, created_at);
CREATE TABLE gate_deliveries (
    connection TEXT NOT NULL, position BIGINT NOT NULL, id BYTEA NOT NULL, event_type TEXT NOT NULL,
    created_at BIGINT NOT NULL, status TEXT NOT NULL, attempt BIGINT NOT NULL, due_at BIGINT NOT NULL,
    body BYTEA NOT NULL, jws TEXT, legacy TEXT, last TEXT,
    PRIMARY KEY (connection, position));
CREATE UNIQUE INDEX gate_deliveries_by_id ON gate_deliveries (connection, id);
CREATE INDEX gate_deliveries_due ON gate_deliveries (connection, status, due_at);
CREATE TABLE gate_reports (
    id TEXT NOT NULL PRIMARY KEY, connection TEXT NOT NULL, kind TEXT NOT NULL, created_at BIGINT NOT NULL,
    position BIGINT NOT NULL, rows BIGINT NOT NULL, sha256 TEXT NOT NULL, file BYTEA NOT NULL, manifest BYTEA NOT NULL);
CREATE INDEX gate_reports_of ON gate_reports (connection, created_at);
CREATE TABLE gate_log_leaves (
    idx BIGINT NOT NULL PRIMARY KEY, at BIGINT NOT NULL, kind TEXT NOT NULL, commitment BYTEA NOT NULL, salt BYTEA NOT NULL, payload TEXT);
CREATE TABLE gate_log_hashes (idx BIGINT NOT NULL PRIMARY KEY, hash BYTEA NOT NULL);
CREATE TABLE gate_log_checkpoints (size BIGINT NOT NULL PRIMARY KEY, note TEXT NOT NULL);
";

pub(crate) fn corrupt(table: &'static str, column: &'static str, id: impl ToString) -> StoreError {
    StoreError::Corrupt {
        table,
        column,
        id: id.to_string(),
    }
}

/// A number of the tables as Rust counts.
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A number as the tables have it.
pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A document of the tables.
pub(crate) fn doc(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Engine(error.to_string()))
}
