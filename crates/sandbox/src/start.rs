//! Starting a sandbox: store, seed, servers, dispatcher, chain.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use ledger::{Books, LedgerError};
use protocol::ids::WorkspaceId;
use protocol::keys::KeyError;
use protocol::signature::Jwks;
use secrecy::{ExposeSecret, SecretString};
use store::{Location, Store, StoreError, once};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::clock::{SystemClock, WallClock};
use wire::hooks_out::{Dispatcher, TargetPolicy};
use wire::server::{Server, serve};

use crate::clock::WorkspaceClock;
use crate::doors::Doors;
use crate::downloads::Downloads;
use crate::hall::{Hall, House};
use crate::operations::DOWNLOADS;
use crate::outbox::SandboxOutbox;
use crate::server::Sandbox;
use crate::world::Network;
use crate::{chain, control, people, rows, seed};

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
    /// What the funds are made from.
    pub seed: u64,
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

/// Starts a sandbox.
pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Running, StartError> {
    let listen = |at: SocketAddr| async move {
        TcpListener::bind(at)
            .await
            .map_err(|error| StartError::Listen(at, error))
    };
    let (api, control) = (listen(config.listen).await?, listen(config.control).await?);
    let here = |listener: &TcpListener, asked: SocketAddr| {
        let at = listener
            .local_addr()
            .map_err(|error| StartError::Listen(asked, error))?;
        Ok::<_, StartError>(format!("http://{at}"))
    };
    let (origin, control_origin) = (here(&api, config.listen)?, here(&control, config.control)?);
    let location = config
        .data
        .clone()
        .map_or(Location::SqliteMemory, Location::SqliteFile);
    let store = Store::open(&location, &[ledger::ROOM, once::ROOM, rows::ROOM]).await?;
    let wall: Arc<dyn WallClock> = Arc::new(SystemClock);
    let clock = Arc::new(WorkspaceClock::new(wall));
    let kept = |store: Store| async move { store.read(|reading| rows::workspaces(reading)).await };
    let mut found = kept(store.clone()).await?;
    if found.is_empty() {
        seed::both(&store, config.seed, clock.now()).await?;
        found = kept(store.clone()).await?;
    }
    let house = Arc::new(House {
        clock: Arc::clone(&clock),
        doors: Doors::default(),
        downloads: Downloads::default(),
        deliveries: Arc::new(Notify::new()),
        origin: origin.clone(),
        targets: if config.strict_webhooks {
            TargetPolicy::Public { except: Vec::new() }
        } else {
            TargetPolicy::Any
        },
        manual: config.manual,
        seed: config.seed,
    });
    let mut halls = BTreeMap::new();
    let mut workspaces = Vec::new();
    for row in found {
        let network =
            Network::named(&row.network).ok_or(StartError::Damaged("an unknown network"))?;
        let policy = serde_json::from_str(&row.policy)
            .map_err(|_| StartError::Damaged("a policy that cannot be read"))?;
        let hall = Arc::new(Hall {
            house: Arc::clone(&house),
            books: Books::open(&store, row.id).await?,
            name: row.name,
            network,
            policy,
            chain: Arc::new(Notify::new()),
            under_way: parking_lot::Mutex::default(),
        });
        hall.open_doors()
            .await
            .map_err(|_| StartError::Damaged("a key that cannot be read"))?;
        workspaces.push((row.id, network));
        halls.insert(row.id, hall);
    }
    let mut tasks = JoinSet::new();
    for hall in halls.values() {
        tasks.spawn(chain::drive(Arc::clone(hall), shutdown.clone()));
    }
    let key = Arc::new(people::webhook_key()?);
    let jwks = Arc::new(Jwks {
        keys: vec![key.public()],
    });
    let all: Vec<_> = halls.values().cloned().collect();
    let outbox = SandboxOutbox {
        store: store.clone(),
        halls: all.clone(),
        key,
        clock: Arc::clone(&clock),
    };
    let wake = Arc::clone(&house.deliveries);
    let dispatcher = Dispatcher::new(
        Arc::new(outbox),
        clock,
        wake,
        house.targets.clone(),
        PER_WEBHOOK,
    )?;
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
    let downloads = Router::new()
        .route(&format!("{DOWNLOADS}/{{token}}"), get(download))
        .with_state((Arc::clone(&house), store));
    let open = wire::jwks::router(move || Arc::clone(&jwks)).merge(downloads);
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
    })
}

async fn download(
    State((house, store)): State<(Arc<House>, Store)>,
    Path(token): Path<Uuid>,
) -> axum::response::Response {
    let Some((workspace, report)) = house.downloads.find(token, house.clock.now()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match store
        .read(move |reading| rows::report_file(reading, workspace, report))
        .await
    {
        Ok(Some((doc, file))) => {
            let gzipped = file.starts_with(&[0x1f, 0x8b]);
            let kind = if gzipped {
                "application/gzip"
            } else {
                "text/csv; charset=utf-8"
            };
            drop(doc);
            ([("content-type", kind)], file).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err::<_, StoreError>(error) => {
            tracing::error!(%error, "a report cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
