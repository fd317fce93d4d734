//! What a client's key may do, asked by reading alone (practice P1).

use sync::roles::{Observation, by_reading};
use wire::client::Client as Wire;

use crate::Error;
use crate::clients::{Client, Upstream};
use crate::gate_api::{self, Me};

pub use sync::roles::RoleSeen;

/// Asks upstream; at a gate also whether it says what the client said.
pub(crate) async fn ask(client: &Client, upstream: &Wire) -> Result<RoleSeen, Error> {
    match &client.upstream {
        Upstream::Gate { .. } => {
            let me = gate_api::me(upstream).await?;
            agrees(client, &me)?;
            let how = format!(
                "the gate says so (its /me, for connection '{}'), which agrees with the hand-back file; a gate knows no role beyond Editor",
                me.connection
            );
            Ok(RoleSeen::of(vec![Observation::Gate { role: me.role }], how))
        }
        Upstream::Fireblocks { .. } => Ok(by_reading(upstream).await?),
    }
}

/// Whether the gate says of us what the hand-back file said.
fn agrees(client: &Client, me: &Me) -> Result<(), Error> {
    let Upstream::Gate {
        connection, role, ..
    } = &client.upstream
    else {
        return Ok(());
    };
    let scope = client.scope().id().to_string();
    let differs = if me.workspace_id != client.workspace {
        format!("workspace {}, not {}", me.workspace_id, client.workspace)
    } else if me.connection != *connection {
        format!("connection '{}', not '{connection}'", me.connection)
    } else if me.role != *role {
        format!("role {}, not {role}", me.role)
    } else if me.scope.id != scope {
        format!(
            "scope {}, not {scope}: ask for a new hand-back file",
            me.scope.id
        )
    } else {
        return Ok(());
    };
    Err(Error::Contradiction(differs))
}

/// Refuses a key that can do more, and one that nobody can tell of unless that is accepted.
pub(crate) fn insist(client: &Client, seen: &RoleSeen) -> Result<(), Error> {
    if seen.judgement.may_go_on(client.accept_unseen_role) {
        Ok(())
    } else {
        Err(Error::Role(seen.judgement.clone()))
    }
}
