//! Fireblocks' environments: where the API is, and where its webhook keys are listed
//! (Fireblocks' pages *Developer environments* and *Validating webhooks*).

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// An environment, or the URL of something that speaks like one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Environment {
    /// `us`: mainnet and testnet workspaces in the United States.
    Us,
    /// `eu`.
    Eu,
    /// `eu2`.
    Eu2,
    /// `sandbox`: Fireblocks' own developer sandbox.
    Sandbox,
    /// The base URL of an API, such as a sandbox on localhost.
    At(Url),
}

/// A text that names no environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an environment is us, eu, eu2, sandbox, or the base URL of an API")]
pub struct BadEnvironment;

impl Environment {
    /// The API, with `/v1`.
    pub fn base_url(&self) -> String {
        match self {
            Self::Us => "https://api.fireblocks.io/v1".to_owned(),
            Self::Eu => "https://eu-api.fireblocks.io/v1".to_owned(),
            Self::Eu2 => "https://eu2-api.fireblocks.io/v1".to_owned(),
            Self::Sandbox => "https://sandbox-api.fireblocks.io/v1".to_owned(),
            Self::At(url) => url.as_str().trim_end_matches('/').to_owned(),
        }
    }

    /// Whether what is said there can be heard on the way: plain HTTP that leaves this machine.
    pub fn is_heard(&self) -> bool {
        let Self::At(url) = self else { return false };
        let here = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        url.scheme() != "https" && !here
    }

    /// Where its webhook keys are listed, where that is known.
    pub fn jwks_url(&self) -> Option<Url> {
        let host = match self {
            Self::Us => "keys",
            Self::Eu => "eu-keys",
            Self::Eu2 => "eu2-keys",
            Self::Sandbox => "sandbox-keys",
            Self::At(_) => return None,
        };
        format!("https://{host}.fireblocks.io/.well-known/jwks.json")
            .parse()
            .ok()
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Us => f.write_str("us"),
            Self::Eu => f.write_str("eu"),
            Self::Eu2 => f.write_str("eu2"),
            Self::Sandbox => f.write_str("sandbox"),
            Self::At(url) => f.write_str(url.as_str()),
        }
    }
}

impl FromStr for Environment {
    type Err = BadEnvironment;

    fn from_str(text: &str) -> Result<Self, BadEnvironment> {
        Ok(match text {
            "us" => Self::Us,
            "eu" => Self::Eu,
            "eu2" => Self::Eu2,
            "sandbox" => Self::Sandbox,
            other => {
                let url: Url = other.parse().map_err(|_| BadEnvironment)?;
                if !matches!(url.scheme(), "http" | "https") {
                    return Err(BadEnvironment);
                }
                Self::At(url)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_an_api_and_the_named_ones_have_keys() {
        for name in ["us", "eu", "eu2", "sandbox"] {
            let environment: Environment = name.parse().expect("an environment");
            assert_eq!(environment.to_string(), name);
            assert!(environment.base_url().ends_with(".fireblocks.io/v1"));
            assert!(environment.jwks_url().is_some(), "{name}");
        }
        let local: Environment = "http://127.0.0.1:8080/v1".parse().expect("a URL");
        assert_eq!(local.base_url(), "http://127.0.0.1:8080/v1");
        assert_eq!(local.jwks_url(), None);
        for bad in ["", "US", "mars", "file:///etc/passwd"] {
            assert!(bad.parse::<Environment>().is_err(), "{bad}");
        }
    }
}
