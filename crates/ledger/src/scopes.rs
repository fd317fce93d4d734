//! The scopes that are kept up, as they are read: each once. Its name is the digest of what it names, so
//! what was read under a name stays true. A scope that nobody reads is forgotten after a while: each event
//! would be held against it for ever.

use std::collections::{BTreeSet, HashMap};

use parking_lot::Mutex;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Query, Store, StoreError, Writing};

use crate::rows;
use crate::scope::{Scope, ScopeId};

/// Those that were read.
#[derive(Debug, Default)]
pub(crate) struct Scopes(Mutex<HashMap<String, Scope>>);

impl Scopes {
    /// Every scope of a workspace that hides something, by name, as of this transaction.
    pub(crate) fn all(
        &self,
        query: &mut impl Query,
        workspace: WorkspaceId,
    ) -> Result<Vec<(String, Scope)>, StoreError> {
        let names = rows::scopes(query, workspace)?;
        let mut all = Vec::with_capacity(names.len());
        for name in names {
            let known = self.0.lock().get(&name).cloned();
            let scope = match known {
                Some(scope) => scope,
                None => {
                    let scope = Scope::part(workspace, rows::scope(query, workspace, &name)?);
                    self.0.lock().insert(name.clone(), scope.clone());
                    scope
                }
            };
            all.push((name, scope));
        }
        let mut known = self.0.lock();
        if known.len() > all.len() {
            known.retain(|name, _| all.iter().any(|(kept, _)| kept == name));
        }
        Ok(all)
    }
}

/// How long nobody has read a scope before it is forgotten, in milliseconds: longer than from its
/// registration to the grant that names it, and than any read goes on.
const FORGET_AFTER: i64 = Millis::HOUR;
/// Rows taken in one transaction of a scope that is forgotten: writers wait for no more than those.
const AT_ONCE: i64 = 2_000;

/// Looks which scopes somebody reads, and forgets those that nobody has read for an hour; how many. Until
/// its last row is gone a scope is kept up as the others are, and can be registered again.
pub async fn forget_unread(
    store: &Store,
    workspace: WorkspaceId,
    now: Millis,
    read: impl Fn(&mut Writing<'_>) -> Result<BTreeSet<ScopeId>, StoreError> + Send + 'static,
) -> Result<usize, StoreError> {
    let mark = store.write(move |writing| {
        let read: BTreeSet<_> = read(writing)?.iter().map(ScopeId::to_string).collect();
        let mut over = Vec::new();
        for (name, unread) in rows::unread_since(writing, workspace)? {
            match (read.contains(&name), unread) {
                (true, Some(_)) => rows::put_unread_since(writing, workspace, &name, None)?,
                (false, None) => rows::put_unread_since(writing, workspace, &name, Some(now))?,
                (false, Some(since)) if since.plus(FORGET_AFTER) <= now => over.push(name),
                _ => {}
            }
        }
        Ok::<_, StoreError>(over)
    });
    let over = mark.await?;
    for name in &over {
        loop {
            let name = name.clone();
            let take = move |writing: &mut Writing<'_>| {
                rows::take_apart(writing, workspace, &name, AT_ONCE)
            };
            if !store.write(take).await? {
                break;
            }
        }
    }
    Ok(over.len())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use protocol::ids::VaultAccountId;
    use store::{StoreError, on_both};

    use super::*;
    use crate::books::Books;
    use crate::rows::{ROOM, SPOIL_SCOPE};
    use crate::scope::PartScope;

    const WORKSPACE: WorkspaceId = WorkspaceId(uuid::Uuid::from_u128(7));

    fn scope(account: u32) -> Scope {
        Scope::part(
            WORKSPACE,
            PartScope {
                accounts: BTreeSet::from([VaultAccountId::new(account)]),
                ..PartScope::default()
            },
        )
    }

    on_both! {
        rooms: &[ROOM],
        async fn what_a_scope_is_is_read_once_and_which_there_are_each_time(store: TestStore) {
            let books = Books::open(&store, WORKSPACE).await.expect("books");
            books.register(&scope(1)).await.expect("registered");
            let known = std::sync::Arc::new(Scopes::default());
            let all = || {
                let known = std::sync::Arc::clone(&known);
                let read = store.read(move |reading| known.all(reading, WORKSPACE));
                async move { read.await.expect("read") }
            };
            let named = |scope: Scope| (scope.id().to_string(), scope);
            assert_eq!(all().await, [named(scope(1))]);
            books.register(&scope(2)).await.expect("registered");
            // Whoever reads it again would not find what it was.
            let spoil = store.write(move |writing| {
                let params = store::params![scope(1).id().to_string()];
                writing.execute(SPOIL_SCOPE, &params).map(drop)
            });
            let spoiled: Result<_, StoreError> = spoil.await;
            spoiled.expect("written");
            let (mut now, mut both) = (all().await, vec![named(scope(1)), named(scope(2))]);
            now.sort_by(|one, other| one.0.cmp(&other.0));
            both.sort_by(|one, other| one.0.cmp(&other.0));
            assert_eq!(now, both);
        }
    }
}
