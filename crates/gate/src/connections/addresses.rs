//! Allow-lists: never everything, and nothing wide without a reason. Pure.

use ipnet::IpNet;

/// The shortest prefix that needs no reason: 256 addresses, or one IPv6 network.
const NARROW_V4: u8 = 24;
const NARROW_V6: u8 = 64;

/// Why a list is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddresses {
    /// The whole internet.
    #[error("{0} is every address: that is no allow-list")]
    Everything(IpNet),
    /// A wide range without a word.
    #[error("{0} is a wide range: say why with a reason")]
    Wide(IpNet),
}

/// Checks a list.
pub fn check(list: &[IpNet], reason: Option<&str>) -> Result<(), BadAddresses> {
    for net in list {
        let narrow = match net {
            IpNet::V4(_) => NARROW_V4,
            IpNet::V6(_) => NARROW_V6,
        };
        if net.prefix_len() == 0 {
            return Err(BadAddresses::Everything(*net));
        }
        if net.prefix_len() < narrow && reason.is_none_or(|reason| reason.trim().is_empty()) {
            return Err(BadAddresses::Wide(*net));
        }
    }
    Ok(())
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
}
