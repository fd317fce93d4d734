//! What somebody with the database in hand could do to the log.

/// Each alone, and what verification calls it.
pub(super) const CHANGES: [(&str, &str); 12] = [
    (
        "UPDATE gate_log_leaves SET payload = '{}' WHERE idx = 3",
        "entry 3 was changed",
    ),
    (
        "UPDATE gate_log_leaves SET salt = commitment WHERE idx = 3",
        "entry 3 was changed",
    ),
    (
        "UPDATE gate_log_leaves SET at = at - 86400000 WHERE idx = 4",
        "entry 4 was changed",
    ),
    (
        "UPDATE gate_log_leaves SET kind = 'proposal_rejected' WHERE idx = 5",
        "entry 5 was changed",
    ),
    (
        "UPDATE gate_log_leaves SET payload = NULL, commitment = salt WHERE idx = 6",
        "entry 6 was changed",
    ),
    (
        "DELETE FROM gate_log_leaves WHERE idx = 2",
        "entry 2 is missing",
    ),
    (
        "DELETE FROM gate_log_leaves WHERE idx = 0",
        "entry 0 is missing",
    ),
    (
        "DELETE FROM gate_log_leaves WHERE idx >= 7",
        "the log was cut",
    ),
    (
        "UPDATE gate_log_hashes SET hash = (SELECT hash FROM gate_log_hashes WHERE idx = 0) WHERE idx = 2",
        "the stored hash 2",
    ),
    (
        "DELETE FROM gate_log_hashes WHERE idx = 2",
        "the stored hash 2",
    ),
    (
        "UPDATE gate_log_checkpoints SET note = (SELECT MIN(note) FROM gate_log_checkpoints WHERE size = 4) WHERE size = 8",
        "the checkpoint of size 8",
    ),
    (
        "INSERT INTO gate_log_hashes (workspace, idx, hash) SELECT workspace, 99, hash FROM gate_log_hashes WHERE idx = 0",
        "the stored hash",
    ),
];

/// The last entries are gone, with all that is known of them but the checkpoint.
pub(super) const CUT: [&str; 2] = [
    "DELETE FROM gate_log_leaves WHERE idx >= 7",
    "DELETE FROM gate_log_hashes WHERE idx >= 11",
];

/// Everything is gone but the checkpoints.
pub(super) const EMPTIED: [&str; 2] =
    ["DELETE FROM gate_log_leaves", "DELETE FROM gate_log_hashes"];

/// A payload is erased.
pub(super) const ERASED: [&str; 1] = ["UPDATE gate_log_leaves SET payload = NULL WHERE idx = 3"];

/// Everything is gone, as in a store that was made anew.
pub(super) const NOTHING_LEFT: [&str; 3] = [
    "DELETE FROM gate_log_leaves",
    "DELETE FROM gate_log_hashes",
    "DELETE FROM gate_log_checkpoints",
];

/// Every checkpoint is gone: now the entries could be rewritten without the log's key.
pub(super) const NOTHING_SIGNED: [&str; 1] = ["DELETE FROM gate_log_checkpoints"];

/// Only the older entries are signed.
pub(super) const NEWEST_UNSIGNED: [&str; 1] = ["DELETE FROM gate_log_checkpoints WHERE size = 8"];

/// The last entries are gone, and with them the checkpoint that counts them.
pub(super) const CUT_WITH_CHECKPOINTS: [&str; 3] = [
    "DELETE FROM gate_log_leaves WHERE idx >= 4",
    "DELETE FROM gate_log_hashes WHERE idx >= 7",
    "DELETE FROM gate_log_checkpoints WHERE size = 8",
];
