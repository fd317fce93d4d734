//! What stands between the network and the gate, as flags.

use std::path::PathBuf;

use gate::config::{Behind, Entrance, Tell, TlsFiles};
use ipnet::IpNet;
use protocol::handover::parse_range;

/// What stands between the network and the gate.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct EntranceArgs {
    /// The certificate that providers see: a chain in PEM, read again when it changes.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Plain HTTP also beyond this machine: TLS ends in front of the gate.
    #[arg(long, conflicts_with = "tls_certificate")]
    plain_http: bool,
    /// An address or a range of proxies that are believed when they say who calls (may be given more
    /// than once).
    #[arg(long, value_name = "ADDR|NET", value_parser = parse_range)]
    behind: Vec<IpNet>,
    /// How they say it: proxy-protocol (version 2) or forwarded (RFC 7239).
    #[arg(long, value_name = "HOW", requires = "behind", default_value = "proxy-protocol", value_parser = tell)]
    told_by: Tell,
}

fn tell(text: &str) -> Result<Tell, String> {
    match text {
        "proxy-protocol" => Ok(Tell::ProxyProtocol),
        "forwarded" => Ok(Tell::Forwarded),
        _ => Err("proxy-protocol or forwarded".to_owned()),
    }
}

impl EntranceArgs {
    pub(crate) fn settings(self) -> Entrance {
        let files = self.tls_certificate.zip(self.tls_key);
        Entrance {
            tls: files.map(|(certificate, key)| TlsFiles { certificate, key }),
            plain_http: self.plain_http,
            behind: (!self.behind.is_empty()).then_some(Behind {
                proxies: self.behind,
                tell: self.told_by,
            }),
        }
    }
}
