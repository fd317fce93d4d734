//! The CSRs of keys that were taken: what the same key is enrolled with elsewhere.

use protocol::csr::CertificateSigningRequest;
use protocol::ids::WorkspaceId;
use protocol::keys::KeyFingerprint;
use protocol::time::Millis;
use store::{Query, StoreError, Writing, params};

/// Keeps the first CSR of a key.
pub(crate) fn keep(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    fingerprint: KeyFingerprint,
    request: &CertificateSigningRequest,
    at: Millis,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_csrs (workspace, fingerprint, pem, at) VALUES ($1, $2, $3, $4) ON CONFLICT (workspace, fingerprint) DO NOTHING";
    let (place, key) = (workspace.to_string(), fingerprint.to_string());
    writing
        .execute(sql, &params![place, key, request.to_pem(), at.0])
        .map(drop)
}

/// The CSR of a key, PEM.
pub(crate) fn of(
    query: &mut impl Query,
    workspace: WorkspaceId,
    fingerprint: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT pem FROM gate_csrs WHERE workspace = $1 AND fingerprint = $2";
    let row = query.row(sql, &params![workspace.to_string(), fingerprint])?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}
