//! What only a crash would leave in the gate's database.

/// A proposal is on its way, and nobody knows whether it arrived.
pub const ON_ITS_WAY: &str = "UPDATE gate_proposals SET state = 'SENDING', doc = $2 WHERE id = $1";
