//! What a connection held, and until when: a record signed with the log's key, for both sides to keep.

use protocol::error::ApiError;
use protocol::ids::{TxId, UserId};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use signed_note::{Note, Signature, key_id};
use store::StoreError;

use super::connections::find;
use super::refused;
use crate::connections::{Closed, State, Terms};
use crate::gate::Gate;
use crate::rows;

/// The algorithm byte of Ed25519 in a note's key id.
const ED25519: u8 = 1;

/// What was held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The workspace.
    pub workspace_id: String,
    /// The connection's name.
    pub connection: String,
    /// The provider's own name.
    pub provider: String,
    /// The API key that it called with.
    pub api_key: UserId,
    /// Names its key.
    pub fingerprint: String,
    /// What it might do at the end.
    pub terms: Terms,
    /// When it asked.
    pub requested_at: Millis,
    /// When it was approved, and by whom.
    pub approved: Option<(Millis, String)>,
    /// When it was closed for ever, by whom, and why.
    pub closed: Option<Closed>,
    /// The upstream id of each of its transactions, beside the id that it knows.
    pub transactions: Vec<(TxId, TxId)>,
}

/// The record, and the same as a signed note (C2SP), whose text is the record's JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told {
    /// The record.
    pub record: Record,
    /// The signed note.
    pub note: String,
    /// The log's public key, which signed it.
    pub log_key: String,
}

/// The record of a revoked connection.
pub(crate) async fn record(gate: &Gate, name: &str) -> Result<Told, ApiError> {
    let connection = find(gate, name)?;
    if connection.state != State::Revoked {
        return Err(refused(
            409,
            "the connection is not REVOKED: a record is of what is over",
        ));
    }
    let (workspace, kept) = (gate.workspace(), connection.name.clone());
    let read = gate
        .store
        .read(move |reading| rows::proposals::sent_of(reading, workspace, &kept));
    let sent = read
        .await
        .map_err(|error: StoreError| refused(500, error))?;
    let transactions = sent
        .into_iter()
        .filter_map(|proposal| Some((proposal.id, proposal.upstream_id?)));
    // As whom it proposed upstream is the client's own affair.
    let terms = Terms {
        editor: None,
        ..Terms::of(&connection)
    };
    let record = Record {
        workspace_id: workspace.to_string(),
        terms,
        connection: connection.name,
        provider: connection.provider,
        api_key: connection.api_key,
        fingerprint: connection.fingerprint,
        requested_at: connection.requested_at,
        approved: connection.approved,
        closed: connection.closed,
        transactions: transactions.collect(),
    };
    let text = serde_json::to_string_pretty(&record).map_err(|error| refused(500, error))?;
    let text = format!("{text}\n");
    let public = gate.log_key.public();
    let key_name = format!("vestibule.gate.record/{workspace}");
    let bytes = [&[ED25519], public.as_bytes().as_slice()].concat();
    let id = key_id(&key_name, &bytes);
    let unsigned = |_| refused(500, "the record cannot be signed");
    let signature =
        Signature::new(key_name, id, gate.log_key.sign(text.as_bytes())).map_err(unsigned)?;
    let note = Note::new(text.as_bytes(), &[signature]).map_err(unsigned)?;
    let note = String::from_utf8(note.to_bytes()).map_err(|error| refused(500, error))?;
    Ok(Told {
        record,
        note,
        log_key: hex::encode(public.as_bytes()),
    })
}
