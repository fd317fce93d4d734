//! Migrations: each room hands in its own, in order; what ran is kept with a fingerprint.
//!
//! A migration that is newer than this build knows is left alone: the previous release runs on
//! the new schema. SQLite files are copied aside before anything changes.

use std::path::Path;

use rusqlite::Connection;

use crate::StoreError;

/// A room's tables.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// The room's name.
    pub name: &'static str,
    /// How its tables came to be, oldest first.
    pub migrations: &'static [Migration],
}

/// One change of a room's tables. Never edited once released.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its place, from 1.
    pub id: i64,
    /// What it does, in a word or two.
    pub name: &'static str,
    /// Its statements.
    pub sql: Sql,
}

/// Statements.
#[derive(Clone, Copy, Debug)]
pub enum Sql {
    /// One text for both engines. BYTEA is understood by both (SQLite gives it no affinity).
    Same(&'static str),
    /// Side by side where they must differ.
    PerEngine {
        /// For SQLite.
        sqlite: &'static str,
        /// For PostgreSQL.
        postgres: &'static str,
    },
}

impl Sql {
    pub(crate) fn sqlite(self) -> &'static str {
        match self {
            Self::Same(sql) | Self::PerEngine { sqlite: sql, .. } => sql,
        }
    }

    pub(crate) fn postgres(self) -> &'static str {
        match self {
            Self::Same(sql) | Self::PerEngine { postgres: sql, .. } => sql,
        }
    }
}

impl Migration {
    /// Tells an edited migration from the one that ran.
    pub(crate) fn fingerprint(&self) -> String {
        let text = format!(
            "{}\n{}\n{}",
            self.name,
            self.sql.sqlite(),
            self.sql.postgres()
        );
        hex::encode(aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            text.as_bytes(),
        ))
    }
}

pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    room TEXT NOT NULL, id BIGINT NOT NULL, name TEXT NOT NULL, fingerprint TEXT NOT NULL, PRIMARY KEY (room, id))";
pub(crate) const APPLIED: &str = "SELECT id, fingerprint FROM schema_migrations WHERE room = $1";
pub(crate) const RECORD: &str =
    "INSERT INTO schema_migrations (room, id, name, fingerprint) VALUES ($1, $2, $3, $4)";

/// The migrations of a room that have not run, given those that have.
pub(crate) fn outstanding(
    room: &Room,
    applied: &[(i64, String)],
) -> Result<Vec<Migration>, StoreError> {
    let mut outstanding = Vec::new();
    for migration in room.migrations {
        match applied.iter().find(|(id, _)| *id == migration.id) {
            None => outstanding.push(*migration),
            Some((_, fingerprint)) if *fingerprint == migration.fingerprint() => {}
            Some(_) => {
                return Err(StoreError::ForeignSchema {
                    room: room.name.to_owned(),
                    id: migration.id,
                });
            }
        }
    }
    Ok(outstanding)
}

pub(crate) const ROOMS: &str = "SELECT DISTINCT room FROM schema_migrations";

/// Whose a database is, if it is not the opener's: the last of the opener's rooms is the product's
/// own, and there are only others. (What is half made, or a room that a newer release has added,
/// is nobody else's.)
pub(crate) fn other_product<'a>(rooms: &[Room], there: &'a [String]) -> Option<&'a str> {
    let own = rooms.last()?.name;
    if there.iter().any(|room| room == own) {
        return None;
    }
    let strange = |room: &&String| rooms.iter().all(|known| known.name != room.as_str());
    there.iter().find(strange).map(String::as_str)
}

/// Refuses a file of another product or program, before anything in it is changed.
pub(crate) fn claim_sqlite(
    connection: &Connection,
    path: &Path,
    rooms: &[Room],
) -> Result<(), StoreError> {
    let strings = |sql: &str| -> Result<Vec<String>, StoreError> {
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    let tables = strings("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    let owner = if tables.iter().any(|table| table == "schema_migrations") {
        let there = strings(ROOMS)?;
        other_product(rooms, &there).map(|room| format!("another product ('{room}')"))
    } else if tables.is_empty() {
        None
    } else {
        Some("another program".to_owned())
    };
    match owner {
        None => Ok(()),
        Some(owner) => Err(StoreError::OtherProduct {
            at: path.display().to_string(),
            owner,
        }),
    }
}

pub(crate) fn sqlite(
    connection: &mut Connection,
    path: &Path,
    rooms: &[Room],
) -> Result<(), StoreError> {
    connection.execute_batch(TABLE)?;
    for room in rooms {
        let applied = applied_in_sqlite(connection, room)?;
        let outstanding = outstanding(room, &applied)?;
        let Some(first) = outstanding.first() else {
            continue;
        };
        if !applied.is_empty() {
            copy_aside(connection, path, room, first)?;
        }
        let transaction =
            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for migration in &outstanding {
            transaction.execute_batch(migration.sql.sqlite())?;
            let row = (
                room.name,
                migration.id,
                migration.name,
                migration.fingerprint(),
            );
            transaction.execute(&RECORD.replace('$', "?"), row)?;
        }
        transaction.commit()?;
    }
    Ok(())
}

fn applied_in_sqlite(
    connection: &Connection,
    room: &Room,
) -> Result<Vec<(i64, String)>, StoreError> {
    let mut statement = connection.prepare(&APPLIED.replace('$', "?"))?;
    let rows = statement.query_map([room.name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn copy_aside(
    connection: &Connection,
    path: &Path,
    room: &Room,
    first: &Migration,
) -> Result<(), StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".before-{}-{}", room.name, first.id));
    let copy = Path::new(&name);
    if copy.exists() {
        return Ok(());
    }
    let text = copy.to_str().ok_or_else(|| StoreError::CannotOpen {
        path: copy.to_owned(),
        why: "the name is not UTF-8".to_owned(),
    })?;
    connection.execute("VACUUM INTO ?1", [text])?;
    Ok(())
}
