//! Everything that happens in a sandbox, as it happens: to whoever listens, to a file, and the last
//! of it for a page. Bounded: who listens too slowly is told how much was missed.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use parking_lot::Mutex;
use protocol::ids::WorkspaceId;
use protocol::model::event::EventType;
use protocol::time::Millis;
use serde::Serialize;
use tokio::sync::broadcast;

/// Most that wait for one who listens slowly.
const MAX_WAITING: usize = 4_096;
/// How many of the last calls are kept.
const MAX_RECENT: usize = 200;

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum Happening {
    /// The API was called.
    Call(Called),
    /// Something is different now.
    Change(Changed),
}

/// A call of the API, and what was answered.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Called {
    /// By the world's clock.
    pub(crate) at: Millis,
    pub(crate) request_id: String,
    pub(crate) workspace: Option<WorkspaceId>,
    /// The API key, if it is one of the sandbox's.
    pub(crate) user: Option<String>,
    pub(crate) role: Option<&'static str>,
    pub(crate) operation: Option<&'static str>,
    pub(crate) method: String,
    pub(crate) path: String,
    /// Nothing: the connection was cut.
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<i64>,
    pub(crate) user_agent: Option<String>,
    /// Why it was refused.
    pub(crate) why: Option<String>,
}

/// A change of a workspace that an event tells of.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Changed {
    /// By the workspace's clock.
    pub(crate) at: Millis,
    pub(crate) workspace: WorkspaceId,
    pub(crate) event_type: EventType,
    pub(crate) resource_id: Option<String>,
}

impl Happening {
    /// In which workspace, where that is known.
    pub(crate) const fn workspace(&self) -> Option<WorkspaceId> {
        match self {
            Self::Call(called) => called.workspace,
            Self::Change(changed) => Some(changed.workspace),
        }
    }

    /// Its name in a stream.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Change(_) => "change",
        }
    }
}

/// Where it is told.
pub(crate) struct Happenings {
    listeners: broadcast::Sender<Happening>,
    recent: Mutex<VecDeque<Called>>,
    log: Option<Mutex<BufWriter<File>>>,
}

impl std::fmt::Debug for Happenings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Happenings")
    }
}

impl Happenings {
    /// With a file that calls are written to, each a line of JSON, behind what is there.
    pub(crate) fn new(log: Option<&Path>) -> std::io::Result<Self> {
        let open = |path| File::options().create(true).append(true).open(path);
        Ok(Self {
            listeners: broadcast::channel(MAX_WAITING).0,
            recent: Mutex::default(),
            log: log
                .map(open)
                .transpose()?
                .map(BufWriter::new)
                .map(Mutex::new),
        })
    }

    /// The API was called.
    pub(crate) fn called(&self, called: Called) {
        if let Some(log) = &self.log {
            let line = serde_json::to_string(&called).unwrap_or_default();
            if let Err(error) = writeln!(log.lock(), "{line}") {
                tracing::error!(%error, "a call is not in the log");
            }
        }
        let mut recent = self.recent.lock();
        if recent.len() >= MAX_RECENT {
            recent.pop_front();
        }
        recent.push_back(called.clone());
        drop(recent);
        // Nobody may be listening.
        let _ = self.listeners.send(Happening::Call(called));
    }

    /// Something is different now.
    pub(crate) fn changed(&self, changes: Vec<Changed>) {
        for changed in changes {
            let _ = self.listeners.send(Happening::Change(changed));
        }
    }

    /// What happens from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Happening> {
        self.listeners.subscribe()
    }

    /// The last calls, the newest first.
    pub(crate) fn recent(&self) -> Vec<Called> {
        self.recent.lock().iter().rev().cloned().collect()
    }

    /// Writes out what is not in the file yet.
    pub(crate) fn flush(&self) {
        if let Some(log) = &self.log
            && let Err(error) = log.lock().flush()
        {
            tracing::error!(%error, "the last calls are not in the log");
        }
    }
}
