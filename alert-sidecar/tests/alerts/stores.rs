//! Stores of both kinds for tests, each one empty and of its own.

use std::path::{Path, PathBuf};

use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tempfile::TempDir;
use url::Url;
use vigia_alert::store::place::{Database, Place};
use vigia_testbed::servers::{
    PostgreSql,
    postgresql::{PASSWORD, USER},
};

/// Where one store is, and how a test looks into it past the program.
pub struct Shelf {
    pub place: Place,
    address: String,
    folder: Option<TempDir>,
}

impl Shelf {
    pub fn of_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut shelf = Self::at(folder.path().join("vigia-alert.db"));
        shelf.folder = Some(folder);
        shelf
    }

    /// A file, which stays.
    pub fn at(path: PathBuf) -> Self {
        sqlx::any::install_default_drivers();
        Self {
            address: format!("sqlite://{}?mode=rwc", path.display()),
            place: Place::Sqlite(path),
            folder: None,
        }
    }

    /// A new database of this server.
    pub async fn of_postgresql(server: &PostgreSql, name: &str) -> Self {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&with_password(&server.address("postgres")))
            .await
            .unwrap();
        // Names longer than 63 bytes would be cut.
        let name = &name[..name.len().min(60)];
        sqlx::raw_sql(AssertSqlSafe(format!(
            "CREATE DATABASE {name} OWNER {USER}"
        )))
        .execute(&mut connection)
        .await
        .unwrap();
        let address = server.address(name);
        Self {
            address: with_password(&address),
            place: Place::PostgreSql(Database::new(
                address.parse().unwrap(),
                Some(PASSWORD.into()),
            )),
            folder: None,
        }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        match &self.place {
            Place::Sqlite(path) => path,
            Place::PostgreSql(_) => panic!("a database has no file"),
        }
    }

    pub async fn connect(&self) -> AnyConnection {
        AnyConnection::connect(&self.address).await.unwrap()
    }

    pub async fn count(&self, table: &str) -> i64 {
        let count = format!("SELECT COUNT(*) FROM {table}");
        sqlx::query_scalar(AssertSqlSafe(count))
            .fetch_one(&mut self.connect().await)
            .await
            .unwrap()
    }
}

fn with_password(address: &str) -> String {
    let mut address: Url = address.parse().unwrap();
    address.set_password(Some(PASSWORD)).unwrap();
    address.into()
}
