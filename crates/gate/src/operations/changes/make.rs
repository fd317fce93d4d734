//! What a change does when it is made: looked at again then, since much may have happened meanwhile.

use std::time::Duration;

use ledger::Fault;
use protocol::error::ApiError;
use protocol::keys::PublicKey;

use super::{Electorate, QUORUM};
use crate::changes::{Change, ChangeRequest};
use crate::connections::{Connection, Move, State, Terms, differences};
use crate::gate::Deed;
use crate::log::{Actor, Event};
use crate::operations::keys::{self, fingerprint_of};
use crate::operations::operators::no_operator;
use crate::operations::{editor, no_connection, refused, release, resume, upstream};
use crate::operators::enough;
use crate::rows;

/// Whether the change can be made as things are now.
pub(super) fn check(
    deed: &mut Deed<'_, '_>,
    electorate: &Electorate,
    request: &ChangeRequest,
) -> Result<(), Fault> {
    match &request.change {
        Change::Activate { .. } | Change::Resume { .. } | Change::Terms { .. } => {
            next(deed, &request.change).map(drop)
        }
        Change::ReplaceKey {
            connection,
            before,
            spki,
            again,
            ..
        } => keys::replaceable(deed, connection, before, &key_of(spki)?, *again).map(drop),
        Change::KeyExpiry {
            connection,
            fingerprint,
            before,
            ..
        } => keys::expiring(deed, connection, fingerprint_of(fingerprint)?, *before).map(drop),
        Change::Release(compared) => release::check(deed, compared),
        Change::ResumeDispatch(stopped) => resume::check(deed, stopped),
        Change::ReplaceUpstream { replaced } => upstream::check(deed, replaced),
        Change::AddOperator {
            operator,
            fingerprint,
            ..
        } => newcomer(deed, operator, fingerprint),
        Change::SetOperatorRole {
            operator,
            before,
            after,
        } => {
            let now = electorate.role_of(operator);
            let now = now.ok_or_else(|| no_operator(operator))?;
            if now != *before || before == after {
                return Err(meanwhile("the operator", now).into());
            }
            let owners = electorate.owners_if(operator, Some(*after));
            Ok(enough(owners, electorate.needed).map_err(|few| refused(409, few))?)
        }
        Change::RemoveOperator { operator } => {
            if electorate.role_of(operator).is_none() {
                return Err(no_operator(operator).into());
            }
            let owners = electorate.owners_if(operator, None);
            Ok(enough(owners, electorate.needed).map_err(|few| refused(409, few))?)
        }
        Change::SetQuorum { before, after } => {
            if *before != electorate.needed || before == after {
                return Err(meanwhile("the quorum", electorate.needed).into());
            }
            Ok(enough(electorate.owners(), *after).map_err(|few| refused(409, few))?)
        }
    }
}

fn meanwhile(what: &str, now: impl std::fmt::Display) -> ApiError {
    refused(
        409,
        format_args!("{what} is {now} already or by now: look again, and ask for what you want"),
    )
}

/// Names and keys are never used twice.
fn newcomer(deed: &mut Deed<'_, '_>, name: &str, fingerprint: &str) -> Result<(), Fault> {
    let (workspace, writing) = (deed.workspace, &mut *deed.writing);
    for (known, key) in rows::operators::known(writing, workspace)? {
        if known == name {
            let why = format!("there is or was an operator '{name}': names are not used twice");
            return Err(refused(409, why).into());
        }
        if key.fingerprint().to_string() == fingerprint {
            let why = "that key is or was another operator's: each has a key of its own";
            return Err(refused(409, why).into());
        }
    }
    let held = rows::keys::one(writing, workspace, fingerprint_of(fingerprint)?)?;
    if rows::keys::is_burned(writing, workspace, fingerprint)? || held.is_some() {
        return Err(refused(409, "that key is a provider's, or burned: make a new one").into());
    }
    Ok(())
}

/// The connection as it is once the change is made.
fn next(deed: &mut Deed<'_, '_>, change: &Change) -> Result<Connection, Fault> {
    let (name, terms, step) = match change {
        Change::Activate { connection, terms } => (connection, terms, Some(Move::Activate)),
        Change::Resume { connection, terms } => (connection, terms, Some(Move::Resume)),
        Change::Terms {
            connection,
            before,
            opens,
            ..
        } => (connection, before, *opens),
        _ => return Err(refused(500, "the change is not of a connection").into()),
    };
    let known = rows::connections::connection(deed.writing, deed.workspace, name)?;
    let mut connection = known.ok_or_else(|| no_connection(name))?;
    if Terms::of(&connection) != **terms {
        let why = "the connection has changed meanwhile: look at it, and ask again";
        return Err(refused(409, why).into());
    }
    let conflict = |not| refused(409, not);
    if let Change::Terms { after, .. } = change {
        if connection.state == State::Revoked {
            return Err(refused(409, "the connection is REVOKED: that cannot be done").into());
        }
        after.clone().put(&mut connection);
        connection.fit(deed.at).map_err(conflict)?;
    }
    if let Some(step) = step {
        connection.state = connection.after(step, deed.at).map_err(conflict)?;
    }
    let fingerprint = &connection.fingerprint;
    if rows::keys::is_burned(deed.writing, deed.workspace, fingerprint)? {
        let why = "its key is burned: it needs a new one (vestibule gate connection key NAME rotate --csr FILE --emergency)";
        return Err(refused(409, why).into());
    }
    Ok(connection)
}

fn key_of(spki: &str) -> Result<PublicKey, ApiError> {
    let spki = hex::decode(spki).map_err(|_| refused(500, "the key is not hex"))?;
    PublicKey::from_der(&spki).map_err(|_| refused(500, "the key cannot be read"))
}

/// Makes it.
pub(super) fn make(
    deed: &mut Deed<'_, '_>,
    request: &ChangeRequest,
    last: &str,
) -> Result<(), Fault> {
    let (actor, reason) = (Actor::Operator(last.to_owned()), request.reason.clone());
    let (workspace, at) = (deed.workspace, deed.at);
    let event = match &request.change {
        change @ (Change::Activate { .. } | Change::Resume { .. } | Change::Terms { .. }) => {
            let connection = next(deed, change)?;
            if matches!(change, Change::Terms { before, after, .. } if before.editor != after.editor)
            {
                editor::settle(deed, &connection)?;
            }
            rows::connections::put_connection(deed.writing, workspace, &connection)?;
            let connection = connection.name;
            let opened = match change {
                Change::Activate { .. } => Move::Activate,
                Change::Terms {
                    before,
                    after,
                    opens,
                    ..
                } => {
                    let event = Event::ConnectionChanged {
                        connection: connection.clone(),
                        changed: changed(before, after),
                        reason: reason.clone(),
                    };
                    deed.log(actor.clone(), event)?;
                    let Some(opens) = opens else {
                        return Ok(());
                    };
                    *opens
                }
                _ => Move::Resume,
            };
            match opened {
                Move::Activate => Event::ConnectionActivated { connection, reason },
                _ => Event::ConnectionResumed { connection, reason },
            }
        }
        Change::ReplaceKey {
            connection,
            before,
            spki,
            overlap_seconds,
            again,
            ..
        } => {
            let key = key_of(spki)?;
            let known = keys::replaceable(deed, connection, before, &key, *again)?;
            let overlap = Duration::from_secs(*overlap_seconds);
            return keys::replace(deed, &actor, connection, &known, &key, (overlap, &reason));
        }
        Change::KeyExpiry {
            connection,
            fingerprint,
            before,
            after,
        } => {
            let wanted = fingerprint_of(fingerprint)?;
            return keys::set_expiry(deed, &actor, connection, wanted, (*before, *after), &reason);
        }
        Change::Release(compared) => release::make(deed, compared, reason)?,
        Change::ResumeDispatch(stopped) => resume::make(deed, stopped, reason)?,
        Change::ReplaceUpstream { replaced } => upstream::make(deed, replaced, reason)?,
        Change::AddOperator {
            operator,
            id,
            role,
            spki,
            fingerprint,
        } => {
            let key = key_of(spki)?;
            let spki = key.spki_der();
            rows::operators::add(deed.writing, workspace, *id, operator, *role, spki)?;
            Event::OperatorAdded {
                operator: operator.clone(),
                role: role.to_string(),
                fingerprint: fingerprint.clone(),
                reason,
            }
        }
        Change::SetOperatorRole {
            operator, after, ..
        } => {
            rows::operators::set_role(deed.writing, workspace, operator, *after)?;
            Event::OperatorRoleSet {
                operator: operator.clone(),
                role: after.to_string(),
                reason,
            }
        }
        Change::RemoveOperator { operator } => {
            rows::operators::remove(deed.writing, workspace, operator, at)?;
            Event::OperatorRemoved {
                operator: operator.clone(),
                reason,
            }
        }
        Change::SetQuorum { after, .. } => {
            rows::connections::set(deed.writing, workspace, QUORUM, &after.to_string())?;
            Event::QuorumSet {
                needed: *after,
                reason,
            }
        }
    };
    Ok(deed.log(actor, event)?)
}

/// What becomes another, in words.
pub(crate) fn changed(before: &Terms, after: &Terms) -> Vec<String> {
    let words = |(what, before, after)| format!("{what}: {before} -> {after}");
    differences(before, after).into_iter().map(words).collect()
}
