//! The keys that webhooks are signed with: one signs, and after a rotation both are listed until
//! the other is retired.

use std::sync::Arc;

use parking_lot::RwLock;
use protocol::keys::KeyError;
use protocol::signature::{Jwks, WebhookKey};

use super::Forged;
use crate::people;

/// Which key signs, and whether the other is listed beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    second: bool,
    both: bool,
}

impl Turn {
    fn of(number: i64) -> Self {
        Self {
            second: number & 1 == 1,
            both: number & 2 == 2,
        }
    }

    /// As it is kept.
    pub(crate) fn number(self) -> i64 {
        i64::from(self.second) + 2 * i64::from(self.both)
    }

    /// The other key signs; this one is still listed.
    pub(crate) fn rotated(self) -> Self {
        Self {
            second: !self.second,
            both: true,
        }
    }

    /// Only the key that signs is listed.
    pub(crate) fn retired(self) -> Self {
        Self {
            both: false,
            ..self
        }
    }
}

#[derive(Debug)]
pub(crate) struct WebhookKeys {
    first: WebhookKey,
    second: WebhookKey,
    turn: RwLock<Turn>,
}

impl WebhookKeys {
    /// The keys of the public set, as a sandbox left them.
    pub(crate) fn resumed(number: i64) -> Result<Self, KeyError> {
        let [first, second] = people::webhook_keys()?;
        Ok(Self {
            first,
            second,
            turn: RwLock::new(Turn::of(number)),
        })
    }

    pub(crate) fn turn(&self) -> Turn {
        *self.turn.read()
    }

    pub(crate) fn set(&self, turn: Turn) {
        *self.turn.write() = turn;
    }

    fn pair(&self) -> (&WebhookKey, &WebhookKey) {
        if self.turn().second {
            (&self.second, &self.first)
        } else {
            (&self.first, &self.second)
        }
    }

    /// What receivers fetch: the key that signs first.
    pub(crate) fn jwks(&self) -> Arc<Jwks> {
        let (signs, other) = self.pair();
        let mut keys = vec![signs.public()];
        if self.turn().both {
            keys.push(other.public());
        }
        Arc::new(Jwks { keys })
    }

    /// Both signatures of a body, the newer first.
    pub(crate) fn sign(
        &self,
        body: &[u8],
        forged: Option<Forged>,
    ) -> Result<(String, String), KeyError> {
        let (signs, other) = self.pair();
        let key = match forged {
            Some(Forged::OldKey) => other,
            _ => signs,
        };
        let mut signed = body.to_vec();
        if forged == Some(Forged::WrongSignature) {
            signed.push(b' ');
        }
        Ok((key.sign_jws(&signed)?, key.sign_legacy(&signed)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::signature::{SignatureError, verify_jws, verify_legacy};

    #[test]
    fn a_rotation_lists_both_and_a_retirement_one() {
        let keys = WebhookKeys::resumed(0).expect("keys");
        let ids = || {
            keys.jwks()
                .keys
                .iter()
                .map(|key| key.kid.clone())
                .collect::<Vec<_>>()
        };
        let (one, two) = ("vestibule-sandbox-1", "vestibule-sandbox-2");
        assert_eq!(ids(), [one]);
        let (before, _) = keys.sign(b"body", None).expect("signed");
        keys.set(keys.turn().rotated());
        assert_eq!(ids(), [two, one]);
        assert_eq!(verify_jws(&before, b"body", &keys.jwks()), Ok(()));
        keys.set(Turn::of(keys.turn().retired().number()));
        assert_eq!(ids(), [two]);
        assert_eq!(
            verify_jws(&before, b"body", &keys.jwks()),
            Err(SignatureError::UnknownKid(one.to_owned()))
        );
    }

    #[test]
    fn a_forged_signature_is_refused_for_its_own_reason() {
        let keys = WebhookKeys::resumed(2).expect("keys");
        let jwks = keys.jwks();
        let (wrong, legacy) = keys
            .sign(b"body", Some(Forged::WrongSignature))
            .expect("signed");
        assert_eq!(
            verify_jws(&wrong, b"body", &jwks),
            Err(SignatureError::Mismatch)
        );
        assert!(verify_legacy(&legacy, b"body", &jwks.keys[0].key).is_err());
        let (old, _) = keys.sign(b"body", Some(Forged::OldKey)).expect("signed");
        assert_eq!(verify_jws(&old, b"body", &jwks), Ok(()), "listed still");
        keys.set(keys.turn().retired());
        assert!(verify_jws(&old, b"body", &keys.jwks()).is_err());
    }
}
