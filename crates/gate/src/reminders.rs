//! Reminders: before a connection ends its provider hears of it by its webhook, the client by its own,
//! and the log keeps that it was so; letters to both sides are [`crate::mail`]'s. The end itself needs
//! nobody: the clock alone shuts the door. Only a key straight at Fireblocks is for people to end.

use std::sync::Arc;
use std::time::Duration;

use ledger::Fault;
use protocol::error::ApiError;
use protocol::time::Millis;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::connections::{Connection, DAY, Standing};
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::relay::{self, Addressee};
use crate::rows;

/// How many days before its end a connection is reminded of it.
pub const DAYS: [i64; 3] = [1, 7, 14];
/// The event that both sides hear.
pub const EVENT: &str = "vestibule.connection.ending";
/// How often the ends are looked at where nothing changes.
const OFTEN: Duration = Duration::from_secs(60);

/// Which reminder is due after the last one, of which end and how many days before that was: the days
/// before the end, once each. Pure.
pub(crate) fn due(
    connection: &Connection,
    last: Option<(Millis, i64)>,
    now: Millis,
) -> Option<i64> {
    if connection.standing(now) != Standing::Active {
        return None;
    }
    let until = connection.until;
    let days = DAYS
        .into_iter()
        .find(|days| now >= until.plus(-days * DAY))?;
    match last {
        Some((of, last)) if of == until && last <= days => None,
        _ => Some(days),
    }
}

/// Looks at the ends, now and then and whenever a connection has changed.
pub(crate) async fn watch(gate: Arc<Gate>, shutdown: CancellationToken) {
    loop {
        if let Err(error) = remind(&gate).await {
            tracing::error!(%error, "reminders are not sent");
        }
        gate.letters.notify_one();
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = gate.ends.notified() => {}
            () = tokio::time::sleep(OFTEN) => {}
        }
    }
}

async fn remind(gate: &Arc<Gate>) -> Result<(), ApiError> {
    let now = gate.clock.now();
    let directory = gate.directory.load_full();
    let near: Vec<_> = directory
        .living(now)
        .filter(|one| due(&one.connection, one.connection.reminded, now).is_some())
        .map(|one| one.connection.name.clone())
        .collect();
    if near.is_empty() {
        return Ok(());
    }
    let client = gate.client_addressee();
    let reminded = gate.deed(move |deed| {
        let mut near = near.iter();
        near.try_for_each(|name| one(deed, name, client.as_ref()))
    });
    reminded.await?;
    gate.reload()
        .await
        .map_err(|error| ApiError::uncoded(500, error.to_string()))?;
    gate.deliveries.notify_one();
    Ok(())
}

/// Reminds of one connection's end, if that is due still.
fn one(deed: &mut Deed<'_, '_>, name: &str, client: Option<&Addressee>) -> Result<(), Fault> {
    let known = rows::connections::connection(deed.writing, deed.workspace, name)?;
    let Some(mut connection) = known else {
        return Ok(());
    };
    let Some(days) = due(&connection, connection.reminded, deed.at) else {
        return Ok(());
    };
    let until = connection.until;
    connection.reminded = Some((until, days));
    rows::connections::put_connection(deed.writing, deed.workspace, &connection)?;
    let data = json!({
        "connection": connection.name, "provider": connection.provider, "mode": connection.mode,
        "until": until, "days": days,
    });
    // Nothing goes to whoever does not come in here.
    let provider = Addressee::of(&connection).filter(|_| connection.comes_in(deed.at));
    for to in provider.iter().chain(client) {
        relay::own_event(deed.writing, deed.workspace, to, EVENT, &data, deed.at)?;
    }
    let event = Event::ConnectionReminded {
        connection: connection.name,
        until: until.0,
        days,
    };
    Ok(deed.log(Actor::Gate, event)?)
}

#[cfg(test)]
mod tests {
    use protocol::role::ProviderRole;

    use super::*;
    use crate::connections::{Mode, State};
    use crate::testing::{NOW, accounts, connection};

    fn ends_in(millis: i64) -> Connection {
        Connection {
            until: NOW.plus(millis),
            ..connection("acme", ProviderRole::Viewer, accounts([1]))
        }
    }

    #[test]
    fn each_end_is_told_of_three_times_and_no_more() {
        let (mut one, mut told) = (ends_in(20 * DAY), Vec::new());
        for hour in 0..21 * 24 {
            let now = NOW.plus(hour * DAY / 24);
            if let Some(days) = due(&one, one.reminded, now) {
                told.push((hour / 24, days));
                one.reminded = Some((one.until, days));
            }
        }
        assert_eq!(told, [(6, 14), (13, 7), (19, 1)]);
        one.until = one.until.plus(90 * DAY);
        assert_eq!(due(&one, one.reminded, NOW), None);
        assert_eq!(
            due(&one, one.reminded, one.until.plus(-DAY)),
            Some(1),
            "a new end, told again"
        );
    }

    #[test]
    fn whoever_is_shut_out_is_not_reminded() {
        let closed = Connection {
            state: State::Suspended,
            ..ends_in(DAY)
        };
        assert_eq!(due(&closed, None, NOW), None);
        assert_eq!(due(&ends_in(0), None, NOW), None, "it is over");
        let watched = Connection {
            mode: Mode::Watched,
            ..ends_in(DAY)
        };
        assert_eq!(due(&watched, None, NOW), Some(1), "people must end it");
        assert_eq!(due(&ends_in(DAY), None, NOW), Some(1));
    }
}
