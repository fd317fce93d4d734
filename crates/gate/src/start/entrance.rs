//! How providers come in: with TLS or behind somebody who ends it, and whom that one says they are.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use url::{Host, Url};
use wire::server::{Entrance, Proxies, Tls};

use super::StartError;
use crate::config::{Config, Serve, Tell};
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

/// Nothing is asked of the workspace in clear beyond this machine, unless that is said.
pub(super) fn check_upstream(config: &Config) -> Result<(), StartError> {
    let here = |url: &Url| match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let clear = |url: &&Url| url.scheme() != "https" && !here(url);
    let upstream = &config.upstream;
    let mut urls = [&upstream.base_url, &upstream.jwks_url].into_iter();
    match urls.find(clear) {
        Some(url) if !config.development.plain_upstream => {
            Err(StartError::PlainUpstream(url.clone()))
        }
        _ => Ok(()),
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

    #[test]
    fn invariant_2_the_workspace_is_not_asked_in_clear_unless_it_was_said() {
        let with = |base: &str, jwks: &str| {
            let mut config = testing::config();
            config.upstream.base_url = base.parse().expect("a URL");
            config.upstream.jwks_url = jwks.parse().expect("a URL");
            config
        };
        let safe = "https://api.fireblocks.io/v1";
        for here in [
            safe,
            "http://127.0.0.1:1/v1",
            "http://[::1]:1/",
            "http://localhost:1/",
        ] {
            assert!(check_upstream(&with(here, safe)).is_ok(), "{here}");
        }
        for clear in [
            "http://api.fireblocks.io/v1",
            "http://192.0.2.1/",
            "http://localhost.example/",
        ] {
            for mut config in [with(clear, safe), with(safe, clear)] {
                let refused = check_upstream(&config);
                assert!(
                    matches!(refused, Err(StartError::PlainUpstream(_))),
                    "{clear}"
                );
                config.development.plain_upstream = true;
                assert!(check_upstream(&config).is_ok(), "{clear}");
            }
        }
    }
}
