//! One question to one witness: the newest checkpoint, and the proof that it continues what the
//! witness has cosigned last.

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::time::Millis;
use signed_note::{Note, Signature, Verifier};
use store::StoreError;
use tlog_tiles::tlog::{Hash, prove_tree};
use url::Url;
use wire::hooks_out::{Answered, Caller, NoAnswer};

use super::{AGAIN, TIMEOUT, Witness};
use crate::gate::Gate;
use crate::log::{Stored, WitnessKey};
use crate::rows;

/// The content type of a size.
const SIZE: &str = "text/x.tlog.size";
/// How far a witness's clock may be from the gate's, in milliseconds.
const SKEW: i64 = 5 * Millis::MINUTE;
/// Most lines of an answer.
const MAX_LINES: usize = 100;

/// Why a witness has not cosigned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// The log is shorter than what the witness has cosigned.
    #[error(
        "it says that it has cosigned {theirs} entries of this log, and here are {ours}: the log was cut or a copy was put back, or another gate signs with its key"
    )]
    Ahead { theirs: u64, ours: u64 },
    /// The log is another one than what the witness has cosigned.
    #[error(
        "it refuses: the first {0} entries are not those that it has cosigned. The log was rewritten, or another gate signs with its key"
    )]
    Fork(u64),
    /// It knows nothing of the log.
    #[error("it does not know this log: whoever runs it adds the key of `vestibule gate log key`")]
    Unknown,
    /// It knows another key.
    #[error(
        "it takes another key for this log: whoever runs it sets that of `vestibule gate log key`"
    )]
    Key,
    /// It answers what no witness answers.
    #[error("its answer is none of a witness's: {0}")]
    Answer(String),
    /// It does not answer.
    #[error("{0}")]
    Silent(#[from] NoAnswer),
    /// The store.
    #[error("the store cannot be read or written: {0}")]
    Store(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

impl Trouble {
    /// Whether it may pass by itself: nothing says that the log is not what it was.
    pub(super) fn passes(&self) -> bool {
        matches!(self, Self::Silent(_) | Self::Store(_))
    }
}

/// What is asked.
struct Question {
    /// The newest checkpoint.
    size: u64,
    note: String,
    /// What the witness has cosigned last, and the proof that the log continues it.
    old: u64,
    proof: Vec<Hash>,
}

impl Question {
    fn text(&self) -> String {
        let mut text = format!("old {}\n", self.old);
        for hash in &self.proof {
            text += &format!("{}\n", STANDARD.encode(hash.0));
        }
        format!("{text}\n{}", self.note)
    }
}

/// What a witness says.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// It has cosigned: its line, and when.
    Cosigned(String, Millis),
    /// It has cosigned another size last.
    At(u64),
}

/// Asks for the newest checkpoint, unless the witness has cosigned it lately.
pub(super) async fn ask(gate: &Gate, witness: &Witness, caller: &Caller) -> Result<(), Trouble> {
    let mut old = None;
    // Twice: who asks with a size that is not the witness's is told the right one.
    for _ in 0..2 {
        let Some(question) = question(gate, &witness.key, old).await? else {
            return Ok(());
        };
        let answered = caller.exchange(address(&witness.url), question.text(), TIMEOUT);
        let answered = answered.await?;
        match said(&answered, &question, &witness.key, gate.clock.now())? {
            Said::At(size) => old = Some(size),
            Said::Cosigned(line, at) => {
                let (workspace, key) = (gate.workspace(), witness.key.to_string());
                let size = question.size;
                let write = gate.store.write(move |writing| {
                    rows::log::put_cosignature(writing, workspace, size, &key, (at, &line))
                });
                return Ok(write.await?);
            }
        }
    }
    Err(Trouble::Answer("it asks for another size again".to_owned()))
}

/// Where a checkpoint is sent.
fn address(prefix: &Url) -> Url {
    let mut url = prefix.clone();
    let path = format!("{}/add-checkpoint", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

/// What to ask; nothing: there is nothing new, and what there is was cosigned lately.
async fn question(
    gate: &Gate,
    witness: &WitnessKey,
    old: Option<u64>,
) -> Result<Option<Question>, Trouble> {
    let (workspace, now, witness) = (gate.workspace(), gate.clock.now(), witness.to_string());
    let read = gate.store.read(move |reading| {
        let Some((size, note)) = rows::log::newest_signed(reading, workspace)? else {
            return Ok(None);
        };
        let last = rows::log::cosigned(reading, workspace, &witness)?;
        let lately = |(of, at): (u64, Millis)| of == size && now.0.saturating_sub(at.0) < AGAIN;
        if old.is_none() && last.is_some_and(lately) {
            return Ok(None);
        }
        let old = old.or(last.map(|(of, _)| of)).unwrap_or(0).min(size);
        let proof = if old == 0 {
            Vec::new()
        } else {
            let reader = Stored(workspace, RefCell::new(reading));
            let proof = prove_tree(size, old, &reader);
            proof.map_err(|error| StoreError::Engine(error.to_string()))?
        };
        Ok::<_, StoreError>(Some(Question {
            size,
            note,
            old,
            proof,
        }))
    });
    Ok(read.await?)
}

/// What an answer says. Pure.
fn said(
    answered: &Answered,
    asked: &Question,
    key: &WitnessKey,
    now: Millis,
) -> Result<Said, Trouble> {
    let strange = |why: &str| Trouble::Answer(why.to_owned());
    match answered.status {
        200 => cosigned(&answered.body, &asked.note, key, now),
        409 => match size_of(answered) {
            Some(theirs) if theirs > asked.size => Err(Trouble::Ahead {
                theirs,
                ours: asked.size,
            }),
            Some(theirs) if theirs != asked.old => Ok(Said::At(theirs)),
            // It has the size that was named: then it is the root that differs.
            _ if asked.old == asked.size => Err(Trouble::Fork(asked.size)),
            _ => Err(strange("409 without another size")),
        },
        422 if asked.old > 0 => Err(Trouble::Fork(asked.old)),
        404 => Err(Trouble::Unknown),
        403 => Err(Trouble::Key),
        other => Err(Trouble::Answer(format!("status {other}"))),
    }
}

fn size_of(answered: &Answered) -> Option<u64> {
    answered
        .content_type
        .as_deref()
        .filter(|kind| *kind == SIZE)?;
    let text = std::str::from_utf8(&answered.body)
        .ok()?
        .strip_suffix('\n')?;
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text).then_some(size)
}

/// The witness's own line of an answer, if it holds.
fn cosigned(body: &[u8], note: &str, key: &WitnessKey, now: Millis) -> Result<Said, Trouble> {
    let strange = |why: &str| Trouble::Answer(why.to_owned());
    let note = Note::from_bytes(note.as_bytes()).map_err(|_| strange("there is no checkpoint"))?;
    let text = std::str::from_utf8(body).map_err(|_| strange("it is no text"))?;
    let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    // Of others' lines nothing is known.
    let own = lines
        .take(MAX_LINES)
        .filter_map(|line| Signature::from_bytes(line.as_bytes()).ok())
        .find(|line| line.name() == key.name() && line.id() == key.key_id());
    let own = own.ok_or(strange("no line in it is by its key"))?;
    let at = key.when(note.text(), own.signature());
    let at = at.ok_or(strange("its cosignature does not hold"))?;
    if at.0.abs_diff(now.0) > SKEW.unsigned_abs() {
        let seconds = at.seconds().saturating_sub(now.seconds());
        return Err(Trouble::Answer(format!(
            "its time is {seconds} seconds from this machine's"
        )));
    }
    let line = String::from_utf8(own.to_bytes()).map_err(|_| strange("it is no text"))?;
    Ok(Said::Cosigned(line, at))
}
