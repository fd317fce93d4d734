//! The gate's own tables and every statement on them. Each names the workspace: gates of several may
//! share a store, and none sees another's rows.

pub(crate) mod ages;
pub(crate) mod budgets;
pub(crate) mod connections;
pub(crate) mod csrs;
pub(crate) mod deliveries;
pub(crate) mod editors;
pub(crate) mod gates;
pub(crate) mod keys;
pub(crate) mod letters;
pub(crate) mod log;
pub(crate) mod operators;
pub(crate) mod proposals;
pub(crate) mod reports;
pub(crate) mod strays;
#[cfg(test)]
pub(crate) mod tests;

use store::{Migration, Room, Sql, StoreError};

/// The gate's tables.
pub const ROOM: Room = Room {
    name: "gate",
    migrations: &[
        Migration {
            id: 1,
            name: "gate",
            sql: Sql::Same(TABLES),
        },
        Migration {
            id: 2,
            name: "life",
            sql: Sql::Same(LIFE),
        },
        Migration {
            id: 3,
            name: "keys",
            sql: Sql::Same(KEYS),
        },
        Migration {
            id: 4,
            name: "gates",
            sql: Sql::Same(GATES),
        },
        Migration {
            id: 5,
            name: "budgets",
            sql: Sql::Same(BUDGETS),
        },
        Migration {
            id: 6,
            name: "witnesses",
            sql: Sql::Same(WITNESSES),
        },
        Migration {
            id: 7,
            name: "strays",
            sql: Sql::Same(STRAYS),
        },
        Migration {
            id: 8,
            name: "letters",
            sql: Sql::Same(LETTERS),
        },
        Migration {
            id: 9,
            name: "offers",
            sql: Sql::Same(OFFERS),
        },
        Migration {
            id: 10,
            name: "editors",
            sql: Sql::Same(EDITORS),
        },
        Migration {
            id: 11,
            name: "csrs",
            sql: Sql::Same(CSRS),
        },
        Migration {
            id: 12,
            name: "withheld",
            sql: Sql::Same(WITHHELD),
        },
        Migration {
            id: 13,
            name: "made_in",
            sql: Sql::Same(MADE_IN),
        },
    ],
};

const WITNESSES: &str = "
-- What witnesses have written under checkpoints: a line of a signed note each.
CREATE TABLE gate_log_cosignatures (
    workspace TEXT NOT NULL, size BIGINT NOT NULL, witness TEXT NOT NULL, at BIGINT NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY (workspace, witness, size));
CREATE INDEX gate_log_cosignatures_of ON gate_log_cosignatures (workspace, size, witness);
";

const GATES: &str = "
-- The processes over this store, and which version each goes by.
CREATE TABLE gate_gates (
    workspace TEXT NOT NULL, instance TEXT NOT NULL, name TEXT NOT NULL, joined_at BIGINT NOT NULL,
    beat BIGINT NOT NULL, acknowledged BIGINT NOT NULL, leads BIGINT NOT NULL, PRIMARY KEY (workspace, instance));
";

const STRAYS: &str = "
-- Transactions upstream that are the gate's own, and that nobody let go.
CREATE TABLE gate_strays (
    workspace TEXT NOT NULL, upstream TEXT NOT NULL, seen_at BIGINT NOT NULL, standing TEXT NOT NULL, doc TEXT NOT NULL,
    PRIMARY KEY (workspace, upstream));
CREATE INDEX gate_strays_by_standing ON gate_strays (workspace, standing, seen_at);
-- What an older store has looked away from is not judged now.
INSERT INTO gate_settings (workspace, name, value)
    SELECT workspace, 'strays_since', CAST(MAX(at) AS TEXT) FROM gate_log_leaves GROUP BY workspace;
";

const LETTERS: &str = "
-- The newest letter to each address about a connection; no next_at: a mail server has it.
CREATE TABLE gate_letters (
    workspace TEXT NOT NULL, connection TEXT NOT NULL, address TEXT NOT NULL, until BIGINT NOT NULL, days BIGINT NOT NULL,
    tries BIGINT NOT NULL, next_at BIGINT, trouble TEXT, PRIMARY KEY (workspace, connection, address));
";

const OFFERS: &str = "
-- Of whose refused offer a modulus is, where a provider brought it.
ALTER TABLE gate_seen_moduli ADD COLUMN connection TEXT;
CREATE INDEX gate_seen_moduli_of ON gate_seen_moduli (workspace, connection);
";

const EDITORS: &str = "
-- Every API user that ever was an Editor of the gate's, and since when: what it makes is watched for ever.
CREATE TABLE gate_editors (workspace TEXT NOT NULL, editor TEXT NOT NULL, since BIGINT NOT NULL, PRIMARY KEY (workspace, editor));
INSERT INTO gate_editors (workspace, editor, since) SELECT workspace, value, 0 FROM gate_settings WHERE name = 'editor';
";

const WITHHELD: &str = "
-- Keys whose CSR came together with a private key that nobody can look into: it may be theirs.
CREATE TABLE gate_withheld (
    workspace TEXT NOT NULL, claimant TEXT NOT NULL, fingerprint TEXT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (workspace, claimant, fingerprint));
";

const CSRS: &str = "
-- The CSR of each key that was taken. Of keys that came before this table, there is none.
CREATE TABLE gate_csrs (
    workspace TEXT NOT NULL, fingerprint TEXT NOT NULL, pem TEXT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (workspace, fingerprint));
";

const MADE_IN: &str = "
-- In which scope of its connection a report or a delivery was made. Of what came before this step nobody knows;
-- '-' is what holds nothing of any scope.
ALTER TABLE gate_reports ADD COLUMN scope TEXT;
ALTER TABLE gate_deliveries ADD COLUMN scope TEXT;
UPDATE gate_deliveries SET scope = '-' WHERE event_type = 'vestibule.connection.ending';
";

const LIFE: &str = "
-- Who is removed keeps its name and key: nobody else ever has them.
ALTER TABLE gate_operators ADD COLUMN removed_at BIGINT;
CREATE TABLE gate_changes (
    workspace TEXT NOT NULL, id TEXT NOT NULL, asked_at BIGINT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (workspace, id));
CREATE INDEX gate_changes_by_time ON gate_changes (workspace, asked_at);
CREATE TABLE gate_seen (workspace TEXT NOT NULL, connection TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (workspace, connection));
";

/// A connection's key is replaced while both are let in; every modulus ever seen is kept.
const KEYS: &str = "
DROP INDEX gate_keys_by_api_key;
CREATE INDEX gate_keys_of ON gate_keys (workspace, connection);
ALTER TABLE gate_keys ADD COLUMN state TEXT NOT NULL DEFAULT 'ACTIVE';
ALTER TABLE gate_keys ADD COLUMN added_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE gate_keys ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE gate_keys ADD COLUMN until BIGINT;
ALTER TABLE gate_keys ADD COLUMN expires_at BIGINT;
ALTER TABLE gate_keys ADD COLUMN last_used BIGINT;
UPDATE gate_keys SET state = 'BURNED' WHERE EXISTS (
    SELECT 1 FROM gate_burned WHERE gate_burned.workspace = gate_keys.workspace AND gate_burned.fingerprint = gate_keys.fingerprint);
-- Keys of requests that were refused, and burned keys: no later one may share a factor with them.
CREATE TABLE gate_seen_moduli (
    workspace TEXT NOT NULL, fingerprint TEXT NOT NULL, modulus BYTEA NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (workspace, fingerprint));
";

/// A row a connection; of an earlier day, it counts for nothing.
const BUDGETS: &str = "
CREATE TABLE gate_used (
    workspace TEXT NOT NULL, connection TEXT NOT NULL, day BIGINT NOT NULL,
    requests BIGINT NOT NULL, row_count BIGINT NOT NULL, reports BIGINT NOT NULL, forwards BIGINT NOT NULL,
    PRIMARY KEY (workspace, connection));
CREATE INDEX gate_proposals_open ON gate_proposals (workspace, connection, state);
";

const TABLES: &str = "
CREATE TABLE gate_settings (workspace TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (workspace, name));
CREATE TABLE gate_operators (
    workspace TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, spki BYTEA NOT NULL,
    PRIMARY KEY (workspace, id));
CREATE UNIQUE INDEX gate_operators_by_name ON gate_operators (workspace, name);
CREATE TABLE gate_connections (workspace TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (workspace, name));
-- A key belongs to exactly one connection.
CREATE TABLE gate_keys (
    workspace TEXT NOT NULL, fingerprint TEXT NOT NULL, connection TEXT NOT NULL, api_key TEXT NOT NULL, spki BYTEA NOT NULL,
    PRIMARY KEY (workspace, fingerprint));
CREATE UNIQUE INDEX gate_keys_by_api_key ON gate_keys (workspace, api_key);
-- Keys whose private half was seen: they are never enrolled again.
CREATE TABLE gate_burned (
    workspace TEXT NOT NULL, fingerprint TEXT NOT NULL, at BIGINT NOT NULL, how TEXT NOT NULL, PRIMARY KEY (workspace, fingerprint));
CREATE TABLE gate_proposals (
    workspace TEXT NOT NULL, id BYTEA NOT NULL, connection TEXT NOT NULL, state TEXT NOT NULL, external_id TEXT,
    up_external_id TEXT NOT NULL, created_at BIGINT NOT NULL, doc TEXT NOT NULL,
    PRIMARY KEY (workspace, id));
CREATE UNIQUE INDEX gate_proposals_up_id ON gate_proposals (workspace, up_external_id);
CREATE UNIQUE INDEX gate_proposals_own_id ON gate_proposals (workspace, connection, external_id);
CREATE INDEX gate_proposals_of ON gate_proposals (workspace, connection, created_at);
CREATE INDEX gate_proposals_by_state ON gate_proposals (workspace, state, created_at);
CREATE TABLE gate_deliveries (
    workspace TEXT NOT NULL, connection TEXT NOT NULL, position BIGINT NOT NULL, id BYTEA NOT NULL, event_type TEXT NOT NULL,
    created_at BIGINT NOT NULL, status TEXT NOT NULL, attempt BIGINT NOT NULL, due_at BIGINT NOT NULL,
    body BYTEA NOT NULL, jws TEXT, legacy TEXT, last TEXT,
    PRIMARY KEY (workspace, connection, position));
CREATE UNIQUE INDEX gate_deliveries_by_id ON gate_deliveries (workspace, connection, id);
CREATE INDEX gate_deliveries_due ON gate_deliveries (workspace, connection, status, due_at);
CREATE TABLE gate_reports (
    workspace TEXT NOT NULL, id TEXT NOT NULL, connection TEXT NOT NULL, kind TEXT NOT NULL, created_at BIGINT NOT NULL,
    position BIGINT NOT NULL, rows BIGINT NOT NULL, sha256 TEXT NOT NULL, file BYTEA NOT NULL, manifest BYTEA NOT NULL,
    PRIMARY KEY (workspace, id));
CREATE INDEX gate_reports_of ON gate_reports (workspace, connection, created_at);
CREATE TABLE gate_log_leaves (
    workspace TEXT NOT NULL, idx BIGINT NOT NULL, at BIGINT NOT NULL, kind TEXT NOT NULL, commitment BYTEA NOT NULL,
    salt BYTEA NOT NULL, payload TEXT, PRIMARY KEY (workspace, idx));
CREATE TABLE gate_log_hashes (workspace TEXT NOT NULL, idx BIGINT NOT NULL, hash BYTEA NOT NULL, PRIMARY KEY (workspace, idx));
CREATE TABLE gate_log_checkpoints (workspace TEXT NOT NULL, size BIGINT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (workspace, size));
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
