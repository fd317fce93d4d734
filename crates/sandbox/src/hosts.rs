//! Whose hosts are called. A sandbox has nothing to do with a real workspace: whatever it calls, it
//! does not call Fireblocks. The exceptions are [`crate::scenario::compare`] and the import, which say so.

use url::{Host, Url};

/// Fireblocks' developer sandbox.
const DEVELOPER_SANDBOX: &str = "sandbox-api.fireblocks.io";

/// A URL that is not called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is Fireblocks'.
    #[error("{0} is Fireblocks': nothing of the sandbox is sent there")]
    Fireblocks(String),
    /// It is neither the developer sandbox nor this machine.
    #[error(
        "{0} is neither https://{DEVELOPER_SANDBOX} nor this machine: nothing else is compared"
    )]
    Elsewhere(String),
}

fn name(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(name) => Some(name.trim_end_matches('.').to_ascii_lowercase()),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

/// Whether a sandbox may call this.
pub fn not_fireblocks(url: &Url) -> Result<(), Refused> {
    let name = name(url).unwrap_or_default();
    if name == "fireblocks.io"
        || name.ends_with(".fireblocks.io")
        || name == "fireblocks.com"
        || name.ends_with(".fireblocks.com")
    {
        return Err(Refused::Fireblocks(name));
    }
    Ok(())
}

/// Whether a sandbox may be compared with this: Fireblocks' developer sandbox, over TLS, or a server
/// on this machine.
pub fn comparable(url: &Url) -> Result<(), Refused> {
    let own = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let developer = name(url).as_deref() == Some(DEVELOPER_SANDBOX)
        && url.scheme() == "https"
        && url.port().is_none();
    if own || developer {
        Ok(())
    } else {
        Err(Refused::Elsewhere(url.origin().ascii_serialization()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fireblocks_is_known_however_it_is_written() {
        for url in [
            "https://api.fireblocks.io/v1",
            "https://API.FIREBLOCKS.IO./v1",
            "https://sandbox-api.fireblocks.io/v1",
            "http://fireblocks.io:8080/",
            "https://console.fireblocks.com/",
        ] {
            assert!(
                not_fireblocks(&url.parse().expect("a URL")).is_err(),
                "{url}"
            );
        }
        for url in [
            "http://127.0.0.1:8080/v1",
            "https://notfireblocks.io/",
            "https://fireblocks.io.example/",
        ] {
            assert!(
                not_fireblocks(&url.parse().expect("a URL")).is_ok(),
                "{url}"
            );
        }
    }

    #[test]
    fn the_developer_sandbox_and_this_machine_are_comparable_and_nothing_else() {
        for url in [
            "https://sandbox-api.fireblocks.io/v1",
            "https://sandbox-api.fireblocks.io:443/v1",
            "http://127.0.0.1:8080/v1",
            "http://[::1]:8080",
            "http://localhost:1/v1",
        ] {
            assert!(comparable(&url.parse().expect("a URL")).is_ok(), "{url}");
        }
        for url in [
            "https://api.fireblocks.io/v1",
            "https://eu-api.fireblocks.io/v1",
            "http://sandbox-api.fireblocks.io/v1",
            "https://sandbox-api.fireblocks.io:8443/v1",
            "https://sandbox-api.fireblocks.io.example/v1",
            "https://x.sandbox-api.fireblocks.io/v1",
            "http://10.0.0.1/v1",
            "http://localhost.example/v1",
        ] {
            assert!(comparable(&url.parse().expect("a URL")).is_err(), "{url}");
        }
    }
}
