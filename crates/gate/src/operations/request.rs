//! A provider asks to be let in: its hand-over file is examined, and kept as a request.

use std::sync::Arc;

use ipnet::IpNet;
use protocol::csr::CertificateSigningRequest;
use protocol::error::ApiError;
use protocol::ids::{UserId, WebhookId};
use protocol::role::ProviderRole;
use protocol::time::Millis;
use serde::Deserialize;
use uuid::Uuid;

use super::certificate;
use super::examined::examined;
use super::handed_in::HandedIn;
use super::keys::newcomer::{self, Claimant};
use super::{Operator, refused};
use crate::connections::addresses::maybe_list;
use crate::connections::{
    BudgetGrant, BudgetName, Budgets, Connection, DAY, DEFAULT_DAYS, HeldKey, KeyState, Mode,
    Place, ScopeGrant, State, Target, check_addresses, check_end, examine, is_name, part_of,
};
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::mail::MailAddress;
use crate::rows;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The connection's name.
    pub name: String,
    /// The hand-over file, as it came.
    pub handover: HandedIn,
    /// A role in place of the file's.
    #[serde(default)]
    pub role: Option<ProviderRole>,
    /// A scope in place of the file's; what it does not name stays.
    #[serde(default)]
    pub scope: Option<ScopeGrant>,
    /// Addresses in place of those of the file.
    #[serde(default, deserialize_with = "maybe_list")]
    pub addresses: Option<Vec<IpNet>>,
    /// Why a wide range is right.
    #[serde(default)]
    pub addresses_reason: Option<String>,
    /// The client certificate that it must show (PEM, or its pin); `none` is none.
    #[serde(default)]
    pub client_certificate: Option<HandedIn>,
    /// Where its transactions are approved.
    #[serde(default)]
    pub place: Place,
    /// How it works with the workspace.
    #[serde(default)]
    pub mode: Mode,
    /// When it ends; in 90 days if missing.
    #[serde(default)]
    pub until: Option<Millis>,
    /// Who of the provider's is written to before that.
    #[serde(default)]
    pub contact: Option<MailAddress>,
}

/// Examines the file and keeps the request.
pub(crate) async fn request(
    gate: &Arc<Gate>,
    operator: &Operator,
    input: Request,
) -> Result<Connection, ApiError> {
    if !is_name(&input.name) {
        return Err(refused(
            400,
            "a connection's name has 1 to 40 letters, digits, '-' or '_'",
        ));
    }
    let file = input.handover.bytes()?;
    let actor = Actor::Operator(operator.name.clone());
    let claimant = Claimant::Connection(&input.name);
    let look = |gate: &Gate, file: &[u8]| {
        let (handover, key) = examine(file, gate.config.development.allow_known_keys)?;
        Ok((handover, key, newcomer::own_moduli(gate)))
    };
    let (handover, key, own) = examined(gate, actor.clone(), claimant, file, look).await?;
    let client_certificate =
        certificate::handed(gate, operator, &input.name, input.client_certificate).await?;
    let now = gate.clock.now();
    let until = input.until.unwrap_or(now.plus(DEFAULT_DAYS * DAY));
    check_end(until, now).map_err(|not| refused(400, not))?;
    let addresses = input.addresses.unwrap_or(handover.addresses);
    check_addresses(&addresses, input.addresses_reason.as_deref())
        .map_err(|bad| refused(400, bad))?;
    if let Some(url) = &handover.webhook_url {
        let allowed = gate.config.serve.targets().check(url);
        allowed.map_err(|no| {
            refused(
                400,
                format_args!(
                    "the file's webhook URL: {no}. The provider hands over one that is, or private_targets in [serve] allows its address"
                ),
            )
        })?;
    }
    let request =
        CertificateSigningRequest::from_pem(&handover.csr).map_err(|error| refused(400, error))?;
    let fingerprint = key.fingerprint().to_string();
    let public = key.public_key().clone();
    let webhook = handover.webhook_url.map(|url| Target {
        id: WebhookId(Uuid::new_v4()),
        url,
        legacy_signature: handover.legacy_signature,
    });
    let asked = input.scope.unwrap_or_default();
    let books = gate.filled_books();
    let (granted, followed) = asked.resolved(books).map_err(|bad| refused(400, bad))?;
    let connection = Connection {
        name: input.name.clone(),
        provider: handover.provider,
        role: input.role.unwrap_or(handover.role),
        mode: input.mode,
        state: State::Requested,
        until,
        api_key: UserId(Uuid::new_v4()),
        fingerprint,
        addresses,
        addresses_reason: input.addresses_reason,
        client_certificate: client_certificate.flatten(),
        part: granted.of(&part_of(&handover.scope), &input.name),
        followed,
        forward: granted.forward.unwrap_or(false),
        budgets: usual(gate).granting(&granted.budgets),
        place: input.place,
        editor: None,
        contact: input.contact,
        webhook,
        requested_at: now,
        approved: None,
        confirmed: None,
        reminded: None,
        closed: None,
    };
    let kept = connection.clone();
    let work = move |deed: &mut Deed<'_, '_>| {
        let connection = &kept;
        if rows::connections::connection(deed.writing, deed.workspace, &connection.name)?.is_some()
        {
            return Err(refused(
                409,
                format_args!("there is a connection '{}' already", connection.name),
            )
            .into());
        }
        let claimant = Claimant::Connection(&connection.name);
        if let Err(no) = newcomer::check(deed, &own, claimant, &public, false)? {
            return Ok(Err(refused(409, no)));
        }
        let key = HeldKey::new(&connection.name, public.clone(), KeyState::Active, deed.at);
        rows::connections::put_connection(deed.writing, deed.workspace, connection)?;
        rows::keys::put(deed.writing, deed.workspace, connection.api_key, &key)?;
        let print = key.fingerprint();
        rows::csrs::keep(deed.writing, deed.workspace, print, &request, deed.at)?;
        let asked = Event::ConnectionRequested {
            connection: connection.name.clone(),
            provider: connection.provider.clone(),
            role: connection.role.to_string(),
            fingerprint: connection.fingerprint.clone(),
        };
        deed.log(actor.clone(), asked)?;
        Ok(Ok(()))
    };
    let kept = gate.deed(work).await?;
    // Keys that turned out to be factored are burned by now.
    gate.reload().await.map_err(|error| refused(500, error))?;
    kept?;
    Ok(connection)
}

/// What a new connection may use where nobody says otherwise.
fn usual(gate: &Gate) -> Budgets {
    let rate = gate.config.serve.calls_per_second.get();
    BudgetGrant::from([(BudgetName::RequestsPerSecond, rate)]).into()
}

#[cfg(test)]
mod tests;
