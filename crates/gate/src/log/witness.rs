//! Witnesses: others who cosign the log's checkpoints, each only what continues what it has seen
//! before (C2SP `tlog-cosignature`, Ed25519). Whoever has the log's key cannot show two logs then.

use std::fmt;
use std::str::FromStr;

use protocol::ed25519::VerifyingKey;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use signed_note::{Note, NoteError, Verifier, VerifierList, key_id};

use super::key::{public, read, tagged, written};
use super::{BadCheckpoint, LogKey};

/// The algorithm byte of Ed25519 cosignatures.
const COSIGNATURE: u8 = 4;
/// Bytes of the time that stands before the signature.
const TIME: usize = 8;
/// Most witnesses of one log.
pub(crate) const MAX_WITNESSES: usize = 16;

/// A witness's name and its public key; the text is `NAME+HASH+KEY`.
#[derive(Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    key: VerifyingKey,
}

/// A text that is no witness's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWitnessKey {
    /// Not in the form of a key.
    #[error("it is no witness's key: whoever runs the witness tells it, as NAME+HASH+KEY")]
    Form,
    /// Another kind of key.
    #[error("it is a key of type {0}: a witness cosigns with one of type 4 (Ed25519 cosignatures)")]
    Kind(u8),
}

impl WitnessKey {
    /// The witness of this name, with this key.
    pub fn of(name: &str, key: VerifyingKey) -> Result<Self, NoWitnessKey> {
        written(name, COSIGNATURE, &key).parse()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it cosigned this text; nothing: it did not.
    pub(crate) fn when(&self, text: &[u8], signature: &[u8]) -> Option<Millis> {
        let (time, signature) = signature.split_at_checked(TIME)?;
        let seconds = i64::try_from(u64::from_be_bytes(time.try_into().ok()?)).ok()?;
        let head = format!("cosignature/v1\ntime {seconds}\n");
        let said = [head.as_bytes(), text].concat();
        let at = Millis(seconds.checked_mul(Millis::SECOND)?);
        self.key.verifies(&said, signature).then_some(at)
    }
}

impl Verifier for WitnessKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        key_id(&self.name, &tagged(COSIGNATURE, &self.key))
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.when(message, signature).is_some()
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(&self.name, COSIGNATURE, &self.key))
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessKey({self})")
    }
}

impl FromStr for WitnessKey {
    type Err = NoWitnessKey;

    fn from_str(text: &str) -> Result<Self, NoWitnessKey> {
        match read(text) {
            Some((name, COSIGNATURE, key)) => Ok(Self {
                name,
                key: public(&key).ok_or(NoWitnessKey::Form)?,
            }),
            Some((_, other, _)) => Err(NoWitnessKey::Kind(other)),
            None => Err(NoWitnessKey::Form),
        }
    }
}

impl Serialize for WitnessKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WitnessKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Witnesses that are not several.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadWitnesses {
    /// The same name or key twice: a cosignature does not say under which name it was made.
    #[error("{0} and {1} are one witness: they have the same name or key")]
    Twice(String, String),
    /// It would vouch for itself.
    #[error("{0} has the log's own key: a witness is somebody else")]
    Own(String),
    /// Not that many are named.
    #[error("{0} of {1} witnesses cannot vouch: name from 1 to {1}")]
    Quorum(usize, usize),
    /// Too many.
    #[error("a log has at most {MAX_WITNESSES} witnesses")]
    TooMany,
}

/// Whether these are several, and none the log itself.
pub(crate) fn distinct<'w>(
    witnesses: impl IntoIterator<Item = &'w WitnessKey>,
    log: Option<&LogKey>,
) -> Result<(), BadWitnesses> {
    let all: Vec<_> = witnesses.into_iter().collect();
    if all.len() > MAX_WITNESSES {
        return Err(BadWitnesses::TooMany);
    }
    for (at, one) in all.iter().enumerate() {
        if log.is_some_and(|log| log.has(&one.key)) {
            return Err(BadWitnesses::Own(one.name.clone()));
        }
        let mut before = all.iter().take(at);
        if let Some(same) = before.find(|it| it.name == one.name || it.key == one.key) {
            let names = (same.name.clone(), one.name.clone());
            return Err(BadWitnesses::Twice(names.0, names.1));
        }
    }
    Ok(())
}

/// Witnesses whose word is demanded; none, where nobody demands it.
#[derive(Clone, Debug, Default)]
pub struct Demand {
    pub(super) keys: Vec<WitnessKey>,
    pub(super) quorum: usize,
    /// A checkpoint that was signed later may be waiting for them still.
    pub(super) patient_from: Option<Millis>,
}

impl Demand {
    /// So many of these must vouch; all of them where no number is said.
    pub fn new(
        keys: Vec<WitnessKey>,
        quorum: Option<usize>,
        log: &LogKey,
    ) -> Result<Self, BadWitnesses> {
        distinct(&keys, Some(log))?;
        let quorum = quorum.unwrap_or(keys.len());
        if !keys.is_empty() && !(1..=keys.len()).contains(&quorum) {
            return Err(BadWitnesses::Quorum(quorum, keys.len()));
        }
        Ok(Self {
            keys,
            quorum,
            patient_from: None,
        })
    }
}

/// One witness's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cosigned {
    /// Whose.
    pub witness: String,
    /// Over how many entries.
    pub size: u64,
    /// When, by the witness's clock.
    pub at: Millis,
}

/// What the demanded witnesses say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Vouched {
    /// Up to how many entries as many of them vouch as must.
    pub size: u64,
    /// How many must.
    pub quorum: usize,
    /// Each one's newest word.
    pub by: Vec<Cosigned>,
}

/// What these witnesses have written under a note of this size. A cosignature of theirs that does not
/// hold is an error; whatever others wrote is not looked at.
pub(super) fn cosigned(
    note: &str,
    size: u64,
    witnesses: &[WitnessKey],
) -> Result<Vec<Cosigned>, BadCheckpoint> {
    let known = |key: &WitnessKey| Box::new(key.clone()) as Box<dyn Verifier>;
    let verifiers = VerifierList::new(witnesses.iter().map(known).collect());
    let note = Note::from_bytes(note.as_bytes()).map_err(|_| BadCheckpoint::Form)?;
    let found = match note.verify(&verifiers) {
        Ok((found, _)) => found,
        Err(NoteError::UnverifiedNote) => Vec::new(),
        Err(NoteError::InvalidSignature { name, .. }) => {
            return Err(BadCheckpoint::Cosignature(name));
        }
        Err(_) => return Err(BadCheckpoint::Form),
    };
    let word = |key: &WitnessKey| {
        let mut own = found.iter().filter(|it| it.name() == key.name);
        let at = own.find_map(|it| key.when(note.text(), it.signature()))?;
        Some(Cosigned {
            witness: key.name.clone(),
            size,
            at,
        })
    };
    Ok(witnesses.iter().filter_map(word).collect())
}

/// Up to which size so many of them vouch: whoever vouches for a log vouches for its beginning.
pub(super) fn vouched(newest: Vec<Cosigned>, quorum: usize) -> Option<Vouched> {
    let mut sizes: Vec<u64> = newest.iter().map(|word| word.size).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let size = *sizes.get(quorum.checked_sub(1)?)?;
    Some(Vouched {
        size,
        quorum,
        by: newest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::ed25519::SigningKey;
    use protocol::ids::WorkspaceId;

    fn key() -> VerifyingKey {
        SigningKey::generate().expect("a key").public()
    }

    #[test]
    fn a_witness_is_somebody_else_and_counts_once() {
        let (one, log) = (key(), key());
        let name = |name, key| WitnessKey::of(name, key).expect("a witness");
        let own = LogKey::of(WorkspaceId(uuid::Uuid::from_u128(1)), log);
        let demand = |keys, quorum| Demand::new(keys, quorum, &own).map(drop);
        let a = name("a.example", one);
        assert_eq!(a.to_string().parse(), Ok(a.clone()));
        assert_eq!(
            demand(vec![a.clone(), name("b.example", key())], Some(2)),
            Ok(())
        );
        assert_eq!(
            demand(vec![a.clone()], Some(2)),
            Err(BadWitnesses::Quorum(2, 1))
        );
        assert_eq!(
            demand(vec![a.clone()], Some(0)),
            Err(BadWitnesses::Quorum(0, 1))
        );
        for twice in [name("b.example", one), name("a.example", key())] {
            let refused = demand(vec![a.clone(), twice], Some(1));
            assert!(matches!(refused, Err(BadWitnesses::Twice(..))));
        }
        assert!(matches!(
            demand(vec![name("self", log)], None),
            Err(BadWitnesses::Own(_))
        ));
        let log_key: Result<WitnessKey, _> = own.to_string().parse();
        assert_eq!(log_key, Err(NoWitnessKey::Kind(1)));
        assert_eq!("".parse::<WitnessKey>(), Err(NoWitnessKey::Form));
    }
}
