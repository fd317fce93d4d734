//! The gate as a whole: what every part of it shares, and the one way to change it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use ledger::reads::Seal;
use ledger::{Batch, Books, LedgerError};
use parking_lot::RwLock;
use protocol::ed25519::SigningKey;
use protocol::error::ApiError;
use protocol::ids::{UserId, WorkspaceId};
use protocol::signature::{Jwks, WebhookKey};
use protocol::time::Millis;
use store::{Claim, Store, StoreError, Writing};
use sync::Inbox;
use tokio::sync::Notify;
use wire::client::Budget;
use wire::clock::WallClock;
use wire::hooks_in::Receiver;

use crate::ages::{Ages, Stale, Subject};
use crate::callers::Callers;
use crate::config::Config;
use crate::connections::{Connection, Directory, DoorKeys, HeldKey, Provider};
use crate::folder::{Folder, KeyName};
use crate::forward;
use crate::gates::{self, Lease};
use crate::identities::UpstreamIds;
use crate::log::{self, Actor, Entry, Event, Origin};
use crate::meters::Meters;
use crate::operations::{self, examined::Examiner};
use crate::operators::Roster;
use crate::proposals::{self, Translations};
use crate::records::Recorder;
use crate::refusals::Refusals;
use crate::rows;
use crate::trust::Trust;
use crate::upstream::{self, Looks};
use crate::witnesses::Witnessing;
use ledger::Fault;

/// What is signed, and told nobody, to make the secret that binds cursors. Nothing else that the key
/// signs begins like this.
const CURSORS: &[u8] = b"vestibule cursors v1";
/// How long until connections that could not be read are tried again.
const RELOAD_PAUSE: Duration = Duration::from_secs(1);

/// The gate.
pub(crate) struct Gate {
    pub(crate) config: Config,
    pub(crate) folder: Folder,
    pub(crate) store: Store,
    pub(crate) books: Books,
    pub(crate) clock: Arc<dyn WallClock>,
    pub(crate) log_key: SigningKey,
    pub(crate) webhook_key: Arc<WebhookKey>,
    pub(crate) inbox: Inbox,
    pub(crate) receiver: Receiver,
    pub(crate) directory: ArcSwap<Directory>,
    /// Which version of connections, keys and operators is in memory.
    pub(crate) version: AtomicI64,
    /// For how long that may be gone by.
    pub(crate) lease: Lease,
    /// Held while this gate does what only one does.
    pub(crate) leading: ArcSwapOption<Claim>,
    /// What every connection has used of its budgets.
    pub(crate) meters: Meters,
    /// The client's people.
    pub(crate) roster: ArcSwap<Roster>,
    pub(crate) translations: Arc<Translations>,
    /// What stands before `/v1`, as providers see it.
    pub(crate) public: String,
    pub(crate) upstream: RwLock<UpstreamIds>,
    /// Every API user that ever was an Editor of the gate's, and since when.
    pub(crate) editors: ArcSwap<BTreeMap<UserId, Millis>>,
    /// Who calls upstream for it.
    pub(crate) callers: Callers,
    /// What upstream says of the gate's own keys.
    pub(crate) trust: Trust,
    pub(crate) budget: Budget,
    /// The part of it that walks may use.
    pub(crate) walks: Budget,
    /// The part of it that providers may use all together.
    pub(crate) forwards: Budget,
    /// As of when the books are, by upstream's clock.
    pub(crate) as_of: AtomicI64,
    /// The latest moment of upstream's clock that a walk was later than, in milliseconds.
    pub(crate) read_after: AtomicI64,
    /// As of when each subject of the books is, by walks.
    pub(crate) ages: RwLock<Ages>,
    /// Wakes the dispatcher of webhooks.
    pub(crate) deliveries: Arc<Notify>,
    /// Held while connections are read again.
    reloading: tokio::sync::Mutex<()>,
    /// Wakes the dispatcher of proposals.
    pub(crate) proposals: Notify,
    /// Wakes whoever looks at the connections' ends.
    pub(crate) ends: Notify,
    /// Wakes whoever sends letters.
    pub(crate) letters: Notify,
    /// Looks at all of upstream that were asked for. Wakes whoever keeps the books, also when what
    /// upstream is has changed.
    pub(crate) look: Looks,
    /// Whether a copy of the store was put back and nobody has released it: nobody is let in, and
    /// nothing is sent.
    pub(crate) quarantined: AtomicBool,
    /// What was refused lately, until the log tells of it.
    pub(crate) refusals: Refusals,
    /// What was read lately, until it is written down.
    pub(crate) recorder: Recorder,
    /// Whoever cosigns the log's head, and what came of asking.
    pub(crate) witnessing: Witnessing,
    /// Looks through what is handed in.
    pub(crate) examiner: Examiner,
    /// Held by whoever carries out what an operator asked for: an end waits for it.
    pub(crate) under_way: Arc<tokio::sync::RwLock<()>>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gate({})", self.public)
    }
}

/// One change at the gate, in one database transaction.
pub(crate) struct Deed<'d, 'w> {
    pub(crate) workspace: WorkspaceId,
    pub(crate) writing: &'d mut Writing<'w>,
    pub(crate) batch: &'d mut Batch,
    pub(crate) at: Millis,
    /// Where the call came from that asked for it.
    pub(crate) origin: Origin,
}

impl Deed<'_, '_> {
    /// Tells the log, in the same transaction.
    pub(crate) fn log(&mut self, actor: Actor, event: Event) -> Result<(), StoreError> {
        log::append_from(
            self.writing,
            self.workspace,
            self.at,
            &Entry { actor, event },
            &self.origin,
        )
        .map(drop)
    }
}

/// What a gate is made of when it starts.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) folder: Folder,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn WallClock>,
    pub(crate) public: String,
    pub(crate) lease: Lease,
}

/// Why a gate cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// Its files.
    #[error(transparent)]
    Folder(#[from] crate::folder::FolderError),
    /// Its database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Gate {
    pub(crate) async fn assemble(parts: Parts) -> Result<Arc<Self>, AssemblyError> {
        let Parts {
            config,
            folder,
            store,
            clock,
            public,
            lease,
        } = parts;
        let workspace = config.upstream.workspace_id;
        let books = match &lease {
            Lease::Alone => Books::open(&store, workspace).await?,
            Lease::Shared { .. } => Books::open_shared(&store, workspace).await?,
        };
        let webhook = folder.key(KeyName::Webhooks)?;
        let kid = format!(
            "vestibule-{}",
            hex::encode(webhook.public().fingerprint().as_bytes().split_at(8).0)
        );
        let inbox = Inbox::new(&store, workspace, "upstream", Arc::clone(&clock));
        let cap = config.upstream.calls_per_minute;
        let budget = upstream::budget(cap);
        let gate = Arc::new(Self {
            log_key: folder.log_key()?,
            webhook_key: Arc::new(WebhookKey::new(kid, webhook)),
            walks: upstream::part_for_walks(&budget, cap),
            forwards: forward::part(&budget, cap),
            budget,
            config,
            folder,
            books,
            clock,
            inbox,
            receiver: Receiver::default(),
            directory: ArcSwap::default(),
            version: AtomicI64::new(0),
            lease,
            leading: ArcSwapOption::empty(),
            meters: Meters::open(&store, workspace).await?,
            roster: ArcSwap::default(),
            translations: Arc::default(),
            public,
            upstream: RwLock::default(),
            editors: ArcSwap::default(),
            callers: Callers::default(),
            trust: Trust::default(),
            as_of: AtomicI64::new(0),
            read_after: AtomicI64::new(0),
            ages: RwLock::default(),
            deliveries: Arc::default(),
            proposals: Notify::new(),
            ends: Notify::new(),
            letters: Notify::new(),
            reloading: tokio::sync::Mutex::default(),
            quarantined: AtomicBool::new(false),
            refusals: Refusals::default(),
            recorder: Recorder::default(),
            witnessing: Witnessing::default(),
            examiner: Examiner::default(),
            under_way: Arc::default(),
            look: Looks::default(),
            store,
        });
        // Whatever is changed from now on waits for this gate.
        gate.join().await?;
        gate.read_again().await?;
        let work = move |reading: &mut store::Reading<'_>| {
            Ok::<_, StoreError>((
                rows::proposals::gone_up(reading, workspace)?,
                rows::ages::ages(reading, workspace)?,
            ))
        };
        let (proposals, ages) = gate.store.read(work).await?;
        for proposal in &proposals {
            gate.translations.know(proposal);
        }
        gate.as_of
            .store(ages.told().unwrap_or_default().0, Ordering::SeqCst);
        *gate.ages.write() = ages;
        Ok(gate)
    }

    /// A walk of a subject that began then is done: written down, so that a restart knows.
    pub(crate) async fn walked(&self, subject: Subject, began: Millis) -> Result<(), StoreError> {
        let workspace = self.workspace();
        let write = self
            .store
            .write(move |writing| rows::ages::walked(writing, workspace, subject, began));
        write.await?;
        let told = {
            let mut ages = self.ages.write();
            ages.walked(subject, began);
            ages.told()
        };
        if let Some(told) = told {
            self.as_of.fetch_max(told.0, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Whether the books were filled once.
    pub(crate) fn filled(&self) -> bool {
        self.ages.read().whole()
    }

    /// The books, if they were filled once: of others nothing is resolved.
    pub(crate) fn filled_books(&self) -> Option<&Books> {
        self.filled().then_some(&self.books)
    }

    /// Whether what is made of these may be told; and then as of when it is.
    pub(crate) fn fresh(&self, subjects: &[Subject]) -> Result<Millis, Stale> {
        let ages = self.ages.read();
        ages.check(subjects, &self.config.areas, self.clock.now())?;
        Ok(ages.as_of(subjects, Millis(self.as_of.load(Ordering::SeqCst))))
    }

    /// The same of what is told to a connection, or done for it: where its scope follows tags, nothing that hangs
    /// on accounts is, once it is too old which ones have them.
    pub(crate) fn fresh_for(
        &self,
        connection: &Connection,
        subjects: &[Subject],
    ) -> Result<Millis, Stale> {
        if subjects.iter().any(|subject| subject.by_account()) {
            self.follows(connection)?;
        }
        self.fresh(subjects)
    }

    /// Whether it is known which accounts a connection has now.
    pub(crate) fn follows(&self, connection: &Connection) -> Result<(), Stale> {
        match connection.followed {
            Some(_) => self.fresh(&[Subject::Accounts]).map(drop),
            None => Ok(()),
        }
    }

    pub(crate) fn workspace(&self) -> WorkspaceId {
        self.books.workspace()
    }

    /// Changes the gate; reads that follow see it.
    pub(crate) async fn deed<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Deed<'_, '_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (workspace, at, origin) = (self.workspace(), self.clock.now(), Origin::here());
        let done = self.books.transact(at, move |writing, batch| {
            work(&mut Deed {
                workspace,
                writing,
                batch,
                at,
                origin,
            })
        });
        done.await.map_err(ApiError::from)
    }

    /// Whose log this is.
    pub(crate) fn log_name(&self) -> log::LogKey {
        log::LogKey::of(self.workspace(), self.log_key.public())
    }

    /// Who keeps the head of this gate's log.
    pub(crate) fn keeper(&self) -> log::Keeper<'_> {
        log::Keeper {
            store: &self.store,
            folder: &self.folder,
            workspace: self.workspace(),
            key: &self.log_key,
        }
    }

    /// Whether this gate does what only one of several does.
    pub(crate) fn leads(&self) -> bool {
        matches!(self.lease, Lease::Alone) || self.leading.load().is_some()
    }

    /// Whether what is in memory may be gone by now.
    pub(crate) fn may_serve(&self) -> bool {
        self.lease.holds(self.clock.now())
    }

    /// Brings connections, operators and upstream ids in memory up to what is written down, here and
    /// at every other gate over the store. Where that cannot be read, nobody is let in until it can.
    pub(crate) async fn reload(self: &Arc<Self>) -> Result<(), AssemblyError> {
        // A key that is let in no more has no place in memory for its last use.
        if let Err(error) = operations::keys::keep_uses(self).await {
            tracing::warn!(%error, "the last use of keys is not written down");
        }
        let outcome = self.read_again().await;
        if outcome.is_err() {
            self.directory.store(Arc::default());
            self.roster.store(Arc::default());
            let gate = Arc::downgrade(self);
            tokio::spawn(async move {
                while let Some(gate) = gate.upgrade()
                    && let Err(error) = gate.read_again().await
                {
                    tracing::error!(%error, "the connections cannot be read: nobody is let in");
                    drop(gate);
                    tokio::time::sleep(RELOAD_PAUSE).await;
                }
            });
        }
        gates::settled(self).await;
        outcome
    }

    /// The same, here alone.
    pub(crate) async fn read_again(&self) -> Result<(), AssemblyError> {
        // One after the other: what was read first must not be put in place last.
        let _turn = self.reloading.lock().await;
        let workspace = self.workspace();
        let work = move |reading: &mut store::Reading<'_>| {
            let version = rows::gates::version(reading, workspace)?;
            let connections = rows::connections::connections(reading, workspace)?;
            let keys = rows::keys::living(reading, workspace)?;
            let ids = UpstreamIds::read(reading, workspace)?;
            let editors = rows::editors::all(reading, workspace)?;
            let operators = rows::operators::all(reading, workspace)?;
            let quarantined = rows::connections::quarantined(reading, workspace)?;
            Ok::<_, StoreError>((
                version,
                connections,
                keys,
                operators,
                (ids, editors),
                quarantined,
            ))
        };
        let (version, connections, keys, operators, (ids, editors), quarantined) =
            self.store.read(work).await?;
        self.quarantined.store(quarantined, Ordering::SeqCst);
        let known = self.directory.load();
        // Stable for as long as the gate's own key is, and the same at every gate that has it.
        let secret = self.log_key.sign(CURSORS);
        self.translations.call(&connections);
        let provider = |connection: Connection| {
            let of = |key: &&HeldKey| key.connection == connection.name;
            let held: Vec<_> = keys.iter().filter(of).cloned().collect();
            let before = known.named(&connection.name);
            let scope = connection.scope(self.workspace());
            Provider {
                keys: DoorKeys::of(&held, before.map(|provider| &provider.keys)),
                scope_id: scope.id(),
                scope,
                seal: Seal::of(&secret, &connection.name),
                meter: self.meters.of(&connection),
                connection,
            }
        };
        let directory = Directory::of(connections.into_iter().map(provider));
        self.directory.store(Arc::new(if quarantined {
            directory.shut()
        } else {
            directory
        }));
        self.roster.store(Arc::new(Roster::of(operators)));
        self.editors.store(Arc::new(editors));
        // Last: whoever goes by it has taken the rest in.
        self.version.store(version, Ordering::SeqCst);
        if *self.upstream.read() != ids {
            self.call_as(&ids);
            let before = std::mem::replace(&mut *self.upstream.write(), ids);
            if before.webhook != ids.webhook {
                self.mount_receiver();
            }
            self.look.wake();
            self.proposals.notify_one();
        }
        Ok(())
    }

    /// Whether a copy of the store was put back, and nobody has released it.
    pub(crate) fn is_quarantined(&self) -> bool {
        self.quarantined.load(Ordering::SeqCst)
    }

    /// By what it tells transactions of its own.
    pub(crate) fn known(&self) -> proposals::Known {
        proposals::Known {
            editors: self.editors.load_full(),
            quarantined: self.is_quarantined(),
        }
    }

    /// The keys that sign this gate's webhooks.
    pub(crate) fn jwks(&self) -> Jwks {
        Jwks {
            keys: vec![self.webhook_key.public()],
        }
    }
}
