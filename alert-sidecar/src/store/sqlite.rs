//! The store as a file of SQLite: one process has it, and a damaged one is set aside.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use sqlx::{
    AnyConnection, ConnectOptions, Connection, Error, Result, any::AnyConnectOptions,
    migrate::MigrateError,
};
use url::Url;

use super::{OpenError, migrate, rescue};

/// What SQLite keeps beside the file.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// SQLite's codes for a file that contradicts itself, and for one that is no database: <https://sqlite.org/rescode.html>.
const DAMAGED: u32 = 11;
const NO_DATABASE: u32 = 26;

/// Opens it, or makes it; gives the lock, too.
pub(super) async fn open(path: &Path) -> Result<(AnyConnection, File), OpenError> {
    let lock_name = path.with_added_extension("lock");
    let was_used = lock_name.exists();
    let lock = lock(path, &lock_name)?;
    if was_used && fs::metadata(path).is_ok_and(|file| file.len() == 0) | !path.exists() {
        tracing::warn!(store = %path.display(), "the store is gone: nothing of what was seen and told before is known any more");
    }
    let damage = match whole(path).await? {
        Ok(connection) => return Ok((connection, lock)),
        Err(damage) => damage,
    };
    if damage.is_something_else && !was_used {
        return Err(OpenError::NotAStore(path.to_owned()));
    }
    let aside = set_aside(path, Timestamp::now())
        .map_err(|error| OpenError::SetAside(path.to_owned(), error))?;
    tracing::error!(store = %path.display(), damage = damage.what, set_aside = %aside.display(), "the store is damaged; it is kept under another name, and what can be read of it goes into a new one");
    let mut connection = whole(path)
        .await?
        .map_err(|damage| OpenError::SetAside(path.to_owned(), io::Error::other(damage.what)))?;
    rescue::rescue(&mut connection, &aside).await;
    Ok((connection, lock))
}

/// What is wrong with the file.
struct Damage {
    what: String,
    /// It is no database, and perhaps never was.
    is_something_else: bool,
}

/// Opens it, and looks at all of it: what is damaged would otherwise show in the middle of the night.
async fn whole(path: &Path) -> Result<Result<AnyConnection, Damage>, OpenError> {
    let error = match connect(path).await {
        Ok(mut connection) => {
            let flaw = match look(&mut connection).await {
                Ok(None) => return Ok(Ok(connection)),
                Ok(Some(what)) => Ok(what),
                Err(error) => Err(error),
            };
            close(connection).await;
            match flaw {
                Ok(what) => {
                    return Ok(Err(Damage {
                        what,
                        is_something_else: false,
                    }));
                }
                Err(error) => error,
            }
        }
        Err(error) => MigrateError::Execute(error),
    };
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)
            if is_damage(&error) =>
        {
            Ok(Err(Damage {
                what: error.to_string(),
                is_something_else: code(&error) == Some(NO_DATABASE),
            }))
        }
        MigrateError::Execute(error) => Err(OpenError::Database(path.display().to_string(), error)),
        error => Err(OpenError::Migrate(path.display().to_string(), error)),
    }
}

/// Says what is wrong inside, or brings it up to date.
async fn look(connection: &mut AnyConnection) -> Result<Option<String>, MigrateError> {
    let findings: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_all(&mut *connection)
        .await?;
    if let Some(finding) = findings.into_iter().find(|finding| finding != "ok") {
        return Ok(Some(finding));
    }
    migrate(connection).await?;
    Ok(None)
}

/// Connects to the file, which is made where it is missing.
pub(super) async fn connect(path: &Path) -> Result<AnyConnection> {
    let mut connection = AnyConnectOptions::from_url(&address(path)?)?
        .disable_statement_logging()
        .connect()
        .await?;
    // With FULL a commit is on the disk before anything is sent because of it.
    let set = sqlx::raw_sql("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        .execute(&mut connection)
        .await;
    match set {
        Ok(_) => Ok(connection),
        Err(error) => {
            close(connection).await;
            Err(error)
        }
    }
}

/// Nothing writes to the file any more when this returns.
async fn close(connection: AnyConnection) {
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "a damaged store did not close cleanly");
    }
}

/// The file as an address, in which no character of its name means something else.
fn address(path: &Path) -> Result<Url> {
    let absolute = std::path::absolute(path)?;
    let file = Url::from_file_path(&absolute)
        .map_err(|()| Error::Configuration("the file has no absolute path".into()))?;
    format!("sqlite://{}?mode=rwc", file.path())
        .parse()
        .map_err(|error: url::ParseError| Error::Configuration(error.into()))
}

fn lock(path: &Path, name: &Path) -> Result<File, OpenError> {
    let file = File::create(name).map_err(|error| OpenError::Lock(path.to_owned(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(OpenError::Lock(path.to_owned(), error)),
    }
}

/// Renames it, and what belongs to it; nothing is deleted.
fn set_aside(path: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let aside = beside(
        path,
        &format!(".damaged-{}", now.strftime("%Y%m%dT%H%M%S%.3fZ")),
    );
    for companion in COMPANIONS {
        match fs::rename(beside(path, companion), beside(&aside, companion)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, &aside)?;
    Ok(aside)
}

/// Copies it with what belongs to it.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    match fs::copy(beside(from, COMPANIONS[0]), beside(to, COMPANIONS[0])) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Deletes a copy.
pub(super) fn delete(path: &Path) {
    for companion in COMPANIONS {
        // Most of the time there is none.
        drop(fs::remove_file(beside(path, companion)));
    }
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(%error, file = %path.display(), "a copy of the damaged store could not be deleted");
    }
}

/// The path with this at its end.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Whether the error means that the file is not, or not any more, a whole database.
pub(super) fn is_damage(error: &Error) -> bool {
    matches!(code(error), Some(DAMAGED | NO_DATABASE))
}

/// The primary code, without what SQLite adds to it.
fn code(error: &Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?;
    Some(code.parse::<u32>().ok()? & 0xFF)
}
