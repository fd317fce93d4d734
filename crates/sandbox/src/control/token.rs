//! What calls of `/_sandbox` must show.

use std::str::FromStr;

use secrecy::SecretString;

/// Shorter ones can be guessed, longer ones are none.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=256;

/// A control token: 16 to 256 characters that a header can carry.
#[derive(Clone, Debug)]
pub struct ControlToken(SecretString);

/// No control token.
#[derive(Debug, thiserror::Error)]
#[error("a control token has 16 to 256 visible ASCII characters and no blank")]
pub struct NoControlToken;

impl ControlToken {
    pub(crate) fn random() -> Self {
        Self(hex::encode(rand::random::<[u8; 32]>()).into())
    }
}

impl From<ControlToken> for SecretString {
    fn from(token: ControlToken) -> Self {
        token.0
    }
}

impl FromStr for ControlToken {
    type Err = NoControlToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_one =
            LENGTHS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_one.then(|| Self(text.into())).ok_or(NoControlToken)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn what_can_be_guessed_or_not_be_sent_is_none() {
        for good in ["0123456789abcdef", &"x".repeat(256)] {
            assert_eq!(
                good.parse::<ControlToken>().expect(good).0.expose_secret(),
                good
            );
        }
        for bad in [
            "",
            "0123456789abcde",
            "0123456789 abcdef",
            "0123456789abcdefü",
            &"x".repeat(257),
        ] {
            assert!(bad.parse::<ControlToken>().is_err(), "{bad}");
        }
        let (one, other) = (ControlToken::random(), ControlToken::random());
        let text = one.0.expose_secret();
        assert_ne!(text, other.0.expose_secret());
        assert!(text.parse::<ControlToken>().is_ok());
        assert!(!format!("{one:?}").contains(text));
    }
}
