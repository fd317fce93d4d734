//! Checkpoints: size and root of the tree at a time, as a signed note.

use protocol::ed25519::{SigningKey, VerifyingKey};
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use signed_note::{Note, Signature, Verifier, VerifierList, key_id};
use tlog_tiles::tlog::Hash;

/// The algorithm byte of Ed25519 in a note's key id.
const ED25519: u8 = 1;

/// What stands before the time in a checkpoint's extension line.
const AT: &str = "at ";

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many leaves.
    pub size: u64,
    /// The root of their tree.
    pub root: [u8; 32],
    /// When it was signed, if it tells.
    pub at: Option<Millis>,
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
    /// It stands in another one's place.
    #[error("it is the one of size {0}")]
    Size(u64),
}

/// Names the log: one gate's, of one workspace.
fn origin(workspace: WorkspaceId) -> String {
    format!("vestibule.gate/{workspace}")
}

fn public_bytes(key: &VerifyingKey) -> Vec<u8> {
    [&[ED25519], key.as_bytes().as_slice()].concat()
}

struct LogKey {
    name: String,
    key: VerifyingKey,
}

impl Verifier for LogKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        key_id(&self.name, &public_bytes(&self.key))
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verifies(message, signature)
    }
}

impl Checkpoint {
    /// The signed note.
    pub fn sign(&self, workspace: WorkspaceId, key: &SigningKey) -> Result<String, BadCheckpoint> {
        let name = origin(workspace);
        let extension = self.at.map(|at| format!("{AT}{at}\n")).unwrap_or_default();
        let body = tlog_tiles::Checkpoint::new(&name, self.size, Hash(self.root), &extension)
            .map_err(|_| BadCheckpoint::Form)?;
        let text = body.to_bytes();
        let id = key_id(&name, &public_bytes(&key.public()));
        let signature =
            Signature::new(name, id, key.sign(&text)).map_err(|_| BadCheckpoint::Form)?;
        let note = Note::new(&text, &[signature]).map_err(|_| BadCheckpoint::Form)?;
        String::from_utf8(note.to_bytes()).map_err(|_| BadCheckpoint::Form)
    }

    /// Reads a signed note.
    pub fn verify(
        note: &str,
        workspace: WorkspaceId,
        key: &VerifyingKey,
    ) -> Result<Self, BadCheckpoint> {
        let name = origin(workspace);
        let note = Note::from_bytes(note.as_bytes()).map_err(|_| BadCheckpoint::Form)?;
        let verifier = LogKey {
            name: name.clone(),
            key: *key,
        };
        note.verify(&VerifierList::new(vec![Box::new(verifier)]))
            .map_err(|_| BadCheckpoint::Signature)?;
        let body =
            tlog_tiles::Checkpoint::from_bytes(note.text()).map_err(|_| BadCheckpoint::Form)?;
        if body.origin() != name {
            return Err(BadCheckpoint::Origin);
        }
        let at = |line: &str| Some(Millis(line.strip_prefix(AT)?.parse().ok()?));
        Ok(Self {
            size: body.size(),
            root: body.hash().0,
            at: body.extension().lines().find_map(at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_checkpoint_is_believed_from_its_key_alone_and_unchanged() {
        let (workspace, other) = (
            WorkspaceId(Uuid::from_u128(1)),
            WorkspaceId(Uuid::from_u128(2)),
        );
        let (key, stranger) = (
            SigningKey::generate().expect("a key"),
            SigningKey::generate().expect("a key"),
        );
        let checkpoint = Checkpoint {
            size: 7,
            root: [9; 32],
            at: Some(Millis(1_790_000_000_123)),
        };
        let note = checkpoint.sign(workspace, &key).expect("a note");
        assert_eq!(
            Checkpoint::verify(&note, workspace, &key.public()),
            Ok(checkpoint)
        );
        assert!(Checkpoint::verify(&note, workspace, &stranger.public()).is_err());
        assert!(Checkpoint::verify(&note, other, &key.public()).is_err());
        assert!(Checkpoint::verify(&note.replacen('7', "8", 2), workspace, &key.public()).is_err());
    }
}
