//! What a new workspace has beside its books, as documents. Each kind has a chance of its own: one
//! more of them changes no other.

use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde_json::Error;

use super::Network;
use super::exchanges;
use super::gas_stations;
use super::nfts;
use super::peers;
use crate::chance::Chance;
use crate::shelf::Kept;

/// A document of a kind.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) kind: &'static str,
    pub(crate) key: String,
    pub(crate) text: String,
}

impl Document {
    pub(super) fn of<T: Kept>(thing: &T) -> Result<Self, Error> {
        Ok(Self {
            kind: T::KIND,
            key: thing.key(),
            text: serde_json::to_string(thing)?,
        })
    }
}

/// What a seed makes a workspace's things of.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) chance: Chance,
    pub(super) network: Network,
    pub(super) now: Millis,
}

/// How a kind of things is made.
type Maker = fn(&mut Ground) -> Result<Vec<Document>, Error>;

/// Every kind; its place is its number, never to be changed.
const MAKERS: [Maker; 4] = [
    gas_stations::seeded,
    exchanges::seeded,
    peers::seeded,
    nfts::seeded,
];

/// Everything.
pub(crate) fn beside(
    seed: u64,
    workspace: WorkspaceId,
    network: Network,
    now: Millis,
) -> Result<Vec<Document>, Error> {
    let mut all = Vec::new();
    for (number, make) in (1_i64..).zip(MAKERS) {
        // Changes are numbered from 1: before them there is room.
        let mut ground = Ground {
            chance: Chance::of(seed, workspace, -number),
            network,
            now,
        };
        all.extend(make(&mut ground)?);
    }
    Ok(all)
}
