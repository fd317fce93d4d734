//! Who calls, where a proxy of one's own stands in between. Only what a trusted proxy says is believed;
//! whoever else says it is taken for what its own address is.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;
use ppp::v2;
use rfc7239::{NodeName, parse};

/// Longest preamble of the PROXY protocol: its fixed part, and addresses with what may follow them.
const MAX_PREAMBLE: usize = 16 + 1_024;
/// Length of the fixed part.
const FIXED: usize = 16;

/// The proxies that a listener stands behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proxies {
    /// None: who connects is who calls.
    #[default]
    None,
    /// These begin each connection with a preamble of the PROXY protocol, version 2.
    Preamble(Vec<IpNet>),
    /// These name the caller in each request's `Forwarded` (RFC 7239).
    Forwarded(Vec<IpNet>),
}

/// Who calls over a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// This address, whatever its requests say.
    Known(IpAddr),
    /// Whoever each request's `Forwarded` names.
    Told,
}

/// A trusted proxy did not say who calls, or not so that it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The proxy in front of this server did not say who calls")]
pub(super) struct Untold;

/// What a connection begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// So many bytes more must come before it can be read.
    More(usize),
    /// The preamble is so long, and names this caller; nobody, where the proxy itself calls.
    Whole(usize, Option<IpAddr>),
}

impl Proxies {
    fn trusts(nets: &[IpNet], address: IpAddr) -> bool {
        nets.iter().any(|net| net.contains(&address))
    }

    /// Whether a connection of this peer begins with a preamble.
    pub(super) fn speaks_first(&self, peer: IpAddr) -> bool {
        matches!(self, Self::Preamble(nets) if Self::trusts(nets, peer))
    }

    /// Who calls over a connection of this peer, which has no preamble.
    pub(super) fn caller(&self, peer: IpAddr) -> Caller {
        match self {
            Self::Forwarded(nets) if Self::trusts(nets, peer) => Caller::Told,
            _ => Caller::Known(peer),
        }
    }

    /// Whom a request names as its caller: the right-most address that is no trusted proxy.
    pub(super) fn told(&self, headers: &HeaderMap) -> Result<IpAddr, Untold> {
        let Self::Forwarded(nets) = self else {
            return Err(Untold);
        };
        // Further left stands what the caller itself may have written: it is not even read.
        for header in headers.get_all(http::header::FORWARDED).iter().rev() {
            for hop in parse(header.to_str().map_err(|_| Untold)?).rev() {
                let named = hop.map_err(|_| Untold)?.forwarded_for.ok_or(Untold)?;
                let NodeName::Ip(address) = named.name else {
                    return Err(Untold);
                };
                let address = address.to_canonical();
                if !Self::trusts(nets, address) {
                    return Ok(address);
                }
            }
        }
        Err(Untold)
    }
}

/// Reads the beginning of a connection whose peer speaks first.
pub(super) fn preamble(bytes: &[u8]) -> Result<Begun, Untold> {
    match v2::Header::try_from(bytes) {
        Ok(header) => {
            let caller = match (header.command, header.addresses) {
                // The proxy looks whether we are there.
                (v2::Command::Local, _) => None,
                (v2::Command::Proxy, v2::Addresses::IPv4(ip)) => Some(ip.source_address.into()),
                (v2::Command::Proxy, v2::Addresses::IPv6(ip)) => Some(ip.source_address.into()),
                _ => return Err(Untold),
            };
            Ok(Begun::Whole(
                header.header.len(),
                caller.map(|ip: IpAddr| ip.to_canonical()),
            ))
        }
        Err(v2::ParseError::Incomplete(_)) => Ok(Begun::More(FIXED.saturating_sub(bytes.len()))),
        Err(v2::ParseError::Partial(_, length)) if FIXED + length <= MAX_PREAMBLE => {
            Ok(Begun::More((FIXED + length).saturating_sub(bytes.len())))
        }
        Err(_) => Err(Untold),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn behind() -> Proxies {
        Proxies::Forwarded(
            ["10.0.0.0/8", "fd00::/8"]
                .map(|net| net.parse().expect("a net"))
                .into(),
        )
    }

    fn told(headers: &[&str]) -> Result<IpAddr, Untold> {
        let mut map = HeaderMap::new();
        for value in headers {
            map.append(http::header::FORWARDED, value.parse().expect("a value"));
        }
        behind().told(&map)
    }

    #[test]
    fn invariant_2_the_rightmost_that_is_no_trusted_proxy_calls() {
        let cases: [(&[&str], &str); 8] = [
            (&["for=192.0.2.1"], "192.0.2.1"),
            (&["for=192.0.2.1, for=10.0.0.7"], "192.0.2.1"),
            (
                &["for=203.0.113.9, for=192.0.2.1, for=10.0.0.7"],
                "192.0.2.1",
            ),
            (
                &["for=203.0.113.9", "for=192.0.2.1;proto=https;by=10.0.0.7"],
                "192.0.2.1",
            ),
            (&["for=\"[2001:db8::1]:4711\""], "2001:db8::1"),
            (&["for=\"192.0.2.1:4711\""], "192.0.2.1"),
            (&["For=\"[::ffff:192.0.2.1]\""], "192.0.2.1"),
            // What the caller wrote in front of it is not read, however broken it is.
            (&["for=\"10.0.0.1, ;;=, for=192.0.2.1"], "192.0.2.1"),
        ];
        for (headers, caller) in cases {
            assert_eq!(told(headers), Ok(ip(caller)), "{headers:?}");
        }
    }

    #[test]
    fn invariant_2_who_is_not_named_is_nobody() {
        let cases: [&[&str]; 8] = [
            &[],
            &[""],
            &["for=unknown"],
            &["for=_hidden"],
            &["proto=https"],
            &["for=10.0.0.1"],
            &["for=192.0.2.1, for=10.0.0.300"],
            &["192.0.2.1"],
        ];
        for headers in cases {
            assert_eq!(told(headers), Err(Untold), "{headers:?}");
        }
    }

    #[test]
    fn only_a_trusted_peer_is_asked_who_calls() {
        let (proxy, other) = (ip("10.0.0.1"), ip("192.0.2.1"));
        assert_eq!(behind().caller(proxy), Caller::Told);
        assert_eq!(behind().caller(other), Caller::Known(other));
        assert_eq!(Proxies::None.caller(proxy), Caller::Known(proxy));
        let speaking = Proxies::Preamble(vec!["10.0.0.1/32".parse().expect("a net")]);
        assert!(speaking.speaks_first(proxy) && !speaking.speaks_first(other));
        assert!(!behind().speaks_first(proxy));
    }

    fn of(source: &str) -> Vec<u8> {
        let addresses = v2::IPv4::new(
            source.parse::<std::net::Ipv4Addr>().expect("an address"),
            std::net::Ipv4Addr::LOCALHOST,
            1,
            2,
        );
        let version = v2::Version::Two | v2::Command::Proxy;
        let built = v2::Builder::with_addresses(version, v2::Protocol::Stream, addresses);
        built.build().expect("a preamble")
    }

    #[test]
    fn a_preamble_comes_in_pieces() {
        let whole = of("192.0.2.1");
        for length in 0..whole.len() {
            let more = preamble(&whole[..length]);
            assert!(matches!(more, Ok(Begun::More(1..))), "{length}: {more:?}");
        }
        let read = preamble(&whole);
        assert_eq!(read, Ok(Begun::Whole(28, Some(ip("192.0.2.1")))));
        let mut endless = whole;
        endless[14..16].copy_from_slice(&u16::MAX.to_be_bytes());
        assert_eq!(preamble(&endless), Err(Untold));
        assert_eq!(preamble(b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n"), Err(Untold));
        assert_eq!(preamble(b"GET / HTTP/1.1\r\n"), Err(Untold));
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = preamble(&bytes);
            let _ = preamble(&[&of("192.0.2.1")[..13], &bytes].concat());
        }
    }
}
