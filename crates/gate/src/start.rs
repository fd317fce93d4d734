//! Starting a gate: store, books, listeners, dispatchers, keeper, checkpoints.

mod entrance;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Claim, Location, Room, Store, StoreError, once};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::clock::{ForwardClock, SystemClock, WallClock};
use wire::hooks_in::{KeySource, Pin};
use wire::hooks_out::Sender;
use wire::server::{Server, serve};

use crate::admin_api::{self, Desk};
use crate::config::Config;
use crate::folder::Folder;
use crate::gate::{AssemblyError, Gate, Parts};
use crate::gates::{Lead, Lease, claim_of};
use crate::log::LogError;
use crate::mail::BadMail;
use crate::provider::Face;
use crate::{gates, meters, operations, records, refusals, rows};

pub use entrance::check_plain;

/// How soon an entry of the log is covered by a signed checkpoint.
const CHECKPOINT: Duration = Duration::from_secs(1);
/// How far behind the log's newest entry the clock may be, in milliseconds.
const CLOCK_SLACK: i64 = Millis::MINUTE;
/// How often the last use of keys is written down.
const USES: Duration = Duration::from_secs(60);

/// How often the gate looks whether its name is still its own.
const WATCH: Duration = Duration::from_secs(2);

/// A gate ended because another process has its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the database let go of this gate and another one of its workspace and name runs over it now: this one has ended"
)]
pub struct Taken;

/// A gate that serves.
#[derive(Debug)]
pub struct Running {
    /// How providers reach it: what stands before `/v1`.
    pub origin: String,
    /// The admin listener.
    pub admin_origin: String,
    tasks: JoinSet<()>,
    /// Cancelled when another process has taken the gate's name.
    lost: CancellationToken,
    gate: Arc<Gate>,
    /// Folder and name are this process's until they are dropped.
    _claims: (std::fs::File, Option<Arc<Claim>>),
}

impl Running {
    /// Returns when everything has ended. Then nothing more is logged, and the log's head is signed.
    pub async fn done(mut self) -> Result<(), Taken> {
        while self.tasks.join_next().await.is_some() {}
        if self.lost.is_cancelled() {
            return Err(Taken);
        }
        drop(self.gate.under_way.write().await);
        records::write(&self.gate, true).await;
        meters::fold(&self.gate).await;
        refusals::tell(&self.gate, true).await;
        if self.gate.leads() {
            sign(&self.gate).await;
        }
        if let Err(error) = self.gate.leave().await {
            tracing::warn!(%error, "other gates do not know yet that this one has ended");
        }
        // Whoever waits may lead from now on.
        self.gate.leading.store(None);
        Ok(())
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
    /// Tokens and answers would cross the network in clear.
    #[error(
        "{0} is reached from other machines, and there is no TLS: name a certificate in [serve.entrance.tls], or say plain_http = true in [serve.entrance] where TLS ends in front of the gate"
    )]
    Plain(SocketAddr),
    /// The gate's own tokens, and what the workspace answers, would cross the network in clear.
    #[error(
        "{0} is asked over a network in clear: name an https URL in [upstream]. If it is a sandbox of yours, say plain_upstream = true in [development]"
    )]
    PlainUpstream(url::Url),
    /// The client's webhook would go where none may.
    #[error(
        "[webhook] url: {0}. To do: name an https URL, or its address in [serve] private_targets"
    )]
    ClientWebhook(wire::hooks_out::Refused),
    /// Letters would not go out, or in clear.
    #[error(transparent)]
    Mail(#[from] BadMail),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] wire::server::TlsError),
    /// Another process serves the workspace from this store, under the same name.
    #[error(
        "another process runs the gate of workspace {0} over the store {1}: one gate, one process. On PostgreSQL there may be several, each with its own folder and a name of its own ([store] gate = \"NAME\" in gate.toml)"
    )]
    Running(WorkspaceId, Location),
    /// Nobody could sign in, and no log was begun.
    #[error(
        "the store {1} has no gate of workspace {0}: was `gate init` interrupted, or does the configuration name another store?"
    )]
    NoGate(WorkspaceId, Location),
    /// What the gate is made of.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The webhooks' client.
    #[error(transparent)]
    Client(#[from] wire::hooks_out::NoClient),
    /// The store is not opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// End dates that have passed would be to come, and tokens that were used fresh again.
    #[error(
        "this machine's clock is {0} seconds behind the newest entry of the log: set it right. If it was ahead when that was written, say clock_was_ahead = true in [development] for this start"
    )]
    Clock(i64),
    /// The log is not the one that this gate has signed.
    #[error("the gate does not start: {0}")]
    Log(#[from] LogError),
}

/// Where a gate keeps its books.
pub fn location(folder: &Folder, config: &Config) -> Location {
    match &config.store.url {
        Some(url) => Location::Postgres(url.clone()),
        None => Location::SqliteFile(folder.database()),
    }
}

/// Whose tables a gate's store has.
pub const ROOMS: [Room; 4] = [ledger::ROOM, sync::ROOM, once::ROOM, rows::ROOM];

/// Why a gate's store is not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A new one would have forgotten connections, burned keys and the log.
    #[error(
        "{0} is not there: only `gate init` makes a gate's store, and this gate was made before. Put the file back from a copy"
    )]
    Missing(PathBuf),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens the store of a gate that was made before.
pub async fn open_store(folder: &Folder, config: &Config) -> Result<Store, OpenError> {
    match location(folder, config) {
        Location::SqliteFile(file) if !file.exists() => Err(OpenError::Missing(file)),
        _ => Ok(make_store(folder, config).await?),
    }
}

/// Makes the gate's store, or opens it.
pub(crate) async fn make_store(folder: &Folder, config: &Config) -> Result<Store, StoreError> {
    Store::open(&location(folder, config), &ROOMS).await
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
    check_plain(&config.serve)?;
    entrance::check_upstream(&config)?;
    if let Some(mail) = &config.mail {
        mail.check()?;
    }
    if let Some(webhook) = &config.webhook {
        let targets = config.serve.targets();
        targets
            .check(&webhook.url)
            .map_err(StartError::ClientWebhook)?;
    }
    let workspace = config.upstream.workspace_id;
    let lock = folder.lock().map_err(AssemblyError::from)?;
    let listen = |at: SocketAddr| async move {
        let listener = TcpListener::bind(at)
            .await
            .map_err(|error| StartError::Listen(at, error))?;
        let here = listener
            .local_addr()
            .map_err(|error| StartError::Listen(at, error))?;
        Ok::<_, StartError>((listener, here))
    };
    let (providers, own) = listen(config.serve.listen).await?;
    let own = entrance::origin(&config.serve, own);
    let providers = entrance::entrance(&folder, &config.serve, providers)?;
    let (admin, admin_at) = listen(config.serve.admin).await?;
    let admin_origin = format!("http://{admin_at}");
    let public = config
        .serve
        .public_url
        .as_ref()
        .map_or(own, |url| url.as_str().trim_end_matches('/').to_owned());
    let store = open_store(&folder, &config).await?;
    let claims = claimed(&folder, &config, &store).await?;
    let nobody = StartError::NoGate(workspace, location(&folder, &config));
    let clock = clock(&config, &store, workspace).await?;
    // Commands find the admin listener by it, also where its port was free to choose.
    std::fs::write(folder.admin_url_path(), &admin_origin)
        .map_err(|error| StartError::Listen(config.serve.admin, error))?;
    let parts = Parts {
        config,
        folder,
        store,
        clock: Arc::clone(&clock),
        public: public.clone(),
        lease: claims.lease,
    };
    let gate = Gate::assemble(parts).await?;
    if gate.roster.load().is_empty() {
        return Err(nobody);
    }
    gate.keeper().check().await?;
    gate.mount_receiver();
    if gate.is_quarantined() {
        tracing::error!(
            "a copy of the store was put back: nobody is let in and nothing is sent until `vestibule gate release`"
        );
    }
    let (mut tasks, lost) = (JoinSet::new(), CancellationToken::new());
    if let Some(name) = &claims.name {
        let name = Arc::clone(name);
        tasks.spawn(watch(name, lost.clone(), shutdown.clone()));
    }
    let lead = Lead {
        gate: Arc::clone(&gate),
        sender: Sender::new(gate.config.serve.targets())?,
        shutdown: shutdown.clone(),
    };
    tasks.spawn(lead.keep(claims.lead));
    gates::begin(&gate).await;
    tasks.spawn(gates::keep(Arc::clone(&gate), shutdown.clone()));
    tasks.spawn(refusals::keep(Arc::clone(&gate), shutdown.clone()));
    tasks.spawn(records::keep(Arc::clone(&gate), shutdown.clone()));
    tasks.spawn(meters::keep(Arc::clone(&gate), shutdown.clone()));
    tasks.spawn(uses(Arc::clone(&gate), shutdown.clone()));
    let jwks = Arc::new(gate.jwks());
    let open = wire::jwks::router(move || Arc::clone(&jwks)).merge(gate.receiver.router());
    let face = Server::new(Arc::new(Face::new(Arc::clone(&gate))), Arc::clone(&clock))
        .refusing_tokens_of_before();
    let desk = Desk {
        gate: Arc::clone(&gate),
        origin: admin_origin.clone(),
    };
    let desk = Server::new(Arc::new(desk), clock).refusing_tokens_of_before();
    let at =
        |error: std::io::Error| StartError::Listen(SocketAddr::from(([127, 0, 0, 1], 0)), error);
    for served in [
        serve(providers, face, open, shutdown.clone()).map_err(at)?,
        serve(admin, desk, admin_api::open(), shutdown).map_err(at)?,
    ] {
        tasks.spawn(async move {
            let _ = served.done.await;
        });
    }
    Ok(Running {
        origin: public,
        admin_origin,
        tasks,
        gate,
        lost,
        _claims: (lock, claims.name),
    })
}

/// The gate's clock: it never goes back, and not behind what the log tells either.
async fn clock(
    config: &Config,
    store: &Store,
    workspace: WorkspaceId,
) -> Result<Arc<dyn WallClock>, StartError> {
    let (clock, now) = (SystemClock, SystemClock.now());
    let read = store.read(move |reading| rows::log::newest(reading, workspace));
    let newest = read.await?.unwrap_or_default();
    if config.development.clock_was_ahead {
        return Ok(Arc::new(ForwardClock::from(clock, now)));
    }
    if now.plus(CLOCK_SLACK) < newest {
        return Err(StartError::Clock(newest.seconds() - now.seconds()));
    }
    Ok(Arc::new(ForwardClock::from(clock, newest)))
}

/// What a gate has claimed of its store.
struct Claims {
    /// Its name among several.
    name: Option<Arc<Claim>>,
    /// That it leads; nothing: another one does.
    lead: Option<Claim>,
    lease: Lease,
}

/// Claims what is to be this process's alone: over a file, the workspace; over PostgreSQL, its name.
async fn claimed(folder: &Folder, config: &Config, store: &Store) -> Result<Claims, StartError> {
    let workspace = config.upstream.workspace_id;
    let held = || StartError::Running(workspace, location(folder, config));
    if config.store.url.is_none() {
        let lead = store.claim(&claim_of(workspace, None)).await?;
        return Ok(Claims {
            name: None,
            lead: Some(lead.ok_or_else(held)?),
            lease: Lease::Alone,
        });
    }
    let name = config.store.gate.clone().unwrap_or_default();
    let name = store.claim(&claim_of(workspace, Some(&name))).await?;
    Ok(Claims {
        name: Some(Arc::new(name.ok_or_else(held)?)),
        lead: store.claim(&claim_of(workspace, None)).await?,
        lease: Lease::shared(),
    })
}

/// Ends this gate when another process has taken its name.
async fn watch(name: Arc<Claim>, lost: CancellationToken, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(WATCH) => {}
        }
        match name.is_held().await {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!("{Taken}");
                lost.cancel();
                shutdown.cancel();
            }
            // Nothing can be written meanwhile.
            Err(error) => {
                tracing::warn!(%error, "whether the name is this gate's is not known now")
            }
        }
    }
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

/// Signs the log's head soon after it has grown. The last time is when everything has ended.
pub(crate) async fn checkpoints(gate: Arc<Gate>, shutdown: CancellationToken) {
    loop {
        sign(&gate).await;
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(CHECKPOINT) => {}
        }
    }
}

/// Writes down when each provider's key was used last. The last time is when everything ends.
async fn uses(gate: Arc<Gate>, shutdown: CancellationToken) {
    loop {
        let ended = tokio::select! {
            () = shutdown.cancelled() => true,
            () = tokio::time::sleep(USES) => false,
        };
        if let Err(error) = operations::keys::keep_uses(&gate).await {
            tracing::error!(%error, "the last use of keys is not written down");
        }
        if ended {
            return;
        }
    }
}

async fn sign(gate: &Gate) {
    match gate.keeper().sign(gate.clock.now()).await {
        Ok(size) => {
            gate.witnessing.head.send_if_modified(|head| {
                let grown = *head != size;
                *head = size;
                grown
            });
        }
        Err(error) => tracing::error!(%error, "the log has no new checkpoint"),
    }
}

#[cfg(test)]
mod tests;
