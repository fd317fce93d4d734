//! Where deliveries may go. Checked on the address that is connected to, so that a name that
//! points elsewhere a moment later changes nothing.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Which targets are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetPolicy {
    /// Any http or https URL.
    Any,
    /// https anywhere, and http on this machine: for addresses that the owner alone writes down.
    Owners,
    /// https on port 443 at public addresses; and anything at the addresses named here.
    Public {
        /// Addresses that are not public, and allowed all the same.
        except: Vec<IpNet>,
    },
}

/// A target that nothing is sent to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl TargetPolicy {
    /// Whether a URL may be a target, as far as that can be told without resolving its name.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https")
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(Refused(
                "a target is an http or https URL without a user".to_owned(),
            ));
        }
        if *self == Self::Any {
            return Ok(());
        }
        let named: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(ip)) => Some(ip.into()),
            Some(Host::Ipv6(ip)) => Some(ip.into()),
            Some(Host::Domain(name)) if is_this_machine(name) => Some(Ipv4Addr::LOCALHOST.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(Refused("a target has a host".to_owned())),
        };
        if *self == Self::Owners {
            let is_here = named.is_some_and(|ip| ip.to_canonical().is_loopback());
            return if url.scheme() == "https" || is_here {
                Ok(())
            } else {
                Err(Refused(
                    "a target beyond this machine is an https URL".to_owned(),
                ))
            };
        }
        match named {
            Some(ip) if self.excepts(ip) => Ok(()),
            Some(ip) if !is_public(ip) => Err(Refused(format!("{ip} is not a public address"))),
            _ if url.scheme() == "https" && url.port().is_none() => Ok(()),
            _ => Err(Refused("a target is https on port 443".to_owned())),
        }
    }

    fn excepts(&self, ip: IpAddr) -> bool {
        match self {
            Self::Any | Self::Owners => true,
            Self::Public { except } => except.iter().any(|net| net.contains(&ip.to_canonical())),
        }
    }

    fn allows(&self, ip: IpAddr) -> bool {
        self.excepts(ip) || is_public(ip)
    }
}

/// Resolves names to allowed addresses alone.
impl Resolve for TargetPolicy {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.clone();
        Box::pin(async move {
            let all = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                all.filter(|address| policy.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err(Refused(format!("{} has no public address", name.as_str())).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Names of this machine, whatever a resolver says (RFC 6761).
fn is_this_machine(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether an address is one of the public internet's (IANA's special-purpose registries).
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(matches!(a, 0 | 10 | 127 | 224..)
                || ip.is_private()
                || ip.is_link_local()
                || (a, b & 0xc0) == (100, 64)
                || (a, b & 0xfe) == (198, 18)
                || matches!(
                    [a, b, c],
                    [192, 0, 0 | 2] | [192, 88, 99] | [198, 51, 100] | [203, 0, 113]
                ))
        }
        IpAddr::V6(ip) => {
            let [a, b, ..] = ip.segments();
            // Global unicast, without protocol assignments, documentation and 6to4.
            (0x2000..0x4000).contains(&a)
                && !(a == 0x2001 && (b < 0x0200 || b == 0x0db8))
                && a != 0x2002
                && !(a == 0x3fff && b < 0x1000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_not_public() {
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.19.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in [
            "3.135.57.98",
            "8.8.8.8",
            "100.128.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "2001:4860::8888",
        ] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn only_https_443_in_public_unless_excepted() {
        let strict = TargetPolicy::Public { except: vec![] };
        let demo = TargetPolicy::Public {
            except: vec!["127.0.0.0/8".parse().unwrap()],
        };
        let ok = |policy: &TargetPolicy, url: &str| policy.check(&url.parse().unwrap()).is_ok();
        assert!(ok(&strict, "https://a.example/x") && ok(&strict, "https://a.example:443/x"));
        for url in [
            "http://a.example",
            "https://a.example:8443",
            "https://127.0.0.1",
            "https://[::1]",
            "https://u@a.example",
            "http://localhost:1",
            "https://2130706433/",
            "ftp://a.example",
        ] {
            assert!(!ok(&strict, url), "{url}");
        }
        assert!(ok(&demo, "http://127.0.0.1:8080/x") && ok(&demo, "http://localhost:8080/x"));
        assert!(!ok(&demo, "http://10.0.0.1/") && !ok(&demo, "http://a.example/"));
        let owners = &TargetPolicy::Owners;
        for url in [
            "https://10.0.0.1:8443/x",
            "http://[::1]:1/",
            "http://localhost:1",
        ] {
            assert!(ok(owners, url), "{url}");
        }
        assert!(!ok(owners, "http://10.0.0.1/") && !ok(owners, "https://u@a.example"));
        assert!(
            ok(&TargetPolicy::Any, "http://10.0.0.1:1/") && !ok(&TargetPolicy::Any, "file:///etc")
        );
    }

    #[tokio::test]
    async fn a_name_of_a_private_address_resolves_to_nothing() {
        let strict = TargetPolicy::Public { except: vec![] };
        assert!(strict.resolve("localhost".parse().unwrap()).await.is_err());
        assert!(
            TargetPolicy::Any
                .resolve("localhost".parse().unwrap())
                .await
                .is_ok()
        );
    }
}
