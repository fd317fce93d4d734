//! The CSR that a connection's key came in: what a provider that is to stay is enrolled with at Fireblocks.

use protocol::error::ApiError;
use serde::{Deserialize, Serialize};
use store::StoreError;

use crate::gate::Gate;
use crate::operations::connections::find;
use crate::operations::refused;
use crate::rows;

/// The CSR of the key that a connection has, or had when it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCsr {
    /// Names the key.
    pub fingerprint: String,
    /// The CSR, PEM.
    pub csr: String,
}

/// Hands it out. A burned key is enrolled nowhere.
pub(crate) async fn csr(gate: &Gate, name: &str) -> Result<KeptCsr, ApiError> {
    let connection = find(gate, name)?;
    let (workspace, fingerprint) = (gate.workspace(), connection.fingerprint);
    let read = gate.store.read(move |reading| {
        let burned = rows::keys::is_burned(reading, workspace, &fingerprint)?;
        let csr = rows::csrs::of(reading, workspace, &fingerprint)?;
        Ok::<_, StoreError>((burned, csr, fingerprint))
    });
    let (burned, csr, fingerprint) = read.await.map_err(|error| refused(500, error))?;
    if burned {
        return Err(refused(
            409,
            "its key is burned, and is enrolled nowhere: ask the provider for the CSR of a new key; then `vestibule enroll NAME --csr FILE`",
        ));
    }
    let csr = csr.ok_or_else(|| {
        refused(
            404,
            "the CSR of its key was not kept: the key came before CSRs were. Ask the provider for it; then `vestibule enroll NAME --csr FILE`",
        )
    })?;
    Ok(KeptCsr { fingerprint, csr })
}
