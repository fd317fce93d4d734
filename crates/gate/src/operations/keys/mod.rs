//! A connection's keys: shown, replaced, ended.
//!
//! A rotation begins with the provider (it offers a key, signed with the old one; the client confirms)
//! or with the client (who brings the CSR). From then on the new key is the connection's; the old one
//! is let in until the overlap ends, by itself. Without an overlap it dies at once.

pub mod csr;
pub(crate) mod newcomer;
pub(crate) mod offer;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use protocol::csr::CertificateSigningRequest;
use protocol::error::ApiError;
use protocol::keys::{KeyFingerprint, PublicKey};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::StoreError;

use self::newcomer::Claimant;
use super::examined::examined;
use super::handed_in::HandedIn;
use super::{Operator, changes, no_connection, reason, refused};
use crate::changes::{Change, ChangeState};
use crate::connections::{
    Connection, HeldKey, KeyState, MAX_KEYS, MAX_OVERLAP, OVERLAP, Refused, ShownKey, State,
    examine_csr, rotate as rotated,
};
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::rows;
use ledger::Fault;

/// Every key that a connection has or had, the newest first.
pub(crate) async fn list(gate: &Gate, name: &str) -> Result<Vec<ShownKey>, ApiError> {
    let directory = gate.directory.load_full();
    let provider = directory.named(name).ok_or_else(|| no_connection(name))?;
    let (workspace, of) = (gate.workspace(), name.to_owned());
    let read = gate
        .store
        .read(move |reading| rows::keys::of(reading, workspace, &of));
    let keys = read.await.map_err(|error| refused(500, error))?;
    let now = gate.clock.now();
    let shown = |key: &HeldKey| ShownKey::of(key, provider.keys.last_use(key.fingerprint()), now);
    Ok(keys.iter().map(shown).collect())
}

/// A key that the client brings for a connection.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// The CSR, as it came.
    pub csr: HandedIn,
    /// How long the old key is let in beside the new one, in seconds; 0: it dies at once.
    #[serde(default = "overlap")]
    pub overlap_seconds: u64,
    /// Whether a key may come back that was retired.
    #[serde(default)]
    pub again: bool,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// The client confirms a key that the provider has offered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// How long the old key is let in beside the new one, in seconds; 0: it dies at once.
    #[serde(default = "overlap")]
    pub overlap_seconds: u64,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// From when on a key lets nobody in; nothing: it does not expire.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expire {
    /// In milliseconds since the epoch; what is past is now.
    pub expires_at: Option<i64>,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

const fn overlap() -> u64 {
    OVERLAP.as_secs()
}

fn checked(overlap_seconds: u64) -> Result<Duration, ApiError> {
    let overlap = Duration::from_secs(overlap_seconds);
    if overlap > MAX_OVERLAP {
        return Err(refused(400, "an overlap has at most 30 days"));
    }
    Ok(overlap)
}

/// A connection's keys after something was done, and the change that waits for signatures.
#[derive(Debug, Serialize, Deserialize)]
pub struct Done {
    /// Every key that it has or had, the newest first.
    pub keys: Vec<ShownKey>,
    /// What is to be signed, where that is not made yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<changes::Shown>,
}

async fn done(gate: &Gate, name: &str, change: Option<changes::Shown>) -> Result<Done, ApiError> {
    let waits = |one: &changes::Shown| one.request.state == ChangeState::Waiting;
    Ok(Done {
        keys: list(gate, name).await?,
        change: change.filter(waits),
    })
}

/// A CSR and its key, and the moduli of the gate's own keys, which it is held against.
type Brought = (CertificateSigningRequest, PublicKey, Vec<Vec<u8>>);

/// Examines the CSR of a key that is to be a connection's.
fn brought(gate: &Gate, paste: &[u8]) -> Result<Brought, Refused> {
    let (request, key) = examine_csr(paste, gate.config.development.allow_known_keys)?;
    let key = key.public_key().clone();
    Ok((request, key, newcomer::own_moduli(gate)))
}

/// Asks to replace a connection's key with one that the client brings.
pub(crate) async fn rotate(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    input: Rotate,
) -> Result<Done, ApiError> {
    if gate.directory.load().named(name).is_none() {
        return Err(no_connection(name));
    }
    checked(input.overlap_seconds)?;
    let why = reason(&input.reason)?;
    let paste = input.csr.bytes()?;
    let actor = Actor::Operator(operator.name.clone());
    let claimant = Claimant::Connection(name);
    let (request, key, own) = examined(gate, actor, claimant, paste, brought).await?;
    let (of, again) = (name.to_owned(), input.again);
    let new = key.clone();
    let work = move |deed: &mut Deed<'_, '_>| {
        let checked = newcomer::wait(deed, &own, Claimant::Connection(&of), &new, again)?;
        if checked.is_ok() {
            let print = new.fingerprint();
            rows::csrs::keep(deed.writing, deed.workspace, print, &request, deed.at)?;
        }
        Ok::<_, Fault>(checked)
    };
    let checked = gate.deed(work).await?;
    // What turned out to be factored is burned by now, whatever becomes of the rest.
    gate.reload().await.map_err(|error| refused(500, error))?;
    checked.map_err(|no| refused(409, no))?;
    let how = (input.overlap_seconds, again);
    replacing(gate, operator, name, &key, how, why).await
}

/// Asks for a change of the key.
async fn replacing(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    key: &PublicKey,
    (overlap_seconds, again): (u64, bool),
    why: String,
) -> Result<Done, ApiError> {
    let found = super::connections::find(gate, name)?;
    let change = Change::ReplaceKey {
        connection: name.to_owned(),
        before: found.fingerprint,
        fingerprint: key.fingerprint().to_string(),
        spki: hex::encode(key.spki_der()),
        overlap_seconds,
        again,
    };
    let change = changes::ask(gate, operator, change, why).await?;
    done(gate, name, Some(change)).await
}

const TOO_MANY: &str = "this connection has had too many keys: revoke it, and enrol it anew";

/// Asks to let a key in that the provider has offered.
pub(crate) async fn confirm(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    fingerprint: &str,
    input: Confirm,
) -> Result<Done, ApiError> {
    checked(input.overlap_seconds)?;
    let why = reason(&input.reason)?;
    let keys = held(gate, name).await?;
    let key = offered(&keys, fingerprint_of(fingerprint)?)?.key.clone();
    let how = (input.overlap_seconds, false);
    replacing(gate, operator, name, &key, how, why).await
}

async fn held(gate: &Gate, name: &str) -> Result<Vec<HeldKey>, ApiError> {
    let (workspace, of) = (gate.workspace(), name.to_owned());
    let read = gate
        .store
        .read(move |reading| rows::keys::of(reading, workspace, &of));
    read.await.map_err(|error: StoreError| refused(500, error))
}

/// Refuses a key that the provider has offered.
pub(crate) async fn refuse(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    fingerprint: &str,
    why: super::connections::Reason,
) -> Result<Done, ApiError> {
    let reason = reason(&why.reason)?;
    let (of, wanted) = (name.to_owned(), fingerprint_of(fingerprint)?);
    let actor = Actor::Operator(operator.name.clone());
    let work = move |deed: &mut Deed<'_, '_>| {
        let connection = there(deed, &of)?;
        let keys = rows::keys::of(deed.writing, deed.workspace, &of)?;
        let mut key = offered(&keys, wanted)?.clone();
        (key.state, key.since) = (KeyState::Retired, deed.at);
        rows::keys::put(deed.writing, deed.workspace, connection.api_key, &key)?;
        let event = Event::KeyOfferRefused {
            connection: of.clone(),
            fingerprint: wanted.to_string(),
            reason: reason.clone(),
        };
        Ok(deed.log(actor.clone(), event)?)
    };
    gate.deed(work).await?;
    done(gate, name, None).await
}

/// Says until when a key is good: at once where that is sooner, else by the quorum.
pub(crate) async fn expire(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    fingerprint: &str,
    input: Expire,
) -> Result<Done, ApiError> {
    let why = reason(&input.reason)?;
    let wanted = fingerprint_of(fingerprint)?;
    let keys = held(gate, name).await?;
    let known = keys.iter().find(|key| key.fingerprint() == wanted);
    let before = known.ok_or_else(no_key)?.expires_at;
    // What is past is now, by the gate's clock, or since when it has expired.
    let now = gate.clock.now();
    let least = before.map_or(now, |before| before.min(now));
    let after = input.expires_at.map(|at| Millis(at).max(least));
    let sooner = after.is_some_and(|after| before.is_none_or(|before| after <= before));
    if !sooner {
        let change = Change::KeyExpiry {
            connection: name.to_owned(),
            fingerprint: wanted.to_string(),
            before,
            after,
        };
        let change = changes::ask(gate, operator, change, why).await?;
        return done(gate, name, Some(change)).await;
    }
    let (of, actor) = (name.to_owned(), Actor::Operator(operator.name.clone()));
    let work =
        move |deed: &mut Deed<'_, '_>| set_expiry(deed, &actor, &of, wanted, (before, after), &why);
    gate.deed(work).await?;
    changes::renew(gate).await?;
    done(gate, name, None).await
}

/// Writes down until when a key is good, if that is what it was.
pub(super) fn set_expiry(
    deed: &mut Deed<'_, '_>,
    actor: &Actor,
    name: &str,
    wanted: KeyFingerprint,
    (before, after): (Option<Millis>, Option<Millis>),
    why: &str,
) -> Result<(), Fault> {
    let connection = there(deed, name)?;
    let mut key = expiring(deed, name, wanted, before)?;
    key.expires_at = after;
    rows::keys::put(deed.writing, deed.workspace, connection.api_key, &key)?;
    let event = Event::KeyExpirySet {
        connection: name.to_owned(),
        fingerprint: wanted.to_string(),
        expires_at: after.map(|at| at.0),
        reason: why.to_owned(),
    };
    Ok(deed.log(actor.clone(), event)?)
}

/// The key whose expiry is to become another, if it is as whoever asked has seen it.
pub(super) fn expiring(
    deed: &mut Deed<'_, '_>,
    name: &str,
    wanted: KeyFingerprint,
    before: Option<Millis>,
) -> Result<HeldKey, Fault> {
    let keys = rows::keys::of(deed.writing, deed.workspace, name)?;
    let found = keys.into_iter().find(|key| key.fingerprint() == wanted);
    let key = found.ok_or_else(no_key)?;
    if key.expires_at != before {
        return Err(refused(409, "its expiry has changed meanwhile: look again").into());
    }
    Ok(key)
}

pub(super) fn fingerprint_of(text: &str) -> Result<KeyFingerprint, ApiError> {
    text.parse()
        .map_err(|_| refused(400, "a fingerprint has 64 hexadecimal digits"))
}

fn no_key() -> ApiError {
    refused(404, "the connection has no such key")
}

fn offered(keys: &[HeldKey], wanted: KeyFingerprint) -> Result<&HeldKey, ApiError> {
    let key = keys.iter().find(|key| key.fingerprint() == wanted);
    let key = key.ok_or_else(no_key)?;
    match key.state {
        KeyState::Next => Ok(key),
        state => Err(refused(
            409,
            format_args!("that key is {}, and not waiting", state.as_str()),
        )),
    }
}

fn there(deed: &mut Deed<'_, '_>, name: &str) -> Result<Connection, Fault> {
    let connection = rows::connections::connection(deed.writing, deed.workspace, name)?;
    Ok(connection.ok_or_else(|| no_connection(name))?)
}

/// Whether the key can become the connection's own, as things are now; and the keys of now.
pub(super) fn replaceable(
    deed: &mut Deed<'_, '_>,
    name: &str,
    before: &str,
    key: &PublicKey,
    again: bool,
) -> Result<Vec<HeldKey>, Fault> {
    let connection = there(deed, name)?;
    if connection.state == State::Revoked {
        return Err(refused(409, "the connection is REVOKED: it gets no key any more").into());
    }
    if connection.fingerprint != before {
        let why = "the connection has another key by now: look at it, and ask again";
        return Err(refused(409, why).into());
    }
    let known = newcomer::standing(deed, Claimant::Connection(name), key, again)?
        .map_err(|no| refused(409, no))?;
    let keys = rows::keys::of(deed.writing, deed.workspace, name)?;
    let expired = |held: &HeldKey| {
        held.key == *key
            && held.state == KeyState::Next
            && held.expires_at.is_some_and(|at| at <= deed.at)
    };
    if keys.iter().any(expired) {
        return Err(refused(409, "that key has expired: have another one offered").into());
    }
    if !known && keys.len() >= MAX_KEYS {
        return Err(refused(409, TOO_MANY).into());
    }
    Ok(keys)
}

/// Makes the key the connection's own, and writes down what becomes of the others.
pub(super) fn replace(
    deed: &mut Deed<'_, '_>,
    actor: &Actor,
    name: &str,
    keys: &[HeldKey],
    key: &PublicKey,
    (overlap, why): (Duration, &str),
) -> Result<(), Fault> {
    let mut connection = there(deed, name)?;
    let known = keys.iter().find(|held| held.key == *key).cloned();
    let new = known.unwrap_or_else(|| HeldKey::new(name, key.clone(), KeyState::Next, deed.at));
    let changed = rotated(keys, &new, overlap, deed.at);
    for key in &changed {
        rows::keys::put(deed.writing, deed.workspace, connection.api_key, key)?;
    }
    let overlap_until = changed.iter().find_map(|key| match key.state {
        KeyState::Retiring { until } => Some(until.0),
        _ => None,
    });
    let fingerprint = key.fingerprint().to_string();
    let replaces = std::mem::replace(&mut connection.fingerprint, fingerprint.clone());
    rows::connections::put_connection(deed.writing, deed.workspace, &connection)?;
    let event = Event::KeyRotated {
        connection: name.to_owned(),
        fingerprint,
        replaces,
        overlap_until,
        reason: why.to_owned(),
    };
    Ok(deed.log(actor.clone(), event)?)
}

/// Writes down when each key was used last.
pub(crate) async fn keep_uses(gate: &Gate) -> Result<(), StoreError> {
    let directory = gate.directory.load_full();
    let uses: Vec<_> = directory
        .all()
        .flat_map(|provider| provider.keys.uses())
        .collect();
    if uses.is_empty() {
        return Ok(());
    }
    let workspace = gate.workspace();
    let write = gate.store.write(move |writing| {
        uses.iter()
            .try_for_each(|(key, at)| rows::keys::used(writing, workspace, *key, *at))
    });
    write.await
}
