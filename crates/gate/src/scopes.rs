//! Scopes that no connection has any more: the books keep each scope up with every event, so those are
//! forgotten. A connection that follows tags leaves one behind with every account that comes or goes.

use std::sync::Arc;
use std::time::Duration;

use protocol::time::Millis;
use store::{StoreError, Writing};
use tokio_util::sync::CancellationToken;

use crate::connections::State;
use crate::gate::Gate;
use crate::rows;

/// How often they are looked for.
const OFTEN: Duration = Duration::from_secs(600);

/// Looks for them until told to end.
pub(crate) async fn watch(gate: Arc<Gate>, shutdown: CancellationToken) {
    loop {
        let look = async {
            match forget(&gate, gate.clock.now()).await {
                Ok(0) => {}
                Ok(forgotten) => tracing::info!(forgotten, "scopes that no connection has"),
                Err(error) => tracing::warn!(%error, "scopes that no connection has are kept up"),
            }
            tokio::time::sleep(OFTEN).await;
        };
        // What is half forgotten goes on another time.
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = look => {}
        }
    }
}

/// Forgets those that no connection has had for a while; how many.
async fn forget(gate: &Gate, now: Millis) -> Result<usize, StoreError> {
    let workspace = gate.workspace();
    let had = move |writing: &mut Writing<'_>| {
        let connections = rows::connections::connections(writing, workspace)?;
        let open = connections.iter().filter(|one| one.state != State::Revoked);
        Ok(open.map(|one| one.scope(workspace).id()).collect())
    };
    ledger::forget_unread(&gate.store, workspace, now, had).await
}

#[cfg(test)]
mod tests {
    use protocol::role::ProviderRole;

    use super::*;
    use crate::connections::Connection;
    use crate::testing::{NOW, WORKSPACE, World, accounts, connection};

    #[tokio::test]
    async fn a_scope_that_no_connection_has_is_forgotten_and_no_other() {
        let world = World::new().await;
        let gate = &world.gate;
        let of = |name, account| connection(name, ProviderRole::Viewer, accounts([account]));
        let suspended = Connection {
            state: State::Suspended,
            ..of("suspended", 2)
        };
        let revoked = Connection {
            state: State::Revoked,
            ..of("revoked", 3)
        };
        let narrowed = of("active", 4);
        for one in [&of("active", 1), &suspended, &revoked, &narrowed] {
            let scope = one.scope(WORKSPACE);
            gate.books.register(&scope).await.expect("registered");
        }
        let connections = [of("active", 1), suspended, revoked];
        let put = gate.deed(move |deed| {
            for one in &connections {
                rows::connections::put_connection(deed.writing, deed.workspace, one)?;
            }
            Ok(())
        });
        put.await.expect("written");
        assert_eq!(forget(gate, NOW).await.expect("looked"), 0);
        assert_eq!(world.count("scopes").await, 4);
        let later = NOW.plus(Millis::HOUR);
        assert_eq!(forget(gate, later).await.expect("looked"), 2);
        assert_eq!(world.count("scopes").await, 2);
    }
}
