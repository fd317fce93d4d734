//! The practices, per connection, as they stand now.

use std::sync::Arc;

use protocol::error::ApiError;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::StoreError;

use super::refused;
use crate::connections::{Connection, HeldKey, Mode, Provider, Standing, State};
use crate::gate::Gate;
use crate::posture::{Finding, Known, findings};
use crate::rows;

/// A connection's practices.
#[derive(Debug, Serialize, Deserialize)]
pub struct Posture {
    /// Whose.
    pub connection: String,
    /// How far it is.
    pub state: Standing,
    /// How it works with the workspace.
    pub mode: Mode,
    /// C1 to C7.
    pub findings: Vec<Finding>,
}

/// Looks at every connection that is not revoked.
pub(crate) async fn posture(gate: &Arc<Gate>) -> Result<Vec<Posture>, ApiError> {
    let (workspace, directory) = (gate.workspace(), gate.directory.load_full());
    let this = Arc::clone(gate);
    let now = gate.clock.now();
    let areas = gate.ages.read().table(&gate.config.areas, now);
    let ages: Vec<_> = areas.iter().map(|age| age.words(now)).collect();
    let too_old = areas.iter().any(|age| age.too_old);
    let read = gate.store.read(move |reading| {
        let mut all = Vec::new();
        for provider in directory.all() {
            let connection = &provider.connection;
            // Whoever never comes in again breaks nothing.
            if connection.state == State::Revoked {
                continue;
            }
            let same =
                |other: &&Arc<Provider>| other.connection.fingerprint == connection.fingerprint;
            let keys = rows::keys::of(reading, workspace, &connection.name)?;
            let key = keys.iter().find(|key| is_its(key, connection));
            let approved = connection
                .approved
                .as_ref()
                .map_or(Millis(0), |(at, _)| *at);
            let last = key.and_then(|key| provider.keys.last_use(key.fingerprint()));
            let known = Known {
                connection,
                now,
                refused_keys: this.refused_keys(connection),
                key_bits: key.map_or(0, |key| key.key.bits()),
                key_since: key.map(|key| key.since.max(approved)),
                key_used: key.and_then(|key| key.last_used).max(last),
                burned: rows::keys::is_burned(reading, workspace, &connection.fingerprint)?,
                shared: directory.all().filter(same).count() > 1,
                reports: rows::reports::of(
                    reading,
                    workspace,
                    (&connection.name, provider.scope_id),
                )?
                .len(),
                deliveries: rows::deliveries::counts(reading, workspace, &connection.name)?,
                ages: &ages,
                too_old,
            };
            all.push(Posture {
                connection: connection.name.clone(),
                state: connection.standing(now),
                mode: connection.mode,
                findings: findings(&known),
            });
        }
        Ok::<_, StoreError>(all)
    });
    read.await.map_err(|error| refused(500, error))
}

fn is_its(key: &HeldKey, connection: &Connection) -> bool {
    key.fingerprint().to_string() == connection.fingerprint
}
