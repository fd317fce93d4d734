//! What a client's key may do, asked by reading alone (practice P1).

use protocol::operations;
use protocol::role::ProviderRole;
use serde::Serialize;
use wire::client::{Client as Wire, ClientError};

use crate::Error;
use crate::clients::{Client, Upstream};
use crate::gate_api::{self, Me};
use crate::roles::{Answered, Judgement, Observation, PROBES, judge};

/// What is known of a key's role, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleSeen {
    /// The judgement.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// What it rests on.
    pub observations: Vec<Observation>,
    /// How it is known, in a sentence.
    pub how: String,
}

impl RoleSeen {
    fn of(observations: Vec<Observation>, how: String) -> Self {
        Self {
            judgement: judge(&observations),
            observations,
            how,
        }
    }

    /// The role, if it is known for certain.
    pub const fn role(&self) -> Option<ProviderRole> {
        match &self.judgement {
            Judgement::Proven { role } => Some(*role),
            _ => None,
        }
    }
}

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
        Upstream::Fireblocks { .. } => by_reading(upstream).await,
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

async fn by_reading(upstream: &Wire) -> Result<RoleSeen, Error> {
    let mut observations = Vec::new();
    for id in PROBES {
        let Some(operation) = operations::by_id(id) else {
            continue;
        };
        let target = format!("{}{}", operations::PREFIX, operation.path);
        let answered = match upstream.get(&target).await {
            Ok(answer) => Answered::of(answer.status, None),
            Err(ClientError::Status { status, code, .. }) => Answered::of(status, code),
            // What says nothing of the role, and stands in the way of everything.
            Err(error) => return Err(error.into()),
        };
        observations.push(Observation::Read {
            operation: id,
            answered,
        });
    }
    let of = |wanted: Answered| {
        let ids: Vec<_> = observations
            .iter()
            .filter_map(|seen| match seen {
                Observation::Read {
                    operation,
                    answered,
                } if *answered == wanted => Some(*operation),
                _ => None,
            })
            .collect();
        if ids.is_empty() {
            "none".to_owned()
        } else {
            ids.join(", ")
        }
    };
    let how = format!(
        "{} reads compared with the roles that Fireblocks' contract names for them: allowed {}; forbidden {}; unclear {}",
        observations.len(),
        of(Answered::Allowed),
        of(Answered::Forbidden),
        of(Answered::Unclear)
    );
    Ok(RoleSeen::of(observations, how))
}

/// Refuses a key that can do more, and one that nobody can tell of unless that is accepted.
pub(crate) fn insist(client: &Client, seen: &RoleSeen) -> Result<(), Error> {
    if seen.judgement.may_go_on(client.accept_unseen_role) {
        Ok(())
    } else {
        Err(Error::Role(seen.judgement.clone()))
    }
}
