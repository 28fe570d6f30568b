//! What must survive a crash: runs, incidents, and the intents to send. A file of SQLite or a database of PostgreSQL, and
//! one task that writes it.
//!
//! The SQL is the same for both. Nothing here decides; [`judgement`] calls those who do, inside one transaction.

pub mod access;
pub mod conversations;
pub mod decisions;
mod gathering;
pub mod incidents;
pub mod judgement;
pub mod keeper;
pub mod lease;
pub mod ledger;
mod memory;
pub mod observations;
pub mod outbox;
pub mod overview;
pub mod pictures;
pub mod place;
mod postgresql;
pub mod rehearsal;
pub mod reports;
mod rescue;
mod sqlite;
mod standing;
mod steering;
mod telling;
pub mod threads;

use std::{fs::File, io, path::PathBuf, time::Duration};

use jiff::Timestamp;
use sqlx::{Any, AnyConnection, Connection, Transaction};
use tokio::time::Instant;

use lease::{Lease, Tenure};
use place::{Database, Place};

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Two would send everything twice.
    #[error("another vigia-alert already works with the store `{0}`")]
    InUse(PathBuf),
    /// The lock beside it could not be had.
    #[error("failed to lock the store `{0}`: {1}")]
    Lock(PathBuf, #[source] io::Error),
    /// Something else stands under its name.
    #[error(
        "`{0}` is not a store of vigia-alert, and is left as it is\nhint: name another file as `path` under [store]"
    )]
    NotAStore(PathBuf),
    /// It is damaged, and could not be renamed or copied.
    #[error("failed to set the damaged store `{0}` aside: {1}")]
    SetAside(PathBuf, #[source] io::Error),
    /// The disk or the database refuses.
    #[error("failed to open the store `{0}`: {1}")]
    Database(String, #[source] sqlx::Error),
    /// It was written by a later version.
    #[error("failed to bring the store `{0}` up to date: {1}")]
    Migrate(String, #[source] sqlx::migrate::MigrateError),
}

/// Why the store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk, the file, the database, or the way to it.
    #[error("the store failed: {0}")]
    Database(#[from] sqlx::Error),
    /// Another process works with it now; nothing of what was asked for was written.
    #[error("another vigia-alert took over")]
    Replaced,
    /// The program is stopping.
    #[error("the store is closed")]
    Closed,
}

/// An open store, which nobody else works with at the same time.
#[derive(Debug)]
pub struct Store {
    place: Place,
    /// Nothing while the way to it is broken.
    connection: Option<AnyConnection>,
    hold: Hold,
}

/// What keeps others away.
#[derive(Debug)]
enum Hold {
    /// The lock ends with the process, however it ends.
    Lock {
        _file: File,
    },
    Lease(Lease),
    /// Nothing: who only asks, and writes what does not depend on who works with the store.
    Nobody,
}

impl Store {
    /// Opens it, or makes it. Where another process works with a database of PostgreSQL, it waits until that one ends or
    /// dies. A file that is damaged is set aside, and what can be read of it is kept.
    pub async fn open(place: &Place) -> Result<Self, OpenError> {
        // Only the first call in a process does something.
        sqlx::any::install_default_drivers();
        let (connection, hold) = match place {
            Place::Sqlite(path) => {
                let (connection, file) = sqlite::open(path).await?;
                (connection, Hold::Lock { _file: file })
            }
            Place::PostgreSql(database) => open_shared(database).await?,
        };
        Ok(Self {
            place: place.clone(),
            connection: Some(connection),
            hold,
        })
    }

    /// Opens a database of PostgreSQL beside the program that works with it, to see and to steer: nothing that depends on who
    /// works with it may be done.
    pub async fn visit(place: &Place) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let failed = |error| OpenError::Database(place.to_string(), error);
        let connection = connect(place).await.map_err(failed)?;
        Ok(Self {
            place: place.clone(),
            connection: Some(connection),
            hold: Hold::Nobody,
        })
    }

    /// Whether this process may act in the store's name.
    #[must_use]
    pub fn tenure(&self) -> Tenure {
        match &self.hold {
            Hold::Lock { .. } | Hold::Nobody => Tenure::UNSHARED,
            Hold::Lease(lease) => lease.tenure(),
        }
    }

    /// How long one request may take, with all its statements. A file has no deadline: who waits for a disk cannot be
    /// interrupted.
    fn deadline(&self) -> Duration {
        match self.hold {
            Hold::Lock { .. } => Duration::MAX,
            Hold::Lease(_) | Hold::Nobody => postgresql::REQUEST,
        }
    }

    /// The connection, made anew where it broke.
    async fn connection(&mut self) -> Result<&mut AnyConnection, StoreError> {
        let connection = if let Some(connection) = self.connection.take() {
            connection
        } else {
            let connection = connect(&self.place).await?;
            tracing::info!(store = %self.place, "the store can be reached again");
            connection
        };
        Ok(self.connection.insert(connection))
    }

    /// Begins a transaction that is committed only if nobody took the store over before.
    async fn begin(&mut self) -> Result<Transaction<'_, Any>, StoreError> {
        self.connection().await?;
        let Self {
            connection: Some(connection),
            hold,
            ..
        } = self
        else {
            return Err(StoreError::Closed);
        };
        let mut transaction = connection.begin().await?;
        if let Hold::Lease(lease) = hold
            && !lease.beat(&mut transaction).await?
        {
            return Err(StoreError::Replaced);
        }
        Ok(transaction)
    }

    /// Says to whoever shares the store that this process lives.
    async fn beat(&mut self) -> Result<(), StoreError> {
        if !matches!(self.hold, Hold::Lease(_)) {
            return Ok(());
        }
        let asked = Instant::now();
        self.begin().await?.commit().await?;
        if let Hold::Lease(lease) = &self.hold {
            lease.prolong(asked);
        }
        Ok(())
    }

    /// Lets a connection go that cannot be used any more.
    async fn note(&mut self, error: &StoreError) {
        let StoreError::Database(error) = error else {
            return;
        };
        if postgresql::is_broken(error)
            && let Some(connection) = self.connection.take()
        {
            tracing::error!(store = %self.place, %error, "the store cannot be reached; it is tried again and again");
            postgresql::abandon(connection).await;
        }
    }

    /// Whether the error means that the file itself is damaged.
    fn is_damaged(&self, error: &StoreError) -> bool {
        matches!((&self.hold, error), (Hold::Lock { .. }, StoreError::Database(error)) if sqlite::is_damage(error))
    }

    /// Lets others have it.
    async fn close(mut self) -> Result<(), sqlx::Error> {
        let Some(mut connection) = self.connection.take() else {
            return Ok(());
        };
        if let Hold::Lease(lease) = &self.hold {
            lease.give_back(&mut connection).await?;
        }
        connection.close().await
    }
}

async fn connect(place: &Place) -> Result<AnyConnection, sqlx::Error> {
    match place {
        Place::Sqlite(path) => sqlite::connect(path).await,
        Place::PostgreSql(database) => postgresql::connect(database).await,
    }
}

async fn open_shared(database: &Database) -> Result<(AnyConnection, Hold), OpenError> {
    let failed = |error| OpenError::Database(database.to_string(), error);
    let mut connection = postgresql::connect(database).await.map_err(failed)?;
    postgresql::make_lease(&mut connection)
        .await
        .map_err(failed)?;
    let lease = loop {
        match Lease::take(&mut connection).await {
            Ok(lease) => break lease,
            // Who waits goes on waiting while the database restarts.
            Err(error) if postgresql::is_broken(&error) => {
                tracing::warn!(%error, "the store cannot be reached; it is tried again and again");
                postgresql::abandon(connection).await;
                connection = postgresql::connect_at_last(database).await;
            }
            Err(error) => return Err(failed(error)),
        }
    };
    migrate(&mut connection)
        .await
        .map_err(|error| OpenError::Migrate(database.to_string(), error))?;
    Ok((connection, Hold::Lease(lease)))
}

async fn migrate(connection: &mut AnyConnection) -> Result<(), sqlx::migrate::MigrateError> {
    sqlx::migrate!().run(connection).await
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
