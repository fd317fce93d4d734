//! Allow-lists: never everything, and nothing wide without a reason. Pure.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The shortest prefix that needs no reason: 256 addresses, or one IPv6 network.
const NARROW_V4: u8 = 24;
const NARROW_V6: u8 = 64;
/// Half of all IPv4 addresses.
const HALF_V4: u64 = 1 << 31;
/// Where IPv6 addresses are given out at all (RFC 4291), and half of it.
const GLOBAL_V6: Ipv6Net =
    Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), GLOBAL_V6_BITS);
const GLOBAL_V6_BITS: u8 = 3;
const HALF_V6: u128 = 1 << (127 - GLOBAL_V6_BITS);

/// Why a list is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddresses {
    /// The whole internet.
    #[error("{0} is every address: that is no allow-list")]
    Everything(IpNet),
    /// As good as the whole internet, in pieces.
    #[error("its ranges together are half of all {0} addresses or more: that is no allow-list")]
    Half(&'static str),
    /// A wide range without a word.
    #[error("{0} is a wide range: say why with a reason")]
    Wide(IpNet),
}

/// Checks a list: each range, and what all of them cover together.
pub fn check(list: &[IpNet], reason: Option<&str>) -> Result<(), BadAddresses> {
    if let Some(all) = list.iter().find(|net| net.prefix_len() == 0) {
        return Err(BadAddresses::Everything(*all));
    }
    let union = IpNet::aggregate(&list.to_vec());
    if covered_v4(&union) >= HALF_V4 {
        return Err(BadAddresses::Half("IPv4"));
    }
    if covered_v6(&union) >= HALF_V6 {
        return Err(BadAddresses::Half("IPv6"));
    }
    let narrow = |net: &IpNet| match net {
        IpNet::V4(_) => NARROW_V4,
        IpNet::V6(_) => NARROW_V6,
    };
    let wide = union.into_iter().find(|net| net.prefix_len() < narrow(net));
    match wide {
        Some(wide) if reason.is_none_or(|reason| reason.trim().is_empty()) => {
            Err(BadAddresses::Wide(wide))
        }
        _ => Ok(()),
    }
}

/// How many IPv4 addresses ranges that do not overlap cover.
fn covered_v4(union: &[IpNet]) -> u64 {
    let size = |net: &IpNet| match net {
        IpNet::V4(net) => 1_u64 << (32 - net.prefix_len()),
        IpNet::V6(_) => 0,
    };
    union.iter().map(size).sum()
}

/// How many of the IPv6 addresses that are given out they cover.
fn covered_v6(union: &[IpNet]) -> u128 {
    let size = |net: &IpNet| match net {
        IpNet::V6(net) if net.contains(&GLOBAL_V6) => 2 * HALF_V6,
        IpNet::V6(net) if GLOBAL_V6.contains(net) => 1_u128 << (128 - net.prefix_len()),
        _ => 0,
    };
    union.iter().map(size).sum()
}

/// A list as it is sent in: an address by itself is a range of one. For serde.
pub(crate) fn list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let one = |text: &String| {
        let net = match text.parse::<IpAddr>() {
            Ok(address) => Some(address.into()),
            Err(_) => text.parse().ok(),
        };
        net.ok_or_else(|| D::Error::custom("an address is neither an IP address nor a range"))
    };
    texts.iter().map(one).collect()
}

/// The same where there may be none.
pub(crate) fn maybe_list<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Vec<IpNet>>, D::Error> {
    #[derive(Deserialize)]
    struct List(#[serde(deserialize_with = "list")] Vec<IpNet>);
    Ok(Option::<List>::deserialize(from)?.map(|list| list.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(list: &[&str]) -> Vec<IpNet> {
        list.iter().map(|net| net.parse().expect("a net")).collect()
    }

    #[test]
    fn everything_is_refused_and_wide_ranges_need_a_reason() {
        assert_eq!(
            check(&nets(&["203.0.113.7/32", "2001:db8::/64"]), None),
            Ok(())
        );
        for all in ["0.0.0.0/0", "::/0"] {
            let refused = check(&nets(&[all]), Some("because"));
            assert!(matches!(refused, Err(BadAddresses::Everything(_))), "{all}");
        }
        assert!(matches!(
            check(&nets(&["203.0.0.0/16"]), Some("  ")),
            Err(BadAddresses::Wide(_))
        ));
        assert_eq!(
            check(&nets(&["203.0.0.0/16"]), Some("their cloud region")),
            Ok(())
        );
    }

    #[test]
    fn invariant_2_everything_in_pieces_is_everything() {
        // All but one address, in the 32 ranges beside it.
        let but_one: Vec<IpNet> = (1..=32)
            .map(|bits| format!("{}/{bits}", std::net::Ipv4Addr::from(1_u32 << (32 - bits))))
            .map(|net| net.parse().expect("a net"))
            .collect();
        for (list, family) in [
            (nets(&["0.0.0.0/1", "128.0.0.0/1"]), "IPv4"),
            (nets(&["128.0.0.0/1"]), "IPv4"),
            (nets(&["0.0.0.0/2", "64.0.0.0/3", "96.0.0.0/3"]), "IPv4"),
            (but_one, "IPv4"),
            (nets(&["203.0.113.7/32", "::/1", "8000::/1"]), "IPv6"),
            (nets(&["2000::/3"]), "IPv6"),
            (nets(&["2000::/5", "2800::/5"]), "IPv6"),
        ] {
            let refused = check(&list, Some("because"));
            assert_eq!(refused, Err(BadAddresses::Half(family)), "{list:?}");
        }
        // The same range twice is no more than once, and private IPv6 is not the internet.
        let twice = nets(&["0.0.0.0/2", "0.0.0.0/2", "10.0.0.0/8", "fc00::/7"]);
        assert_eq!(check(&twice, Some("because")), Ok(()));
    }

    #[test]
    fn a_wide_range_in_narrow_pieces_is_wide() {
        let pieces = nets(&["203.0.112.0/24", "203.0.113.0/24"]);
        let whole = "203.0.112.0/23".parse().expect("a net");
        assert_eq!(check(&pieces, None), Err(BadAddresses::Wide(whole)));
        let apart = nets(&["203.0.111.0/24", "203.0.114.0/24"]);
        assert_eq!(check(&apart, None), Ok(()));
    }

    #[test]
    fn an_address_by_itself_is_a_range_of_one() {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default, deserialize_with = "maybe_list")]
            addresses: Option<Vec<IpNet>>,
        }
        let read = |text: &str| serde_json::from_str::<Body>(text).map(|body| body.addresses);
        let both = read(r#"{"addresses":["127.0.0.1","2001:db8::/64"]}"#).expect("a list");
        assert_eq!(both, Some(nets(&["127.0.0.1/32", "2001:db8::/64"])));
        assert_eq!(read("{}").expect("none"), None);
        assert_eq!(read(r#"{"addresses":null}"#).expect("none"), None);
        assert!(read(r#"{"addresses":["here"]}"#).is_err());
    }
}
