//! What the databases refuse, told apart as far as anybody acts on it.

use auth::{
    StoreUnavailable,
    store::{ChangeRejected, FactorsRefused},
};
use vault::VaultError;

/// Why the store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An older program must not write rows that it does not understand.
    #[error(
        "The database was written by a newer Strongroom (version {found}; this program supports {known}). Start the newer program, or restore a backup from before the upgrade."
    )]
    Newer { found: i64, known: i64 },
    /// Whoever opened it was told not to change tables.
    #[error(
        "The database schema is out of date (version {found}; this program needs {known}), and database_migrate is off. Run `strongroom migrate` as the account that owns the tables, with --grant-to for the account of the server."
    )]
    Older { found: i64, known: i64 },
    /// A published migration was edited, or the database was made by another program.
    #[error(
        "Migration {version} of the database differs from this program's. Start the program that made the database, or restore a backup."
    )]
    Edited { version: i64 },
    #[error("The database {database} cannot be opened: {source}")]
    Failed {
        database: String,
        source: StoreUnavailable,
    },
}

/// Why a statement or a commit failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// A unique index has this key already; `index` as the database names it.
    #[error("{index} has this key already")]
    UniqueViolation { index: String },
    /// Another transaction was in the way: run again, it may succeed.
    #[error("another transaction was in the way: {0}")]
    Serialization(String),
    #[error("the disk is full")]
    DiskFull,
    /// PostgreSQL cannot index a key of this length.
    #[error("a key is too long for an index: {0}")]
    TooLong(String),
    #[error("{0}")]
    Sqlite(#[source] rusqlite::Error),
    #[error("{0}")]
    Postgres(#[source] sqlx::Error),
    /// The batch that this was part of was not committed.
    #[error("the commit failed: {0}")]
    NotCommitted(String),
    /// A row that this program did not write, or a bug.
    #[error("{0}")]
    Corrupt(String),
}

impl DbError {
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }

    pub(crate) fn timed_out() -> Self {
        Self::corrupt("the database does not answer")
    }

    /// A second run may find what was in the way of the first.
    pub(crate) fn is_retryable(&self) -> bool {
        matches!(self, Self::Serialization(_) | Self::UniqueViolation { .. })
    }
}

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
        const UNIQUE: [i32; 2] = [
            rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE,
            rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
        ];
        let rusqlite::Error::SqliteFailure(failure, message) = &error else {
            return Self::Sqlite(error);
        };
        let message = message.clone().unwrap_or_default();
        match failure.code {
            _ if UNIQUE.contains(&failure.extended_code) => {
                Self::UniqueViolation { index: message }
            }
            DatabaseBusy | DatabaseLocked => Self::Serialization(message),
            DiskFull => Self::DiskFull,
            _ => Self::Sqlite(error),
        }
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        let Some(said) = error.as_database_error() else {
            return Self::Postgres(error);
        };
        // PostgreSQL, appendix A: error codes.
        match said.code().as_deref() {
            Some("23505") => Self::UniqueViolation {
                index: said.constraint().unwrap_or_default().to_owned(),
            },
            Some("40001" | "40P01") => Self::Serialization(said.message().to_owned()),
            Some("53100") => Self::DiskFull,
            Some("54000") => Self::TooLong(said.message().to_owned()),
            _ => Self::Postgres(error),
        }
    }
}

impl From<DbError> for StoreUnavailable {
    fn from(error: DbError) -> Self {
        Self::from_source(error)
    }
}

impl From<DbError> for ChangeRejected {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl From<DbError> for FactorsRefused {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl From<DbError> for auth::store::GroupRejected {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl From<DbError> for VaultError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::DiskFull => Self::DiskFull,
            DbError::TooLong(_) => Self::BadUpload {
                detail: "This name is longer than the database can keep.".to_owned(),
            },
            other => Self::Store(other.into()),
        }
    }
}

/// Why a transaction was not committed: it was refused by a rule, or it failed.
#[derive(Debug)]
pub(crate) enum TxError<E> {
    Rejected(E),
    Db(DbError),
}

impl<E> From<DbError> for TxError<E> {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<VaultError> for TxError<VaultError> {
    fn from(error: VaultError) -> Self {
        Self::Rejected(error)
    }
}

impl From<ChangeRejected> for TxError<ChangeRejected> {
    fn from(error: ChangeRejected) -> Self {
        Self::Rejected(error)
    }
}

impl From<FactorsRefused> for TxError<FactorsRefused> {
    fn from(error: FactorsRefused) -> Self {
        Self::Rejected(error)
    }
}

impl<E: From<DbError>> TxError<E> {
    pub(crate) fn into_error(self) -> E {
        match self {
            Self::Rejected(error) => error,
            Self::Db(error) => error.into(),
        }
    }
}
