//! Starting a sandbox: store, seed, servers, dispatcher, chain.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ledger::{Books, LedgerError};
use protocol::ids::WorkspaceId;
use protocol::keys::KeyError;
use protocol::time::Millis;
use secrecy::{ExposeSecret, SecretString};
use store::{Location, Store, StoreError, once};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::clock::{SystemClock, WallClock};
use wire::hooks_out::{Caller, Dispatcher, TargetPolicy};
use wire::server::{Server, serve};

use crate::clock::WorkspaceClock;
use crate::doors::Doors;
use crate::downloads::{self, Downloads};
use crate::hall::{Hall, House};
use crate::hooks::WebhookKeys;
use crate::lock::Lock;
use crate::operations::recall_tokens;
use crate::outbox::SandboxOutbox;
use crate::rows::WorkspaceRow;
use crate::rows::house::{self, Fact};
use crate::server::Sandbox;
use crate::world::Network;
use crate::{chain, control, cosigner, openapi, people, rows, seed};

/// Attempts at once per webhook: events arrive in their order, mostly.
const PER_WEBHOOK: usize = 1;

/// How a sandbox is run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the API listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where `/_sandbox` listens.
    pub control: SocketAddr,
    /// The file that keeps it; nothing: it is gone at the end.
    pub data: Option<PathBuf>,
    /// What the funds are made from; nothing: what the file's were made from, or 1.
    pub seed: Option<u64>,
    /// Whether people and chain wait to be told.
    pub manual: bool,
    /// Whether webhooks go to https on port 443 at public addresses alone.
    pub strict_webhooks: bool,
}

/// A sandbox that serves.
#[derive(Debug)]
pub struct Running {
    /// Where the API is: `http://127.0.0.1:PORT`.
    pub origin: String,
    /// Where `/_sandbox` is.
    pub control_origin: String,
    /// What calls of `/_sandbox` need.
    pub control_token: SecretString,
    /// The workspaces, the mainnet one first.
    pub workspaces: Vec<(WorkspaceId, Network)>,
    tasks: JoinSet<()>,
    /// The file is this process's until it has ended.
    _lock: Option<Lock>,
}

impl Running {
    /// Returns when everything has ended.
    pub async fn done(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program listens there, or the address is not this machine's.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// Another sandbox has the file.
    #[error("another process runs the sandbox of {0}: one file, one process")]
    Running(PathBuf),
    /// The file's lock.
    #[error("{0} cannot be made: {1}")]
    Lock(PathBuf, std::io::Error),
    /// The file's funds were made from another number.
    #[error(
        "{file} was made with --seed {made}, not {asked}: name another file, or leave --seed away"
    )]
    OtherSeed {
        /// Which file.
        file: String,
        /// What it was made from.
        made: u64,
        /// What was asked for.
        asked: u64,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A key of the fixed set.
    #[error("a development key cannot be read: {0}")]
    Key(#[from] KeyError),
    /// The webhooks' client.
    #[error(transparent)]
    Client(#[from] wire::hooks_out::NoClient),
    /// The seeded world does not fit together: a fault of ours.
    #[error("the seeded workspaces cannot be made")]
    Seed,
    /// A workspace's row.
    #[error("the sandbox's file is damaged: {0}")]
    Damaged(&'static str),
}

impl From<StartError> for std::io::Error {
    fn from(error: StartError) -> Self {
        Self::other(error)
    }
}

/// A sandbox's file, taken for this process alone; nothing serves yet.
#[derive(Debug)]
pub struct Opened {
    config: Config,
    store: Store,
    lock: Option<Lock>,
}

/// Starts a sandbox.
pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Running, StartError> {
    open(config).await?.serve(shutdown).await
}

/// Takes the sandbox's file, or makes it.
pub async fn open(config: Config) -> Result<Opened, StartError> {
    let lock = config.data.as_deref().map(Lock::take).transpose()?;
    let location = config
        .data
        .clone()
        .map_or(Location::SqliteMemory, Location::SqliteFile);
    let store = Store::open(&location, &[ledger::ROOM, once::ROOM, rows::ROOM]).await?;
    Ok(Opened {
        config,
        store,
        lock,
    })
}

/// The clock as the last change left it.
async fn clock(store: &Store) -> Result<WorkspaceClock, StoreError> {
    let read = store.read(|reading| {
        let ahead = house::find(reading, Fact::Ahead)?.unwrap_or_default();
        let latest = house::find(reading, Fact::Latest)?.unwrap_or_default();
        Ok::<_, StoreError>((ahead, Millis(latest)))
    });
    let (ahead, latest) = read.await?;
    let wall: Arc<dyn WallClock> = Arc::new(SystemClock);
    Ok(WorkspaceClock::resumed(wall, ahead, latest))
}

/// The webhooks' keys as the last rotation left them.
async fn webhook_keys(store: &Store) -> Result<WebhookKeys, StartError> {
    let read = store.read(|reading| house::find(reading, Fact::WebhookKeys));
    let number = read.await?.unwrap_or_default();
    Ok(WebhookKeys::resumed(number)?)
}

impl Opened {
    /// Serves until the token is cancelled.
    pub async fn serve(self, shutdown: CancellationToken) -> Result<Running, StartError> {
        let Self {
            config,
            store,
            lock,
        } = self;
        let (api, origin) = listen(config.listen).await?;
        let (control, control_origin) = listen(config.control).await?;
        let clock = Arc::new(clock(&store).await?);
        let (seed, rows) = seed::workspaces(&store, &config, clock.now()).await?;
        let targets = if config.strict_webhooks {
            TargetPolicy::Public { except: Vec::new() }
        } else {
            TargetPolicy::Any
        };
        let house = Arc::new(House {
            clock: Arc::clone(&clock),
            doors: Doors::default(),
            downloads: Downloads::default(),
            deliveries: Arc::new(Notify::new()),
            hooks: webhook_keys(&store).await?,
            origin: origin.clone(),
            caller: Caller::new(targets.clone())?,
            cosigner_key: people::cosigner_key()?,
            targets,
            manual: config.manual,
            seed,
        });
        let mut halls = BTreeMap::new();
        let mut workspaces = Vec::new();
        for row in rows {
            let hall = hall(&house, &store, row).await?;
            workspaces.push((hall.id(), hall.network));
            halls.insert(hall.id(), hall);
        }
        let mut tasks = JoinSet::new();
        for hall in halls.values() {
            tasks.spawn(chain::drive(Arc::clone(hall), shutdown.clone()));
            tasks.spawn(cosigner::drive(Arc::clone(hall), shutdown.clone()));
        }
        let all: Vec<_> = halls.values().cloned().collect();
        let outbox = SandboxOutbox {
            store: store.clone(),
            halls: all.clone(),
            house: Arc::clone(&house),
        };
        let wake = Arc::clone(&house.deliveries);
        let targets = house.targets.clone();
        let dispatcher = Dispatcher::new(Arc::new(outbox), clock, wake, targets, PER_WEBHOOK)?;
        tasks.spawn(dispatcher.run(shutdown.clone()));
        let control_token = SecretString::from(hex::encode(rand::random::<[u8; 32]>()));
        let desk = control::router(all, Arc::clone(&house), control_token.expose_secret());
        let ended = shutdown.clone();
        tasks.spawn(async move {
            let served = axum::serve(control, desk)
                .with_graceful_shutdown(async move { ended.cancelled().await });
            if let Err(error) = served.await {
                tracing::error!(%error, "the control listener ended");
            }
        });
        let signers = Arc::clone(&house);
        let open = wire::jwks::router(move || signers.hooks.jwks())
            .merge(downloads::router(Arc::clone(&house), store))
            .merge(openapi::router());
        let server = Server::new(Arc::new(Sandbox { house, halls }), SystemClock);
        let served = serve(api, server, open, shutdown)
            .map_err(|error| StartError::Listen(config.listen, error))?;
        tasks.spawn(async move {
            let _ = served.done.await;
        });
        Ok(Running {
            origin,
            control_origin,
            control_token,
            workspaces,
            tasks,
            _lock: lock,
        })
    }
}

/// Listens there; and where that is.
async fn listen(at: SocketAddr) -> Result<(TcpListener, String), StartError> {
    let failed = |error| StartError::Listen(at, error);
    let listener = TcpListener::bind(at).await.map_err(failed)?;
    let origin = format!("http://{}", listener.local_addr().map_err(failed)?);
    Ok((listener, origin))
}

/// A workspace, with its doors open.
async fn hall(
    house: &Arc<House>,
    store: &Store,
    row: WorkspaceRow,
) -> Result<Arc<Hall>, StartError> {
    let network = Network::named(&row.network).ok_or(StartError::Damaged("an unknown network"))?;
    let first_policy = serde_json::from_str(&row.policy)
        .map_err(|_| StartError::Damaged("a policy that cannot be read"))?;
    let hall = Arc::new(Hall {
        house: Arc::clone(house),
        books: Books::open(store, row.id).await?,
        name: row.name,
        network,
        first_policy,
        chain: Arc::new(Notify::new()),
        callbacks: Notify::new(),
        under_way: parking_lot::Mutex::default(),
        at_the_doors: tokio::sync::Mutex::default(),
    });
    recall_tokens(&hall)
        .await
        .map_err(|_| StartError::Damaged("a token that cannot be read"))?;
    hall.open_doors()
        .await
        .map_err(|_| StartError::Damaged("a key that cannot be read"))?;
    Ok(hall)
}
