//! What a gate is called among those over its store.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A gate's name: up to 40 letters, digits and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GateName(String);

/// It is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of a gate has 1 to 40 letters, digits and '-'")]
pub struct BadName;

impl TryFrom<String> for GateName {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        if (1..=40).contains(&text.len()) && text.chars().all(fits) {
            Ok(Self(text))
        } else {
            Err(BadName)
        }
    }
}

impl From<GateName> for String {
    fn from(name: GateName) -> Self {
        name.0
    }
}

impl fmt::Display for GateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Of the gate that was given none.
impl Default for GateName {
    fn default() -> Self {
        Self("gate".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_in_a_lock_and_in_a_line() {
        for good in ["b", "gate-2", &"x".repeat(40)] {
            assert!(GateName::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "é", &"x".repeat(41)] {
            assert_eq!(GateName::try_from(bad.to_owned()), Err(BadName), "{bad}");
        }
    }
}
