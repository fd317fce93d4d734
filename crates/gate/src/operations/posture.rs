//! The practices, per connection, as they stand now.

use std::sync::Arc;

use protocol::error::ApiError;
use serde::Serialize;
use store::StoreError;

use super::refused;
use crate::gate::Gate;
use crate::posture::{Finding, Known, findings};
use crate::rows;

/// A connection's practices.
#[derive(Debug, Serialize)]
pub struct Posture {
    /// Whose.
    pub connection: String,
    /// How far it is.
    pub state: &'static str,
    /// C1 to C7.
    pub findings: Vec<Finding>,
}

/// Looks at every connection.
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
            let same = |other: &&Arc<crate::connections::Provider>| {
                other.connection.fingerprint == connection.fingerprint
            };
            let known = Known {
                connection,
                refused_keys: this.refused_keys(connection.role),
                key_bits: provider.keys.bits(),
                burned: rows::keys::is_burned(reading, workspace, &connection.fingerprint)?,
                shared: directory.all().filter(same).count() > 1,
                reports: rows::reports::of(reading, workspace, &connection.name)?.len(),
                deliveries: rows::deliveries::counts(reading, workspace, &connection.name)?,
                ages: &ages,
                too_old,
            };
            all.push(Posture {
                connection: connection.name.clone(),
                state: connection.standing(now).as_str(),
                findings: findings(&known),
            });
        }
        Ok::<_, StoreError>(all)
    });
    read.await.map_err(|error| refused(500, error))
}
