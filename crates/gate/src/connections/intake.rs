//! What a provider hands in, examined before anything of it is kept. Pure.

use protocol::csr::{self, CertificateSigningRequest, EnrollableKey};
use protocol::handover::{HandOver, HandoverError};
use protocol::keys::PublicKey;
use protocol::private_key::{self, Kind};

/// Why what was handed in is refused. Nothing of it is part of this.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
    /// It contains a private key.
    #[error(
        "it contains a private key ({kind}): a private key never travels. The provider must make a new key and send only its CSR"
    )]
    PrivateKey {
        /// Of which kind.
        kind: Kind,
        /// The public halves of those that were proven: these keys are burned.
        proven: Vec<PublicKey>,
    },
    /// It is larger than any hand-over file.
    #[error("it is larger than {} KiB", private_key::MAX_INPUT / 1024)]
    TooLarge,
    /// It is no hand-over file.
    #[error("it is not a hand-over file: {0}")]
    Form(#[from] HandoverError),
    /// Its CSR cannot be read.
    #[error("its CSR cannot be read: {0}")]
    Csr(#[from] csr::CsrError),
    /// Its CSR breaks rules.
    #[error("its CSR is refused: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Key(Vec<csr::Broken>),
    /// Its key is published.
    #[error("its key is a published development key: anybody has it")]
    KnownKey,
}

/// Reads a hand-over file. A private key anywhere in it refuses the whole.
pub fn examine(text: &[u8], allow_known_keys: bool) -> Result<(HandOver, EnrollableKey), Refused> {
    if text.len() > private_key::MAX_INPUT {
        return Err(Refused::TooLarge);
    }
    let found = private_key::find_all(text);
    if let Some(first) = found.first() {
        return Err(Refused::PrivateKey {
            kind: first.kind,
            proven: found
                .iter()
                .filter_map(|found| found.proven.clone())
                .collect(),
        });
    }
    let handover = HandOver::from_json(text)?;
    let request = CertificateSigningRequest::from_pem(&handover.csr)?;
    let key = csr::check(&request).map_err(Refused::Key)?;
    if key.is_development_key() && !allow_known_keys {
        return Err(Refused::KnownKey);
    }
    Ok((handover, key))
}

#[cfg(test)]
mod tests;
