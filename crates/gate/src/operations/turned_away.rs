//! What was handed in is refused: the log says so, proven private keys are burned, and a refused key's
//! modulus is kept. Nothing else of it is.

use std::sync::Arc;

use protocol::error::ApiError;
use protocol::keys::KeyFingerprint;

use super::keys::newcomer::{Claimant, burn};
use super::refused;
use crate::connections::Refused;
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::rows;

/// Longest modulus that is kept, in bytes.
const MAX_MODULUS: usize = 1024;

pub(crate) async fn turned_away(
    gate: &Arc<Gate>,
    actor: Actor,
    claimant: Claimant<'_>,
    no: Refused,
) -> ApiError {
    let told = refused(400, &no);
    let event = event(claimant, &no);
    let claimant = claimant.to_string();
    // Of a provider's own calls no more is kept than one connection may leave.
    let by = match &actor {
        Actor::Connection(name) => Some(name.clone()),
        _ => None,
    };
    let work = move |deed: &mut Deed<'_, '_>| {
        let news = match &no {
            Refused::Key {
                modulus: Some(modulus),
                ..
            } if modulus.len() <= MAX_MODULUS => {
                let (workspace, at) = (deed.workspace, deed.at);
                rows::keys::remember(deed.writing, workspace, modulus, at, by.as_deref())?
            }
            _ => false,
        };
        if news || by.is_none() || matches!(no, Refused::PrivateKey { .. }) {
            deed.log(actor.clone(), event.clone())?;
        }
        if let Refused::PrivateKey { proven, beside, .. } = &no {
            for key in proven {
                burn(deed, key.modulus(), "its private half was handed in")?;
            }
            for modulus in beside {
                let (workspace, key) = (deed.workspace, KeyFingerprint::of_modulus(modulus));
                rows::keys::withhold(deed.writing, workspace, &claimant, key, deed.at)?;
            }
        }
        Ok(())
    };
    if let Err(error) = gate.deed(work).await {
        return error;
    }
    match gate.reload().await {
        Ok(()) => told,
        Err(error) => refused(500, error),
    }
}

fn event(claimant: Claimant<'_>, no: &Refused) -> Event {
    if let Refused::PrivateKey {
        kind,
        proven,
        beside,
        ..
    } = no
    {
        let burned = proven.iter().map(|key| key.fingerprint().to_string());
        let (connection, operator) = match claimant {
            Claimant::Connection(name) => (Some(name.to_owned()), None),
            Claimant::Operator(name) => (None, Some(name.to_owned())),
        };
        let withheld = beside
            .iter()
            .map(|modulus| KeyFingerprint::of_modulus(modulus));
        return Event::PrivateKeyRefused {
            kind: kind.to_string(),
            burned: burned.collect(),
            connection,
            operator,
            withheld: withheld.map(|key| key.to_string()).collect(),
        };
    }
    let why = no.to_string();
    match claimant {
        Claimant::Connection(name) => Event::EnrolmentRefused {
            connection: name.to_owned(),
            why,
        },
        Claimant::Operator(name) => Event::OperatorRefused {
            operator: name.to_owned(),
            why,
        },
    }
}
