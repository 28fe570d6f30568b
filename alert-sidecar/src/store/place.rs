//! Where the store is: a file of SQLite, or a database of PostgreSQL.

use std::{fmt, path::PathBuf};

use serde::Deserialize;
use toml::Spanned;
use url::Url;
use vigia_contract::secret::{ExposeSecret, SecretString, Template};

/// The table `[store]`: exactly one of `path` and `postgresql`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The file of SQLite, relative to the configuration file. One `vigia-alert` works with it.
    pub path: Option<PathBuf>,
    /// The address of a database of PostgreSQL, without its password, for example
    /// `postgres://vigia@db.example/vigia?sslmode=verify-full`. Two `vigia-alert` may share it: one works, the other waits.
    pub postgresql: Option<Spanned<String>>,
    /// The password for `postgresql`, by default none.
    pub password: Option<Spanned<Template>>,
}

/// Where the store is. Shown and logged without its password.
#[derive(Clone, Debug)]
pub enum Place {
    /// This file.
    Sqlite(PathBuf),
    /// This database.
    PostgreSql(Database),
}

/// A database of PostgreSQL.
#[derive(Clone, Debug)]
pub struct Database {
    address: Url,
    password: Option<SecretString>,
}

impl Database {
    /// The database at this address, which holds no password itself.
    #[must_use]
    pub const fn new(address: Url, password: Option<SecretString>) -> Self {
        Self { address, password }
    }

    /// The address as the driver wants it, with the password.
    pub(super) fn address(&self) -> Url {
        let mut address = self.address.clone();
        let password = self.password.as_ref().map(ExposeSecret::expose_secret);
        // It fails only for an address without a host, and that one needs no password either.
        if address.set_password(password).is_err() {
            tracing::warn!("an address without a host takes no password");
        }
        address
    }
}

impl fmt::Display for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(formatter)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(formatter),
            Self::PostgreSql(database) => database.fmt(formatter),
        }
    }
}
