//! How providers come in: with TLS or behind somebody who ends it, and whom that one says they are.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use wire::server::{Entrance, Proxies, Tls};

use super::StartError;
use crate::config::{Serve, Tell};
use crate::folder::Folder;

/// What stands before this listener.
pub(super) fn entrance(
    folder: &Folder,
    serve: &Serve,
    listener: TcpListener,
) -> Result<Entrance, StartError> {
    let entrance = &serve.entrance;
    let tls = match &entrance.tls {
        Some(files) => {
            let file = |path| folder.path().join(path);
            Some(Tls::read(&file(&files.certificate), &file(&files.key))?)
        }
        None => None,
    };
    let proxies = match &entrance.behind {
        None => Proxies::None,
        Some(behind) => match behind.tell {
            Tell::ProxyProtocol => Proxies::Preamble(behind.proxies.clone()),
            Tell::Forwarded => Proxies::Forwarded(behind.proxies.clone()),
        },
    };
    Ok(Entrance::new(listener, proxies, tls))
}

/// Tokens and answers cross a network in clear only where somebody said so in so many words.
pub fn check_plain(serve: &Serve) -> Result<(), StartError> {
    let entrance = &serve.entrance;
    if serve.listen.ip().is_loopback() || entrance.tls.is_some() || entrance.plain_http {
        Ok(())
    } else {
        Err(StartError::Plain(serve.listen))
    }
}

/// What stands before an address in a URL.
pub(super) fn origin(serve: &Serve, at: SocketAddr) -> String {
    let scheme = match serve.entrance.tls {
        Some(_) => "https",
        None => "http",
    };
    format!("{scheme}://{at}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TlsFiles;
    use crate::testing;

    #[test]
    fn invariant_2_nothing_crosses_a_network_in_clear_unless_it_was_said() {
        let mut serve = testing::config().serve;
        assert!(check_plain(&serve).is_ok(), "this machine alone");
        serve.listen = "203.0.113.7:443".parse().expect("an address");
        assert!(matches!(check_plain(&serve), Err(StartError::Plain(_))));
        serve.listen = "0.0.0.0:443".parse().expect("an address");
        assert!(matches!(check_plain(&serve), Err(StartError::Plain(_))));
        let mut said = serve.clone();
        said.entrance.plain_http = true;
        assert!(check_plain(&said).is_ok());
        serve.entrance.tls = Some(TlsFiles {
            certificate: "certificate.pem".into(),
            key: "key.pem".into(),
        });
        assert!(check_plain(&serve).is_ok());
        assert_eq!(origin(&serve, serve.listen), "https://0.0.0.0:443");
    }
}
