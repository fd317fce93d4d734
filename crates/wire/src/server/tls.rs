//! TLS: a certificate and its key in files, read again when they change. Who connects is asked for a
//! client certificate, and may have none.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use protocol::certificate::SpkiPin;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How often the files are looked at, at most.
const LOOK: Duration = Duration::from_secs(1);

/// What a listener shows to whoever connects.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    config: ArcSwap<ServerConfig>,
    seen: Mutex<Seen>,
}

/// When the files were looked at, and from when they were then.
struct Seen {
    at: Instant,
    of: Option<(SystemTime, SystemTime)>,
}

/// Why a certificate cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not what it must be.
    #[error("{0}: {1}")]
    File(PathBuf, rustls::pki_types::pem::Error),
    /// The certificate's file has none.
    #[error("{0}: there is no certificate in it (PEM, the server's own first)")]
    Empty(PathBuf),
    /// They do not fit together, or are of a kind that is not spoken.
    #[error("{0} and {1}: {2}")]
    Unfit(PathBuf, PathBuf, rustls::Error),
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tls({})", self.certificate.display())
    }
}

impl Tls {
    /// Reads a chain of certificates and the key of the first, both PEM.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let of = times(certificate, key);
        Ok(Self {
            config: ArcSwap::from_pointee(config(certificate, key)?),
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            seen: Mutex::new(Seen {
                at: Instant::now(),
                of,
            }),
        })
    }

    /// Takes a connection in, with the files as they are now; and whose certificate the peer has shown
    /// and proven to be its own.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> std::io::Result<(TlsStream<S>, Option<SpkiPin>)> {
        self.look();
        let acceptor = TlsAcceptor::from(self.config.load_full());
        let stream = acceptor.accept(stream).await?;
        let shown = stream.get_ref().1.peer_certificates();
        let pin = shown.and_then(<[_]>::first).and_then(pin);
        Ok((stream, pin))
    }

    /// Reads the files again if they have changed. What cannot be read changes nothing: those that
    /// are shown stay.
    fn look(&self) {
        let Some(mut seen) = self.seen.try_lock() else {
            return;
        };
        if seen.at.elapsed() < LOOK {
            return;
        }
        seen.at = Instant::now();
        let now = times(&self.certificate, &self.key);
        if now == seen.of {
            return;
        }
        match config(&self.certificate, &self.key) {
            Ok(config) => {
                self.config.store(Arc::new(config));
                seen.of = now;
                tracing::info!(certificate = %self.certificate.display(), "the certificate has been read again");
            }
            Err(error) => {
                tracing::error!(%error, "the certificate has changed and cannot be read: the old one stays");
            }
        }
    }
}

/// Names a certificate's key. It is read as it is for the handshake's signature: two readers could
/// take two keys for it.
fn pin(certificate: &CertificateDer<'_>) -> Option<SpkiPin> {
    let read = ParsedCertificate::try_from(certificate).ok()?;
    Some(SpkiPin::of(&read.subject_public_key_info()))
}

/// A client certificate of any issuer, or none. Its key is what is looked at later; that the peer has
/// that key, the handshake's signature proves.
#[derive(Debug)]
struct AnyIssuer(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyIssuer {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        ParsedCertificate::try_from(end_entity).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

fn times(certificate: &Path, key: &Path) -> Option<(SystemTime, SystemTime)> {
    let time = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    Some((time(certificate)?, time(key)?))
}

fn config(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let file = |path: &Path, error| TlsError::File(path.to_owned(), error);
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| file(certificate, error))?;
    if chain.is_empty() {
        return Err(TlsError::Empty(certificate.to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| file(key, error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let any = Arc::new(AnyIssuer(provider.signature_verification_algorithms));
    let unfit = |error| TlsError::Unfit(certificate.to_owned(), key.to_owned(), error);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_client_cert_verifier(any)
        .with_single_cert(chain, private)
        .map_err(unfit)?;
    // Nothing is resumed: every connection proves its key anew.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
