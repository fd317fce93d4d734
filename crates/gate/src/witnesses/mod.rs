//! Witnesses of the log, asked: each signed checkpoint goes to every one of them, and what they write
//! under it is kept beside it (C2SP `tlog-witness`).
//!
//! The log waits for nobody: each witness has a task of its own, which sends one request at a time,
//! always for the newest checkpoint. Only the gate that leads asks.

mod ask;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::StoreError;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;
use wire::hooks_out::{Caller, TargetPolicy};

pub(crate) use ask::Trouble;

use crate::gate::Gate;
use crate::log::{BadWitnesses, WitnessKey, distinct};
use crate::rows;

/// How long an answer is waited for.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The first wait after a failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest wait after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// When a log that has not grown is cosigned again, in milliseconds: so that the witness's time is recent.
const AGAIN: i64 = Millis::HOUR;
/// How long a witness may be silent before that is a fault, in milliseconds.
const SILENCE: i64 = 10 * Millis::MINUTE;

/// What the configuration says of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Who cosigns its checkpoints.
    #[serde(default)]
    pub witnesses: Witnesses,
}

impl Log {
    /// Whether nothing is said.
    pub(crate) fn is_silent(&self) -> bool {
        self.witnesses.0.is_empty()
    }
}

/// A witness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Its name and public key: `NAME+HASH+KEY`.
    pub key: WitnessKey,
    /// Where it is asked: what stands before `/add-checkpoint`.
    pub url: Url,
}

/// The witnesses of a log: others, each once, each behind https or on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Witness>")]
pub struct Witnesses(Vec<Witness>);

/// Why these cannot be a log's witnesses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWitnesses {
    /// They are not several.
    #[error(transparent)]
    Bad(#[from] BadWitnesses),
    /// Nothing is sent there.
    #[error("the witness at {0}: {1}, without query or fragment")]
    Url(Url, String),
}

impl Witnesses {
    /// The key of each, as it is written.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.0.iter().map(|one| one.key.to_string()).collect()
    }
}

impl TryFrom<Vec<Witness>> for Witnesses {
    type Error = NoWitnesses;

    fn try_from(all: Vec<Witness>) -> Result<Self, NoWitnesses> {
        distinct(all.iter().map(|one| &one.key), None)?;
        for one in &all {
            let bad = |why: String| NoWitnesses::Url(one.url.clone(), why);
            TargetPolicy::Owners
                .check(&one.url)
                .map_err(|refused| bad(refused.to_string()))?;
            if one.url.query().is_some() || one.url.fragment().is_some() {
                return Err(bad("a prefix".to_owned()));
            }
        }
        Ok(Self(all))
    }
}

/// What came of asking the witnesses, and how far the log's head is.
#[derive(Default)]
pub(crate) struct Witnessing {
    /// The size of the newest checkpoint.
    pub(crate) head: watch::Sender<u64>,
    /// What is wrong with each, and since when.
    troubles: Mutex<Vec<(String, Trouble, Millis)>>,
}

impl Witnessing {
    fn told(&self, witness: &WitnessKey, outcome: Result<(), Trouble>, now: Millis) {
        let name = witness.to_string();
        let mut troubles = self.troubles.lock();
        let at = troubles.iter().position(|(of, ..)| *of == name);
        let before = at.map(|at| troubles.swap_remove(at));
        match (outcome, before) {
            (Ok(()), None) => {}
            (Ok(()), Some(_)) => tracing::info!(witness = witness.name(), "it cosigns again"),
            (Err(trouble), before) => {
                if before
                    .as_ref()
                    .is_none_or(|(_, known, _)| *known != trouble)
                {
                    tracing::error!(witness = witness.name(), %trouble, "the log's head is not cosigned");
                }
                let since = before.map_or(now, |(_, _, since)| since);
                troubles.push((name, trouble, since));
            }
        }
    }

    fn trouble(&self, witness: &WitnessKey) -> Option<(Trouble, Millis)> {
        let name = witness.to_string();
        let troubles = self.troubles.lock();
        let found = troubles.iter().find(|(of, ..)| *of == name)?;
        Some((found.1.clone(), found.2))
    }
}

/// How far a witness is.
#[derive(Debug, Serialize)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// How many entries it has cosigned, if any.
    pub size: Option<u64>,
    /// When that was, by its clock.
    pub at: Option<Millis>,
    /// What is wrong.
    pub trouble: Option<String>,
    /// Whether it does what it must.
    pub ok: bool,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.size {
            Some(size) => write!(f, "{} has cosigned {size} entries", self.name)?,
            None => write!(f, "{} has cosigned nothing yet", self.name)?,
        }
        match &self.trouble {
            Some(trouble) => write!(f, ": {trouble}"),
            None => Ok(()),
        }
    }
}

/// How far each witness is.
pub(crate) async fn seen(gate: &Gate) -> Result<Vec<Seen>, StoreError> {
    let (workspace, now) = (gate.workspace(), gate.clock.now());
    let witnesses = gate.config.log.witnesses.0.clone();
    let read = gate.store.read(move |reading| {
        let mut all = Vec::new();
        for witness in witnesses {
            let newest = rows::log::cosigned(reading, workspace, &witness.key.to_string())?;
            all.push((witness.key, newest));
        }
        Ok::<_, StoreError>(all)
    });
    let told = |(key, newest): (WitnessKey, Option<(u64, Millis)>)| {
        let trouble = gate.witnessing.trouble(&key);
        let ok = trouble.as_ref().is_none_or(|(trouble, since)| {
            trouble.passes() && now.0.saturating_sub(since.0) < SILENCE
        });
        Seen {
            name: key.name().to_owned(),
            size: newest.map(|(size, _)| size),
            at: newest.map(|(_, at)| at),
            trouble: trouble.map(|(trouble, _)| trouble.to_string()),
            ok,
        }
    };
    Ok(read.await?.into_iter().map(told).collect())
}

/// Asks every witness for as long as this gate leads.
pub(crate) async fn keep(gate: Arc<Gate>, shutdown: CancellationToken) {
    if gate.config.log.is_silent() {
        return;
    }
    let caller = match Caller::new(TargetPolicy::Owners) {
        Ok(caller) => caller,
        Err(error) => {
            tracing::error!(%error, "no witness can be asked");
            return;
        }
    };
    let mut tasks = JoinSet::new();
    for witness in gate.config.log.witnesses.0.clone() {
        let (gate, caller, shutdown) = (Arc::clone(&gate), caller.clone(), shutdown.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = one(&gate, &witness, &caller) => {}
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}

/// Asks one witness whenever the log has grown, and now and then where it has not.
async fn one(gate: &Gate, witness: &Witness, caller: &Caller) {
    let mut head = gate.witnessing.head.subscribe();
    let mut pause = FIRST_PAUSE;
    loop {
        head.borrow_and_update();
        let outcome = ask::ask(gate, witness, caller).await;
        let well = outcome.is_ok();
        gate.witnessing
            .told(&witness.key, outcome, gate.clock.now());
        if well {
            pause = FIRST_PAUSE;
            tokio::select! {
                changed = head.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LONGEST_PAUSE) => {}
            }
        } else {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::ed25519::SigningKey;

    #[test]
    fn a_witness_is_asked_over_tls_or_on_this_machine() {
        let witness = |url: &str| {
            let key = SigningKey::generate().expect("a key").public();
            let key = WitnessKey::of("w.example", key).expect("a witness");
            let url = url.parse().expect("a URL");
            Witnesses::try_from(vec![Witness { key, url }])
        };
        for url in [
            "https://w.example/x",
            "https://10.0.0.1:8443",
            "http://127.0.0.1:1/",
        ] {
            assert!(witness(url).is_ok(), "{url}");
        }
        for url in [
            "http://w.example",
            "http://10.0.0.1",
            "https://user@w.example",
            "https://w.example?x",
            "ftp://w.example",
        ] {
            assert!(witness(url).is_err(), "{url}");
        }
    }
}
