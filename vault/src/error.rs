//! What a vault refuses, as facts. No statuses: the server decides how a fact is answered.

use auth::{StoreUnavailable, Username};

use crate::{Filename, VaultName};

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("File not found")]
    NotFound,
    #[error("Revision {revision} not found")]
    NoSuchRevision { revision: i64 },
    /// Check-out of a file that anybody holds, the caller included.
    #[error("File is already locked by {holder}")]
    Locked { holder: Username },
    /// Move, restore, describe or delete while somebody else holds the file.
    #[error("File is checked out by {holder}")]
    LockedByOther { holder: Username },
    /// Cancel of a file that nobody holds.
    #[error("File is not currently locked")]
    NotLocked,
    #[error("File must be checked out to check in")]
    NotCheckedOut,
    /// Cancel or check-in with somebody else's lock.
    #[error("File is locked by {holder}, not by you")]
    NotLockHolder { holder: Username },
    #[error("File is not locked, no need to override.")]
    NothingToOverride,
    /// `name` is how the file that is there is spelled.
    #[error("{name} already exists. Check it out to change it.")]
    Exists { name: Filename },
    /// A file would be a folder of another, or the other way round, or a folder is spelled differently.
    #[error(
        "{name} already exists. A file and a folder cannot share a name, and folder names must \
         differ by more than case."
    )]
    NameConflict { name: Filename },
    #[error("The file has changed. Your base revision is not the newest.")]
    StaleBase,
    #[error("The file is larger than the limit of {limit} bytes.")]
    TooLarge { limit: u64 },
    #[error("The upload ended before it was complete.")]
    Incomplete,
    /// `detail` says what about the body is wrong.
    #[error("{detail}")]
    BadUpload { detail: String },
    /// RFC draft-ietf-httpapi-idempotency-key §2.7.
    #[error("This Idempotency-Key was used for a different request.")]
    KeyReused,
    #[error("A vault named {name} already exists.")]
    VaultExists { name: VaultName },
    #[error("The disk is full. Nothing has changed.")]
    DiskFull,
    #[error("content: {0}")]
    Io(#[source] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
}
