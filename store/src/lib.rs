//! The only SQL: SQLite and PostgreSQL behind [`AuthStore`](auth::AuthStore) and
//! [`VaultStore`](vault::VaultStore).
//!
//! One schema and one code base: every statement is written once, see `connection.rs`. Deliberately
//! absent: rules. [`vault::decide`] holds the rules of files, and the crate `auth` decides on
//! permissions.

mod account_events;
mod accounts;
mod apply;
mod audit;
mod auth_store;
mod connection;
mod database;
mod email_links;
mod error;
mod factors;
mod files;
mod folders;
mod groups;
mod health;
mod history;
mod idempotency;
mod identities;
mod invites;
mod json_rows;
mod keys;
mod listing;
mod master;
mod migrate;
mod one_time_tokens;
mod overrides;
mod postgres;
mod privileges;
mod read_only;
mod refresh;
mod resets;
mod roles;
mod search_columns;
mod sessions;
mod sign_in_history;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;
mod throttles;
mod tls;
mod transaction;
mod value;
mod vault_store;
mod vaults;
mod writer;

use std::{fmt, sync::Arc};

use auth::{StoreUnavailable, store::StoreResult};
use futures_util::future::BoxFuture;

pub use audit::{Chain, ChainHead, ChainStatus};
pub use database::{BadDatabaseUrl, Database};
pub use error::OpenError;
pub use migrate::Migrations;
pub use privileges::NoDatabaseRoles;
pub use tls::Tls;

use connection::Connection;
use error::{DbError, TxError};

/// The open database. Cheap to clone; closes with the last clone.
#[derive(Clone)]
pub struct Store(Arc<Engine>);

enum Engine {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

/// The body of a transaction: a connection and arguments. It may run more than once, so it must
/// have no side effects outside the transaction.
type TxFn<A, T, E> = for<'c> fn(&'c mut Connection, &'c A) -> BoxFuture<'c, Result<T, TxError<E>>>;

impl Store {
    /// Opens the database, or creates it, and applies pending migrations.
    ///
    /// # Errors
    /// [`OpenError`] is a sentence for the operator.
    pub async fn open(database: &Database) -> Result<Self, OpenError> {
        Self::open_with(database, Migrations::Apply).await
    }

    /// Like [`open`](Self::open), but `migrations` may require an up-to-date schema instead.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with(database: &Database, migrations: Migrations) -> Result<Self, OpenError> {
        let clock = auth::Clock::system();
        let engine = match database {
            Database::Sqlite(path) => {
                sqlite::Sqlite::open(path, migrations, &clock).map(Engine::Sqlite)
            }
            Database::Postgres(url) => postgres::Postgres::open(url, migrations, clock)
                .await
                .map(Engine::Postgres),
        };
        match engine {
            Ok(engine) => Ok(Self(Arc::new(engine))),
            Err(TxError::Rejected(misfit)) => Err(misfit.into()),
            Err(TxError::Db(error)) => Err(OpenError::Failed {
                database: database.to_string(),
                source: error.into(),
            }),
        }
    }

    /// Opens the database for reading. A SQLite file in a folder that cannot be written is read as
    /// it is: no journal, no lock and no index is written beside it.
    ///
    /// # Errors
    /// As [`open`](Self::open), also for a schema that is out of date.
    pub async fn open_read_only(database: &Database) -> Result<Self, OpenError> {
        match database {
            Database::Sqlite(path) => {
                let engine = sqlite::Sqlite::open_read_only(path);
                let engine =
                    engine.map_err(|error| read_only::open_error(database.to_string(), error))?;
                Ok(Self(Arc::new(Engine::Sqlite(engine))))
            }
            Database::Postgres(_) => Self::open_with(database, Migrations::Expect).await,
        }
    }

    /// For shutdown: moves SQLite's journal into the file, so that a copy of the file alone is
    /// complete.
    ///
    /// # Errors
    /// [`StoreUnavailable`]; no data is lost.
    pub async fn checkpoint(&self) -> StoreResult<()> {
        match &*self.0 {
            Engine::Sqlite(sqlite) => Ok(sqlite.checkpoint().await?),
            Engine::Postgres(_) => Ok(()),
        }
    }

    /// Runs `body` in one transaction, which is durable when this returns `Ok`. On `Err` it is
    /// rolled back.
    async fn write<A, T, E>(&self, args: A, body: TxFn<A, T, E>) -> Result<T, E>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let done = match &*self.0 {
            Engine::Sqlite(sqlite) => sqlite.write(args, body).await,
            Engine::Postgres(postgres) => postgres.write(&args, body).await,
        };
        done.map_err(TxError::into_error)
    }

    /// Runs `body`, which must only read. It sees every write that returned before.
    async fn read<A, T>(&self, args: A, body: TxFn<A, T, StoreUnavailable>) -> StoreResult<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let done = match &*self.0 {
            Engine::Sqlite(sqlite) => sqlite.read(args, body).await,
            Engine::Postgres(postgres) => postgres.read(&args, body).await,
        };
        done.map_err(TxError::into_error)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.0 {
            Engine::Sqlite(_) => "Store(SQLite)",
            Engine::Postgres(_) => "Store(PostgreSQL)",
        })
    }
}
