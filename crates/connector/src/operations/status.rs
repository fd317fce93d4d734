//! `connector status`: per client, what its key may do and how that is known, as of when its books
//! hold, whether they are equal to upstream's or what differs.

use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde::Serialize;

use super::export;
use crate::client_name::ClientName;
use crate::clients::{Client, FirstSync, KnownRole, Progress, Verdict, known_role};
use crate::compare::{Comparison, iso};
use crate::egress::{self, Egress};
use crate::reconcile::Work;
use crate::role_check::{self, RoleSeen};
use crate::{Connector, Error};

/// Which status.
#[derive(Clone, Debug, Default)]
pub struct StatusOf {
    /// Of one client; of all where none is named.
    pub client: Option<ClientName>,
    /// Whether upstream is asked. If not, what was last known is told.
    pub offline: bool,
}

/// A client's status.
#[derive(Clone, Debug, Serialize)]
pub struct ClientStatus {
    /// Whose.
    pub client: ClientName,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its API.
    pub base_url: String,
    /// Whether a gate stands there.
    pub gate: bool,
    /// What the key may do, and how that is known; nothing where upstream was not asked or did not say.
    pub role: Option<RoleSeen>,
    /// What the key may do, as it was last known: now, or before.
    pub known_role: Option<KnownRole>,
    /// By which address we leave.
    pub egress: Option<Egress>,
    /// How the books were first filled.
    pub first_sync: Option<FirstSync>,
    /// Our position in the gate's count of events.
    pub position: Option<i64>,
    /// As of when the books were last compared.
    pub as_of: Option<Millis>,
    /// Events stored, by how far they are.
    pub events: Events,
    /// The comparison: now, or the last one.
    pub comparison: Option<Comparison>,
    /// Whether that comparison was made now.
    pub compared_now: bool,
    /// What stood in the way of asking.
    pub trouble: Vec<String>,
    /// What somebody must look at; nothing where all is well.
    pub attention: Vec<Attention>,
}

/// What somebody must look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// Upstream could not be asked, or contradicts what was handed back.
    CannotBeAsked,
    /// The key can do more than a Viewer or Editor.
    TooMuch,
    /// Reading cannot tell what the key can do, and nobody went on with it by an explicit word.
    RoleNotSeen,
    /// The books are not equal to upstream's.
    Differs,
}

impl ClientStatus {
    /// The role and the verdict, in a sentence.
    pub fn told_role(&self) -> String {
        match &self.known_role {
            Some(known) => known.told(self.role.is_some()),
            None => "role never asked".to_owned(),
        }
    }

    /// How the books compare, in a sentence.
    pub fn told_books(&self) -> String {
        match &self.comparison {
            Some(seen) if self.compared_now => format!("books {}", seen.sentence),
            Some(seen) => format!(
                "books as last compared {}, not now: {}",
                iso(seen.at),
                seen.sentence
            ),
            None => "books never compared".to_owned(),
        }
    }

    /// What somebody must look at, by all that was found.
    fn attention(&self, accept_unseen_role: bool) -> Vec<Attention> {
        let verdict = self.known_role.as_ref().map(|known| known.verdict);
        let found = [
            (Attention::CannotBeAsked, !self.trouble.is_empty()),
            (Attention::TooMuch, verdict == Some(Verdict::TooMuch)),
            (
                Attention::RoleNotSeen,
                verdict == Some(Verdict::CannotBeSeen) && !accept_unseen_role,
            ),
            (
                Attention::Differs,
                self.comparison.as_ref().is_some_and(|seen| !seen.equal),
            ),
        ];
        let found = found.into_iter().filter(|(_, so)| *so);
        found.map(|(attention, _)| attention).collect()
    }
}

/// Events, by how far they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Events {
    /// Stored, not yet applied.
    pub waiting: u64,
    /// Applied.
    pub applied: u64,
    /// Not understood.
    pub aside: u64,
}

/// Tells it. One client's trouble hides no other.
pub async fn status(connector: &Connector, of: &StatusOf) -> Result<Vec<ClientStatus>, Error> {
    let clients = match &of.client {
        Some(name) => vec![connector.client(name).await?],
        None => connector.clients().all().await?,
    };
    let mut told = Vec::new();
    for (client, progress) in clients {
        told.push(one(connector, &client, progress, of.offline).await?);
    }
    Ok(told)
}

async fn one(
    connector: &Connector,
    client: &Client,
    progress: Progress,
    offline: bool,
) -> Result<ClientStatus, Error> {
    let counts = connector.inbox(client).counts().await?;
    let mut status = ClientStatus {
        client: client.name.clone(),
        workspace: client.workspace,
        base_url: client.base_url.clone(),
        gate: client.is_gate(),
        role: None,
        known_role: progress.role.clone(),
        egress: None,
        position: None,
        as_of: export::as_of(&progress),
        first_sync: progress.first_sync,
        events: Events {
            waiting: counts.new,
            applied: counts.applied,
            aside: counts.aside,
        },
        comparison: progress.compared,
        compared_now: false,
        trouble: Vec::new(),
        attention: Vec::new(),
    };
    if !offline {
        let promised = &connector.settings().egress;
        status.egress = Some(egress::look(&client.base_url, promised).await);
        if let Err(error) = ask(connector, client, &mut status).await {
            status.trouble.push(error.to_string());
        }
    }
    status.position = status
        .comparison
        .as_ref()
        .and_then(|compared| match &compared.with {
            crate::compare::With::GateDigest { position, .. } => Some(*position),
            crate::compare::With::UpstreamLists { .. } => None,
        });
    status.attention = status.attention(client.accept_unseen_role);
    Ok(status)
}

/// Asks upstream, changing nothing in the books. Straight at Fireblocks there is nothing to compare with but its
/// lists: that is a walk, and `run` does it; here its last comparison is told.
async fn ask(
    connector: &Connector,
    client: &Client,
    status: &mut ClientStatus,
) -> Result<(), Error> {
    let work = Work::of(connector, client).await?;
    let seen = role_check::ask(client, &work.upstream).await?;
    match known_role::remember(connector, &client.name, &seen).await? {
        Some(known) => {
            status.known_role = Some(known);
            status.role = Some(seen);
        }
        None => status.trouble.push(format!(
            "upstream answered none of the reads that tell a role: {}",
            seen.how
        )),
    }
    if client.is_gate() {
        let comparison = work.with_gate().await?;
        status.as_of = match &comparison.with {
            crate::compare::With::GateDigest { as_of, .. }
            | crate::compare::With::UpstreamLists { as_of, .. } => Some(*as_of),
        };
        status.comparison = Some(comparison);
        status.compared_now = true;
    }
    Ok(())
}
