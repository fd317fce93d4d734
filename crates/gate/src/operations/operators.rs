//! The client's people: listed, let in with a key of their own, given another role, let in no more.
//! Each change is a change request: the quorum of owners makes it.

use std::sync::Arc;

use protocol::error::ApiError;
use protocol::ids::UserId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::changes::{self, Shown as ShownChange};
use super::examined::examined;
use super::handed_in::HandedIn;
use super::keys::newcomer::{self, Claimant, own_moduli};
use super::{Operator, reason, refused};
use crate::changes::{Change, MAX_QUORUM};
use crate::connections::{examine_request, is_name};
use crate::gate::{Deed, Gate};
use crate::log::Actor;
use crate::operators::OperatorRole;

/// An operator as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: OperatorRole,
    /// What its tokens are made out to.
    pub id: UserId,
    /// Names its key.
    pub fingerprint: String,
}

/// Everybody who may come in, by name.
pub(crate) fn list(gate: &Gate) -> Vec<Shown> {
    let all = gate.roster.load().all();
    all.iter().map(|one| Shown::of(one)).collect()
}

impl Shown {
    fn of(operator: &Operator) -> Self {
        Self {
            name: operator.name.clone(),
            role: operator.role,
            id: operator.id,
            fingerprint: operator.key.fingerprint().to_string(),
        }
    }
}

/// Somebody new.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOperator {
    /// Its name: letters, digits, `-` and `_`. No other operator ever had it.
    pub name: String,
    /// What it may do.
    pub role: OperatorRole,
    /// The CSR of a key of its own, as it came.
    pub csr: HandedIn,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Asks to let somebody in.
pub(crate) async fn add(
    gate: &Arc<Gate>,
    operator: &Operator,
    input: NewOperator,
) -> Result<ShownChange, ApiError> {
    let why = reason(&input.reason)?;
    if !is_name(&input.name) {
        return Err(refused(
            400,
            "an operator's name has 1 to 40 letters, digits, '-' or '_'",
        ));
    }
    let file = input.csr.bytes()?;
    let actor = Actor::Operator(operator.name.clone());
    let claimant = Claimant::Operator(&input.name);
    let look = |gate: &Gate, file: &[u8]| {
        let key = examine_request(file, gate.config.development.allow_known_keys)?;
        Ok((key.public_key().clone(), own_moduli(gate)))
    };
    let (key, own) = examined(gate, actor, claimant, file, look).await?;
    let (name, new) = (input.name.clone(), key.clone());
    let work = move |deed: &mut Deed<'_, '_>| {
        newcomer::wait(deed, &own, Claimant::Operator(&name), &new, false)
    };
    let checked = gate.deed(work).await?;
    // Keys that turned out to be factored are burned by now.
    gate.reload().await.map_err(|error| refused(500, error))?;
    checked.map_err(|no| refused(409, no))?;
    let change = Change::AddOperator {
        operator: input.name,
        id: UserId(Uuid::new_v4()),
        role: input.role,
        spki: hex::encode(key.spki_der()),
        fingerprint: key.fingerprint().to_string(),
    };
    changes::ask(gate, operator, change, why).await
}

/// Another role.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleWanted {
    /// What it may do then.
    pub role: OperatorRole,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Asks to give an operator another role.
pub(crate) async fn set_role(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    wanted: RoleWanted,
) -> Result<ShownChange, ApiError> {
    let why = reason(&wanted.reason)?;
    let change = Change::SetOperatorRole {
        operator: name.to_owned(),
        before: named(gate, name)?.role,
        after: wanted.role,
    };
    changes::ask(gate, operator, change, why).await
}

/// Asks to let an operator in no more.
pub(crate) async fn remove(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    why: super::connections::Reason,
) -> Result<ShownChange, ApiError> {
    let why = reason(&why.reason)?;
    named(gate, name)?;
    let operator_name = name.to_owned();
    let change = Change::RemoveOperator {
        operator: operator_name,
    };
    changes::ask(gate, operator, change, why).await
}

fn named(gate: &Gate, name: &str) -> Result<Shown, ApiError> {
    let found = list(gate).into_iter().find(|one| one.name == name);
    found.ok_or_else(|| no_operator(name))
}

pub(super) fn no_operator(name: &str) -> ApiError {
    refused(404, format_args!("there is no operator '{name}'"))
}

/// How many operators must sign what lets more through.
#[derive(Debug, Serialize, Deserialize)]
pub struct Quorum {
    /// How many.
    pub needed: u32,
}

/// Another quorum.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuorumWanted {
    /// How many must sign then.
    pub needed: u32,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// How many must sign.
pub(crate) async fn quorum(gate: &Gate) -> Result<Quorum, ApiError> {
    let needed = changes::needed(gate).await?;
    Ok(Quorum { needed })
}

/// Asks for another quorum.
pub(crate) async fn set_quorum(
    gate: &Arc<Gate>,
    operator: &Operator,
    wanted: QuorumWanted,
) -> Result<ShownChange, ApiError> {
    let why = reason(&wanted.reason)?;
    if !(1..=MAX_QUORUM).contains(&wanted.needed) {
        return Err(refused(
            400,
            format_args!("a quorum is a number from 1 to {MAX_QUORUM}"),
        ));
    }
    let change = Change::SetQuorum {
        before: changes::needed(gate).await?,
        after: wanted.needed,
    };
    changes::ask(gate, operator, change, why).await
}

#[cfg(test)]
mod tests;
