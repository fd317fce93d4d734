//! What a provider calls a client: in files, URL paths and commands.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A client's name: 1 to 40 of `a-z`, `0-9` and `-`, beginning with a letter or digit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ClientName(String);

/// A text that can be no client's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a client's name is 1 to 40 of a-z, 0-9 and '-', beginning with a letter or digit")]
pub struct BadClientName;

impl ClientName {
    /// Longest name, in bytes.
    pub const MAX_LEN: usize = 40;

    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientName {
    type Err = BadClientName;

    fn from_str(text: &str) -> Result<Self, BadClientName> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.len() > Self::MAX_LEN
            || text.starts_with('-')
            || text.is_empty()
            || !text.bytes().all(plain)
        {
            return Err(BadClientName);
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for ClientName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientName({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_a_file_and_a_path_segment() {
        for good in ["a", "acme", "fund-7", &"a".repeat(40)] {
            assert!(good.parse::<ClientName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "A",
            "a/b",
            "..",
            "a.b",
            "a b",
            "ü",
            &"a".repeat(41),
        ] {
            assert_eq!(bad.parse::<ClientName>(), Err(BadClientName), "{bad}");
        }
    }
}
