//! One workspace's books over a store: changes in, the read model kept beside the tables.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use protocol::ids::{AssetId, VaultAccountId, WorkspaceId};
use protocol::model::transaction::Transaction;
use protocol::model::user::User;
use protocol::model::vault::VaultWalletAddress;
use protocol::time::Millis;
use store::{Query, Store, StoreError, Writing};

use crate::change::{Change, FactKey, FactKind, Origin, Version, WalletFacts};
use crate::digest::{self, Cell, Digest};
use crate::docs::{parse, to_doc};
use crate::load::load;
use crate::model::{self, Model};
use crate::rows::{self, Fact, StoredTransaction};
use crate::scope::Scope;
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
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is in the books now.
    Changed,
    /// The books know the same, or something later.
    Kept,
}

/// The changes of one database transaction.
#[derive(Debug)]
pub struct Batch {
    pub(crate) workspace: WorkspaceId,
    recorded_at: Millis,
    scopes: Option<Vec<(String, Scope)>>,
    changes: Vec<(Version, Change)>,
}

impl Books {
    /// Opens a workspace's books: reads what is hot into memory. The store has [`crate::ROOM`].
    pub async fn open(store: &Store, workspace: WorkspaceId) -> Result<Self, LedgerError> {
        let model = store.read(move |reading| load(reading, workspace)).await?;
        Ok(Self {
            store: store.clone(),
            workspace,
            model: Arc::new(RwLock::new(model)),
        })
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
        let changes = Arc::new(Mutex::new(Vec::new()));
        let (kept, model) = (Arc::clone(&changes), Arc::clone(&self.model));
        let work = move |writing: &mut Writing<'_>| {
            let mut batch = Batch {
                workspace,
                recorded_at,
                scopes: None,
                changes: Vec::new(),
            };
            let value = work(writing, &mut batch)?;
            *kept.lock() = batch.changes;
            Ok::<T, E>(value)
        };
        let follow = move |_: &T| {
            let changes = std::mem::take(&mut *changes.lock());
            if !changes.is_empty() {
                let mut model = model.write();
                for (version, change) in &changes {
                    model.apply(*version, change);
                }
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

    /// Keeps a scope's rows from now on; builds them if the scope is new.
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
                        if covers(&row.transaction, &scope) {
                            rows::in_scope(
                                writing,
                                scope.workspace(),
                                &name,
                                &row.transaction,
                                true,
                            )?;
                        }
                    }
                    match page.last() {
                        Some(last) => {
                            past = Some((last.transaction.created_at.0, last.transaction.id))
                        }
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
            .read(move |reading| rows::cells(reading, &scope))
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

impl Batch {
    /// When what is applied is recorded.
    pub fn recorded_at(&self) -> Millis {
        self.recorded_at
    }

    /// Takes a change in, unless the books know better already.
    pub fn apply(
        &mut self,
        writing: &mut Writing<'_>,
        version: Version,
        change: &Change,
    ) -> Result<Applied, StoreError> {
        let applied = match change {
            Change::Transaction(transaction, origin) => {
                self.apply_transaction(writing, version, transaction, origin)?
            }
            Change::Account(facts) => {
                self.fact(writing, &FactKey::account(facts.id), version, Some(facts))?
            }
            Change::Wallet(account, facts) => {
                self.apply_wallet(writing, *account, version, facts)?
            }
            Change::Address(account, address) => {
                self.apply_address(writing, *account, version, address)?
            }
            Change::Whitelist(kind, wallet) => self.fact(
                writing,
                &FactKey::plain(FactKind::of(*kind), wallet.id),
                version,
                Some(wallet),
            )?,
            Change::WhitelistRemoved(kind, id) => self.fact::<()>(
                writing,
                &FactKey::plain(FactKind::of(*kind), id),
                version,
                None,
            )?,
            Change::Asset(supported, asset) => {
                let key = FactKey::plain(FactKind::Asset, &supported.id);
                self.fact(writing, &key, version, Some(&(supported, asset)))?
            }
            Change::Blockchain(chain) => self.fact(
                writing,
                &FactKey::plain(FactKind::Blockchain, chain.id),
                version,
                Some(chain),
            )?,
            Change::User(user) => {
                self.fact(writing, &FactKey::user(user.id), version, Some(user))?
            }
        };
        if applied == Applied::Changed {
            self.changes.push((version, change.clone()));
        }
        Ok(applied)
    }

    fn fact<T: serde::Serialize>(
        &self,
        writing: &mut Writing<'_>,
        key: &FactKey,
        version: Version,
        value: Option<&T>,
    ) -> Result<Applied, StoreError> {
        let doc = value.map(to_doc).transpose()?;
        let old = rows::one_fact(writing, self.workspace, key)?;
        self.write_if_newer(writing, key, version, doc.as_deref(), old.as_ref())
    }

    fn write_if_newer(
        &self,
        writing: &mut Writing<'_>,
        key: &FactKey,
        version: Version,
        doc: Option<&str>,
        old: Option<&Fact>,
    ) -> Result<Applied, StoreError> {
        let new = (version, doc.unwrap_or_default());
        if old.is_some_and(|old| {
            !model::replaces(new, (old.version, old.doc.as_deref().unwrap_or_default()))
        }) {
            return Ok(Applied::Kept);
        }
        rows::write_fact(writing, self.workspace, key, version, self.recorded_at, doc)?;
        Ok(Applied::Changed)
    }

    fn apply_wallet(
        &self,
        writing: &mut Writing<'_>,
        account: VaultAccountId,
        version: Version,
        facts: &WalletFacts,
    ) -> Result<Applied, StoreError> {
        let key = FactKey::wallet(account, &facts.balance.id);
        let old = rows::one_fact(writing, self.workspace, &key)?;
        let doc = to_doc(facts)?;
        let applied = self.write_if_newer(writing, &key, version, Some(&doc), old.as_ref())?;
        if applied == Applied::Changed {
            let before: Option<WalletFacts> = old
                .and_then(|old| old.doc)
                .map(|doc| parse("wallet", &doc))
                .transpose()?;
            let (cell, after) = digest::of_balance(account, &facts.balance);
            let before = before.map(|before| digest::of_balance(account, &before.balance).1);
            rows::change_cell(
                writing,
                self.workspace,
                &cell,
                before.as_ref(),
                Some(&after),
            )?;
        }
        Ok(applied)
    }

    fn apply_address(
        &self,
        writing: &mut Writing<'_>,
        account: VaultAccountId,
        version: Version,
        address: &VaultWalletAddress,
    ) -> Result<Applied, StoreError> {
        let key = FactKey::address(account, address);
        let old = rows::one_fact(writing, self.workspace, &key)?;
        let doc = to_doc(address)?;
        let applied = self.write_if_newer(writing, &key, version, Some(&doc), old.as_ref())?;
        // The key holds all that the digest does: a known address changes nothing there.
        if applied == Applied::Changed && old.is_none() {
            let (cell, digest) = digest::of_address(account, address);
            rows::change_cell(writing, self.workspace, &cell, None, Some(&digest))?;
        }
        Ok(applied)
    }

    fn apply_transaction(
        &mut self,
        writing: &mut Writing<'_>,
        version: Version,
        transaction: &Transaction,
        origin: &Origin,
    ) -> Result<Applied, StoreError> {
        let old = rows::transaction(writing, self.workspace, transaction.id)?;
        if let Some(old) = &old {
            let (new_doc, old_doc) = (to_doc(transaction)?, to_doc(&old.transaction)?);
            if !model::replaces((version, &new_doc), (old.version, &old_doc)) {
                return Ok(Applied::Kept);
            }
        }
        let row = StoredTransaction {
            transaction: transaction.clone(),
            origin: Origin {
                upstream_id: origin
                    .upstream_id
                    .or(old.as_ref().and_then(|old| old.origin.upstream_id)),
                proposer: origin
                    .proposer
                    .clone()
                    .or(old.as_ref().and_then(|old| old.origin.proposer.clone())),
            },
            version,
        };
        rows::write_transaction(writing, self.workspace, &row, self.recorded_at)?;
        for (cell, digest) in old
            .iter()
            .flat_map(|old| digest::of_transaction(&old.transaction))
        {
            rows::change_cell(writing, self.workspace, &cell, Some(&digest), None)?;
        }
        for (cell, digest) in digest::of_transaction(transaction) {
            rows::change_cell(writing, self.workspace, &cell, None, Some(&digest))?;
        }
        let scopes = match self.scopes.take() {
            Some(scopes) => scopes,
            None => rows::scopes(writing, self.workspace)?
                .into_iter()
                .map(|(name, part)| (name, Scope::part(self.workspace, part)))
                .collect(),
        };
        for (name, scope) in &scopes {
            let (is, was) = (
                covers(transaction, scope),
                old.as_ref()
                    .is_some_and(|old| covers(&old.transaction, scope)),
            );
            let moved = old
                .as_ref()
                .is_some_and(|old| old.transaction.created_at != transaction.created_at);
            if let Some(old) = old.as_ref().filter(|_| was && (moved || !is)) {
                rows::in_scope(writing, self.workspace, name, &old.transaction, false)?;
            }
            if is {
                rows::in_scope(writing, self.workspace, name, transaction, true)?;
            }
        }
        self.scopes = Some(scopes);
        Ok(Applied::Changed)
    }
}
