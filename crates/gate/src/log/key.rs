//! Whose log it is, and with which key it is signed: a verifier key of signed notes (C2SP).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::ed25519::VerifyingKey;
use protocol::ids::WorkspaceId;
use signed_note::{Verifier, is_key_name_valid, key_id};

/// The algorithm byte of Ed25519 in a note's key.
const ED25519: u8 = 1;

/// A log's name and its public key. The text is `NAME+HASH+KEY`, as every reader of signed notes has
/// it: all that an auditor needs beside a copy.
#[derive(Clone, PartialEq, Eq)]
pub struct LogKey {
    name: String,
    key: VerifyingKey,
}

/// A text that is no log's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no log's key: `vestibule gate log key` prints it, as NAME+HASH+KEY")]
pub struct NoLogKey;

impl LogKey {
    /// The key of the log of one workspace's gate.
    pub fn of(workspace: WorkspaceId, key: VerifyingKey) -> Self {
        Self {
            name: format!("vestibule.gate/{workspace}"),
            key,
        }
    }

    /// What a checkpoint's first line names.
    pub fn origin(&self) -> &str {
        &self.name
    }

    /// Whether this is its key.
    pub(super) fn has(&self, key: &VerifyingKey) -> bool {
        self.key == *key
    }

    /// Names the key within a note.
    pub(super) fn id(&self) -> u32 {
        key_id(&self.name, &tagged(ED25519, &self.key))
    }
}

impl Verifier for LogKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id()
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verifies(message, signature)
    }
}

impl fmt::Display for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(&self.name, ED25519, &self.key))
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogKey({self})")
    }
}

impl FromStr for LogKey {
    type Err = NoLogKey;

    fn from_str(text: &str) -> Result<Self, NoLogKey> {
        match read(text) {
            Some((name, ED25519, key)) => Ok(Self {
                name,
                key: public(&key).ok_or(NoLogKey)?,
            }),
            _ => Err(NoLogKey),
        }
    }
}

/// A key after its algorithm.
pub(super) fn tagged(algorithm: u8, key: &VerifyingKey) -> Vec<u8> {
    [&[algorithm], key.as_bytes().as_slice()].concat()
}

/// The text of a key: `NAME+HASH+KEY`.
pub(super) fn written(name: &str, algorithm: u8, key: &VerifyingKey) -> String {
    let bytes = tagged(algorithm, key);
    let id = key_id(name, &bytes);
    format!("{name}+{id:08x}+{}", STANDARD.encode(bytes))
}

/// What [`written`] wrote: name, algorithm and the key's bytes.
pub(super) fn read(text: &str) -> Option<(String, u8, Vec<u8>)> {
    let mut parts = text.splitn(3, '+');
    let (name, hash, key) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = STANDARD.decode(key).ok()?;
    let holds = is_key_name_valid(name) && hash == format!("{:08x}", key_id(name, &bytes));
    let (algorithm, key) = bytes.split_first().filter(|_| holds)?;
    Some((name.to_owned(), *algorithm, key.to_vec()))
}

/// The bytes of an Ed25519 key.
pub(super) fn public(bytes: &[u8]) -> Option<VerifyingKey> {
    STANDARD.encode(bytes).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::ed25519::SigningKey;

    #[test]
    fn its_text_is_the_key_and_nothing_else_is() {
        let workspace = WorkspaceId(uuid::Uuid::from_u128(1));
        let key = SigningKey::generate().expect("a key").public();
        let key = LogKey::of(workspace, key);
        let text = key.to_string();
        assert_eq!(text.parse(), Ok(key));
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let changed = String::from_utf8(bytes).expect("ASCII");
            assert_eq!(changed.parse::<LogKey>(), Err(NoLogKey), "{changed}");
        }
        assert_eq!("".parse::<LogKey>(), Err(NoLogKey));
    }
}
