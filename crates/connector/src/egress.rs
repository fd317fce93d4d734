//! By which address we leave (practice P4): what clients put on their lists must be what they see.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;
use tokio::net::UdpSocket;
use url::Url;

/// By which address this machine reaches an upstream, and whether that was promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "egress", rename_all = "snake_case")]
pub enum Egress {
    /// By an address that was promised.
    Promised {
        /// Which.
        address: IpAddr,
    },
    /// By an address that was not promised, and that no translation on the way changes.
    NotPromised {
        /// Which.
        address: IpAddr,
    },
    /// By a private address: what upstream sees is made on the way.
    CannotBeSeen {
        /// Ours.
        address: IpAddr,
    },
    /// There is no way to it at all.
    Unreachable {
        /// Why.
        why: String,
    },
}

/// Looks; nothing is sent.
pub(crate) async fn look(base_url: &str, promised: &[IpNet]) -> Egress {
    match address_towards(base_url).await {
        Ok(address) => judge(address, promised),
        Err(error) => Egress::Unreachable {
            why: error.to_string(),
        },
    }
}

fn judge(address: IpAddr, promised: &[IpNet]) -> Egress {
    let address = address.to_canonical();
    let private = match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    if promised.iter().any(|net| net.contains(&address)) {
        Egress::Promised { address }
    } else if private {
        Egress::CannotBeSeen { address }
    } else {
        Egress::NotPromised { address }
    }
}

/// The address that the system would send from. Connecting a UDP socket sends nothing.
async fn address_towards(base_url: &str) -> std::io::Result<IpAddr> {
    let invalid = || std::io::Error::from(std::io::ErrorKind::InvalidInput);
    let url: Url = base_url.parse().map_err(|_| invalid())?;
    let host = url.host_str().ok_or_else(invalid)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or(443);
    let there = tokio::net::lookup_host((host, port))
        .await?
        .next()
        .ok_or_else(invalid)?;
    let here = if there.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    };
    let socket = UdpSocket::bind(here).await?;
    socket.connect(there).await?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn p4_the_address_that_we_leave_by_is_held_against_what_was_promised() {
        let local: IpNet = "127.0.0.0/8".parse().expect("a net");
        let there = "http://127.0.0.1:9/v1";
        assert!(
            matches!(look(there, &[local]).await, Egress::Promised { address } if address.is_loopback())
        );
        assert!(matches!(look(there, &[]).await, Egress::NotPromised { .. }));
        assert!(matches!(
            look("nothing", &[]).await,
            Egress::Unreachable { .. }
        ));
        let private = "10.0.0.7".parse().expect("an address");
        assert_eq!(
            judge(private, &[local]),
            Egress::CannotBeSeen { address: private }
        );
        let mapped = "::ffff:127.0.0.1".parse().expect("an address");
        assert!(matches!(judge(mapped, &[local]), Egress::Promised { .. }));
    }
}
