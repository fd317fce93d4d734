//! Starting a sandbox: store, seed, servers, dispatcher, chain.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ledger::LedgerError;
use protocol::ids::{UserId, WorkspaceId};
use protocol::keys::KeyError;
use protocol::role::Role;
use protocol::time::Millis;
use secrecy::{ExposeSecret, SecretString};
use store::{Location, Store, StoreError, once};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::clock::{SystemClock, WallClock};
use wire::hooks_out::{Caller, TargetPolicy};
use wire::server::{Entrance, Limits, Server, serve};

use crate::chance::CallIds;
use crate::control::ControlToken;
use crate::doors::Doors;
use crate::downloads::{self, Downloads};
use crate::ground::{Changed, File, Files, Ground};
use crate::hall::House;
use crate::halls::Halls;
use crate::happenings::Happenings;
use crate::hooks::WebhookKeys;
use crate::lock::Lock;
use crate::onlooker::Watch;
use crate::rates::Profile;
use crate::rows::house::{self, Fact};
use crate::server::{Sandbox, dated};
use crate::world::Network;
use crate::{control, openapi, page, people, rows, seed, templates};

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
    /// What is there from the start; nothing: a fund on each network.
    pub workspaces: Vec<Ground>,
    /// The files that workspaces can be made from.
    pub files: Vec<File>,
    /// Whether people and chain wait to be told.
    pub manual: bool,
    /// When new workspaces are, and their clocks stand; nothing: now, and they run.
    pub frozen_at: Option<Millis>,
    /// How often may be called; nothing: as often as anybody likes.
    pub rate_limits: Option<Profile>,
    /// Where each call of the API is written down, a line of JSON each.
    pub call_log: Option<PathBuf>,
    /// What calls of `/_sandbox` must show; nothing: a random one.
    pub control_token: Option<ControlToken>,
    /// Where the users' keys lie, for people to read.
    pub keys: Option<PathBuf>,
    /// Whether refused calls are told why, in a header.
    pub explain: bool,
    /// Whether fields that the contract has not are refused.
    pub strict: bool,
    /// Whether webhooks go to https on port 443 at public addresses alone.
    pub strict_webhooks: bool,
}

impl Config {
    /// One that listens there, keeps nothing, and is as believable as it can be.
    pub const fn new(listen: SocketAddr, control: SocketAddr) -> Self {
        Self {
            listen,
            control,
            data: None,
            seed: None,
            workspaces: Vec::new(),
            files: Vec::new(),
            manual: false,
            frozen_at: None,
            rate_limits: None,
            call_log: None,
            control_token: None,
            keys: None,
            explain: true,
            strict: false,
            strict_webhooks: false,
        }
    }

    /// The file that keeps it, for people to read.
    pub(crate) fn file(&self) -> String {
        let file = self.data.as_deref();
        file.map_or_else(String::new, |file| file.display().to_string())
    }
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
    halls: Arc<Halls>,
    tasks: JoinSet<()>,
    /// The file is this process's until it has ended.
    _lock: Option<Lock>,
}

/// An API user of a workspace.
#[derive(Clone, Debug)]
pub struct ApiUser {
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Its API key.
    pub id: UserId,
    /// The development key that it signs with.
    pub key: &'static people::Person,
}

impl Running {
    /// What a workspace is called.
    pub fn name(&self, workspace: WorkspaceId) -> Option<String> {
        self.halls.get(workspace).map(|hall| hall.name.clone())
    }

    /// The API users of a workspace that sign with keys of the fixed set, in its order.
    pub fn api_users(&self, workspace: WorkspaceId) -> Vec<ApiUser> {
        let residents = self.halls.get(workspace).map(|hall| hall.residents());
        let with_keys = residents.into_iter().flatten().filter_map(|one| {
            Some(ApiUser {
                name: one.name,
                role: one.user.role,
                id: one.user.id,
                key: one.key?,
            })
        });
        let place = |user: &ApiUser| {
            let all = people::PEOPLE.iter();
            all.take_while(|person| person.name != user.key.name)
                .count()
        };
        let mut users: Vec<_> = with_keys.collect();
        users.sort_by_cached_key(|user| (place(user), user.name.clone()));
        users
    }

    /// The workspaces, for tests within the process.
    #[cfg(test)]
    pub(crate) fn halls(&self) -> &Halls {
        &self.halls
    }

    /// Returns when everything has ended.
    pub async fn done(mut self) {
        while self.tasks.join_next().await.is_some() {}
        let mut tasks = self.halls.tasks();
        while tasks.join_next().await.is_some() {}
        self.halls.house.happenings.flush();
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
    /// The file that calls are written to.
    #[error("{0} cannot be written: {1}")]
    CallLog(PathBuf, std::io::Error),
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
    /// A workspace file is not what it was.
    #[error(
        "{file} was made with another {name}: start with another --data, or with the {name} that it was made with"
    )]
    OtherFile {
        /// Which file keeps the sandbox.
        file: String,
        /// Which workspace file.
        name: String,
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
    let store = Store::open(
        &location,
        &[ledger::ROOM, ledger::LISTS, once::ROOM, rows::ROOM],
    )
    .await?;
    Ok(Opened {
        config,
        store,
        lock,
    })
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
        templates::sweep(&store).await?;
        let files = Files::open(&store, &config.files).await?;
        let files = files.map_err(|Changed(name)| StartError::OtherFile {
            file: config.file(),
            name,
        })?;
        let (seed, rows) = seed::workspaces(&store, &config, &files, SystemClock.now()).await?;
        let targets = if config.strict_webhooks {
            TargetPolicy::Public { except: Vec::new() }
        } else {
            TargetPolicy::Any
        };
        let foretold = config.manual.then_some(seed);
        let house = Arc::new(House {
            doors: Doors::default(),
            downloads: Downloads::new(foretold),
            calls: CallIds::new(foretold),
            hooks: webhook_keys(&store).await?,
            origin: origin.clone(),
            caller: Caller::new(targets.clone())?,
            cosigner_key: people::cosigner_key()?,
            targets,
            manual: config.manual,
            files,
            seed,
            frozen_at: config.frozen_at,
            happenings: Happenings::new(config.call_log.as_deref()).map_err(|error| {
                let file = config.call_log.clone().unwrap_or_default();
                StartError::CallLog(file, error)
            })?,
            limits: config.rate_limits.map(Profile::limits),
            keys: config.keys.clone(),
            explain: config.explain,
            strict: config.strict,
        });
        let halls = Arc::new(Halls::new(house, store, shutdown.clone())?);
        let mut workspaces = Vec::new();
        for row in rows {
            let hall = halls.open(row).await?;
            workspaces.push((hall.id(), hall.network));
        }
        let mut tasks = JoinSet::new();
        let token = config.control_token.clone();
        let control_token = SecretString::from(token.unwrap_or_else(ControlToken::random));
        let desk = control::router(Arc::clone(&halls), control_token.expose_secret());
        let desk = dated(desk, Arc::clone(&halls));
        let ended = shutdown.clone();
        tasks.spawn(async move {
            let served = axum::serve(control, desk)
                .with_graceful_shutdown(async move { ended.cancelled().await });
            if let Err(error) = served.await {
                tracing::error!(%error, "the control listener ended");
            }
        });
        let signers = Arc::clone(&halls.house);
        let open = wire::jwks::router(move || signers.hooks.jwks())
            .merge(downloads::router(Arc::clone(&halls)))
            .merge(page::router(Arc::clone(&halls)))
            .merge(openapi::router())
            .method_not_allowed_fallback(downloads::not_so);
        let open = dated(open, Arc::clone(&halls));
        let watch = Arc::new(Watch(Arc::clone(&halls)));
        let sandbox = Sandbox {
            halls: Arc::clone(&halls),
        };
        let server = Server::new(Arc::new(sandbox), SystemClock).watched_by(watch);
        let api = Entrance::from(api).within(Limits::default().for_one());
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
            halls,
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
