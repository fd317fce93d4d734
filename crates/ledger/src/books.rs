//! One workspace's books over a store: changes in, the read model kept beside the tables.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::{Mutex, RwLock};
use protocol::ids::{AssetId, VaultAccountId, WorkspaceId};
use protocol::model::user::User;
use protocol::time::Millis;
use store::{Query, Store, StoreError, Writing};

use crate::batch::{Applied, Batch};
use crate::change::{Change, FactKey, Version, WalletFacts};
use crate::digest::{self, Cell, Digest};
use crate::docs::parse;
use crate::load::{self, load};
use crate::model::Model;
use crate::rows::{self};
use crate::scope::Scope;
use crate::scopes::Scopes;
use crate::view::{Seen, covers, view_whole};

/// Why the books could not be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something cannot be written down: a fault of ours.
    #[error("{0} cannot be written down")]
    Unwritable(&'static str),
}

/// One workspace's books. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Books {
    store: Store,
    workspace: WorkspaceId,
    model: Arc<RwLock<Model>>,
    scopes: Arc<Scopes>,
    /// The latest change that the read model has, where others change these books, too.
    sequence: Option<Arc<AtomicI64>>,
}

/// What others have changed, as of one snapshot.
#[derive(Debug)]
pub struct News {
    sequence: i64,
    changes: Vec<(Version, Change)>,
}

impl News {
    /// The changes.
    pub fn changes(&self) -> &[(Version, Change)] {
        &self.changes
    }
}

impl Books {
    /// Opens a workspace's books: reads what is hot into memory. The store has [`crate::ROOM`].
    pub async fn open(store: &Store, workspace: WorkspaceId) -> Result<Self, LedgerError> {
        count_anew(store, workspace).await?;
        let model = store.read(move |reading| load(reading, workspace)).await?;
        Ok(Self {
            store: store.clone(),
            workspace,
            model: Arc::new(RwLock::new(model)),
            scopes: Arc::default(),
            sequence: None,
        })
    }

    /// The same, but other processes keep these books, too: changes are counted, and what is in
    /// memory follows by [`Self::news`] and [`Self::take`].
    pub async fn open_shared(store: &Store, workspace: WorkspaceId) -> Result<Self, LedgerError> {
        count_anew(store, workspace).await?;
        let read = store.read(move |reading| {
            let sequence = rows::position(reading, workspace, load::CHANGES)?;
            Ok::<_, StoreError>((load(reading, workspace)?, sequence))
        });
        let (model, sequence) = read.await?;
        Ok(Self {
            store: store.clone(),
            workspace,
            model: Arc::new(RwLock::new(model)),
            scopes: Arc::default(),
            sequence: Some(Arc::new(AtomicI64::new(sequence))),
        })
    }

    /// What was changed since the read model was brought up to date last.
    pub fn news(&self, query: &mut impl Query) -> Result<News, StoreError> {
        let Some(sequence) = &self.sequence else {
            let (sequence, changes) = (0, Vec::new());
            return Ok(News { sequence, changes });
        };
        let known = sequence.load(Ordering::SeqCst);
        let (sequence, changes) = load::since(query, self.workspace, known)?;
        Ok(News { sequence, changes })
    }

    /// Brings the read model up to date. What it knows already changes nothing.
    pub fn take(&self, news: &News) {
        self.learn(&news.changes);
        if let Some(sequence) = &self.sequence {
            sequence.fetch_max(news.sequence, Ordering::SeqCst);
        }
    }

    fn learn(&self, changes: &[(Version, Change)]) {
        if !changes.is_empty() {
            let mut model = self.model.write();
            for (version, change) in changes {
                model.apply(*version, change);
            }
        }
    }

    /// Brings the read model up to date with what others have committed.
    pub async fn catch_up(&self) -> Result<(), LedgerError> {
        if self.sequence.is_some() {
            let books = self.clone();
            let news = self.store.read(move |reading| books.news(reading)).await?;
            self.take(&news);
        }
        Ok(())
    }

    /// Of these changes, of which no two are of the same thing, those that tell something else than the
    /// read model holds: the rest would change nothing, and need not be written. What others have
    /// committed is taken first.
    pub async fn unknown(
        &self,
        mut changes: Vec<(Version, Change)>,
    ) -> Result<Vec<(Version, Change)>, LedgerError> {
        self.catch_up().await?;
        let model = self.model.read();
        changes.retain(|(_, change)| !model.holds(change));
        Ok(changes)
    }

    /// Whose books.
    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    /// Where they are kept.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Every user, from the read model; for a reader of a part: nobody.
    pub fn users(&self, scope: &Scope) -> Vec<User> {
        let model = self.model.read();
        let users = model.users.values().map(|entry| entry.value.clone());
        users
            .filter_map(|user| view_whole(user, scope))
            .map(Seen::into_inner)
            .collect()
    }

    /// The number of every vault account in scope, from the read model.
    pub fn account_ids(&self, scope: &Scope) -> Vec<VaultAccountId> {
        let model = self.model.read();
        let ids = model.accounts.keys().copied();
        ids.filter(|id| scope.covers_account(*id)).collect()
    }

    /// A wallet, from the read model; nothing outside the scope.
    pub fn wallet(
        &self,
        scope: &Scope,
        account: VaultAccountId,
        asset: &AssetId,
    ) -> Option<WalletFacts> {
        if !scope.covers_wallet(account, asset) {
            return None;
        }
        let model = self.model.read();
        model.accounts.get(&account)?.wallet(asset).cloned()
    }

    /// The wallets in scope that have an address.
    pub async fn wallets_of_address(
        &self,
        scope: &Scope,
        address: &str,
    ) -> Result<Vec<(VaultAccountId, AssetId)>, LedgerError> {
        let (workspace, address) = (scope.workspace(), address.to_owned());
        let read = self
            .store
            .read(move |reading| rows::wallets_of_address(reading, workspace, &address));
        let mut found = read.await?;
        found.retain(|(account, asset)| scope.covers_wallet(*account, asset));
        Ok(found)
    }

    pub(crate) fn model(&self) -> parking_lot::RwLockReadGuard<'_, Model> {
        self.model.read()
    }

    /// One database transaction: changes to the books, and whatever else commits with them. The
    /// read model follows after the commit. The work may run more than once.
    pub async fn transact<T, E>(
        &self,
        recorded_at: Millis,
        work: impl Fn(&mut Writing<'_>, &mut Batch) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let workspace = self.workspace;
        // What the run that commits has changed; an earlier run's is overwritten.
        let changes = Arc::new(Mutex::new((Vec::new(), None)));
        let (kept, this) = (Arc::clone(&changes), self.clone());
        let (counted, known) = (self.sequence.is_some(), Arc::clone(&self.scopes));
        let work = move |writing: &mut Writing<'_>| {
            let mut batch = Batch {
                workspace,
                recorded_at,
                known: Arc::clone(&known),
                scopes: None,
                changes: Vec::new(),
                counted,
                sequence: None,
            };
            let value = work(writing, &mut batch)?;
            *kept.lock() = (batch.changes, batch.sequence);
            Ok::<T, E>(value)
        };
        let follow = move |_: &T| {
            let (changes, number) = std::mem::take(&mut *changes.lock());
            this.learn(&changes);
            // Who knew everything before it knows everything up to it.
            if let Some((sequence, number)) = this.sequence.as_ref().zip(number) {
                let _ = sequence.compare_exchange(
                    number - 1,
                    number,
                    Ordering::SeqCst,
                    Ordering::SeqCst,
                );
            }
        };
        self.store.write_then(work, follow).await
    }

    /// One database transaction that may change everything about the workspace; the read model is
    /// read anew in it, and follows after the commit.
    pub async fn rewrite<T, E>(
        &self,
        work: impl Fn(&mut Writing<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let workspace = self.workspace;
        let read = Arc::new(Mutex::new(None));
        let (kept, model) = (Arc::clone(&read), Arc::clone(&self.model));
        let work = move |writing: &mut Writing<'_>| {
            let value = work(writing)?;
            *kept.lock() = Some(load(writing, workspace)?);
            Ok::<T, E>(value)
        };
        let follow = move |_: &T| {
            if let Some(read) = read.lock().take() {
                *model.write() = read;
            }
        };
        self.store.write_then(work, follow).await
    }

    /// Applies changes by themselves.
    pub async fn apply(
        &self,
        recorded_at: Millis,
        changes: Vec<(Version, Change)>,
    ) -> Result<usize, LedgerError> {
        self.transact(recorded_at, move |writing, batch| {
            let mut changed = 0;
            for (version, change) in &changes {
                if batch.apply(writing, *version, change)? == Applied::Changed {
                    changed += 1;
                }
            }
            Ok(changed)
        })
        .await
    }

    /// Keeps a scope's rows from now on; builds them if the scope is new, or was being forgotten.
    pub async fn register(&self, scope: &Scope) -> Result<(), LedgerError> {
        let Some(part) = scope.as_part().cloned() else {
            return Ok(());
        };
        let scope = scope.clone();
        self.store
            .write(move |writing| {
                if !rows::register(writing, &scope, &part)? {
                    return Ok(());
                }
                let name = scope.id().to_string();
                let whole = Scope::whole(scope.workspace());
                let mut past = None;
                loop {
                    let order = rows::Order {
                        by_update: false,
                        ascending: true,
                        past,
                        limit: 1_000,
                    };
                    let page = rows::page(writing, &whole, &rows::Filter::default(), &order)?;
                    for row in &page {
                        let transaction = row.transaction()?;
                        if covers(&transaction, &row.origin, &scope) {
                            let workspace = scope.workspace();
                            rows::in_scope(writing, workspace, &name, &transaction, true)?;
                        }
                    }
                    match page.last() {
                        Some(last) => past = Some(last.key),
                        None => return Ok(()),
                    }
                }
            })
            .await
    }

    /// The digest of what a scope covers.
    pub async fn digest(&self, scope: &Scope) -> Result<Digest, LedgerError> {
        let cells = self.cells(scope).await?;
        Ok(cells
            .iter()
            .fold(Digest::default(), |sum, (_, digest)| sum.plus(digest)))
    }

    /// The cells of what a scope covers.
    pub async fn cells(&self, scope: &Scope) -> Result<Vec<(Cell, Digest)>, LedgerError> {
        let scope = scope.clone();
        Ok(self
            .store
            .read(move |reading| digest::cells(reading, &scope))
            .await?)
    }

    /// The balance of a wallet as of a time, as far as was known at another.
    pub async fn wallet_as_of(
        &self,
        scope: &Scope,
        account: VaultAccountId,
        asset: &AssetId,
        effective: Millis,
        known: Millis,
    ) -> Result<Option<WalletFacts>, LedgerError> {
        if !scope.covers_wallet(account, asset) {
            return Ok(None);
        }
        let (workspace, key) = (scope.workspace(), FactKey::wallet(account, asset));
        let doc = self
            .store
            .read(move |reading| rows::as_of(reading, workspace, &key, effective, known))
            .await?;
        doc.map(|doc| parse("wallet", &doc))
            .transpose()
            .map_err(Into::into)
    }
}

/// Counts digests anew, unless they are by the formula of this release.
async fn count_anew(store: &Store, workspace: WorkspaceId) -> Result<(), LedgerError> {
    let counted = store.read(move |reading| rows::is_counted_here(reading, workspace));
    if !counted.await? {
        let count = store.write(move |writing| digest::count_anew(writing, workspace));
        count.await?;
    }
    Ok(())
}

/// Positions of subscribers: gap-free, in the order of commits.
pub mod positions {
    use super::{Query, StoreError, WorkspaceId, Writing, rows};

    /// The next position, in the transaction of what it counts.
    pub fn bump(
        writing: &mut Writing<'_>,
        workspace: WorkspaceId,
        subscriber: &str,
    ) -> Result<i64, StoreError> {
        rows::bump(writing, workspace, subscriber)
    }

    /// The current position; 0 before the first.
    pub fn current(
        query: &mut impl Query,
        workspace: WorkspaceId,
        subscriber: &str,
    ) -> Result<i64, StoreError> {
        rows::position(query, workspace, subscriber)
    }
}
