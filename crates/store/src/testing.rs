//! Stores for tests, of both engines: every storage test of every room runs on both.
//!
//! PostgreSQL is a real one, named by `VESTIBULE_TEST_POSTGRES` (`cargo xtask test` starts it);
//! each store gets a database of its own there, dropped with the [`TestStore`].

use std::sync::atomic::{AtomicU64, Ordering};

use postgres::{Client, NoTls};
use rusqlite::{Connection, StatementStatus};

use crate::{Location, Query, Room, Row, Store, StoreError, Value, sqlite};

/// The variable that names a PostgreSQL where databases may be made and dropped.
pub const VARIABLE: &str = "VESTIBULE_TEST_POSTGRES";

/// Which engine a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, gone with the store.
    Sqlite,
    /// PostgreSQL, in a database of its own.
    Postgres,
}

/// A store, and the database that goes with it.
#[derive(Debug)]
pub struct TestStore {
    store: Option<Store>,
    location: Location,
    database: Option<(String, String)>,
}

impl TestStore {
    /// A fresh store with these rooms.
    ///
    /// # Panics
    /// If there is no PostgreSQL to test on: a storage test that ran on one engine proves nothing.
    #[expect(clippy::expect_used, reason = "a test's own set-up")]
    pub async fn new(engine: Engine, rooms: &[Room]) -> Self {
        let (location, database) = match engine {
            Engine::Sqlite => (Location::SqliteMemory, None),
            Engine::Postgres => {
                let (url, database) = crate::off(|| Ok::<_, StoreError>(make_database(None)))
                    .await
                    .expect("PostgreSQL makes a database");
                (Location::Postgres(url), Some(database))
            }
        };
        let store = Store::open(&location, rooms)
            .await
            .expect("a fresh store opens");
        Self {
            store: Some(store),
            location,
            database,
        }
    }

    /// A copy of a PostgreSQL's store as it is now, made by its own means; whoever is connected to this
    /// one is cut off.
    #[expect(clippy::expect_used, reason = "a test's own set-up")]
    pub async fn copy(&self) -> Self {
        let (_, from) = self.database.clone().expect("it is one of PostgreSQL");
        let (url, database) = crate::off(move || Ok::<_, StoreError>(make_database(Some(&from))))
            .await
            .expect("PostgreSQL copies a database");
        let location = Location::Postgres(url);
        let store = Store::open(&location, &[]).await;
        Self {
            store: Some(store.expect("a copy opens")),
            location,
            database: Some(database),
        }
    }

    /// A reader that counts what its statements cost.
    ///
    /// # Panics
    /// On PostgreSQL, which does not tell.
    #[expect(clippy::panic, reason = "a test's own set-up")]
    pub fn counted(&self) -> Counted {
        let crate::Engine::Sqlite(sqlite) = &*self.engine else {
            panic!("SQLite alone counts");
        };
        match sqlite.connect_reader() {
            Ok(connection) => Counted {
                connection,
                cost: Cost::default(),
            },
            Err(error) => panic!("a reader: {error}"),
        }
    }

    /// Where it is, to open it again. (Of no use for SQLite, which is gone with the store.)
    pub fn location(&self) -> &Location {
        &self.location
    }
}

impl std::ops::Deref for TestStore {
    type Target = Store;

    #[expect(clippy::expect_used, reason = "there until it is dropped")]
    fn deref(&self) -> &Store {
        self.store
            .as_ref()
            .expect("the store is there until it is dropped")
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        self.store = None;
        if let Some((server, name)) = self.database.take() {
            // Off the runtime: the client has one of its own.
            let dropped = std::thread::spawn(move || {
                Client::connect(&server, NoTls)?
                    .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            });
            let _ = dropped.join();
        }
    }
}

#[expect(clippy::expect_used, clippy::panic, reason = "a test's own set-up")]
fn make_database(copy_of: Option<&str>) -> (String, (String, String)) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Ok(server) = std::env::var(VARIABLE) else {
        panic!(
            "{VARIABLE} is not set: run `cargo xtask test`, or `cargo xtask postgres` and set what it prints"
        )
    };
    let name = format!(
        "test_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let mut client = Client::connect(&server, NoTls).expect("PostgreSQL takes connections");
    let copied = copy_of.map_or_else(String::new, |from| format!(" TEMPLATE {from}"));
    if let Some(from) = copy_of {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
        client.execute(cut, &[&from]).expect("PostgreSQL cuts off");
    }
    client
        .batch_execute(&format!("CREATE DATABASE {name}{copied}"))
        .expect("PostgreSQL makes a database");
    let (base, query) = server.split_once('?').unwrap_or((&server, ""));
    let host = base
        .trim_end_matches('/')
        .rsplit_once('/')
        .filter(|(host, _)| !host.ends_with('/'))
        .map_or(base, |(host, _)| host);
    let url = format!(
        "{}/{name}{}{query}",
        host.trim_end_matches('/'),
        if query.is_empty() { "" } else { "?" }
    );
    (url, (server, name))
}

/// What statements came to: the same on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Statements that were run.
    pub statements: u32,
    /// Steps of SQLite's virtual machine.
    pub steps: i32,
    /// Steps through a table that no index led to.
    pub scanned: i32,
    /// Rows that were put in order, since no index had them so.
    pub sorts: i32,
}

/// Reads of a SQLite store, counted.
#[derive(Debug)]
pub struct Counted {
    connection: Connection,
    cost: Cost,
}

impl Counted {
    /// What was read since this was last asked came to.
    pub fn cost(&mut self) -> Cost {
        std::mem::take(&mut self.cost)
    }

    /// How SQLite would go about it: a line each step.
    pub fn plan(&mut self, sql: &str, params: &[Value]) -> Result<Vec<String>, StoreError> {
        let plan = self.rows(&format!("EXPLAIN QUERY PLAN {sql}"), params)?;
        self.cost();
        plan.iter()
            .map(|row| row.text(3).map(str::to_owned))
            .collect()
    }
}

impl Query for Counted {
    fn rows(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.connection.prepare(&sqlite::numbered(sql))?;
        let rows = sqlite::all(&mut statement, params)?;
        let status = |what| statement.get_status(what);
        self.cost.statements += 1;
        self.cost.steps += status(StatementStatus::VmStep);
        self.cost.scanned += status(StatementStatus::FullscanStep);
        self.cost.sorts += status(StatementStatus::Sort);
        Ok(rows)
    }
}

/// Makes two tests of one: `on_both! { rooms: &[ROOM], async fn name(store: TestStore) { ... } }`.
#[macro_export]
macro_rules! on_both {
    ($(rooms: $rooms:expr, $(#[$meta:meta])* async fn $name:ident($store:ident: TestStore) $body:block)*) => {
        $(
            $(#[$meta])*
            mod $name {
                use super::*;

                async fn story($store: $crate::testing::TestStore) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_sqlite() {
                    story($crate::testing::TestStore::new($crate::testing::Engine::Sqlite, $rooms).await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_postgres() {
                    story($crate::testing::TestStore::new($crate::testing::Engine::Postgres, $rooms).await).await;
                }
            }
        )*
    };
}
