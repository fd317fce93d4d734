//! SQLite: one writer thread that commits in groups, and a few readers.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement, ToSql};
use tokio::sync::oneshot;

use crate::{
    Location, Pending, Query, Reading, Room, Row, StoreError, Transaction, Value, Writing, migrate,
};

/// Most jobs in one commit.
const MAX_GROUP: usize = 64;
/// Most jobs that wait; a caller past that waits itself.
const MAX_QUEUE: usize = 4_096;
/// Reading connections kept open.
const MAX_IDLE_READERS: usize = 8;
/// Prepared statements kept per connection.
const MAX_STATEMENTS: usize = 256;
/// What the writer may keep of the file in memory, as SQLite counts it: this many KiB.
const WRITER_CACHE: i64 = -16_384;
/// Pages of the write-ahead log (16 MB of 4 KiB) before they go into the file.
const CHECKPOINT_PAGES: i64 = 4_096;

/// Runs in the writer's transaction; `true` keeps what it did. What it returns is called with the
/// outcome of the commit.
type Job = Box<dyn FnOnce(&mut dyn Transaction) -> (bool, Finish) + Send>;
type Finish = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

pub(crate) struct Sqlite {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    jobs: Option<mpsc::SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
    /// Removed with the store.
    temporary: Option<PathBuf>,
}

impl Sqlite {
    pub(crate) fn open(at: &Location, rooms: &[Room]) -> Result<Self, StoreError> {
        let (path, temporary) = match at {
            Location::SqliteFile(path) => (path.clone(), None),
            _ => {
                let folder = temporary_folder()?;
                (folder.join("store.db"), Some(folder))
            }
        };
        let durability = if temporary.is_some() { "OFF" } else { "FULL" };
        let mut connection = connect(&path, durability, rooms)?;
        migrate::sqlite(&mut connection, &path, rooms).map_err(|error| named(error, &path))?;
        let (jobs, queue) = mpsc::sync_channel(MAX_QUEUE);
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_until_closed(connection, &queue))
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        Ok(Self {
            path,
            readers: Mutex::default(),
            jobs: Some(jobs),
            writer: Some(writer),
            temporary,
        })
    }

    /// Where the database is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Reading<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.begin_reading()?;
        let mut session = Session {
            connection: &connection,
        };
        let outcome = work(&mut Reading(&mut session));
        self.end_reading(connection);
        outcome
    }

    fn begin_reading(&self) -> Result<Connection, StoreError> {
        let idle = self.readers.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect_reader()?,
        };
        run(&connection, "BEGIN DEFERRED")?;
        Ok(connection)
    }

    fn end_reading(&self, connection: Connection) {
        if run(&connection, "COMMIT").is_ok() {
            let mut readers = self.readers.lock();
            if readers.len() < MAX_IDLE_READERS {
                readers.push(connection);
            }
        }
    }

    pub(crate) fn connect_reader(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        prepare(&connection)?;
        Ok(connection)
    }

    /// Moves the journal into the database, and empties it: what was deleted stands in neither.
    pub(crate) fn empty_journal(&self) -> Result<(), StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        prepare(&connection)?;
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        if busy == 0 {
            Ok(())
        } else {
            Err(StoreError::Engine("the journal is in use".to_owned()))
        }
    }

    /// Copies the database, whole or not at all; without what was deleted in it.
    pub(crate) fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let failed = |why: String| StoreError::CannotOpen {
            path: file.to_owned(),
            why,
        };
        if file.exists() {
            return Err(failed("it is there already".to_owned()));
        }
        let mut half = file.as_os_str().to_owned();
        half.push(".half");
        let half = PathBuf::from(half);
        let _ = std::fs::remove_file(&half);
        // Made first: SQLite would let others read it.
        private_file(&half)?;
        let name = half
            .to_str()
            .ok_or_else(|| failed("the name is not UTF-8".to_owned()))?;
        let copied = self
            .connect_reader()?
            .execute("VACUUM INTO ?1", [name])
            .map_err(StoreError::from);
        let kept = copied.and_then(|_| {
            std::fs::File::open(&half)
                .and_then(|whole| whole.sync_all())
                .and_then(|()| std::fs::rename(&half, file))
                .map_err(|error| failed(error.to_string()))
        });
        kept.inspect_err(|_| {
            let _ = std::fs::remove_file(&half);
        })
    }

    pub(crate) fn write<T, E>(
        &self,
        work: impl Fn(&mut Writing<'_>) -> Result<T, E> + Send + 'static,
        then: impl FnOnce(&T) + Send + 'static,
    ) -> Pending<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel::<Result<T, E>>();
        self.queue(Box::new(move |transaction| {
            let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut Writing(transaction))))
                .unwrap_or_else(|_| Err(StoreError::Panicked.into()));
            let keep = outcome.is_ok();
            let finish: Finish = Box::new(move |committed| {
                let outcome = match committed {
                    Ok(()) => outcome,
                    Err(error) => outcome.and(Err(error.into())),
                };
                if let Ok(value) = &outcome {
                    then(value);
                }
                // Who asked may have gone away: the work is done all the same.
                let _ = answer.send(outcome);
            });
            (keep, finish)
        }));
        Pending {
            answered,
            otherwise: StoreError::Closed,
        }
    }

    /// Hands a job to the writer. One that it does not take is dropped, and whoever waits learns that.
    fn queue(&self, job: Job) {
        let Some(jobs) = &self.jobs else { return };
        if let Err(mpsc::TrySendError::Full(job)) = jobs.try_send(job) {
            let jobs = jobs.clone();
            crate::run_off(Box::new(move || drop(jobs.send(job))));
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // The writer closes last: whoever only reads cannot play the journal into the database.
        self.readers.lock().clear();
        self.jobs = None;
        // The writer may be the one who lets go of the store last: what it is at, it ends by itself.
        let other = |writer: &JoinHandle<()>| writer.thread().id() != std::thread::current().id();
        if let Some(writer) = self.writer.take().filter(other) {
            let _ = writer.join();
        }
        if let Some(folder) = &self.temporary {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

fn write_until_closed(connection: Connection, queue: &mpsc::Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let group = std::iter::once(first)
            .chain(queue.try_iter())
            .take(MAX_GROUP);
        let (finishes, outcome) = commit_group(&connection, group);
        for finish in finishes {
            finish(outcome.clone());
        }
    }
}

/// Runs the jobs, each in a savepoint of its own, and commits them together.
fn commit_group(
    connection: &Connection,
    jobs: impl Iterator<Item = Job>,
) -> (Vec<Finish>, Result<(), StoreError>) {
    let mut finishes = Vec::new();
    let mut outcome = run(connection, "BEGIN IMMEDIATE");
    for job in jobs {
        let mut session = Session { connection };
        let begun = outcome.is_ok().then(|| run(connection, "SAVEPOINT job"));
        if let Some(Err(error)) = begun {
            outcome = Err(error);
        }
        let (keep, finish) = if outcome.is_ok() {
            job(&mut session)
        } else {
            job(&mut Refused)
        };
        finishes.push(finish);
        if outcome.is_ok() {
            let kept = if keep {
                Ok(())
            } else {
                run(connection, "ROLLBACK TO job")
            };
            outcome = kept.and_then(|()| run(connection, "RELEASE job"));
        }
    }
    let outcome = outcome.and_then(|()| run(connection, "COMMIT"));
    if outcome.is_err() {
        // Nothing of it may stay open; if there is nothing to roll back, so much the better.
        let _ = run(connection, "ROLLBACK");
    }
    (finishes, outcome)
}

fn run(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Stands in for a transaction that could not be begun.
struct Refused;

impl Query for Refused {
    fn rows(&mut self, _: &str, _: &[Value]) -> Result<Vec<Row>, StoreError> {
        Err(StoreError::Unavailable(
            "the transaction could not be begun".to_owned(),
        ))
    }
}

impl Transaction for Refused {
    fn execute(&mut self, _: &str, _: &[Value]) -> Result<u64, StoreError> {
        Err(StoreError::Unavailable(
            "the transaction could not be begun".to_owned(),
        ))
    }
}

struct Session<'a> {
    connection: &'a Connection,
}

impl Query for Session<'_> {
    fn rows(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.connection.prepare_cached(&numbered(sql))?;
        all(&mut statement, params)
    }
}

impl Transaction for Session<'_> {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(&numbered(sql))?;
        let changed = statement.execute(rusqlite::params_from_iter(params))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }
}

/// Every row of a statement's answer.
pub(crate) fn all(statement: &mut Statement<'_>, params: &[Value]) -> Result<Vec<Row>, StoreError> {
    let columns = statement.column_count();
    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
    let mut answer = Vec::new();
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(columns);
        for column in 0..columns {
            values.push(value(row.get_ref(column)?)?);
        }
        answer.push(Row(values));
    }
    Ok(answer)
}

/// `$7` as SQLite's numbered `?7`: its own `$7` is a *name*, numbered by where it first stands.
pub(crate) fn numbered(sql: &str) -> Cow<'_, str> {
    if sql.contains('$') {
        Cow::Owned(sql.replace('$', "?"))
    } else {
        Cow::Borrowed(sql)
    }
}

fn value(value: ValueRef<'_>) -> Result<Value, StoreError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(text) => Value::Text(
            String::from_utf8(text.to_vec())
                .map_err(|_| StoreError::Engine("a text is not UTF-8".to_owned()))?,
        ),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(StoreError::Engine("a column holds a float".to_owned())),
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// What every connection is told before it is used.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(MAX_STATEMENTS);
    // A plan that looks at a bound value (a LIMIT's too) would be made anew for each other value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn connect(path: &Path, durability: &str, rooms: &[Room]) -> Result<Connection, StoreError> {
    private_file(path)?;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(path)?;
        prepare(&connection)?;
        // The first read tells whether the file is a database at all.
        connection.query_row("SELECT COUNT(*) FROM sqlite_master", [], |_| Ok(()))?;
        Ok(connection)
    };
    let connection = open().map_err(|error| told(&error, path))?;
    migrate::claim_sqlite(&connection, path, rooms)?;
    let settle = || -> rusqlite::Result<()> {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", durability)?;
        connection.pragma_update(None, "cache_size", WRITER_CACHE)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        // What is deleted is overwritten, not only let go.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "foreign_keys", true)
    };
    settle().map_err(|error| told(&error, path))?;
    Ok(connection)
}

/// Why a file cannot be opened.
fn told(error: &rusqlite::Error, path: &Path) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            StoreError::Damaged {
                path: path.to_owned(),
            }
        }
        _ => StoreError::CannotOpen {
            path: path.to_owned(),
            why: error.to_string(),
        },
    }
}

/// Makes the file, for its owner alone, if there is none. One that is there is not touched: whoever opens
/// and closes a database's file beside SQLite gives up the locks that this process has on it (POSIX), and
/// another process would take its journal away.
fn private_file(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(StoreError::CannotOpen {
                path: path.to_owned(),
                why: error.to_string(),
            })
        }
        _ => Ok(()),
    }
}

fn named(error: StoreError, path: &Path) -> StoreError {
    match error {
        StoreError::Engine(text)
            if text.contains("malformed") || text.contains("not a database") =>
        {
            StoreError::Damaged {
                path: path.to_owned(),
            }
        }
        other => other,
    }
}

fn temporary_folder() -> Result<PathBuf, StoreError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    loop {
        let name = format!(
            "vestibule-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = std::env::temp_dir().join(name);
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(StoreError::CannotOpen {
                    path: folder,
                    why: error.to_string(),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_statement_is_planned_once_whatever_is_bound() {
        let store = Sqlite::open(&Location::SqliteMemory, &[]).expect("a store");
        let connection = store.connect_reader().expect("a reader");
        let listed = "SELECT name FROM sqlite_master WHERE rootpage > ?1 ORDER BY name LIMIT ?2";
        let mut statement = connection.prepare(listed).expect("a statement");
        for (least, most) in [(0, 5), (1, 7), (2, 7)] {
            all(&mut statement, &[Value::Int(least), Value::Int(most)]).expect("rows");
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
