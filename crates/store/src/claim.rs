//! A claim on a store: of all processes that open it, one has it. It ends with its process, however
//! that ends: the system lets go of a file's lock, the server of a session's.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::postgres::Lock;
use crate::{Engine, Store, StoreError, off};

/// A claim. Let go when it is dropped.
#[derive(Debug)]
pub struct Claim(Held);

#[derive(Debug)]
enum Held {
    /// A lock on a file beside the database.
    File(#[expect(dead_code, reason = "held for its lock")] File),
    /// An advisory lock of a session of its own.
    Session(Arc<Mutex<Lock>>),
}

impl Store {
    /// Claims something of the store, by name (letters, digits and `-`). `None`: somebody has it.
    pub async fn claim(&self, name: &str) -> Result<Option<Claim>, StoreError> {
        let (engine, name) = (Arc::clone(&self.engine), name.to_owned());
        let held = off(move || match &*engine {
            Engine::Sqlite(sqlite) => {
                let held = lock_beside(sqlite.path(), &name)?;
                Ok::<_, StoreError>(held.map(Held::File))
            }
            Engine::Postgres(postgres) => {
                let held = postgres.lock(number(&name))?;
                Ok(held.map(|lock| Held::Session(Arc::new(Mutex::new(lock)))))
            }
        });
        Ok(held.await?.map(Claim))
    }
}

impl Claim {
    /// Whether it is held still. One whose session broke is taken again, unless somebody else was
    /// quicker; an error says that the database cannot be asked.
    pub async fn is_held(&self) -> Result<bool, StoreError> {
        match &self.0 {
            Held::File(_) => Ok(true),
            Held::Session(lock) => {
                let lock = Arc::clone(lock);
                off(move || lock.lock().is_held()).await
            }
        }
    }
}

fn lock_beside(database: &Path, name: &str) -> Result<Option<File>, StoreError> {
    let mut path = database.as_os_str().to_owned();
    path.push(format!(".{name}.lock"));
    let path = Path::new(&path);
    let failed = |error: std::io::Error| StoreError::CannotOpen {
        path: path.to_owned(),
        why: error.to_string(),
    };
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// PostgreSQL names its locks by numbers.
fn number(name: &str) -> i64 {
    let text = format!("vestibule claim {name}");
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let first = hash.as_ref().first_chunk().copied().unwrap_or_default();
    i64::from_be_bytes(first)
}
