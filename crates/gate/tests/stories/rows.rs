//! What only a crash would leave in the gate's database, or somebody who can write it; and the books of a
//! sandbox, read and made anew.

/// A proposal is on its way, and nobody knows whether it arrived.
pub const ON_ITS_WAY: &str = "UPDATE gate_proposals SET state = 'SENDING', doc = $2 WHERE id = $1";

/// A setting, in place of the one that is there.
pub const SET: &str = "UPDATE gate_settings SET value = $2 WHERE name = $1";

/// The books were never filled.
pub const NEVER_LOOKED: &str =
    "DELETE FROM gate_settings WHERE name >= 'as_of.' AND name < 'as_of/'";

/// What the books of a workspace say now.
pub const FACTS: &str =
    "SELECT kind, account, time, rank, doc FROM facts WHERE workspace = $1 ORDER BY kind, key";
pub const TRANSACTIONS: &str = "SELECT time, rank, doc, upstream_id, proposer FROM transactions WHERE workspace = $1 ORDER BY id";

/// Books that hold nothing any more but who may read them.
pub const EMPTIED: [&str; 6] = [
    "DELETE FROM facts WHERE workspace = $1 AND kind <> 'user'",
    "DELETE FROM past WHERE workspace = $1",
    "DELETE FROM transactions WHERE workspace = $1",
    "DELETE FROM scopes WHERE workspace = $1",
    "DELETE FROM scope_transactions WHERE workspace = $1",
    "DELETE FROM digest_cells WHERE workspace = $1",
];

/// The log's latest entries are gone, and every checkpoint that counts them.
pub const CUT: [&str; 3] = [
    "DELETE FROM gate_log_leaves WHERE idx >= 1",
    "DELETE FROM gate_log_hashes WHERE idx >= 1",
    "DELETE FROM gate_log_checkpoints WHERE size > 1",
];

/// Somebody has written another reason into the log.
pub const FORGED: &str = "UPDATE gate_log_leaves SET payload = '{}' WHERE idx = 1";

/// The same, and what the store knows of witnesses.
pub const FORGOTTEN: [&str; 4] = [CUT[0], CUT[1], CUT[2], "DELETE FROM gate_log_cosignatures"];
