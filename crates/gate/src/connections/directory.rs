//! Every connection in memory, by API key and by name: what the door asks.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use ledger::reads::Seal;
use ledger::{Scope, ScopeId};
use protocol::ids::UserId;
use protocol::time::Millis;

use super::{Connection, DoorKeys, Standing};
use crate::meters::Meter;

/// A connection, its keys and its scope.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) connection: Connection,
    pub(crate) keys: DoorKeys,
    pub(crate) scope: Scope,
    /// The scope's name: what was made in a scope of another name is not its any more.
    pub(crate) scope_id: ScopeId,
    /// What binds its cursors to it.
    pub(crate) seal: Seal,
    /// What it has used of its budgets.
    pub(crate) meter: Arc<Meter>,
}

/// Every connection.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    by_name: BTreeMap<String, Arc<Provider>>,
    by_key: HashMap<UserId, Arc<Provider>>,
    /// Nobody is let in.
    is_shut: bool,
}

impl Directory {
    pub(crate) fn of(providers: impl IntoIterator<Item = Provider>) -> Self {
        let mut directory = Self::default();
        for provider in providers {
            let provider = Arc::new(provider);
            directory
                .by_key
                .insert(provider.connection.api_key, Arc::clone(&provider));
            directory
                .by_name
                .insert(provider.connection.name.clone(), provider);
        }
        directory
    }

    /// The same, but nobody is let in.
    pub(crate) fn shut(mut self) -> Self {
        self.is_shut = true;
        self
    }

    /// Whoever the key belongs to, let in or not.
    pub(crate) fn keyed(&self, user: UserId) -> Option<&Arc<Provider>> {
        self.by_key.get(&user)
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Arc<Provider>> {
        self.by_name.get(name)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.by_name.values()
    }

    /// Those that are open, here or straight at Fireblocks.
    pub(crate) fn living(&self, now: Millis) -> impl Iterator<Item = &Arc<Provider>> {
        self.all()
            .filter(move |provider| provider.connection.standing(now) == Standing::Active)
    }

    /// Those that may come in now.
    pub(crate) fn active(&self, now: Millis) -> impl Iterator<Item = &Arc<Provider>> {
        self.all()
            .filter(move |provider| provider.connection.comes_in(now))
    }

    /// Whoever the key belongs to, if it may come in now and is on the list.
    pub(crate) fn open(&self, user: UserId, from: IpAddr, now: Millis) -> Option<&Arc<Provider>> {
        if self.is_shut {
            return None;
        }
        let from = from.to_canonical();
        self.by_key.get(&user).filter(|provider| {
            let connection = &provider.connection;
            connection.comes_in(now) && connection.addresses.iter().any(|net| net.contains(&from))
        })
    }
}
