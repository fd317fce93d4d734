//! Accounts that come and go with protected tags: the scopes that follow them.

use std::sync::Arc;

use ledger::{AccountFacts, Scope};
use protocol::error::ApiError;
use protocol::handover::MAX_SCOPE;
use protocol::ids::VaultAccountId;

use super::refused;
use crate::connections::{Connection, State};
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::rows;

/// Makes every scope that follows tags what the accounts are tagged with now. Whoever lost a tag is
/// outside with the next request.
pub(crate) async fn follow(gate: &Arc<Gate>) -> Result<(), ApiError> {
    let directory = gate.directory.load_full();
    let follows = |connection: &&Connection| {
        connection.followed.is_some() && connection.state != State::Revoked
    };
    let connections: Vec<_> = directory
        .all()
        .map(|provider| &provider.connection)
        .filter(follows)
        .collect();
    if connections.is_empty() {
        return Ok(());
    }
    let accounts = gate.books.accounts(&Scope::whole(gate.workspace()));
    let (mut changed, mut outcome) = (false, Ok(()));
    for connection in connections {
        // One that cannot be changed keeps no other in its old scope.
        match one(gate, connection, &accounts).await {
            Ok(is) => changed |= is,
            Err(error) => outcome = Err(error),
        }
    }
    if changed {
        gate.reload().await.map_err(|error| refused(500, error))?;
    }
    outcome
}

/// One scope; whether it has become another.
async fn one(
    gate: &Arc<Gate>,
    connection: &Connection,
    accounts: &[AccountFacts],
) -> Result<bool, ApiError> {
    let Some(followed) = &connection.followed else {
        return Ok(false);
    };
    let mut now = followed.accounts(accounts);
    if now.len() > MAX_SCOPE {
        tracing::error!(
            connection = connection.name,
            "its tags are on more than {MAX_SCOPE} accounts: no new one is shown"
        );
        now.retain(|id| connection.part.accounts.contains(id));
    }
    if now == connection.part.accounts {
        return Ok(false);
    }
    let mut after = connection.clone();
    after.part.accounts = now;
    // Its rows are there before its first read.
    let registered = gate.books.register(&after.scope(gate.workspace())).await;
    registered.map_err(|error| refused(500, error))?;
    keep(gate, connection.clone(), after).await
}

/// Writes it down, unless somebody has granted something else meanwhile.
async fn keep(gate: &Arc<Gate>, before: Connection, after: Connection) -> Result<bool, ApiError> {
    let without = |one: &Connection, other: &Connection| -> Vec<String> {
        let gone = one.part.accounts.difference(&other.part.accounts);
        gone.map(VaultAccountId::to_string).collect()
    };
    let event = Event::ConnectionFollowed {
        connection: after.name.clone(),
        added: without(&after, &before),
        removed: without(&before, &after),
        scope: after.scope(gate.workspace()).id().to_string(),
    };
    let work = move |deed: &mut Deed<'_, '_>| {
        let now = rows::connections::connection(deed.writing, deed.workspace, &before.name)?;
        let Some(mut now) = now.filter(|now| {
            now.part == before.part
                && now.followed == before.followed
                && now.state != State::Revoked
        }) else {
            return Ok(false);
        };
        now.part = after.part.clone();
        rows::connections::put_connection(deed.writing, deed.workspace, &now)?;
        deed.log(Actor::Gate, event.clone())?;
        Ok(true)
    };
    gate.deed(work).await
}
