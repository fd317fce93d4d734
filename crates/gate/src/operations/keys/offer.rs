//! A provider offers its next key: a CSR, in a call that the key of now has signed. The client confirms it.

use std::sync::Arc;

use protocol::error::ApiError;
use protocol::keys::KeyFingerprint;
use serde::Deserialize;

use super::newcomer::{self, Claimant};
use crate::connections::{HeldKey, KeyState, MAX_KEYS, ShownKey};
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::operations::examined::examined;
use crate::operations::handed_in::HandedIn;
use crate::operations::refused;
use crate::rows;

/// Longest CSR that is looked at, with what it is wrapped in, in bytes.
const MAX_OFFER: usize = 32 * 1024;
/// Most keys that a connection may have had where its provider offers another. The client may bring more.
const MAX_OFFERS: usize = MAX_KEYS / 2;

/// What a provider offers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Offer {
    /// The CSR.
    pub(crate) csr: HandedIn,
}

/// Keeps the offer; one that waited before is given up for it.
pub(crate) async fn offer(
    gate: &Arc<Gate>,
    connection: &str,
    signed_with: KeyFingerprint,
    input: Offer,
) -> Result<Vec<ShownKey>, ApiError> {
    let paste = input.csr.bytes()?;
    if paste.len() > MAX_OFFER {
        return Err(refused(400, "a CSR that is offered has at most 32 KiB"));
    }
    let actor = Actor::Connection(connection.to_owned());
    let claimant = Claimant::Connection(connection);
    let (request, key, own) = examined(gate, actor.clone(), claimant, paste, super::brought)
        .await
        .inspect_err(
            |no| tracing::warn!(connection, %no, "a key that a provider offered was refused"),
        )?;
    let of = connection.to_owned();
    let work = move |deed: &mut Deed<'_, '_>| {
        if let Err(no) = newcomer::check(deed, &own, Claimant::Connection(&of), &key, false)? {
            tracing::warn!(connection = of, %no, "a key that a provider offered was refused");
            return Ok(Err(refused(409, no.told_to_provider())));
        }
        let connection = super::there(deed, &of)?;
        let keys = rows::keys::of(deed.writing, deed.workspace, &of)?;
        // The same offer again is the same offer.
        let waiting = |held: &&HeldKey| held.state == KeyState::Next;
        if keys.iter().filter(waiting).any(|held| held.key == key) {
            return Ok(Ok(()));
        }
        if keys.len() >= MAX_OFFERS {
            return Ok(Err(refused(409, super::TOO_MANY)));
        }
        for held in keys.iter().filter(waiting) {
            let given_up = HeldKey {
                state: KeyState::Retired,
                since: deed.at,
                ..held.clone()
            };
            rows::keys::put(deed.writing, deed.workspace, connection.api_key, &given_up)?;
        }
        let next = HeldKey::new(&of, key.clone(), KeyState::Next, deed.at);
        rows::keys::put(deed.writing, deed.workspace, connection.api_key, &next)?;
        let print = key.fingerprint();
        rows::csrs::keep(deed.writing, deed.workspace, print, &request, deed.at)?;
        let event = Event::KeyOffered {
            connection: of.clone(),
            fingerprint: key.fingerprint().to_string(),
            signed_with: signed_with.to_string(),
        };
        deed.log(actor.clone(), event)?;
        Ok(Ok(()))
    };
    let kept = gate.deed(work).await?;
    // Keys that turned out to be factored are burned by now.
    gate.reload().await.map_err(|error| refused(500, error))?;
    kept?;
    super::list(gate, connection).await
}
