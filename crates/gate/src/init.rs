//! Making a gate: keys, store, log, the first owner; and what the client then does in its Console.

mod making;

use std::path::PathBuf;

use protocol::csr::{CertificateSigningRequest, CsrError};
use protocol::ids::{UserId, WorkspaceId};
use protocol::keys::PrivateKey;
use store::{Location, StoreError};
use uuid::Uuid;
use wire::clock::WallClock;

use crate::config::Config;
use crate::folder::{Folder, FolderError, KeyName};
use crate::gate::Deed;
use crate::log::{Actor, Event, Keeper, Origin};
use crate::operators::OperatorRole;
use crate::rows;
use crate::start::{location, make_store};
use making::Making;

/// The organization in the gate's CSRs.
const ORGANIZATION: &str = "Vestibule gate";

/// Why a gate is not made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Its files.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A CSR.
    #[error(transparent)]
    Csr(#[from] CsrError),
    /// Its database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its books.
    #[error(transparent)]
    Ledger(#[from] ledger::LedgerError),
    /// Its log, which nothing is decided without.
    #[error("the log cannot be begun: {0}")]
    Log(#[from] crate::log::LogError),
    /// Its keys were not made to the end.
    #[error("making keys stopped unexpectedly")]
    Keys,
    /// The store has a gate of the workspace: of another folder, then.
    #[error(
        "the store {1} has a gate of workspace {0} already: run that one's folder, or name another store"
    )]
    Held(WorkspaceId, Location),
}

/// A gate that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The CSR for the Viewer that the client adds in its Console.
    pub viewer_csr: PathBuf,
    /// The first owner's key.
    pub owner_key: PathBuf,
    /// The first owner's id, which its key signs for.
    pub owner_id: UserId,
    /// What the client does now.
    pub todo: Vec<String>,
}

/// Makes a gate in a folder that has none, or nothing at all. `text` is the configuration as it is
/// to be written.
pub async fn init(
    folder: &Folder,
    config: &Config,
    text: &str,
    owner: &str,
    clock: &impl WallClock,
) -> Result<Made, InitError> {
    let making = Making::begin(folder)?;
    let made = make(folder, config, text, owner, clock).await?;
    making.keep();
    Ok(made)
}

async fn make(
    folder: &Folder,
    config: &Config,
    text: &str,
    owner: &str,
    clock: &impl WallClock,
) -> Result<Made, InitError> {
    let keys = folder.clone();
    let made = tokio::task::spawn_blocking(move || make_keys(&keys)).await;
    let (viewer_csr, owner_key) = made.map_err(|_| InitError::Keys)??;
    let owner_id = UserId(Uuid::new_v4());
    folder.write_new(&folder.owner_id_path(), owner_id.to_string().as_bytes())?;
    // Last of the files: what has none is not run.
    folder.write_new(&folder.config(), text.as_bytes())?;
    let store = make_store(folder, config).await?;
    let books = ledger::Books::open(&store, config.upstream.workspace_id).await?;
    let at = clock.now();
    let row = (
        owner_id,
        owner.to_owned(),
        owner_key.public().spki_der().to_vec(),
    );
    let workspace = config.upstream.workspace_id;
    let held = InitError::Held(workspace, location(folder, config));
    let begun = books.transact(at, move |writing, batch| {
        if rows::log::size(writing, workspace)? > 0 {
            return Ok(false);
        }
        let (id, name, spki) = row.clone();
        rows::operators::add(writing, workspace, id, &name, OperatorRole::Owner, &spki)?;
        let mut deed = Deed {
            workspace,
            writing,
            batch,
            at,
            origin: Origin::default(),
        };
        deed.log(
            Actor::Gate,
            Event::GateInitialised {
                workspace: workspace.to_string(),
                owner: name,
            },
        )?;
        Ok::<_, StoreError>(true)
    });
    if !begun.await? {
        return Err(held);
    }
    let keeper = Keeper {
        store: &store,
        folder,
        workspace: config.upstream.workspace_id,
        key: &folder.log_key()?,
    };
    keeper.sign(at).await?;
    let public = config.serve.public_url.as_ref().map_or_else(
        || format!("http://{}", config.serve.listen),
        |url| url.as_str().trim_end_matches('/').to_owned(),
    );
    let todo = vec![
        format!("In the Console, add an API user of the role VIEWER with the CSR {}", viewer_csr.display()),
        "Put the addresses that the gate calls from on that user's IP allow-list".to_owned(),
        format!("Make a webhook for all events to {public}{}/upstream", wire::hooks_in::Receiver::PREFIX),
        "Start the gate: vestibule gate run".to_owned(),
        "Tell it what the Console gave you: vestibule gate upstream --viewer-api-key ID --webhook-id ID".to_owned(),
        "See whether all is well: vestibule gate doctor".to_owned(),
    ];
    Ok(Made {
        viewer_csr,
        owner_key: folder.key_path(KeyName::Owner),
        owner_id,
        todo,
    })
}

fn make_keys(folder: &Folder) -> Result<(PathBuf, PrivateKey), InitError> {
    folder.make_log_key()?;
    folder.make_key(KeyName::Webhooks)?;
    let owner = folder.make_key(KeyName::Owner)?;
    let viewer = folder.make_key(KeyName::Viewer)?;
    Ok((write_csr(folder, KeyName::Viewer, &viewer)?, owner))
}

fn write_csr(folder: &Folder, name: KeyName<'_>, key: &PrivateKey) -> Result<PathBuf, InitError> {
    let csr = CertificateSigningRequest::new(key, ORGANIZATION, None)?;
    let path = folder.csr_path(name);
    folder.write_new(&path, csr.to_pem().as_bytes())?;
    Ok(path)
}

/// The CSR for an Editor upstream; key and CSR are made if there are none.
pub(crate) fn editor_csr(folder: &Folder, name: KeyName<'_>) -> Result<PathBuf, InitError> {
    let path = folder.csr_path(name);
    if path.exists() {
        return Ok(path);
    }
    let key = match folder.key(name) {
        Ok(key) => key,
        Err(_) => folder.make_key(name)?,
    };
    write_csr(folder, name, &key)
}

#[cfg(test)]
mod tests;
