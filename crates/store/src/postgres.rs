//! PostgreSQL: serializable writers that try again, repeatable readers, a bounded pool.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use postgres::types::{IsNull, ToSql, Type, private::BytesMut};
use postgres::{Client, IsolationLevel, NoTls};

use crate::{Query, Reading, Room, Row, StoreError, Transaction, Value, Writing, migrate};

/// Most connections at once.
const MAX_CONNECTIONS: usize = 16;
/// Tries of a write whose transaction collides with others.
const MAX_TRIES: u32 = 40;
/// What a session does that holds a lock: it waits a moment for one that is just being let go, is
/// never idle for too long, and is known to be dead soon after its machine or the network is.
const LOCKING: &str =
    "SET lock_timeout = '3s'; SET idle_session_timeout = 0; SET tcp_keepalives_idle = 10;
    SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";
/// How long such a session may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// Longest wait for a free connection.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Postgres {
    config: postgres::Config,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Client>,
    open: usize,
}

impl Postgres {
    pub(crate) fn open(url: &str, rooms: &[Room]) -> Result<Self, StoreError> {
        let mut config: postgres::Config = url
            .parse()
            .map_err(|error: postgres::Error| StoreError::BadLocation(error.to_string()))?;
        config
            .application_name("vestibule")
            .connect_timeout(Duration::from_secs(10));
        let this = Self {
            config,
            pool: Mutex::default(),
            returned: Condvar::new(),
        };
        this.with_client(|client| migrate(client, rooms))?;
        Ok(this)
    }

    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Reading<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (mut work, mut outcome) = (Some(work), None);
        self.in_snapshot(&mut |reading| outcome = work.take().map(|work| work(reading)))?;
        outcome.unwrap_or_else(|| Err(StoreError::Closed.into()))
    }

    fn in_snapshot(&self, work: &mut dyn FnMut(&mut Reading<'_>)) -> Result<(), StoreError> {
        self.with_client(|client| {
            let transaction = client
                .build_transaction()
                .isolation_level(IsolationLevel::RepeatableRead)
                .read_only(true)
                .start()?;
            let mut session = Session {
                transaction,
                collided: false,
            };
            work(&mut Reading(&mut session));
            Ok(session.transaction.rollback()?)
        })
    }

    pub(crate) fn write<T, E: From<StoreError>>(
        &self,
        work: impl Fn(&mut Writing<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut outcome = None;
        self.in_transaction(&mut |writing| outcome.insert(work(writing)).is_ok())?;
        outcome.unwrap_or_else(|| Err(StoreError::Closed.into()))
    }

    /// Works until it does not collide; `true` keeps what was done.
    fn in_transaction(
        &self,
        work: &mut dyn FnMut(&mut Writing<'_>) -> bool,
    ) -> Result<(), StoreError> {
        self.with_client(|client| {
            for attempt in 0..MAX_TRIES {
                let transaction = client
                    .build_transaction()
                    .isolation_level(IsolationLevel::Serializable)
                    .start()?;
                let mut session = Session {
                    transaction,
                    collided: false,
                };
                let keep = work(&mut Writing(&mut session));
                let Session {
                    transaction,
                    collided,
                } = session;
                if collided {
                    transaction.rollback()?;
                } else if !keep {
                    return Ok(transaction.rollback()?);
                } else {
                    match transaction.commit() {
                        Err(error) if collision(&error) => {}
                        committed => return Ok(committed?),
                    }
                }
                std::thread::sleep(backoff(attempt));
            }
            Err(StoreError::Contention(MAX_TRIES))
        })
    }

    /// Takes a lock in a session of its own. `None`: another session has it.
    pub(crate) fn lock(&self, number: i64) -> Result<Option<Lock>, StoreError> {
        let mut lock = Lock {
            config: self.config.clone(),
            number,
            session: None,
        };
        Ok(lock.take()?.then_some(lock))
    }

    /// Lends a connection; a broken one is not taken back.
    fn with_client<T>(
        &self,
        work: impl FnOnce(&mut Client) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut lent = Lent {
            pool: self,
            client: Some(self.take()?),
        };
        match &mut lent.client {
            Some(client) => work(client),
            None => Err(StoreError::Closed),
        }
    }

    fn take(&self) -> Result<Client, StoreError> {
        let mut pool = self.pool.lock();
        loop {
            while let Some(client) = pool.idle.pop() {
                if !client.is_closed() {
                    return Ok(client);
                }
                pool.open -= 1;
            }
            if pool.open < MAX_CONNECTIONS {
                pool.open += 1;
                drop(pool);
                return self.config.connect(NoTls).map_err(|error| {
                    self.pool.lock().open -= 1;
                    self.returned.notify_one();
                    StoreError::Unavailable(reason(&error))
                });
            }
            if self.returned.wait_for(&mut pool, PATIENCE).timed_out() {
                return Err(StoreError::Unavailable(
                    "no connection became free".to_owned(),
                ));
            }
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let idle = std::mem::take(&mut self.pool.lock().idle);
        // Hanging up blocks, which a thread of the runtime may not.
        let _ = std::thread::spawn(move || drop(idle)).join();
    }
}

/// An advisory lock: held for as long as its session lives.
pub(crate) struct Lock {
    config: postgres::Config,
    number: i64,
    session: Option<Client>,
}

impl Lock {
    /// Whether it is held, if need be from now on again.
    pub(crate) fn is_held(&mut self) -> Result<bool, StoreError> {
        if let Some(session) = &mut self.session
            && session.is_valid(ANSWER).is_ok()
        {
            return Ok(true);
        }
        self.session = None;
        self.take()
    }

    fn take(&mut self) -> Result<bool, StoreError> {
        let mut session = self
            .config
            .connect(NoTls)
            .map_err(|error| StoreError::Unavailable(reason(&error)))?;
        session.batch_execute(LOCKING)?;
        match session.execute("SELECT pg_advisory_lock($1)", &[&self.number]) {
            Ok(_) => {
                self.session = Some(session);
                Ok(true)
            }
            // lock_not_available
            Err(error) if error.code().is_some_and(|state| state.code() == "55P03") => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lock({})", self.number)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let session = self.session.take();
        // As above.
        let _ = std::thread::spawn(move || drop(session)).join();
    }
}

/// A connection on loan, given back also when the work panics.
struct Lent<'a> {
    pool: &'a Postgres,
    client: Option<Client>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut pool = self.pool.pool.lock();
        match self.client.take() {
            Some(client) if !client.is_closed() && !std::thread::panicking() => {
                pool.idle.push(client)
            }
            _ => pool.open -= 1,
        }
        drop(pool);
        self.pool.returned.notify_one();
    }
}

struct Session<'a> {
    transaction: postgres::Transaction<'a>,
    /// Whether a statement met another writer: whatever the work made of that error, it is tried again.
    collided: bool,
}

impl Session<'_> {
    fn noticed(&mut self, error: postgres::Error) -> StoreError {
        self.collided |= collision(&error);
        error.into()
    }
}

impl Query for Session<'_> {
    fn rows(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| value as _).collect();
        let rows = self
            .transaction
            .query(sql, &params)
            .map_err(|error| self.noticed(error))?;
        rows.iter().map(row).collect()
    }
}

impl Transaction for Session<'_> {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| value as _).collect();
        self.transaction
            .execute(sql, &params)
            .map_err(|error| self.noticed(error))
    }
}

fn collision(error: &postgres::Error) -> bool {
    // serialization_failure, deadlock_detected
    error
        .code()
        .is_some_and(|state| matches!(state.code(), "40001" | "40P01"))
}

fn reason(error: &postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// Longer with each try, and different for each thread, so that two do not meet again.
fn backoff(attempt: u32) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    let most = 1_u64 << attempt.min(7);
    let jitter = RandomState::new().hash_one(std::thread::current().id()) % (most * 1_000);
    Duration::from_micros(500 + jitter)
}

fn row(row: &postgres::Row) -> Result<Row, StoreError> {
    row.columns()
        .iter()
        .enumerate()
        .map(|(at, column)| {
            Ok(match *column.type_() {
                Type::INT8 => row.try_get::<_, Option<i64>>(at)?.into(),
                Type::INT4 => row.try_get::<_, Option<i32>>(at)?.map(i64::from).into(),
                Type::TEXT | Type::VARCHAR => row.try_get::<_, Option<String>>(at)?.into(),
                Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.into(),
                ref other => {
                    return Err(StoreError::Engine(format!("a column is of type {other}")));
                }
            })
        })
        .collect::<Result<_, _>>()
        .map(Row)
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            // A parameter is of the type that the statement gives it: LIMIT and CASE may say INT4.
            Self::Int(number) if *kind == Type::INT4 => i32::try_from(*number)?.to_sql(kind, out),
            Self::Int(number) if *kind == Type::INT8 => number.to_sql(kind, out),
            Self::Text(text) if matches!(*kind, Type::TEXT | Type::VARCHAR) => {
                text.to_sql(kind, out)
            }
            Self::Bytes(bytes) if *kind == Type::BYTEA => bytes.to_sql(kind, out),
            _ => Err(format!("a parameter of type {kind} was given something else").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    postgres::types::to_sql_checked!();
}

fn migrate(client: &mut Client, rooms: &[Room]) -> Result<(), StoreError> {
    let mut transaction = client.transaction()?;
    // One at a time, whoever starts first.
    transaction.execute("SELECT pg_advisory_xact_lock(7306920148)", &[])?;
    transaction.batch_execute(migrate::TABLE)?;
    let there = transaction
        .query(migrate::ROOMS, &[])?
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<Vec<String>, postgres::Error>>()?;
    if let Some(room) = migrate::other_product(rooms, &there) {
        return Err(StoreError::OtherProduct {
            at: "that PostgreSQL database".to_owned(),
            owner: format!("another product ('{room}')"),
        });
    }
    for room in rooms {
        let applied = transaction
            .query(migrate::APPLIED, &[&room.name])?
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<Vec<(i64, String)>, postgres::Error>>()?;
        for migration in migrate::outstanding(room, &applied)? {
            transaction.batch_execute(migration.sql.postgres())?;
            let row: [&(dyn ToSql + Sync); 4] = [
                &room.name,
                &migration.id,
                &migration.name,
                &migration.fingerprint(),
            ];
            transaction.execute(migrate::RECORD, &row)?;
        }
    }
    Ok(transaction.commit()?)
}
