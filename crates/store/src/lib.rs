//! One database of one product. Opens SQLite or PostgreSQL, runs the migrations that each room
//! hands in, and gives [`Store::read`] and [`Store::write`]; nothing else knows which engine it is.
//!
//! What may enter: connections, transactions, retries, migrations. What may not: any table of a
//! room, any type of the protocol. Rooms keep their SQL in files called `rows.rs`.
//!
//! One text serves both engines: parameters are `$1..$n`, columns BIGINT, TEXT or BYTEA; no
//! LIKE, JSON, arrays, booleans or sequences. Work is a *synchronous* closure: SQLite is that by
//! nature, and a transaction without `await` in it cannot be held open by a slow peer.

mod claim;
mod error;
mod location;
mod migrate;
pub mod once;
mod postgres;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;
mod value;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;

pub use claim::Claim;
pub use error::StoreError;
pub use location::Location;
pub use migrate::{Migration, Room, Sql};
pub use value::{Row, Value};

/// A database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    engine: Arc<Engine>,
}

enum Engine {
    Sqlite(sqlite::Sqlite),
    Postgres(Box<postgres::Postgres>),
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &*self.engine {
            Engine::Sqlite(_) => f.write_str("Store(SQLite)"),
            Engine::Postgres(_) => f.write_str("Store(PostgreSQL)"),
        }
    }
}

/// What can be asked inside a transaction of either kind.
pub trait Query {
    /// Every row of the answer.
    fn rows(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// The first row of the answer.
    fn row(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, params)?.into_iter().next())
    }
}

/// One transaction on one engine; the two kinds of work wrap it.
trait Transaction: Query {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError>;
}

/// A transaction that only reads: one snapshot.
pub struct Reading<'a>(&'a mut dyn Transaction);

/// A transaction that may write.
pub struct Writing<'a>(&'a mut dyn Transaction);

impl Query for Reading<'_> {
    fn rows(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.0.rows(sql, params)
    }
}

impl Query for Writing<'_> {
    fn rows(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.0.rows(sql, params)
    }
}

impl Writing<'_> {
    /// Runs a statement; how many rows it changed.
    pub fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        self.0.execute(sql, params)
    }
}

impl std::fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reading")
    }
}

impl std::fmt::Debug for Writing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writing")
    }
}

impl Store {
    /// Opens the database, makes it if there is none, and brings each room's tables up to date.
    pub async fn open(at: &Location, rooms: &[Room]) -> Result<Self, StoreError> {
        let (at, rooms) = (at.clone(), rooms.to_vec());
        let engine = off(move || match &at {
            Location::SqliteFile(_) | Location::SqliteMemory => {
                sqlite::Sqlite::open(&at, &rooms).map(Engine::Sqlite)
            }
            Location::Postgres(url) => postgres::Postgres::open(url, &rooms)
                .map(|opened| Engine::Postgres(Box::new(opened))),
        })
        .await?;
        Ok(Self {
            engine: Arc::new(engine),
        })
    }

    /// Reads in one snapshot. Begun at once, not when it is first awaited.
    pub fn read<T, E>(
        &self,
        work: impl FnOnce(&mut Reading<'_>) -> Result<T, E> + Send + 'static,
    ) -> Pending<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let engine = Arc::clone(&self.engine);
        off(move || match &*engine {
            Engine::Sqlite(sqlite) => sqlite.read(work),
            Engine::Postgres(postgres) => postgres.read(work),
        })
    }

    /// Writes in one transaction, and returns once it is durable. An `Err` rolls it back. Begun at
    /// once, and done to its end whether it is awaited or not.
    ///
    /// The work may run more than once (PostgreSQL asks for that when two writers collide): it
    /// changes nothing but the database.
    pub fn write<T, E>(
        &self,
        work: impl Fn(&mut Writing<'_>) -> Result<T, E> + Send + 'static,
    ) -> Pending<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write_then(work, |_| ())
    }

    /// The same; once it is committed, `then` is called: also where whoever asked has gone away
    /// meanwhile. A commit cannot be called back, so what must follow from it goes there.
    pub fn write_then<T, E>(
        &self,
        work: impl Fn(&mut Writing<'_>) -> Result<T, E> + Send + 'static,
        then: impl FnOnce(&T) + Send + 'static,
    ) -> Pending<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(work, then),
            Engine::Postgres(_) => {
                let engine = Arc::clone(&self.engine);
                off(move || match &*engine {
                    Engine::Postgres(postgres) => postgres.write(work).inspect(then),
                    Engine::Sqlite(_) => Err(StoreError::Closed.into()),
                })
            }
        }
    }
}

impl Store {
    /// What was deleted is not in the files any more: not in SQLite's journal either. PostgreSQL overwrites
    /// it in its own time (`VACUUM`).
    pub async fn empty_journal(&self) -> Result<(), StoreError> {
        let engine = Arc::clone(&self.engine);
        off(move || match &*engine {
            Engine::Sqlite(sqlite) => sqlite.empty_journal(),
            Engine::Postgres(_) => Ok(()),
        })
        .await
    }

    /// Copies the database, as it is at one moment, into a file that is not there yet; whoever
    /// writes meanwhile goes on. SQLite alone: PostgreSQL has means of its own.
    pub async fn copy_to(&self, file: &std::path::Path) -> Result<(), StoreError> {
        let (engine, file) = (Arc::clone(&self.engine), file.to_owned());
        off(move || match &*engine {
            Engine::Sqlite(sqlite) => sqlite.copy_to(&file),
            Engine::Postgres(_) => Err(StoreError::NotAFile),
        })
        .await
    }
}

/// Work on a database that is under way elsewhere.
///
/// A type of its own, and not an `async fn`: what is awaited, and compiled wherever it is, knows
/// nothing of the work.
#[derive(Debug)]
pub struct Pending<T, E> {
    answered: oneshot::Receiver<Result<T, E>>,
    /// What to tell if no answer comes.
    otherwise: StoreError,
}

impl<T, E: From<StoreError>> Future for Pending<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answered = ready!(Pin::new(&mut self.answered).poll(context));
        Poll::Ready(answered.unwrap_or_else(|_| Err(self.otherwise.clone().into())))
    }
}

/// Runs work off the runtime's own threads. A panic in it is an error here.
fn off<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Pending<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    run_off(Box::new(move || {
        // Who asked may have gone away.
        let _ = answer.send(work());
    }));
    Pending {
        answered,
        otherwise: StoreError::Panicked,
    }
}

/// Without the types of the work: compiled once, not once for each statement of the product.
fn run_off(work: Box<dyn FnOnce() + Send>) {
    drop(tokio::task::spawn_blocking(work));
}
