//! Starting a gate: store, books, listeners, dispatchers, keeper, checkpoints.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use protocol::keys::PublicKey;
use store::{Location, Store, StoreError, once};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::clock::{SystemClock, WallClock};
use wire::hooks_in::{KeySource, Pin};
use wire::hooks_out::{Dispatcher, TargetPolicy};
use wire::server::{Server, serve};

use crate::admin_api::Desk;
use crate::config::Config;
use crate::folder::Folder;
use crate::gate::{AssemblyError, Gate, Parts};
use crate::log::{self, Checkpoint};
use crate::operations::Operator;
use crate::provider::Face;
use crate::relay::RelayOutbox;
use crate::{proposals, rows, upstream};

/// Attempts at once per provider: its events arrive in their order, mostly.
const PER_WEBHOOK: usize = 1;
/// How often the log gets a signed checkpoint, if it has grown.
const CHECKPOINT: Duration = Duration::from_secs(5);

/// A gate that serves.
#[derive(Debug)]
pub struct Running {
    /// How providers reach it: what stands before `/v1`.
    pub origin: String,
    /// The admin listener.
    pub admin_origin: String,
    tasks: JoinSet<()>,
    /// The folder is this process's until it is dropped.
    _lock: std::fs::File,
}

impl Running {
    /// Returns when everything has ended.
    pub async fn done(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Why a gate does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program listens there, or the address is not this machine's.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The admin listener is for this machine alone.
    #[error("the admin listener must be on a loopback address, not {0}")]
    AdminAddress(SocketAddr),
    /// What the gate is made of.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The webhooks' client.
    #[error(transparent)]
    Client(#[from] wire::hooks_out::NoClient),
    /// An operator's key.
    #[error("an operator's key cannot be read: {0}")]
    Operator(#[from] protocol::keys::KeyError),
}

/// Where a gate keeps its books.
pub fn location(folder: &Folder, config: &Config) -> Location {
    match &config.store.url {
        Some(url) => Location::Postgres(url.clone()),
        None => Location::SqliteFile(folder.database()),
    }
}

/// Opens the gate's store.
pub async fn open_store(folder: &Folder, config: &Config) -> Result<Store, StoreError> {
    Store::open(
        &location(folder, config),
        &[ledger::ROOM, sync::ROOM, once::ROOM, rows::ROOM],
    )
    .await
}

/// The admin listener is for this machine alone: asked when a gate is made, and when it starts.
pub fn check_admin(admin: SocketAddr) -> Result<(), StartError> {
    if admin.ip().is_loopback() {
        Ok(())
    } else {
        Err(StartError::AdminAddress(admin))
    }
}

/// Starts a gate.
pub async fn start(
    folder: Folder,
    config: Config,
    shutdown: CancellationToken,
) -> Result<Running, StartError> {
    check_admin(config.serve.admin)?;
    let lock = folder.lock().map_err(AssemblyError::from)?;
    let listen = |at: SocketAddr| async move {
        let listener = TcpListener::bind(at)
            .await
            .map_err(|error| StartError::Listen(at, error))?;
        let here = listener
            .local_addr()
            .map_err(|error| StartError::Listen(at, error))?;
        Ok::<_, StartError>((listener, format!("http://{here}")))
    };
    let (providers, own) = listen(config.serve.listen).await?;
    let (admin, admin_origin) = listen(config.serve.admin).await?;
    let public = config
        .serve
        .public_url
        .as_ref()
        .map_or(own, |url| url.as_str().trim_end_matches('/').to_owned());
    let store = open_store(&folder, &config).await?;
    let clock: Arc<dyn WallClock> = Arc::new(SystemClock);
    let targets = TargetPolicy::Public {
        except: config.serve.private_targets.clone(),
    };
    // Commands find the admin listener by it, also where its port was free to choose.
    std::fs::write(folder.admin_url_path(), &admin_origin)
        .map_err(|error| StartError::Listen(config.serve.admin, error))?;
    let parts = Parts {
        config,
        folder,
        store,
        clock: Arc::clone(&clock),
        public: public.clone(),
    };
    let gate = Gate::assemble(parts).await?;
    gate.mount_receiver();
    let mut tasks = JoinSet::new();
    tasks.spawn(upstream::keep(Arc::clone(&gate), shutdown.clone()));
    tasks.spawn(proposals::dispatch(Arc::clone(&gate), shutdown.clone()));
    tasks.spawn(checkpoints(Arc::clone(&gate), shutdown.clone()));
    let outbox = Arc::new(RelayOutbox(Arc::clone(&gate)));
    let dispatcher = Dispatcher::new(
        outbox,
        Arc::new(SystemClock),
        Arc::clone(&gate.deliveries),
        targets,
        PER_WEBHOOK,
    )?;
    tasks.spawn(dispatcher.run(shutdown.clone()));
    let jwks = Arc::new(gate.jwks());
    let open = wire::jwks::router(move || Arc::clone(&jwks)).merge(gate.receiver.router());
    let face = Server::new(Arc::new(Face::new(Arc::clone(&gate))), Arc::clone(&clock))
        .refusing_tokens_of_before();
    let desk = Desk {
        operators: operators(&gate.store).await?,
        gate,
    };
    let desk = Server::new(Arc::new(desk), clock).refusing_tokens_of_before();
    let at =
        |error: std::io::Error| StartError::Listen(SocketAddr::from(([127, 0, 0, 1], 0)), error);
    for served in [
        serve(providers, face, open, shutdown.clone()).map_err(at)?,
        serve(admin, desk, axum::Router::new(), shutdown).map_err(at)?,
    ] {
        tasks.spawn(async move {
            let _ = served.done.await;
        });
    }
    Ok(Running {
        origin: public,
        admin_origin,
        tasks,
        _lock: lock,
    })
}

async fn operators(
    store: &Store,
) -> Result<Vec<(protocol::ids::UserId, PublicKey, Arc<Operator>)>, StartError> {
    let rows = store
        .read(|reading| rows::connections::operators(reading))
        .await?;
    let operator = |row: rows::connections::OperatorRow| {
        let key = PublicKey::from_der(&row.spki)?;
        Ok((
            row.id,
            key.clone(),
            Arc::new(Operator {
                name: row.name,
                key,
            }),
        ))
    };
    rows.into_iter().map(operator).collect()
}

impl Gate {
    /// Takes the workspace's webhooks in from now on; once its webhook is known, that one's alone.
    pub(crate) fn mount_receiver(&self) {
        let pin = Pin {
            workspace: self.workspace(),
            webhook: self.upstream.read().webhook,
        };
        let keys = KeySource::pinned(protocol::signature::Jwks { keys: Vec::new() })
            .refetching(self.config.upstream.jwks_url.clone());
        self.receiver
            .mount("upstream", pin, keys, Arc::new(self.inbox.clone()));
    }
}

/// Signs the log's head whenever it has grown, and once more at the end.
async fn checkpoints(gate: Arc<Gate>, shutdown: CancellationToken) {
    loop {
        let last = tokio::select! {
            () = shutdown.cancelled() => true,
            () = tokio::time::sleep(CHECKPOINT) => false,
        };
        if let Err(error) = checkpoint(&gate).await {
            tracing::error!(%error, "the log has no new checkpoint");
        }
        if last {
            return;
        }
    }
}

async fn checkpoint(gate: &Arc<Gate>) -> Result<(), StoreError> {
    let this = Arc::clone(gate);
    let write = gate.store.write(move |writing| {
        let (size, root) = log::root(writing)?;
        let checkpoint = Checkpoint { size, root: root.0 };
        let note = checkpoint
            .sign(this.workspace(), &this.log_key)
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        rows::log::put_checkpoint(writing, size, &note)
    });
    write.await
}
