//! A connection's life after its approval: opened, closed, changed, confirmed. What closes or narrows
//! is done by one operator, at once: the next request after the answer is refused.

use std::sync::Arc;

use ledger::{Fault, PartScope};
use protocol::error::ApiError;
use protocol::ids::UserId;
use protocol::role::ProviderRole;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use super::changes::make::changed;
use super::connections::{Reason, Shown, editor_todo, find, scope_todo};
use super::handed_in::HandedIn;
use super::{Operator, changes, named, no_connection, reason, refused};
use super::{certificate, editor};
use crate::changes::Change;
use crate::connections::addresses::maybe_list;
use crate::connections::{
    BudgetGrant, Closed, Connection, Direction, Followed, Mode, Move, Place, ScopeGrant, State,
    Terms, check_addresses, check_end, classify,
};
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::mail::MailAddress;
use crate::rows;

/// Changes a connection in one transaction: what it was then is what is changed.
pub(super) async fn alter(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    change: impl Fn(&mut Connection, Millis) -> Result<Event, ApiError> + Send + 'static,
) -> Result<Shown, ApiError> {
    let (actor, kept) = (Actor::Operator(operator.name.clone()), name.to_owned());
    let work = move |deed: &mut Deed<'_, '_>| {
        let known = rows::connections::connection(deed.writing, deed.workspace, &kept)?;
        let mut connection = known.ok_or_else(|| no_connection(&kept))?;
        let before = connection.editor;
        let event = change(&mut connection, deed.at)?;
        if connection.editor != before {
            editor::settle(deed, &connection)?;
        }
        rows::connections::put_connection(deed.writing, deed.workspace, &connection)?;
        deed.log(actor.clone(), event)?;
        Ok::<_, Fault>(())
    };
    gate.deed(work).await?;
    changes::renew(gate).await?;
    super::connections::show(gate, name)
}

/// Suspends or revokes.
pub(crate) async fn close(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    what: Move,
    why: Reason,
) -> Result<Shown, ApiError> {
    let why = reason(&why.reason)?;
    if what.opens() || what == Move::Approve {
        return Err(refused(500, "that closes nothing"));
    }
    let by = operator.name.clone();
    let closed = move |connection: &mut Connection, now| {
        if what == Move::Revoke {
            connection.closed = Some(Closed {
                at: now,
                by: by.clone(),
                reason: why.clone(),
            });
        }
        connection.state = connection
            .after(what, now)
            .map_err(|not| refused(409, not))?;
        let (connection, reason) = (connection.name.clone(), why.clone());
        Ok(if what == Move::Revoke {
            Event::ConnectionRevoked { connection, reason }
        } else {
            Event::ConnectionSuspended { connection, reason }
        })
    };
    alter(gate, operator, name, closed).await
}

/// Asks to open a door: of a connection that is approved, or that was suspended.
pub(crate) async fn open(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    what: Move,
    why: Reason,
) -> Result<Shown, ApiError> {
    let why = reason(&why.reason)?;
    let found = find(gate, name)?;
    certificate::reaches(gate, found.client_certificate)?;
    let (connection, terms) = (found.name.clone(), Box::new(Terms::of(&found)));
    let change = match what {
        Move::Activate => Change::Activate { connection, terms },
        _ => Change::Resume { connection, terms },
    };
    let done = changes::ask(gate, operator, change, why).await?;
    Shown::after(gate, name, done)
}

/// What is to be otherwise; what is not named stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    /// The scope; what it does not name stays.
    pub scope: Option<ScopeGrant>,
    /// The whole scope, in place of the one there is.
    pub part: Option<PartScope>,
    /// The tags that it follows from now on, or none, in place of those it follows.
    #[serde(deserialize_with = "named")]
    pub followed: Option<Option<Followed>>,
    /// Whether what the books do not hold is asked upstream for it.
    pub forward: Option<bool>,
    /// How much it may use; of a budget that is not named, as much as before.
    pub budgets: BudgetGrant,
    /// The addresses.
    #[serde(deserialize_with = "maybe_list")]
    pub addresses: Option<Vec<ipnet::IpNet>>,
    /// Why a wide range is right.
    pub addresses_reason: Option<String>,
    /// The client certificate that it must show (PEM, or its pin); `none` is none.
    pub client_certificate: Option<HandedIn>,
    /// What it may do.
    pub role: Option<ProviderRole>,
    /// Where its transactions are approved.
    pub place: Option<Place>,
    /// The API user upstream that proposes for it alone; null: the gate's Editor does.
    #[serde(deserialize_with = "named")]
    pub editor: Option<Option<UserId>>,
    /// How it works with the workspace.
    pub mode: Option<Mode>,
    /// When it ends.
    pub until: Option<Millis>,
    /// Who of the provider's is written to before that, or nobody.
    #[serde(deserialize_with = "named")]
    pub contact: Option<Option<MailAddress>>,
    /// Whether its door, if it is shut, opens with that: one change, which the quorum makes.
    pub opens: bool,
    /// Why.
    pub reason: String,
}

impl Wanted {
    fn put(self, gate: &Gate, name: &str, before: &Terms) -> Result<Terms, ApiError> {
        let reason = match (&self.addresses, self.addresses_reason) {
            (_, Some(reason)) => Some(reason),
            (Some(_), None) => None,
            (None, None) => before.addresses_reason.clone(),
        };
        let part = self.part.unwrap_or_else(|| before.part.clone());
        let followed = match self.followed {
            Some(followed) => followed,
            // Accounts that are named are those that stay.
            None if part.accounts != before.part.accounts => None,
            None => before.followed.clone(),
        };
        let mut after = Terms {
            mode: self.mode.unwrap_or(before.mode),
            role: self.role.unwrap_or(before.role),
            addresses: self.addresses.unwrap_or_else(|| before.addresses.clone()),
            addresses_reason: reason,
            client_certificate: before.client_certificate,
            part,
            followed,
            forward: self.forward.unwrap_or(before.forward),
            budgets: before.budgets.granting(&self.budgets),
            place: self.place.unwrap_or(before.place),
            editor: self.editor.unwrap_or(before.editor),
            until: self.until.unwrap_or(before.until),
            contact: self.contact.unwrap_or_else(|| before.contact.clone()),
        };
        if let Some(scope) = self.scope {
            scope
                .put(gate.filled_books(), name, &mut after)
                .map_err(|bad| refused(400, bad))?;
        }
        Ok(after)
    }
}

/// What came of a change of terms.
#[derive(Debug, Serialize, Deserialize)]
pub struct Changed {
    /// The connection as it is now.
    #[serde(flatten)]
    pub shown: Shown,
    /// Whether that narrows or widens.
    pub direction: Direction,
    /// What becomes another, in words.
    pub changed: Vec<String>,
    /// What the client does now.
    pub todo: Vec<String>,
}

/// Changes what a connection may do: at once where it narrows or nobody is let in yet, else by the
/// quorum.
pub(crate) async fn change(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    mut wanted: Wanted,
) -> Result<Changed, ApiError> {
    let why = reason(&wanted.reason)?;
    let found = find(gate, name)?;
    let before = Terms::of(&found);
    let handed = wanted.client_certificate.take();
    let handed = certificate::handed(gate, operator, name, handed).await?;
    let opens = wanted.opens.then(|| found.state.opened_by());
    if opens == Some(None) {
        let why = format!(
            "the connection is {}: no door of its opens",
            found.state.as_str()
        );
        return Err(refused(409, why));
    }
    let opens = opens.flatten();
    let mut after = wanted.put(gate, name, &before)?;
    after.client_certificate = handed.unwrap_or(after.client_certificate);
    if let Some(user) = after.editor.filter(|_| after.editor != before.editor) {
        editor::fits(gate, name, user).await?;
    }
    let changed = changed(&before, &after);
    if changed.is_empty() {
        return Err(refused(
            400,
            "that is how it is already: nothing would change",
        ));
    }
    if found.state == State::Revoked {
        return Err(refused(
            409,
            "the connection is REVOKED: that cannot be done",
        ));
    }
    let mut then = found.clone();
    after.clone().put(&mut then);
    if found.state == State::Requested {
        check_addresses(&then.addresses, then.addresses_reason.as_deref())
            .map_err(|bad| refused(400, bad))?;
        if then.until != found.until {
            check_end(then.until, gate.clock.now()).map_err(|not| refused(400, not))?;
        }
    } else {
        then.fit(gate.clock.now())
            .map_err(|not| refused(400, not))?;
    }
    let mut todo = Vec::new();
    let direction = match opens {
        Some(_) => Direction::Widens,
        None => classify(&before, &after),
    };
    if opens.is_some() {
        certificate::reaches(gate, then.client_certificate)?;
    }
    if direction == Direction::Widens && then.mode != Mode::Watched {
        let unchecked = scope_todo(gate, &after.part)?;
        todo.extend(editor_todo(gate, &then).await?);
        todo.extend(unchecked);
    }
    let shown = if direction == Direction::Narrows || found.state == State::Requested {
        gate.books
            .register(&then.scope(gate.workspace()))
            .await
            .map_err(|error| refused(500, error))?;
        let told = changed.clone();
        let narrowed = move |connection: &mut Connection, _| {
            if Terms::of(connection) != before || connection.state == State::Revoked {
                return Err(refused(409, "it has changed meanwhile: look again"));
            }
            after.clone().put(connection);
            Ok(Event::ConnectionChanged {
                connection: connection.name.clone(),
                changed: told.clone(),
                reason: why.clone(),
            })
        };
        alter(gate, operator, name, narrowed).await?
    } else {
        let change = Change::Terms {
            connection: name.to_owned(),
            before: Box::new(before),
            after: Box::new(after),
            opens,
        };
        let done = changes::ask(gate, operator, change, why).await?;
        Shown::after(gate, name, done)?
    };
    Ok(Changed {
        shown,
        direction,
        changed,
        todo,
    })
}
