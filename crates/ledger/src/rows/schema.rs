//! The tables of the books.

use store::{Migration, Room, Sql};

/// In milliseconds: how long after its creation at most a transaction of each class was last
/// updated; what was later is of one class more.
pub(super) const LATENESS_LIMITS: [i64; 7] = [
    60_000,
    600_000,
    3_600_000,
    21_600_000,
    86_400_000,
    604_800_000,
    2_592_000_000,
];

macro_rules! lateness {
    () => {
        "(CASE WHEN last_updated - created_at < 60000 THEN 0 WHEN last_updated - created_at < 600000 THEN 1 \
          WHEN last_updated - created_at < 3600000 THEN 2 WHEN last_updated - created_at < 21600000 THEN 3 \
          WHEN last_updated - created_at < 86400000 THEN 4 WHEN last_updated - created_at < 604800000 THEN 5 \
          WHEN last_updated - created_at < 2592000000 THEN 6 ELSE 7 END)"
    };
}

/// The class of a transaction, as SQL; an index has the transactions of each in the order of their
/// update.
pub(super) const LATENESS: &str = lateness!();

macro_rules! deep_pages {
    () => {
        concat!(
            "
DROP INDEX transactions_by_hash;
CREATE INDEX transactions_of_hash ON transactions (workspace, tx_hash, created_at, id);
CREATE INDEX transactions_of_hash_by_update ON transactions (workspace, tx_hash, last_updated, id);
CREATE INDEX transactions_by_lateness ON transactions (workspace, ",
            lateness!(),
            ", last_updated, id);
"
        )
    };
}

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
        Migration {
            id: 3,
            name: "sequence",
            sql: Sql::Same(SEQUENCE),
        },
        Migration {
            id: 4,
            name: "own external ids",
            sql: Sql::Same(OWN_EXTERNAL_IDS),
        },
        Migration {
            id: 5,
            name: "scopes that nobody reads",
            sql: Sql::Same(UNREAD_SCOPES),
        },
        Migration {
            id: 6,
            name: "digests that no mask changes",
            sql: Sql::Same(DIGESTS_TO_COUNT),
        },
        Migration {
            id: 7,
            name: "formulas of digests",
            sql: Sql::Same(DIGEST_FORMULAS),
        },
    ],
};

// By which formula a workspace's digests of transactions are counted. Where it is another than the opener's,
// or none is known, they are counted anew before anybody opens its books.
const DIGEST_FORMULAS: &str = "
CREATE TABLE digest_formulas (workspace TEXT NOT NULL PRIMARY KEY, formula BIGINT NOT NULL);
";

// Workspaces whose digests of transactions were to be counted anew; the formulas say so now.
const DIGESTS_TO_COUNT: &str = "
CREATE TABLE digests_to_count (workspace TEXT NOT NULL PRIMARY KEY);
INSERT INTO digests_to_count (workspace) SELECT DISTINCT workspace FROM digest_cells;
";

// Since when nobody reads a scope; whether all of its rows are there.
const UNREAD_SCOPES: &str = "
ALTER TABLE scopes ADD COLUMN unread_since BIGINT;
ALTER TABLE scopes ADD COLUMN is_whole BIGINT NOT NULL DEFAULT 1;
";

// Which of the changes a fact was written with, where several processes keep one read model each.
const SEQUENCE: &str = "
ALTER TABLE facts ADD COLUMN seq BIGINT;
CREATE INDEX facts_by_seq ON facts (workspace, seq) WHERE seq IS NOT NULL;
";

// By whose an id is, too: so that another's costs a reader what an unknown one does.
const OWN_EXTERNAL_IDS: &str = "
DROP INDEX transactions_by_external;
CREATE INDEX transactions_by_external ON transactions (workspace, external_id, proposer);
";

/// An index for each filter and order of a list of transactions, so that a page with one filter need
/// not read what it does not show. For books whose readers see the whole, and list: each row
/// written costs them all.
pub const LISTS: Room = Room {
    name: "lists",
    migrations: &[
        Migration {
            id: 1,
            name: "transactions",
            sql: Sql::Same(OF_TRANSACTIONS),
        },
        Migration {
            id: 2,
            name: "deep pages",
            sql: Sql::PerEngine {
                sqlite: DEEP_PAGES_SQLITE,
                postgres: deep_pages!(),
            },
        },
    ],
};

// SQLite would guess how much an index narrows down, and prefer one that has every row in order. It
// is told, once there is a table to tell it in.
const DEEP_PAGES_SQLITE: &str = concat!(
    deep_pages!(),
    "
ANALYZE schema_migrations;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('transactions', 'sqlite_autoindex_transactions_1', '1000000 500000 1'),
    ('transactions', 'transactions_by_creation', '1000000 500000 2 1'),
    ('transactions', 'transactions_by_update', '1000000 500000 2 1'),
    ('transactions', 'transactions_by_upstream', '1000000 500000 1'),
    ('transactions', 'transactions_by_external', '1000000 500000 1'),
    ('transactions', 'transactions_of_hash', '1000000 500000 1 1 1'),
    ('transactions', 'transactions_of_hash_by_update', '1000000 500000 1 1 1'),
    ('transactions', 'transactions_of_status', '1000000 500000 5000 1 1'),
    ('transactions', 'transactions_of_asset', '1000000 500000 5000 1 1'),
    ('transactions', 'transactions_from_kind', '1000000 500000 5000 1 1'),
    ('transactions', 'transactions_from', '1000000 500000 500 1 1'),
    ('transactions', 'transactions_to_kind', '1000000 500000 5000 1 1'),
    ('transactions', 'transactions_to', '1000000 500000 500 1 1'),
    ('transactions', 'transactions_of_status_by_update', '1000000 500000 5000 1 1'),
    ('transactions', 'transactions_of_asset_by_update', '1000000 500000 5000 1 1'),
    ('transactions', 'transactions_from_kind_by_update', '1000000 500000 5000 1 1'),
    ('transactions', 'transactions_from_by_update', '1000000 500000 500 1 1'),
    ('transactions', 'transactions_to_kind_by_update', '1000000 500000 5000 1 1'),
    ('transactions', 'transactions_to_by_update', '1000000 500000 500 1 1'),
    ('transactions', 'transactions_by_lateness', '1000000 500000 5000 1 1');
ANALYZE sqlite_master;
"
);

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
