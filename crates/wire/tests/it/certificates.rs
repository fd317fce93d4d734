//! Client certificates: whose is shown, and that it is theirs who show it.

use std::sync::Arc;

use protocol::certificate::{ClientCertificate, SpkiPin};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::client::ResolvesClientCert;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey as Shown;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, HandshakeKind, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wire::server::{Entrance, Proxies, Tls};

use crate::asks::{Answer, Ask, Line};
use crate::world::*;

const READ: &str = "/v1/vault/accounts_paged";
const NAME: &str = "gate.example";

/// A server with TLS, and what its clients know of it.
struct Served {
    world: World,
    roots: RootCertStore,
    _folder: tempfile::TempDir,
}

fn made(name: &str) -> CertifiedKey<KeyPair> {
    generate_simple_self_signed([name.to_owned()]).expect("a certificate")
}

fn pin(of: &CertifiedKey<KeyPair>) -> SpkiPin {
    let read = ClientCertificate::from_pem(&of.cert.pem());
    read.expect("a certificate").pin()
}

/// Shows one's certificate, and signs with the key of another or the same.
#[derive(Debug)]
struct Shows(Arc<Shown>);

impl Shows {
    fn new(certificate: &CertificateDer<'static>, key: &KeyPair) -> Self {
        let der = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let signs = rustls::crypto::aws_lc_rs::sign::any_supported_type(&der);
        let chain = vec![certificate.clone()];
        Self(Arc::new(Shown::new(chain, signs.expect("a key"))))
    }
}

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<Shown>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl Served {
    async fn with(proxies: Proxies) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = made(NAME);
        let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        std::fs::write(&certificate, server.cert.pem()).expect("written");
        std::fs::write(&key, server.signing_key.serialize_pem()).expect("written");
        let tls = Tls::read(&certificate, &key).expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(server.cert.der().clone()).expect("a root");
        Self {
            world: World::entered(|listener| Entrance::new(listener, proxies, Some(tls))).await,
            roots,
            _folder: folder,
        }
    }

    fn pins(&self, pin: Option<SpkiPin>) {
        *self.world.house.pinned.lock().expect("a lock") = pin;
    }

    fn client(
        &self,
        version: &'static SupportedProtocolVersion,
        shows: Option<Shows>,
    ) -> ClientConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .expect("a version")
            .with_root_certificates(self.roots.clone());
        match shows {
            None => config.with_no_client_auth(),
            Some(shows) => config.with_client_cert_resolver(Arc::new(shows)),
        }
    }

    async fn connect(&self, client: &Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.world.at).await?;
        let name = ServerName::try_from(NAME).expect("a name");
        TlsConnector::from(Arc::clone(client))
            .connect(name, stream)
            .await
    }
}

async fn ask(line: &mut Line<TlsStream<TcpStream>>, ask: &Ask) -> Option<Answer> {
    line.try_say(&ask.bytes()).await;
    line.hear().await
}

#[tokio::test]
async fn invariant_2_only_the_holder_of_the_pinned_certificates_key_comes_in() {
    let served = Served::with(Proxies::None).await;
    let (own, other) = (made("acme"), made("other"));
    for version in [&TLS12, &TLS13] {
        served.pins(Some(pin(&own)));
        let before = served.world.answered();
        for (shows, status) in [
            (Some(Shows::new(own.cert.der(), &own.signing_key)), 200),
            (Some(Shows::new(other.cert.der(), &other.signing_key)), 401),
            (None, 401),
        ] {
            let client = Arc::new(served.client(version, shows));
            // The second comes with whatever the first was given to come again.
            for _ in 0..2 {
                let stream = served.connect(&client).await.expect("taken in");
                let mut line = Line::over(stream);
                let asked = ask(&mut line, &Ask::get(VIEWER, READ)).await;
                let answer = asked.expect("an answer");
                assert_eq!(answer.status, status, "{version:?}");
                if status == 401 {
                    let unknown = ask(&mut line, &Ask::get(UNKNOWN, READ)).await;
                    let unknown = unknown.expect("an answer").lasting();
                    assert_eq!(answer.lasting(), unknown, "nobody learns why");
                }
            }
        }
        assert_eq!(served.world.answered(), before + 2);
        // Somebody else has the certificate, which is no secret, and not its key.
        let forged = Shows::new(own.cert.der(), &other.signing_key);
        let client = Arc::new(served.client(version, Some(forged)));
        if let Ok(stream) = served.connect(&client).await {
            let heard = ask(&mut Line::over(stream), &Ask::get(VIEWER, READ)).await;
            assert_eq!(heard, None, "{version:?}");
        }
        assert_eq!(served.world.answered(), before + 2);
    }
    assert_eq!(served.world.failures(), 0, "before any token was looked at");
}

#[tokio::test]
async fn invariant_2_a_certificate_is_asked_of_each_request_and_nothing_is_resumed() {
    let served = Served::with(Proxies::None).await;
    let (own, other) = (made("acme"), made("other"));
    for version in [&TLS12, &TLS13] {
        let shows = Shows::new(own.cert.der(), &own.signing_key);
        let client = Arc::new(served.client(version, Some(shows)));
        let stream = served.connect(&client).await.expect("taken in");
        let mut line = Line::over(stream);
        for (pinned, status) in [
            (None, 200),
            (Some(pin(&own)), 200),
            (Some(pin(&other)), 401),
            (Some(pin(&own)), 200),
        ] {
            served.pins(pinned);
            let answer = ask(&mut line, &Ask::get(VIEWER, READ)).await;
            assert_eq!(answer.expect("an answer").status, status, "{pinned:?}");
        }
        let again = served.connect(&client).await.expect("taken in");
        let kind = again.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(HandshakeKind::Full), "{version:?}");
    }
}

/// A proxy that carries many callers' requests shows its own certificate, whoever calls.
#[tokio::test]
async fn invariant_2_a_proxys_certificate_is_no_callers() {
    let here = vec!["127.0.0.1/32".parse().expect("a net")];
    let served = Served::with(Proxies::Forwarded(here)).await;
    let own = made("proxy");
    let shows = Shows::new(own.cert.der(), &own.signing_key);
    let client = Arc::new(served.client(&TLS13, Some(shows)));
    let stream = served.connect(&client).await.expect("taken in");
    let mut line = Line::over(stream);
    let get = || Ask::get(FOREIGN, READ).and("forwarded", "for=203.0.113.7");
    for (pinned, status) in [(None, 200), (Some(pin(&own)), 401)] {
        served.pins(pinned);
        let answer = ask(&mut line, &get()).await.expect("an answer");
        assert_eq!(answer.status, status);
    }
}
