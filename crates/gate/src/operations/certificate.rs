//! The client certificate of a connection, as an operator hands it in.

use std::sync::Arc;

use protocol::certificate::SpkiPin;
use protocol::error::ApiError;

use super::examined::examined;
use super::handed_in::HandedIn;
use super::keys::newcomer::Claimant;
use super::{Operator, refused};
use crate::config::{Serve, Tell};
use crate::connections::examine_certificate;
use crate::gate::Gate;
use crate::log::Actor;

/// What is to be pinned from now on, if anything was handed in. A private key in its place is burned.
pub(super) async fn handed(
    gate: &Arc<Gate>,
    operator: &Operator,
    connection: &str,
    handed: Option<HandedIn>,
) -> Result<Option<Option<SpkiPin>>, ApiError> {
    let Some(handed) = handed else {
        return Ok(None);
    };
    let actor = Actor::Operator(operator.name.clone());
    let claimant = Claimant::Connection(connection);
    let look = |_: &Gate, paste: &[u8]| examine_certificate(paste);
    let pin = examined(gate, actor, claimant, handed.bytes()?, look).await?;
    reaches(gate, pin)?;
    Ok(Some(pin))
}

/// Whether a certificate that must be shown can be: who ends TLS in front of the gate keeps it.
pub(super) fn reaches(gate: &Gate, pin: Option<SpkiPin>) -> Result<(), ApiError> {
    if pin.is_none() || sees_certificates(&gate.config.serve) {
        return Ok(());
    }
    Err(refused(
        409,
        "no client certificate reaches this gate, so the connection could never come in: let the gate serve TLS itself ([serve.entrance.tls] in gate.toml, and no proxy that tells callers by `Forwarded`; one with the PROXY protocol passes TLS through), or take --client-certificate none",
    ))
}

fn sees_certificates(serve: &Serve) -> bool {
    let entrance = &serve.entrance;
    let behind = entrance.behind.as_ref();
    entrance.tls.is_some() && behind.is_none_or(|behind| behind.tell != Tell::Forwarded)
}
