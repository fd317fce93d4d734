//! Scenarios: what is asked of a workspace, one step after another, and what must be seen.
//!
//! A file is read and checked whole ([`read()`]) before anything is started; what is seen is judged
//! by pure code (`expect`). [`play`] asks; [`compare`] asks two places the same and says what
//! differs. What a file may hold is told in `docs/scenarios.md`.

pub mod compare;
mod expect;
pub mod play;
mod read;
mod receivers;
mod shape;
mod shipped;
mod side;
mod target;
mod variables;
mod written;

use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::operations::Operation;
use protocol::time::Millis;
use serde_json::Value;
use serde_json_path::JsonPath;

use crate::control::calls;
use crate::described::{self, Problems};
use crate::ground::{File, Ground};
use expect::Expectations;
pub use expect::Failure;
pub use read::read;
pub use shipped::{Shipped, shipped};

/// Largest file, in bytes.
pub const MAX_FILE_LEN: usize = 1024 * 1024;
/// Most steps of a scenario.
pub const MAX_STEPS: usize = 1_000;
/// Most receivers of a scenario.
pub const MAX_RECEIVERS: usize = 16;
/// Longest wait of a step.
pub const MAX_WAIT: Duration = Duration::from_secs(600);

/// A scenario that can be played.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// Where it came from.
    pub file: PathBuf,
    workspace: Workspace,
    receivers: Vec<String>,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

/// The workspace that a scenario is played in, and the sandbox around it.
#[derive(Clone, Debug)]
struct Workspace {
    from: Ground,
    /// The file that it is described in, if it is no shipped one, and where that was found.
    file: Option<(PathBuf, File)>,
    /// Whether people and chain wait to be told.
    manual: bool,
    /// What is made by chance is made from this.
    seed: Option<u64>,
    /// When it is, its clock standing there; nothing: now, and it runs.
    frozen_at: Option<Millis>,
}

/// Something that is done, and what must be seen then.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is called.
    pub name: String,
    /// Where it stands in its file, from 1.
    pub line: usize,
    act: Act,
    expect: Expectations,
    captures: Vec<Capture>,
    /// It is done again until what is expected is seen, for so long; nothing: once.
    within: Option<Duration>,
}

/// What is done.
#[derive(Clone, Debug)]
enum Act {
    /// A user calls the API.
    Api {
        user: String,
        operation: &'static Operation,
        target: target::Target,
        body: Option<Value>,
        idempotency_key: Option<String>,
    },
    /// People, the chain or time do something.
    Control {
        call: &'static calls::Call,
        target: target::Target,
        body: Option<Value>,
    },
    /// A webhook is looked for among those that came to a receiver.
    Webhook {
        receiver: String,
        kind: Option<String>,
        count: Option<usize>,
    },
    /// A receiver answers with this status from now on.
    Answers { receiver: String, status: u16 },
}

/// A value that later steps use.
#[derive(Clone, Debug)]
struct Capture {
    name: String,
    line: usize,
    path: JsonPath,
}

/// Reads a file, or the shipped scenario of that name.
pub fn open(named: &Path) -> Result<Scenario, OpenError> {
    let text = match std::fs::metadata(named) {
        Ok(known) if known.len() > MAX_FILE_LEN as u64 => {
            return Err(OpenError::TooLarge(named.to_owned()));
        }
        Ok(_) => std::fs::read_to_string(named)
            .map_err(|error| OpenError::File(named.to_owned(), error))?,
        Err(error) => {
            let of_name = |one: &&Shipped| Path::new(one.name) == named;
            let one = shipped().iter().find(of_name);
            let one = one.ok_or_else(|| OpenError::File(named.to_owned(), error))?;
            one.text.to_owned()
        }
    };
    let folder = named.parent().unwrap_or(Path::new(""));
    Ok(read(named, &text, &|word| workspace_file(folder, word))?)
}

/// The workspace file of that path, seen from a folder.
fn workspace_file(folder: &Path, word: &str) -> Result<(PathBuf, File), String> {
    let path = folder.join(word);
    let called = path.display().to_string();
    let size = std::fs::metadata(&path).map(|known| known.len());
    let size = size.map_err(|error| format!("{called} cannot be read: {error}"))?;
    if size > described::MAX_BYTES as u64 {
        return Err(format!(
            "{called} is larger than {} bytes",
            described::MAX_BYTES
        ));
    }
    let text = std::fs::read_to_string(&path);
    let text = text.map_err(|error| format!("{called} cannot be read: {error}"))?;
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.ok_or_else(|| format!("{called} has no name that can be written"))?;
    let file = File::read(stem, &called, text).map_err(|problems| problems.to_string())?;
    Ok((path, file))
}

/// Why there is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file.
    #[error("{0} cannot be read: {1}; the shipped ones are told by --list")]
    File(PathBuf, std::io::Error),
    /// The file is too long.
    #[error("{0} is larger than {MAX_FILE_LEN} bytes")]
    TooLarge(PathBuf),
    /// What stands in it.
    #[error(transparent)]
    Bad(#[from] Problems),
}
