//! Checkpoints: size and root of the tree at a time, as a signed note.

use protocol::ed25519::SigningKey;
use protocol::time::Millis;
use signed_note::{Note, Signature, VerifierList};
use tlog_tiles::tlog::Hash;
use uuid::Uuid;

use super::key::LogKey;

/// What stands before the time in a checkpoint's extension line.
const AT: &str = "at ";
/// What stands before the store's epoch.
const EPOCH: &str = "epoch ";

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many leaves.
    pub size: u64,
    /// The root of their tree.
    pub root: [u8; 32],
    /// When it was signed, if it tells.
    pub at: Option<Millis>,
    /// The life of the store that it was signed in: another one begins when a copy is put back.
    pub epoch: Option<Uuid>,
}

/// Why a checkpoint is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCheckpoint {
    /// It is not in the form of one.
    #[error("it is not a checkpoint")]
    Form,
    /// The log's key did not sign it, or it was changed after.
    #[error("the log's key did not sign it as it stands")]
    Signature,
    /// It is of another gate's log.
    #[error("it is of another log")]
    Origin,
    /// A witness's name stands under what it did not cosign.
    #[error("its cosignature of {0} is not that witness's")]
    Cosignature(String),
    /// It stands in another one's place.
    #[error("it is the one of size {0}")]
    Size(u64),
}

impl Checkpoint {
    /// The signed note.
    pub fn sign(&self, name: &LogKey, key: &SigningKey) -> Result<String, BadCheckpoint> {
        let at = self.at.map(|at| format!("{AT}{at}\n"));
        let epoch = self.epoch.map(|epoch| format!("{EPOCH}{epoch}\n"));
        let extension = at.unwrap_or_default() + &epoch.unwrap_or_default();
        let body =
            tlog_tiles::Checkpoint::new(name.origin(), self.size, Hash(self.root), &extension)
                .map_err(|_| BadCheckpoint::Form)?;
        let text = body.to_bytes();
        let signature = Signature::new(name.origin().to_owned(), name.id(), key.sign(&text))
            .map_err(|_| BadCheckpoint::Form)?;
        let note = Note::new(&text, &[signature]).map_err(|_| BadCheckpoint::Form)?;
        String::from_utf8(note.to_bytes()).map_err(|_| BadCheckpoint::Form)
    }

    /// The life of the store that a note was signed in, as its text says. For notes of a store whose log was
    /// verified: nothing is verified here.
    pub(crate) fn epoch_of(note: &str) -> Option<Uuid> {
        line(note, EPOCH).and_then(|epoch| epoch.parse().ok())
    }

    /// Reads a signed note.
    pub fn verify(note: &str, key: &LogKey) -> Result<Self, BadCheckpoint> {
        let note = Note::from_bytes(note.as_bytes()).map_err(|_| BadCheckpoint::Form)?;
        note.verify(&VerifierList::new(vec![Box::new(key.clone())]))
            .map_err(|_| BadCheckpoint::Signature)?;
        let body =
            tlog_tiles::Checkpoint::from_bytes(note.text()).map_err(|_| BadCheckpoint::Form)?;
        if body.origin() != key.origin() {
            return Err(BadCheckpoint::Origin);
        }
        let line = |begins| line(body.extension(), begins);
        Ok(Self {
            size: body.size(),
            root: body.hash().0,
            at: line(AT).and_then(|at| at.parse().ok()).map(Millis),
            epoch: line(EPOCH).and_then(|epoch| epoch.parse().ok()),
        })
    }
}

fn line<'a>(text: &'a str, begins: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(begins))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::ids::WorkspaceId;

    #[test]
    fn a_checkpoint_is_believed_from_its_key_alone_and_unchanged() {
        let (key, stranger) = (
            SigningKey::generate().expect("a key"),
            SigningKey::generate().expect("a key"),
        );
        let log = |number, key: &SigningKey| {
            LogKey::of(WorkspaceId(Uuid::from_u128(number)), key.public())
        };
        let checkpoint = Checkpoint {
            size: 7,
            root: [9; 32],
            at: Some(Millis(1_790_000_000_123)),
            epoch: Some(Uuid::from_u128(5)),
        };
        let ours = log(1, &key);
        let note = checkpoint.sign(&ours, &key).expect("a note");
        assert_eq!(Checkpoint::verify(&note, &ours), Ok(checkpoint));
        assert!(Checkpoint::verify(&note, &log(1, &stranger)).is_err());
        assert!(Checkpoint::verify(&note, &log(2, &key)).is_err());
        assert!(Checkpoint::verify(&note.replacen('7', "8", 2), &ours).is_err());
        for at in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(Checkpoint::verify(&changed, &ours).is_err(), "{changed}");
            }
        }
    }
}
