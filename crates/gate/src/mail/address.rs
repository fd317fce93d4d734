//! A mail address. Pure.

use std::fmt;
use std::str::FromStr;

use lettre::Address;
use serde::{Deserialize, Serialize};

/// Longest address, in bytes (RFC 5321, without the brackets).
const MAX_LEN: usize = 254;

/// A mail address such as `ops@example.com`: ASCII, without a name or quotes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailAddress(Address);

/// What is no mail address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be one mail address such as ops@example.com, without a name or quotes")]
pub struct NoAddress;

impl FromStr for MailAddress {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"(),:;<>\\".contains(&byte);
        if text.len() > MAX_LEN || !text.bytes().all(plain) {
            return Err(NoAddress);
        }
        text.parse().map(Self).map_err(|_| NoAddress)
    }
}

impl TryFrom<String> for MailAddress {
    type Error = NoAddress;

    fn try_from(text: String) -> Result<Self, NoAddress> {
        text.parse()
    }
}

impl From<MailAddress> for String {
    fn from(address: MailAddress) -> Self {
        address.to_string()
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl MailAddress {
    /// As a letter has it.
    pub(super) fn address(&self) -> Address {
        self.0.clone()
    }

    /// What stands behind the `@`.
    pub(super) fn domain(&self) -> &str {
        self.0.domain()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_address_and_nothing_else() {
        for good in [
            "ops@example.com",
            "ops+gate@mail.example.com",
            "o'neill@example.co",
        ] {
            let address: MailAddress = good.parse().expect(good);
            assert_eq!(address.to_string(), good);
        }
        let long = format!("ops@{}.example.com", "a.".repeat(130));
        for bad in [
            "",
            "ops",
            "@example.com",
            "ops@",
            "Ops <ops@example.com>",
            "<ops@example.com>",
            "ops@example.com, thief@example.com",
            "ops@example.com\r\nBcc: thief@example.com",
            "ops@example.com\r\nRCPT TO:<thief@example.com>",
            "ops\n@example.com",
            "ops@exam ple.com",
            "\"ops\"@example.com",
            "ops@example.com\0",
            "\u{f6}ps@example.com",
            "ops@b\u{fc}cher.example",
            "ops@example.com\u{202e}",
            "a@b@example.com",
            &long,
        ] {
            assert_eq!(bad.parse::<MailAddress>(), Err(NoAddress), "{bad:?}");
        }
    }
}
