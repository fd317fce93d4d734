//! What was handed in is refused: the log says so, proven private keys are burned, and a refused key's
//! modulus is kept. Nothing else of it is.

use std::sync::Arc;

use protocol::error::ApiError;

use super::keys::newcomer::burn;
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
    connection: &str,
    no: Refused,
) -> ApiError {
    let told = refused(400, &no);
    let event = match &no {
        Refused::PrivateKey { kind, proven } => Event::PrivateKeyRefused {
            kind: kind.to_string(),
            burned: proven
                .iter()
                .map(|key| key.fingerprint().to_string())
                .collect(),
        },
        other => Event::EnrolmentRefused {
            connection: connection.to_owned(),
            why: other.to_string(),
        },
    };
    let work = move |deed: &mut Deed<'_, '_>| {
        deed.log(actor.clone(), event.clone())?;
        match &no {
            Refused::PrivateKey { proven, .. } => {
                for key in proven {
                    burn(deed, key.modulus(), "its private half was handed in")?;
                }
            }
            Refused::Key {
                modulus: Some(modulus),
                ..
            } if modulus.len() <= MAX_MODULUS => {
                rows::keys::remember(deed.writing, deed.workspace, modulus, deed.at)?;
            }
            _ => {}
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
