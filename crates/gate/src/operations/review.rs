//! The review: every connection is looked at again, and who found which terms right is written down.

use std::collections::HashMap;
use std::sync::Arc;

use protocol::error::ApiError;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::StoreError;

use super::connections::{Shown, list};
use super::life::alter;
use super::{Operator, refused};
use crate::connections::{DAY, Mode, Standing, State, Terms};
use crate::gate::Gate;
use crate::log::Event;
use crate::posture::UNUSED;
use crate::rows;

/// An end that is so near is told.
pub const SOON: i64 = 14 * DAY;

/// A connection as it is looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviewed {
    /// The connection.
    #[serde(flatten)]
    pub shown: Shown,
    /// Names its terms: what a confirmation is of.
    pub terms: String,
    /// When it came last, to the minute.
    pub seen_at: Option<Millis>,
    /// Whether nobody has come with its key for 30 days; nothing where that cannot be seen here.
    pub unused: Option<bool>,
    /// Whether it ends within 14 days.
    pub ends_soon: bool,
}

/// Every connection that is not revoked, by name.
pub(crate) async fn review(gate: &Gate) -> Result<Vec<Reviewed>, ApiError> {
    let (workspace, now) = (gate.workspace(), gate.clock.now());
    let read = gate
        .store
        .read(move |reading| rows::operators::seen(reading, workspace));
    let seen = read
        .await
        .map_err(|error: StoreError| refused(500, error))?;
    let seen: HashMap<_, _> = seen.into_iter().collect();
    let all = list(gate).into_iter();
    let all = all.filter(|one| one.standing != Standing::Revoked);
    Ok(all
        .map(|shown| {
            let seen_at = seen.get(&shown.connection.name).copied();
            looked_at(shown, seen_at, now)
        })
        .collect())
}

/// What there is to say of a connection. Pure.
fn looked_at(shown: Shown, seen_at: Option<Millis>, now: Millis) -> Reviewed {
    let connection = &shown.connection;
    let since = seen_at.or(connection.approved.as_ref().map(|(at, _)| *at));
    let unused = match (connection.mode, since) {
        // Its calls do not come by here.
        (Mode::Watched, _) | (_, None) => None,
        (_, Some(since)) => Some(now >= since.plus(UNUSED)),
    };
    Reviewed {
        terms: Terms::of(connection).digest(),
        seen_at,
        unused,
        ends_soon: now < connection.until && now >= connection.until.plus(-SOON),
        shown,
    }
}

/// What was found right.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    /// The terms that the operator saw.
    pub terms: String,
}

/// Writes down that an operator found a connection's terms right.
pub(crate) async fn confirm(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    confirmed: Confirmed,
) -> Result<Shown, ApiError> {
    let who = operator.name.clone();
    let change = move |connection: &mut crate::connections::Connection, now| {
        if connection.state == State::Revoked {
            return Err(refused(
                409,
                "the connection is REVOKED: nothing is to confirm",
            ));
        }
        if Terms::of(connection).digest() != confirmed.terms {
            return Err(refused(409, "its terms are not what you saw: look again"));
        }
        connection.confirmed = Some((now, who.clone()));
        Ok(Event::ConnectionConfirmed {
            connection: connection.name.clone(),
            terms: confirmed.terms.clone(),
        })
    };
    alter(gate, operator, name, change).await
}

#[cfg(test)]
mod tests {
    use protocol::role::ProviderRole;

    use super::*;
    use crate::testing::{NOW, accounts, connection};

    fn seen(mode: Mode, seen_at: Option<i64>, ends_in: i64) -> Reviewed {
        let mut one = connection("acme", ProviderRole::Viewer, accounts([1]));
        one.mode = mode;
        one.until = NOW.plus(ends_in * DAY);
        one.approved = Some((NOW.plus(-40 * DAY), "owner".to_owned()));
        let shown = Shown {
            standing: one.standing(NOW),
            connection: one,
            change: None,
        };
        looked_at(shown, seen_at.map(|days| NOW.plus(-days * DAY)), NOW)
    }

    #[test]
    fn who_has_not_come_for_long_and_what_ends_soon_are_named() {
        let told = |one: Reviewed| (one.unused, one.ends_soon);
        assert_eq!(told(seen(Mode::Guarded, Some(1), 60)), (Some(false), false));
        assert_eq!(told(seen(Mode::Guarded, Some(30), 13)), (Some(true), true));
        assert_eq!(told(seen(Mode::Guarded, None, 15)), (Some(true), false));
        assert_eq!(told(seen(Mode::Watched, None, 14)), (None, true));
        assert_eq!(told(seen(Mode::Fed, Some(1), -1)), (Some(false), false));
    }
}
