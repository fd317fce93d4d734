//! The tables of the books.

use store::{Migration, Room, Sql};

/// The books' tables.
pub const ROOM: Room = Room {
    name: "ledger",
    migrations: &[
        Migration {
            id: 1,
            name: "books",
            sql: Sql::Same(BOOKS),
        },
        Migration {
            id: 2,
            name: "labels",
            sql: Sql::PerEngine {
                sqlite: LABELS_SQLITE,
                postgres: LABELS_POSTGRES,
            },
        },
    ],
};

/// An index for each filter and order of a list of transactions, so that a page with one filter need
/// not read what it does not show. For books whose readers see the whole, and list: each row
/// written costs them all.
pub const LISTS: Room = Room {
    name: "lists",
    migrations: &[Migration {
        id: 1,
        name: "transactions",
        sql: Sql::Same(OF_TRANSACTIONS),
    }],
};

const OF_TRANSACTIONS: &str = "
CREATE INDEX transactions_of_status ON transactions (workspace, status, created_at, id);
CREATE INDEX transactions_of_asset ON transactions (workspace, asset, created_at, id);
CREATE INDEX transactions_from_kind ON transactions (workspace, source_kind, created_at, id);
CREATE INDEX transactions_from ON transactions (workspace, source_id, created_at, id);
CREATE INDEX transactions_to_kind ON transactions (workspace, destination_kind, created_at, id);
CREATE INDEX transactions_to ON transactions (workspace, destination_id, created_at, id);
CREATE INDEX transactions_of_status_by_update ON transactions (workspace, status, last_updated, id);
CREATE INDEX transactions_of_asset_by_update ON transactions (workspace, asset, last_updated, id);
CREATE INDEX transactions_from_kind_by_update ON transactions (workspace, source_kind, last_updated, id);
CREATE INDEX transactions_from_by_update ON transactions (workspace, source_id, last_updated, id);
CREATE INDEX transactions_to_kind_by_update ON transactions (workspace, destination_kind, last_updated, id);
CREATE INDEX transactions_to_by_update ON transactions (workspace, destination_id, last_updated, id);
";

// What a fact is found by (an account's name, an address) and its place among its wallet's addresses.
const LABELS_SQLITE: &str = "
ALTER TABLE facts ADD COLUMN label TEXT;
ALTER TABLE facts ADD COLUMN place BIGINT;
UPDATE facts SET label = json_extract(doc, '$.name') WHERE kind = 'account' AND doc IS NOT NULL;
UPDATE facts SET label = json_extract(doc, '$.address'), place = COALESCE(json_extract(doc, '$.bip44AddressIndex'), 0)
    WHERE kind = 'address' AND doc IS NOT NULL;
CREATE INDEX facts_of_label ON facts (workspace, kind, label) WHERE label IS NOT NULL;
CREATE INDEX facts_by_place ON facts (workspace, kind, account, asset, place, key) WHERE place IS NOT NULL;
";
const LABELS_POSTGRES: &str = "
ALTER TABLE facts ADD COLUMN label TEXT;
ALTER TABLE facts ADD COLUMN place BIGINT;
UPDATE facts SET label = doc::json ->> 'name' WHERE kind = 'account' AND doc IS NOT NULL;
UPDATE facts SET label = doc::json ->> 'address', place = COALESCE((doc::json ->> 'bip44AddressIndex')::bigint, 0)
    WHERE kind = 'address' AND doc IS NOT NULL;
CREATE INDEX facts_of_label ON facts (workspace, kind, label) WHERE label IS NOT NULL;
CREATE INDEX facts_by_place ON facts (workspace, kind, account, asset, place, key) WHERE place IS NOT NULL;
";

const BOOKS: &str = "
-- What is true now: one row a thing. No document: it is gone.
CREATE TABLE facts (
    workspace TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
    account BIGINT, asset TEXT,
    time BIGINT NOT NULL, rank BIGINT NOT NULL, recorded_at BIGINT NOT NULL, doc TEXT,
    PRIMARY KEY (workspace, kind, key));
CREATE INDEX facts_of_account ON facts (workspace, kind, account, asset);
-- What was true before.
CREATE TABLE past (
    workspace TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
    time BIGINT NOT NULL, rank BIGINT NOT NULL, recorded_at BIGINT NOT NULL, replaced_at BIGINT NOT NULL, doc TEXT);
CREATE INDEX past_of_thing ON past (workspace, kind, key, time);
CREATE TABLE transactions (
    workspace TEXT NOT NULL, id BYTEA NOT NULL, upstream_id BYTEA, external_id TEXT, proposer TEXT,
    created_at BIGINT NOT NULL, last_updated BIGINT NOT NULL, status TEXT NOT NULL, asset TEXT NOT NULL,
    source_kind TEXT NOT NULL, source_id TEXT, destination_kind TEXT NOT NULL, destination_id TEXT, tx_hash TEXT NOT NULL,
    time BIGINT NOT NULL, rank BIGINT NOT NULL, recorded_at BIGINT NOT NULL, doc TEXT NOT NULL,
    PRIMARY KEY (workspace, id));
CREATE INDEX transactions_by_creation ON transactions (workspace, created_at, id);
CREATE INDEX transactions_by_update ON transactions (workspace, last_updated, id);
CREATE INDEX transactions_by_upstream ON transactions (workspace, upstream_id);
CREATE INDEX transactions_by_external ON transactions (workspace, external_id);
CREATE INDEX transactions_by_hash ON transactions (workspace, tx_hash);
-- What a scope that hides something covers: one row a visible transaction.
CREATE TABLE scopes (workspace TEXT NOT NULL, scope TEXT NOT NULL, part TEXT NOT NULL, PRIMARY KEY (workspace, scope));
CREATE TABLE scope_transactions (
    workspace TEXT NOT NULL, scope TEXT NOT NULL, created_at BIGINT NOT NULL, id BYTEA NOT NULL,
    PRIMARY KEY (workspace, scope, created_at, id));
CREATE UNIQUE INDEX scope_transactions_by_id ON scope_transactions (workspace, scope, id);
CREATE TABLE digest_cells (
    workspace TEXT NOT NULL, account BIGINT NOT NULL, asset TEXT NOT NULL, kind TEXT NOT NULL, month BIGINT NOT NULL,
    count BIGINT NOT NULL, sum BYTEA NOT NULL,
    PRIMARY KEY (workspace, account, asset, kind, month));
CREATE TABLE positions (workspace TEXT NOT NULL, subscriber TEXT NOT NULL, position BIGINT NOT NULL,
    PRIMARY KEY (workspace, subscriber));
";
