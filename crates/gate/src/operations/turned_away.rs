//! What was handed in is refused: the log says so, proven private keys are burned, and a refused key's
//! modulus is kept. Nothing else of it is.

use std::sync::Arc;

use protocol::error::ApiError;
use protocol::keys::KeyFingerprint;
use store::StoreError;

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
    let told_of = event(claimant, &no);
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
        let mut event = told_of.clone();
        if let (Refused::PrivateKey { beside, .. }, Event::PrivateKeyRefused { all_withheld, .. }) =
            (&no, &mut event)
        {
            *all_withheld = withhold(deed, &claimant, beside)?;
        }
        if news || by.is_none() || matches!(no, Refused::PrivateKey { .. }) {
            deed.log(actor.clone(), event)?;
        }
        if let Refused::PrivateKey { proven, .. } = &no {
            for key in proven {
                burn(deed, key.modulus(), "its private half was handed in")?;
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

/// Withholds keys of a claimant; whether none of its keys is taken any more.
fn withhold(
    deed: &mut Deed<'_, '_>,
    claimant: &str,
    moduli: &[Vec<u8>],
) -> Result<bool, StoreError> {
    let workspace = deed.workspace;
    for modulus in moduli {
        let key = KeyFingerprint::of_modulus(modulus);
        rows::keys::withhold(deed.writing, workspace, claimant, key, deed.at)?;
    }
    let all = rows::keys::is_all_withheld(deed.writing, workspace, claimant)?;
    if all {
        tracing::error!(
            claimant,
            "so many of its keys are withheld that none is taken any more"
        );
    }
    Ok(all)
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
            all_withheld: false,
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
