//! A key that comes in is nobody else's, never was, and shares no factor with any that was ever seen.

use std::collections::BTreeSet;

use ledger::Fault;
use protocol::csr::weak::shared::{self, Kinship};
use protocol::keys::{KeyFingerprint, PublicKey};

use crate::connections::{HeldKey, KeyState, State};
use crate::folder::KeyName;
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::operations::changes::Electorate;
use crate::operators::enough;
use crate::rows;

/// Whose a key is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claimant<'n> {
    /// A connection's.
    Connection(&'n str),
    /// One of the client's people's.
    Operator(&'n str),
}

impl Claimant<'_> {
    fn holds(self, held: &HeldKey) -> bool {
        matches!(self, Self::Connection(name) if name == held.connection)
    }

    fn connection(&self) -> Option<&str> {
        match self {
            Self::Connection(name) => Some(name),
            Self::Operator(_) => None,
        }
    }
}

impl std::fmt::Display for Claimant<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connection(name) => write!(f, "connection {name}"),
            Self::Operator(name) => write!(f, "operator {name}"),
        }
    }
}

/// Why a key is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotNew {
    #[error("its key is one of the gate's own")]
    Gates,
    #[error("its key is burned: the private half was seen. A new key is needed")]
    Burned,
    #[error("its CSR came before with a private key that may be its own. A new key is needed")]
    Withheld,
    #[error(
        "so many keys came with private keys under this name that none is taken under it any more: another name is needed"
    )]
    AllWithheld,
    #[error("its key is or was an operator's of the gate")]
    Operators,
    #[error("its key belongs to another connection: each has a key of its own")]
    Others,
    #[error("its key is this connection's already: a rotation needs a new one")]
    Same,
    #[error(
        "its key was this connection's before, and was retired: say --again if it shall come back"
    )]
    Retired,
    #[error(
        "its key shares a factor with another key that this gate has seen: both can be computed by anybody, and are burned. The program that made them has no good random numbers"
    )]
    Factored,
    #[error("its modulus is a multiple of another key's")]
    Multiple,
}

impl NotNew {
    /// What a provider may know of it: nothing of anybody else's keys.
    pub(crate) fn told_to_provider(&self) -> String {
        match self {
            Self::Burned | Self::Same | Self::Withheld | Self::AllWithheld => self.to_string(),
            Self::Retired => {
                "its key was used before: make a new one, or ask the client to let it come back"
                    .to_owned()
            }
            _ => "its key cannot be taken: make a new one".to_owned(),
        }
    }
}

/// The moduli of the gate's own keys.
pub(crate) fn own_moduli(gate: &Gate) -> Vec<Vec<u8>> {
    let of_connections = gate.folder.editors_of();
    let of_connections = of_connections.iter().map(|name| KeyName::EditorOf(name));
    [
        KeyName::Viewer,
        KeyName::Editor,
        KeyName::Webhooks,
        KeyName::Owner,
    ]
    .into_iter()
    .chain(of_connections)
    .filter_map(|name| gate.folder.key(name).ok())
    .map(|key| key.public().modulus().to_vec())
    .collect()
}

/// Whether the key is nobody's yet; where two keys turn out to be factored, both are burned. `again`
/// lets a key come back that this connection had before.
pub(crate) fn check(
    deed: &mut Deed<'_, '_>,
    own: &[Vec<u8>],
    claimant: Claimant<'_>,
    key: &PublicKey,
    again: bool,
) -> Result<Result<(), NotNew>, Fault> {
    if own.iter().any(|own| own == key.modulus()) {
        return Ok(Err(NotNew::Gates));
    }
    let known = match standing(deed, claimant, key, again)? {
        Ok(known) => known,
        Err(no) => return Ok(Err(no)),
    };
    if known {
        return Ok(Ok(()));
    }
    let mut others = rows::keys::moduli(deed.writing, deed.workspace)?;
    others.extend_from_slice(own);
    let operators = rows::operators::known(deed.writing, deed.workspace)?;
    others.extend(operators.iter().map(|(_, key)| key.modulus().to_vec()));
    // A request of it may have been refused before; that one is no stranger.
    others.retain(|other| other != key.modulus());
    let related = shared::find(key.modulus(), &others);
    if related.is_empty() {
        return Ok(Ok(()));
    }
    let factored = related.iter().filter(|(_, kin)| *kin == Kinship::Factor);
    let factored = factored.filter_map(|(at, _)| others.get(*at));
    let mut burned: BTreeSet<_> = factored.map(Vec::as_slice).collect();
    if burned.is_empty() {
        let (modulus, by) = (key.modulus(), claimant.connection());
        rows::keys::remember(deed.writing, deed.workspace, modulus, deed.at, by)?;
        return Ok(Err(NotNew::Multiple));
    }
    burned.insert(key.modulus());
    let names = burned
        .iter()
        .map(|one| KeyFingerprint::of_modulus(one).to_string());
    let event = Event::KeysFactored {
        burned: names.collect(),
    };
    deed.log(Actor::Gate, event)?;
    for modulus in burned {
        burn(deed, modulus, "its factors are known")?;
    }
    Ok(Err(NotNew::Factored))
}

/// The same of a key that waits for a quorum: what comes after it is held against it, too.
pub(crate) fn wait(
    deed: &mut Deed<'_, '_>,
    own: &[Vec<u8>],
    claimant: Claimant<'_>,
    key: &PublicKey,
    again: bool,
) -> Result<Result<(), NotNew>, Fault> {
    let checked = check(deed, own, claimant, key, again)?;
    if checked.is_ok() {
        rows::keys::remember(deed.writing, deed.workspace, key.modulus(), deed.at, None)?;
    }
    Ok(checked)
}

/// Whether the key is nobody else's and not burned, as is written down; and whether it is known here.
pub(crate) fn standing(
    deed: &mut Deed<'_, '_>,
    claimant: Claimant<'_>,
    key: &PublicKey,
    again: bool,
) -> Result<Result<bool, NotNew>, Fault> {
    let fingerprint = key.fingerprint();
    let operators = rows::operators::known(deed.writing, deed.workspace)?;
    if operators
        .iter()
        .any(|(_, known)| known.modulus() == key.modulus())
    {
        return Ok(Err(NotNew::Operators));
    }
    if rows::keys::is_burned(deed.writing, deed.workspace, &fingerprint.to_string())? {
        return Ok(Err(NotNew::Burned));
    }
    let of = claimant.to_string();
    if rows::keys::is_withheld(deed.writing, deed.workspace, &of, fingerprint)? {
        return Ok(Err(NotNew::Withheld));
    }
    if rows::keys::is_all_withheld(deed.writing, deed.workspace, &of)? {
        return Ok(Err(NotNew::AllWithheld));
    }
    match rows::keys::one(deed.writing, deed.workspace, fingerprint)? {
        Some(held) if !claimant.holds(&held) => Ok(Err(NotNew::Others)),
        Some(held) => Ok(of_its_own(&held, deed.at, again).map(|()| true)),
        None => Ok(Ok(false)),
    }
}

fn of_its_own(held: &HeldKey, now: protocol::time::Millis, again: bool) -> Result<(), NotNew> {
    match held.state_at(now) {
        KeyState::Retired if again => Ok(()),
        KeyState::Retired => Err(NotNew::Retired),
        KeyState::Burned => Err(NotNew::Burned),
        KeyState::Next => Ok(()),
        KeyState::Active | KeyState::Retiring { .. } => Err(NotNew::Same),
    }
}

/// Burns a key: it lets nobody in from now on, and a connection that had no other is suspended.
pub(crate) fn burn(deed: &mut Deed<'_, '_>, modulus: &[u8], how: &str) -> Result<(), Fault> {
    let fingerprint = KeyFingerprint::of_modulus(modulus);
    let held = rows::keys::one(deed.writing, deed.workspace, fingerprint)?;
    rows::keys::burn(deed.writing, deed.workspace, modulus, deed.at, how)?;
    dismiss(deed, modulus, how)?;
    let Some(held) = held.filter(|held| held.state == KeyState::Active) else {
        return Ok(());
    };
    let owner = rows::connections::connection(deed.writing, deed.workspace, &held.connection)?;
    let Some(mut connection) = owner.filter(|owner| owner.state == State::Active) else {
        return Ok(());
    };
    connection.state = State::Suspended;
    rows::connections::put_connection(deed.writing, deed.workspace, &connection)?;
    let reason = format!("its key is burned: {how}");
    tracing::error!(connection = connection.name, reason, "suspended");
    let event = Event::ConnectionSuspended {
        connection: connection.name,
        reason,
    };
    Ok(deed.log(Actor::Gate, event)?)
}

/// An operator whose key is burned comes in no more. Where too few owners would be left to let anybody
/// in again, that is an alarm, and theirs to put right.
fn dismiss(deed: &mut Deed<'_, '_>, modulus: &[u8], how: &str) -> Result<(), Fault> {
    let electorate = Electorate::read(deed.writing, deed.workspace)?;
    let Some(operator) = electorate.with_key(modulus).map(str::to_owned) else {
        return Ok(());
    };
    let reason = format!("its key is burned: {how}");
    let left = electorate.owners_if(&operator, None);
    if let Err(few) = enough(left, electorate.needed) {
        tracing::error!(operator, reason, %few, "an operator's key must be replaced, now");
        return Ok(());
    }
    rows::operators::remove(deed.writing, deed.workspace, &operator, deed.at)?;
    tracing::error!(operator, reason, "let in no more");
    Ok(deed.log(Actor::Gate, Event::OperatorRemoved { operator, reason })?)
}
