//! The changes of one database transaction: what each does to the tables.

use std::sync::Arc;

use protocol::ids::{VaultAccountId, WorkspaceId};
use protocol::model::transaction::Transaction;
use protocol::model::vault::VaultWalletAddress;
use protocol::time::Millis;
use store::{StoreError, Writing};

use crate::change::{Change, FactKey, FactKind, Origin, Version, WalletFacts};
use crate::digest::{self};
use crate::docs::{parse, to_doc};
use crate::load;
use crate::model;
use crate::rows::{self, Fact, StoredTransaction};
use crate::scope::Scope;
use crate::scopes::Scopes;
use crate::view::covers;

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
    pub(crate) recorded_at: Millis,
    /// Those that were read before, by any transaction.
    pub(crate) known: Arc<Scopes>,
    /// Those of this one.
    pub(crate) scopes: Option<Vec<(String, Scope)>>,
    pub(crate) changes: Vec<(Version, Change)>,
    /// Whether changes are counted, so that other processes learn of them.
    pub(crate) counted: bool,
    /// The number of this transaction's changes, once there is one.
    pub(crate) sequence: Option<i64>,
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
                self.fact(writing, &FactKey::of_account(facts), version, Some(facts))?
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
        &mut self,
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
        &mut self,
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
        let written = rows::Written {
            recorded_at: self.recorded_at,
            sequence: self.next(writing, key.kind)?,
        };
        rows::write_fact(writing, self.workspace, key, version, written, doc)?;
        Ok(Applied::Changed)
    }

    /// The number of this transaction's changes, for what read models hold.
    fn next(
        &mut self,
        writing: &mut Writing<'_>,
        kind: FactKind,
    ) -> Result<Option<i64>, StoreError> {
        if !self.counted || kind == FactKind::Address {
            return Ok(None);
        }
        if self.sequence.is_none() {
            self.sequence = Some(rows::bump(writing, self.workspace, load::CHANGES)?);
        }
        Ok(self.sequence)
    }

    fn apply_wallet(
        &mut self,
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
        &mut self,
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
                created_by: None,
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
            None => self.known.all(writing, self.workspace)?,
        };
        for (name, scope) in &scopes {
            let (is, was) = (
                covers(transaction, &row.origin, scope),
                old.as_ref()
                    .is_some_and(|old| covers(&old.transaction, &old.origin, scope)),
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
