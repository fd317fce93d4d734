//! The workspaces that are open: whoever serves, controls or moves them finds them here.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::Books;
use parking_lot::{Mutex, RwLock};
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::Store;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::clock::SystemClock;
use wire::hooks_out::{Dispatcher, Sender};

use crate::chain;
use crate::clock::WorkspaceClock;
use crate::cosigner;
use crate::faults::Faults;
use crate::hall::{Hall, House};
use crate::operations::recall_tokens;
use crate::outbox::SandboxOutbox;
use crate::patterns::Patterns;
use crate::rates::Rates;
use crate::rows::{WorkspaceRow, clocks};
use crate::start::StartError;
use crate::templates::Templates;
use crate::world::Network;

/// Attempts at once per webhook: events arrive in their order, mostly.
const PER_WEBHOOK: usize = 1;

/// The workspaces that are open.
pub(crate) struct Halls {
    pub(crate) house: Arc<House>,
    pub(crate) store: Store,
    pub(crate) templates: Templates,
    pub(crate) patterns: Patterns,
    sender: Sender,
    pub(crate) shutdown: CancellationToken,
    open: RwLock<BTreeMap<WorkspaceId, Arc<Hall>>>,
    /// Each one's chain and dispatcher.
    tasks: Mutex<JoinSet<()>>,
}

impl std::fmt::Debug for Halls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.open.read().keys()).finish()
    }
}

impl Halls {
    pub(crate) fn new(
        house: Arc<House>,
        store: Store,
        shutdown: CancellationToken,
    ) -> Result<Self, StartError> {
        Ok(Self {
            sender: Sender::new(house.targets.clone())?,
            house,
            store,
            templates: Templates::default(),
            patterns: Patterns::default(),
            shutdown,
            open: RwLock::default(),
            tasks: Mutex::default(),
        })
    }

    /// The one of that id.
    pub(crate) fn get(&self, id: WorkspaceId) -> Option<Arc<Hall>> {
        self.open.read().get(&id).cloned()
    }

    /// All of them, as they were made.
    pub(crate) fn all(&self) -> Vec<Arc<Hall>> {
        let mut all: Vec<_> = self.open.read().values().cloned().collect();
        all.sort_by(|a, b| (a.number, a.network, &a.name).cmp(&(b.number, b.network, &b.name)));
        all
    }

    /// The time that is shown to whom no workspace is open: that of the first.
    pub(crate) fn date(&self) -> Option<Millis> {
        let open = self.open.read();
        let first = open.values().min_by_key(|hall| (hall.number, hall.network));
        first.map(|hall| hall.clock.now())
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.open.read().len()
    }

    /// Opens a workspace that is kept: its books, its doors, its chain and its dispatcher.
    pub(crate) async fn open(&self, row: WorkspaceRow) -> Result<Arc<Hall>, StartError> {
        let network =
            Network::named(&row.network).ok_or(StartError::Damaged("an unknown network"))?;
        let first_policy = serde_json::from_str(&row.policy)
            .map_err(|_| StartError::Damaged("a policy that cannot be read"))?;
        let id = row.id;
        let read = self.store.read(move |reading| clocks::find(reading, id));
        let (pace, latest) = read.await?;
        let clock = WorkspaceClock::resumed(Arc::new(SystemClock), pace, latest);
        let hall = Arc::new(Hall {
            house: Arc::clone(&self.house),
            number: row.number,
            clock: Arc::new(clock),
            books: Books::open(&self.store, id).await?,
            name: row.name,
            network,
            first_policy,
            chain: Arc::new(Notify::new()),
            deliveries: Arc::new(Notify::new()),
            over: self.shutdown.child_token(),
            faults: Faults::default(),
            rates: Rates::new(self.house.limits.clone()),
            callbacks: Notify::new(),
            under_way: Mutex::default(),
            settling: tokio::sync::Mutex::default(),
            at_the_doors: tokio::sync::Mutex::default(),
        });
        recall_tokens(&hall)
            .await
            .map_err(|_| StartError::Damaged("a token that cannot be read"))?;
        hall.open_doors()
            .await
            .map_err(|_| StartError::Damaged("a key that cannot be read"))?;
        hall.settle().await; // What a process that was killed did not come to.
        self.run(&hall);
        self.open.write().insert(id, Arc::clone(&hall));
        Ok(hall)
    }

    fn run(&self, hall: &Arc<Hall>) {
        let outbox = SandboxOutbox {
            hall: Arc::clone(hall),
        };
        let dispatcher = Dispatcher::with_sender(
            Arc::new(outbox),
            Arc::clone(&hall.clock),
            Arc::clone(&hall.deliveries),
            self.sender.clone(),
            PER_WEBHOOK,
        );
        let mut tasks = self.tasks.lock();
        while tasks.try_join_next().is_some() {} // Those of workspaces that are gone.
        tasks.spawn(chain::drive(Arc::clone(hall), hall.over.clone()));
        tasks.spawn(cosigner::drive(Arc::clone(hall), hall.over.clone()));
        tasks.spawn(dispatcher.run(hall.over.clone()));
    }

    /// Closes a workspace: nobody comes in, and nothing in it moves any more.
    pub(crate) fn close(&self, hall: &Hall) {
        hall.over.cancel();
        self.house.doors.open_to(hall.id(), Vec::new());
        self.open.write().remove(&hall.id());
    }

    /// What runs in them, to be waited for at the end.
    pub(crate) fn tasks(&self) -> JoinSet<()> {
        std::mem::take(&mut *self.tasks.lock())
    }
}
