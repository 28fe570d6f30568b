//! A connection to PostgreSQL that never hangs for ever, and that does not hold others up when this process hangs.

use std::time::Duration;

use sqlx::{AnyConnection, ConnectOptions, Connection, Error, Result, any::AnyConnectOptions};
use tokio::time::{sleep, timeout};

use super::place::Database;

/// To open a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Between two attempts to open one.
const PAUSE: Duration = Duration::from_secs(1);
/// For one request to the store, with all its statements.
pub(super) const REQUEST: Duration = Duration::from_secs(30);

/// Set for the session. A process that is stopped, or whose machine is gone, in the middle of a transaction holds its locks
/// for as long as the first says; the waits for such locks, and statements, end by the others.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '3s'; SET lock_timeout = '8s'; SET statement_timeout = '25s'; \
     SET client_min_messages = 'warning'";

/// The lease is there before anything else: whoever holds it may change the tables. Two that come at once make it once.
const LEASE: &str = "BEGIN; SELECT pg_advisory_xact_lock(7813424);
     CREATE TABLE IF NOT EXISTS lease (id BIGINT PRIMARY KEY CHECK (id = 1), epoch BIGINT NOT NULL, beat BIGINT NOT NULL, is_held BIGINT NOT NULL);
     INSERT INTO lease (id, epoch, beat, is_held) VALUES (1, 0, 0, 0) ON CONFLICT DO NOTHING; COMMIT";

pub(super) async fn connect(database: &Database) -> Result<AnyConnection> {
    let options = AnyConnectOptions::from_url(&database.address())?.disable_statement_logging();
    timeout(CONNECT, async {
        let mut connection = options.connect().await?;
        sqlx::raw_sql(SESSION).execute(&mut connection).await?;
        Ok(connection)
    })
    .await
    .unwrap_or_else(|_| Err(took_too_long()))
}

/// Tries until it succeeds.
pub(super) async fn connect_at_last(database: &Database) -> AnyConnection {
    loop {
        sleep(PAUSE).await;
        match connect(database).await {
            Ok(connection) => return connection,
            Err(error) => tracing::debug!(%error, "still not"),
        }
    }
}

pub(super) async fn make_lease(connection: &mut AnyConnection) -> Result<()> {
    sqlx::raw_sql(LEASE).execute(connection).await.map(drop)
}

/// What a request failed with that took longer than [`REQUEST`].
pub(super) fn took_too_long() -> Error {
    Error::Io(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        "the database did not answer in time",
    ))
}

/// Whether the connection cannot be used any more, whatever the database says next.
pub(super) fn is_broken(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed => true,
        // Connection exceptions, the operator's interventions (a restart, a switch to another server), the session's own end.
        Error::Database(error) => error.code().is_some_and(|code| {
            code.starts_with("08") || code.starts_with("57P") || code == "25P03" || code == "25006"
        }),
        _ => false,
    }
}

/// Ends a connection that broke; the database ends its side by itself.
pub(super) async fn abandon(connection: AnyConnection) {
    drop(timeout(Duration::from_secs(1), connection.close_hard()).await);
}
