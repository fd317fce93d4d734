//! The scopes that are kept up, as they are read: each once. Its name is the digest of what it names, so
//! what was read under a name stays true.

use std::collections::HashMap;

use parking_lot::Mutex;
use protocol::ids::WorkspaceId;
use store::{Query, StoreError};

use crate::rows;
use crate::scope::Scope;

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
        Ok(all)
    }
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
