//! Sends what is owed, for as long as this gate leads.

use std::sync::Arc;
use std::time::Duration;

use protocol::error::ApiError;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Query, StoreError};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Mail;
use super::letter::Writer;
use super::owed::{Owed, owed, pause};
use super::session::{PATIENCE, Session, Trouble};
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::rows;

/// How often is looked where nothing changes.
const OFTEN: Duration = Duration::from_secs(60);
/// The first wait after the server was not reached; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest wait after the server was not reached.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// For how long a letter is one gate's that tries it, in milliseconds: longer than that takes.
const HELD: i64 = Millis::MINUTE;
/// How long a letter that is on its way may take when the gate is to end.
const GRACE: Duration = Duration::from_secs(3);

/// Sends what is owed, whenever something has changed and now and then.
pub(crate) async fn keep(gate: Arc<Gate>, shutdown: CancellationToken) {
    let Some(mail) = &gate.config.mail else {
        return;
    };
    let (mut wait, mut last) = (FIRST_PAUSE, None);
    loop {
        let outcome = tokio::select! {
            () = over(&shutdown) => return,
            outcome = round(&gate, mail, &shutdown) => outcome,
        };
        match outcome {
            Ok(next) => {
                if last.take().is_some() {
                    tracing::info!("the mail server lets the gate in again");
                }
                wait = FIRST_PAUSE;
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = gate.letters.notified() => {}
                    () = sleep(next) => {}
                }
            }
            Err(trouble) => {
                if last.as_ref() != Some(&trouble) {
                    tracing::error!(server = mail.server, %trouble, "no letter goes out");
                }
                last = Some(trouble);
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = sleep(wait) => {}
                }
                wait = (wait * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// The gate is to end, and what was on its way has had its time.
async fn over(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    sleep(GRACE).await;
}

/// Sends what is due, in one session where the server lets it; when to look again. Trouble is what
/// keeps every letter back: what one meets is its own.
async fn round(
    gate: &Arc<Gate>,
    mail: &Mail,
    shutdown: &CancellationToken,
) -> Result<Duration, Trouble> {
    let (mut open, mut next) = (None::<Session>, OFTEN);
    for one in all_owed(gate, mail).await? {
        let now = gate.clock.now();
        if one.due_at > now {
            next = next.min(until(one.due_at, now));
            continue;
        }
        if shutdown.is_cancelled() {
            break;
        }
        let mut session = match open.take().filter(|session| !session.is_over()) {
            Some(session) => session,
            None => Session::open(gate, mail, PATIENCE).await?,
        };
        if let Some(tries) = claim(gate, mail, &one).await? {
            match sent(gate, mail, &mut session, &one).await {
                Ok(()) => taken(gate, &one, tries).await?,
                Err(trouble) => {
                    let connection = &one.connection;
                    tracing::error!(connection, to = %one.to, %trouble, "a letter is put off");
                    put_off(gate, &one, tries, &trouble).await?;
                    let at = gate.clock.now().plus(pause(tries));
                    next = next.min(until(at, gate.clock.now()));
                }
            }
        }
        open = Some(session);
    }
    if let Some(session) = open {
        session.quit().await;
    }
    Ok(next)
}

fn until(at: Millis, now: Millis) -> Duration {
    Duration::from_millis(u64::try_from(at.0.saturating_sub(now.0)).unwrap_or_default())
}

async fn sent(gate: &Gate, mail: &Mail, session: &mut Session, one: &Owed) -> Result<(), Trouble> {
    let writer = Writer {
        mail,
        workspace: gate.workspace(),
        public: &gate.public,
    };
    let letter = writer.letter(one, gate.clock.now());
    let letter = letter.map_err(|error| Trouble::Letter(error.to_string()))?;
    session.send(&letter).await
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

/// Every letter that no mail server has.
pub(super) async fn all_owed(gate: &Gate, mail: &Mail) -> Result<Vec<Owed>, StoreError> {
    let now = gate.clock.now();
    if gate.is_quarantined() {
        return Ok(Vec::new());
    }
    let names: Vec<_> = {
        let directory = gate.directory.load();
        let open = directory.living(now);
        open.map(|one| one.connection.name.clone()).collect()
    };
    let (workspace, mail) = (gate.workspace(), mail.clone());
    let read = gate.store.read(move |reading| {
        let mut all = Vec::new();
        for name in names {
            all.extend(owed_of(reading, workspace, &mail, &name, now)?);
        }
        Ok::<_, StoreError>(all)
    });
    read.await
}

/// The letters that are owed about a connection, as it is in the store.
fn owed_of(
    query: &mut impl Query,
    workspace: WorkspaceId,
    mail: &Mail,
    name: &str,
    now: Millis,
) -> Result<Vec<Owed>, StoreError> {
    let Some(connection) = rows::connections::connection(query, workspace, name)? else {
        return Ok(Vec::new());
    };
    let posted = rows::letters::of(query, workspace, name)?;
    Ok(owed(mail, &connection, &posted, now))
}

/// Takes a letter for this gate alone, if it is owed still and no other gate has it; how often it is
/// tried then.
async fn claim(gate: &Gate, mail: &Mail, one: &Owed) -> Result<Option<u32>, StoreError> {
    let (workspace, now) = (gate.workspace(), gate.clock.now());
    let (mail, one) = (mail.clone(), one.clone());
    let write = gate.store.write(move |writing| {
        let as_before = owed_of(writing, workspace, &mail, &one.connection, now)?.contains(&one);
        if !as_before {
            return Ok::<_, StoreError>(None);
        }
        let tries = one.tries.saturating_add(1);
        let held = one.posted(tries, Some(now.plus(HELD)));
        rows::letters::put(writing, workspace, &one.connection, &held)?;
        Ok(Some(tries))
    });
    write.await
}

/// A mail server has it: it is not sent again, and the log tells.
async fn taken(gate: &Gate, one: &Owed, tries: u32) -> Result<(), Trouble> {
    let one = one.clone();
    let done = gate.deed(move |deed: &mut Deed<'_, '_>| {
        let posted = one.posted(tries, None);
        rows::letters::put(deed.writing, deed.workspace, &one.connection, &posted)?;
        let event = Event::ConnectionReminderMailed {
            connection: one.connection.clone(),
            side: one.side,
            until: one.until.0,
            days: one.days,
        };
        Ok(deed.log(Actor::Gate, event)?)
    });
    done.await
        .map_err(|error: ApiError| Trouble::Store(error.message().to_owned()))
}

/// It is tried again later.
async fn put_off(gate: &Gate, one: &Owed, tries: u32, trouble: &Trouble) -> Result<(), StoreError> {
    let workspace = gate.workspace();
    let again = gate.clock.now().plus(pause(tries));
    let mut posted = one.posted(tries, Some(again));
    posted.trouble = Some(trouble.to_string());
    let name = one.connection.clone();
    let write = gate
        .store
        .write(move |writing| rows::letters::put(writing, workspace, &name, &posted));
    write.await
}

#[cfg(test)]
mod tests {
    use protocol::role::ProviderRole;

    use super::*;
    use crate::connections::{Connection, DAY, State};
    use crate::mail::tests::mail;
    use crate::testing::{NOW, WORKSPACE, World, accounts, connection, write};

    async fn put(world: &World, connection: Connection) {
        let put = move |writing: &mut store::Writing<'_>| {
            rows::connections::put_connection(writing, WORKSPACE, &connection)
        };
        write(&world.gate.store, put).await;
        world.gate.reload().await.expect("loaded");
    }

    fn ending() -> Connection {
        Connection {
            until: NOW.plus(5 * DAY),
            ..connection("acme", ProviderRole::Viewer, accounts([1]))
        }
    }

    #[tokio::test]
    async fn a_letter_is_tried_by_one_gate_at_a_time_and_as_things_are_then() {
        let (world, mail) = (World::new().await, mail());
        let gate = &world.gate;
        put(&world, ending()).await;
        let owed = all_owed(gate, &mail).await.expect("read");
        let [one] = owed.as_slice() else {
            unreachable!("{owed:?}")
        };
        let claimed = || async { claim(gate, &mail, one).await.expect("written") };
        assert_eq!((claimed().await, claimed().await), (Some(1), None));
        let held = all_owed(gate, &mail).await.expect("read");
        assert_eq!((held[0].tries, held[0].due_at), (1, NOW.plus(HELD)));
        put_off(gate, one, 1, &Trouble::NoTls)
            .await
            .expect("written");
        let again = all_owed(gate, &mail).await.expect("read");
        assert_eq!((again[0].tries, again[0].due_at), (1, NOW.plus(pause(1))));
        // Meanwhile it was shut.
        let shut = Connection {
            state: State::Suspended,
            ..ending()
        };
        put(&world, shut).await;
        assert_eq!(claim(gate, &mail, &again[0]).await.expect("read"), None);
        put(&world, ending()).await;
        assert_eq!(
            claim(gate, &mail, &again[0]).await.expect("written"),
            Some(2)
        );
        taken(gate, one, 2).await.expect("written");
        assert!(all_owed(gate, &mail).await.expect("read").is_empty());
    }

    #[tokio::test]
    async fn a_store_that_was_put_back_writes_to_nobody() {
        let (world, mail) = (World::new().await, mail());
        put(&world, ending()).await;
        assert_eq!(all_owed(&world.gate, &mail).await.expect("read").len(), 1);
        let shut = |writing: &mut store::Writing<'_>| {
            rows::connections::set_quarantine(writing, WORKSPACE, true)
        };
        write(&world.gate.store, shut).await;
        world.gate.reload().await.expect("loaded");
        assert!(all_owed(&world.gate, &mail).await.expect("read").is_empty());
    }
}
