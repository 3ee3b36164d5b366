//! `database_…`: where the rows are, how it is spoken to, and who may change its tables.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use store::{BadDatabaseUrl, Database, Migrations, Tls};

use super::Switch;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseTls {
    /// On another machine: TLS and a certificate for its name, or nothing.
    Verified,
    /// What the URL says, also in the clear.
    Url,
}

/// Decided.
#[derive(Debug)]
pub struct DatabaseRules {
    pub url: Option<SecretString>,
    pub tls: DatabaseTls,
    pub migrate: Switch,
}

impl DatabaseRules {
    /// SQLite in the data folder, where no URL was said.
    ///
    /// # Errors
    /// A sentence that says what to write in the URL.
    pub fn database(&self, data: &Path) -> Result<Database, BadDatabaseUrl> {
        let tls = match self.tls {
            DatabaseTls::Verified => Tls::Verified,
            DatabaseTls::Url => Tls::AsTheUrlSays,
        };
        match &self.url {
            Some(url) => Database::parse(url.expose_secret(), tls),
            None => Ok(Database::Sqlite(data.join("strongroom.db"))),
        }
    }

    pub fn migrations(&self) -> Migrations {
        match self.migrate {
            Switch::On => Migrations::Apply,
            Switch::Off => Migrations::Expect,
        }
    }
}
