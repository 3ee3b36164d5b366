//! Errors of the databases, distinguished as far as callers treat them differently.

use auth::{
    StoreUnavailable,
    store::{ChangeRejected, FactorChangeRejected},
};
use vault::VaultError;

/// The reason why the store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An older program must not write rows that it does not understand.
    #[error(
        "The database was written by a newer Strongroom (version {found}; this program supports {known}). Start the newer program, or restore a backup from before the upgrade."
    )]
    Newer { found: i64, known: i64 },
    /// The schema is out of date, and the caller forbids migrations.
    #[error(
        "The database schema is out of date (version {found}; this program needs {known}), and database_migrate is off. Run `strongroom migrate` as the account that owns the tables, with --grant-to for the account of the server."
    )]
    Older { found: i64, known: i64 },
    /// A published migration was edited, or another program created the database.
    #[error(
        "Migration {version} of the database differs from this program's. Start the program that made the database, or restore a backup."
    )]
    Edited { version: i64 },
    /// As [`Older`](Self::Older), in a folder that cannot be written.
    #[error(
        "The database schema is out of date (version {found}; this program needs {known}), and the database is read-only. Run the command on a copy that can be written: the copy is updated."
    )]
    OlderCopy { found: i64, known: i64 },
    /// The database file alone is not complete, and its journal needs files that cannot be written.
    #[error(
        "{journal} holds changes that are not in the database yet, and the folder is read-only. Copy the folder to a place that can be written, and run the command there."
    )]
    Journal { journal: String },
    #[error("The database {database} cannot be opened: {source}")]
    Failed {
        database: String,
        source: StoreUnavailable,
    },
}

/// The reason why a statement or a commit failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// A unique index contains this key already; `index` is the database's text.
    #[error("unique violation: {index}")]
    UniqueViolation { index: String },
    /// Conflict with another transaction; a retry may succeed.
    #[error("conflict with another transaction: {0}")]
    Serialization(String),
    #[error("the disk is full")]
    DiskFull,
    #[error("the database is read-only: it, or its folder, cannot be written")]
    ReadOnly,
    /// PostgreSQL cannot index a key of this length.
    #[error("a key is too long for an index: {0}")]
    TooLong(String),
    #[error("{0}")]
    Sqlite(#[source] rusqlite::Error),
    #[error("{0}")]
    Postgres(#[source] sqlx::Error),
    /// The batch that contained this job was not committed.
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
        Self::corrupt("the database did not answer in time")
    }

    /// A second run may find the conflict resolved.
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
            // The index of the journal could not grow, with any transaction.
            _ if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => Self::DiskFull,
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
        match error {
            DbError::DiskFull => Self::disk_full(),
            other => Self::from_source(other),
        }
    }
}

impl From<DbError> for ChangeRejected {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl From<DbError> for FactorChangeRejected {
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
                detail: "This name is too long for the database.".to_owned(),
            },
            other => Self::Store(other.into()),
        }
    }
}

/// The reason why a transaction was not committed: a rule rejected it, or the database failed.
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

impl From<FactorChangeRejected> for TxError<FactorChangeRejected> {
    fn from(error: FactorChangeRejected) -> Self {
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
