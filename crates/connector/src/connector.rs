//! The connector: its folder, its keys, its books, its way to each client's upstream.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ledger::Books;
use parking_lot::Mutex;
use protocol::time::Millis;
use store::{Room, Store};
use sync::Inbox;
use tokio::sync::Notify;
use url::Url;
use wire::client::{Budget, Client as Wire};
use wire::clock::{SystemClock, WallClock};
use wire::hooks_in::Receiver;

use crate::Error;
use crate::client_name::ClientName;
use crate::clients::{Client, Clients, Progress};
use crate::keystore::{Keystore, Passphrase};
use crate::settings::{self, Settings};

/// The tables of a connector.
pub const ROOMS: [Room; 3] = [ledger::ROOM, sync::ROOM, crate::clients::ROOM];
/// Longest wait for room in a client's budget of calls.
const PATIENCE: Duration = Duration::from_secs(90);

/// A connector. Cheap to clone.
#[derive(Clone)]
pub struct Connector(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    settings: Settings,
    keystore: Keystore,
    passphrase: Passphrase,
    store: Store,
    clock: Arc<dyn WallClock>,
    /// What is kept of each client while this process lives.
    desks: Mutex<BTreeMap<ClientName, Desk>>,
    /// Where webhooks are taken in, once they are.
    bound: OnceLock<SocketAddr>,
    /// A client came, or its first import did.
    news: Notify,
}

/// What is kept of one client while this process lives: one budget, one read model, one inbox.
#[derive(Clone)]
struct Desk {
    upstream: Option<Wire>,
    books: Option<Books>,
    inbox: Option<Inbox>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connector({})", self.0.folder.display())
    }
}

impl Connector {
    /// Opens the connector of a folder, as its `connector.toml` says.
    pub async fn open(folder: &Path, passphrase: Passphrase) -> Result<Self, Error> {
        let settings = Settings::read(folder)?;
        Self::open_as(folder, settings, passphrase, Arc::new(SystemClock)).await
    }

    /// The same, with other settings than the file's (from flags and the environment), and a clock.
    pub async fn open_as(
        folder: &Path,
        settings: Settings,
        passphrase: Passphrase,
        clock: Arc<dyn WallClock>,
    ) -> Result<Self, Error> {
        settings.check().map_err(|why| Error::Settings {
            path: folder.join(settings::FILE),
            why,
        })?;
        let keystore = Keystore::open(settings::keys_folder(folder))?;
        let store = Store::open(&settings.location(folder)?, &ROOMS).await?;
        Ok(Self(Arc::new(Inner {
            folder: folder.to_owned(),
            settings,
            keystore,
            passphrase,
            store,
            clock,
            desks: Mutex::default(),
            bound: OnceLock::new(),
            news: Notify::new(),
        })))
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Its keys.
    pub fn keystore(&self) -> &Keystore {
        &self.0.keystore
    }

    pub(crate) fn passphrase(&self) -> &Passphrase {
        &self.0.passphrase
    }

    pub(crate) fn clock(&self) -> Arc<dyn WallClock> {
        Arc::clone(&self.0.clock)
    }

    pub(crate) fn now(&self) -> Millis {
        self.0.clock.now()
    }

    pub(crate) fn clients(&self) -> Clients {
        Clients::new(&self.0.store)
    }

    /// A client, and how far its books are.
    pub async fn client(&self, name: &ClientName) -> Result<(Client, Progress), Error> {
        self.clients().get(name).await
    }

    /// What reaches a client's API with its key.
    pub(crate) async fn upstream(&self, client: &Client) -> Result<Wire, Error> {
        if let Some(known) = self.desk(&client.name, |desk| desk.upstream.clone()) {
            return Ok(known);
        }
        let (this, of) = (self.clone(), client.clone());
        // Opening a key costs some 50 ms of one core.
        let opened = tokio::task::spawn_blocking(move || {
            let inner = &this.0;
            inner
                .keystore
                .signer(&of.name, of.api_key, &inner.passphrase)
        });
        let signer = opened
            .await
            .map_err(|error| Error::Invalid(format!("the key cannot be opened: {error}")))??;
        let cap = self.0.settings.calls_per_minute;
        let burst = NonZeroU32::new(cap.get() / 2).unwrap_or(NonZeroU32::MIN);
        let budget = Budget::per_minute(cap, burst, PATIENCE);
        let made = Wire::new(&client.base_url, signer, budget, self.clock())?;
        // Whoever was first: one budget a client.
        Ok(self.desk(&client.name, |desk| {
            desk.upstream.get_or_insert(made).clone()
        }))
    }

    /// A client's books.
    pub async fn books(&self, client: &Client) -> Result<Books, Error> {
        if let Some(known) = self.desk(&client.name, |desk| desk.books.clone()) {
            return Ok(known);
        }
        // Another command may work on them at the same time.
        let opened = Books::open_shared(&self.0.store, client.workspace).await?;
        Ok(self.desk(&client.name, |desk| {
            desk.books.get_or_insert(opened).clone()
        }))
    }

    /// A client's events.
    pub fn inbox(&self, client: &Client) -> Inbox {
        self.desk(&client.name, |desk| {
            let made = || {
                Inbox::new(
                    &self.0.store,
                    client.workspace,
                    client.name.as_str(),
                    self.clock(),
                )
            };
            desk.inbox.get_or_insert_with(made).clone()
        })
    }

    /// Keeps nothing of a client that was not added.
    pub(crate) fn forget(&self, name: &ClientName) {
        self.0.desks.lock().remove(name);
    }

    fn desk<T>(&self, name: &ClientName, of: impl FnOnce(&mut Desk) -> T) -> T {
        let mut desks = self.0.desks.lock();
        of(desks.entry(name.clone()).or_insert_with(|| Desk {
            upstream: None,
            books: None,
            inbox: None,
        }))
    }

    /// Where a client sends its webhooks; nothing while it is not known where we can be reached.
    pub fn webhook_url(&self, client: &ClientName) -> Option<Url> {
        let base = match (&self.0.settings.public_url, self.0.bound.get()) {
            (Some(url), _) => url.as_str().trim_end_matches('/').to_owned(),
            (None, Some(bound)) => format!("http://{bound}"),
            // Port 0 is nobody's.
            (None, None) if self.0.settings.listen.port() == 0 => return None,
            (None, None) => format!("http://{}", self.0.settings.listen),
        };
        format!("{base}{}/{client}", Receiver::PREFIX).parse().ok()
    }

    pub(crate) fn bound_to(&self, address: SocketAddr) {
        // A second receiver of the same connector does not take the first one's place.
        let _ = self.0.bound.set(address);
    }

    /// Tells whoever runs that something is new.
    pub(crate) fn tell_news(&self) {
        self.0.news.notify_waiters();
    }

    pub(crate) async fn news(&self) {
        self.0.news.notified().await;
    }
}
