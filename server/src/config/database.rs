//! `database_…`: the database URL, its TLS mode, and whether the server applies migrations.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use store::{BadDatabaseUrl, Database, Migrations, Tls};

use super::Toggle;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseTls {
    /// Connections to another machine require TLS and a certificate for its host name.
    Verified,
    /// The URL decides, even for unencrypted connections.
    Url,
}

/// The resolved settings.
#[derive(Debug)]
pub struct DatabaseConfig {
    pub url: Option<SecretString>,
    pub tls: DatabaseTls,
    pub migrate: Toggle,
}

impl DatabaseConfig {
    /// The database at the URL, or SQLite in the data folder if there is no URL.
    ///
    /// # Errors
    /// A message that says what to change in the URL.
    pub fn database(&self, data: &Path) -> Result<Database, BadDatabaseUrl> {
        let tls = match self.tls {
            DatabaseTls::Verified => Tls::Verified,
            DatabaseTls::Url => Tls::FromUrl,
        };
        match &self.url {
            Some(url) => Database::parse(url.expose_secret(), tls),
            None => Ok(Database::Sqlite(data.join("strongroom.db"))),
        }
    }

    pub fn migrations(&self) -> Migrations {
        match self.migrate {
            Toggle::On => Migrations::Apply,
            Toggle::Off => Migrations::Expect,
        }
    }
}
