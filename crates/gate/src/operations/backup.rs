//! A copy of the store while the gate runs.

use std::path::PathBuf;
use std::sync::Arc;

use protocol::error::ApiError;
use serde::{Deserialize, Serialize};

use super::{Operator, refused};
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::rows;

/// Where to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// A file that is not there yet, as an absolute path on the gate's machine.
    pub file: PathBuf,
}

/// A copy.
#[derive(Debug, Serialize)]
pub struct Copied {
    /// Where it is.
    pub file: PathBuf,
    /// How many entries its log has.
    pub entries: u64,
    /// How large it is, in bytes.
    pub bytes: u64,
}

/// Copies the store; the log tells, and the copy holds the checkpoint that counts that.
pub(crate) async fn backup(
    gate: &Arc<Gate>,
    operator: &Operator,
    wanted: Wanted,
) -> Result<Copied, ApiError> {
    if !wanted.file.is_absolute() {
        return Err(refused(400, "name the file from the root on"));
    }
    if wanted.file.exists() {
        let taken = format_args!("{} is there already", wanted.file.display()).to_string();
        return Err(refused(409, taken));
    }
    let actor = Actor::Operator(operator.name.clone());
    let work = move |deed: &mut Deed<'_, '_>| {
        let entries = rows::log::size(deed.writing, deed.workspace)? + 1;
        deed.log(actor.clone(), Event::StoreBackedUp { entries })?;
        Ok(entries)
    };
    let entries = gate.deed(work).await?;
    let signed = gate.keeper().sign(gate.clock.now()).await;
    signed.map_err(|error| refused(500, error))?;
    let copied = gate.store.copy_to(&wanted.file).await;
    copied.map_err(|error| refused(500, error))?;
    let bytes = std::fs::metadata(&wanted.file).map_or(0, |file| file.len());
    Ok(Copied {
        file: wanted.file,
        entries,
        bytes,
    })
}
