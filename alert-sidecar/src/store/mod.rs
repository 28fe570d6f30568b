//! What must survive a crash: runs, incidents, and the intents to send. One file of SQLite, one task that writes it.
//!
//! The SQL keeps to what PostgreSQL takes too. Nothing here decides; [`judgement`] calls those who do, inside one transaction.

pub mod incidents;
pub mod judgement;
pub mod keeper;
pub mod observations;
pub mod outbox;

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use sqlx::{
    ConnectOptions, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Two would send everything twice.
    #[error("another vigia-alert already works with the store `{0}`")]
    InUse(PathBuf),
    /// The lock beside it could not be had.
    #[error("failed to lock the store `{0}`: {1}")]
    Lock(PathBuf, #[source] std::io::Error),
    /// The file is not a store, or the disk refuses.
    #[error("failed to open the store `{0}`: {1}")]
    Database(PathBuf, #[source] sqlx::Error),
    /// It was written by a later version.
    #[error("failed to bring the store `{0}` up to date: {1}")]
    Migrate(PathBuf, #[source] sqlx::migrate::MigrateError),
}

/// An open store. The lock ends with the process, however it ends.
#[derive(Debug)]
pub struct Store {
    connection: SqliteConnection,
    _lock: File,
}

impl Store {
    /// Opens it, or makes it.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let lock = lock(path)?;
        let mut connection = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit is on the disk before anything is sent because of it.
            .synchronous(SqliteSynchronous::Full)
            .disable_statement_logging()
            .connect()
            .await
            .map_err(|error| OpenError::Database(path.to_owned(), error))?;
        sqlx::migrate!()
            .run(&mut connection)
            .await
            .map_err(|error| OpenError::Migrate(path.to_owned(), error))?;
        Ok(Self {
            connection,
            _lock: lock,
        })
    }
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let name = path.with_added_extension("lock");
    let file = File::create(&name).map_err(|error| OpenError::Lock(path.to_owned(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(OpenError::Lock(path.to_owned(), error)),
    }
}

/// A time as it is stored. The range of the column ends in 2262.
fn stored(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}

/// A stored time. Every stored number is inside the range of a timestamp.
fn time(stored: i64) -> Timestamp {
    Timestamp::from_nanosecond(stored.into()).unwrap_or(Timestamp::MAX)
}

/// A stored name of a closed set that is none of it: somebody else wrote the store.
fn corrupt(column: &str, value: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: format!("`{value}` is none that exists").into(),
    }
}
