//! The errors of a vault, as facts. HTTP statuses are absent: the server maps them.

use auth::{StoreUnavailable, Username};

use crate::{Filename, VaultName};

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("File not found")]
    NotFound,
    #[error("Revision {revision} not found")]
    NoSuchRevision { revision: i64 },
    /// Check-out of a file that is locked, by any user including the caller.
    #[error("File is already locked by {holder}")]
    Locked { holder: Username },
    /// Move, restore, describe or delete while another user holds the lock.
    #[error("File is checked out by {holder}")]
    LockedByOther { holder: Username },
    /// Cancel of a file that is not locked.
    #[error("File is not currently locked")]
    NotLocked,
    #[error("File must be checked out to check in")]
    NotCheckedOut,
    /// Cancel or check-in while another user holds the lock.
    #[error("File is locked by {holder}, not by you")]
    NotLockHolder { holder: Username },
    #[error("File is not locked, no need to override.")]
    NothingToOverride,
    /// `name` is the spelling of the existing file.
    #[error("{name} already exists. Check it out to change it.")]
    Exists { name: Filename },
    /// A file name equals a folder name, or two folder names differ only in spelling.
    #[error(
        "{name} already exists. A file and a folder cannot share a name, and folder names must \
         differ by more than case."
    )]
    NameConflict { name: Filename },
    #[error("The file has changed. Your base revision is not the newest.")]
    StaleBase,
    /// Only for a client that asked to be told.
    #[error("The content is the same as in revision {revision}.")]
    Unchanged { revision: i64 },
    #[error("The file is larger than the limit of {limit} bytes.")]
    TooLarge { limit: u64 },
    #[error("The upload ended before it was complete.")]
    Incomplete,
    /// `detail` describes the error in the body.
    #[error("{detail}")]
    BadUpload { detail: String },
    /// RFC draft-ietf-httpapi-idempotency-key §2.7.
    #[error("This Idempotency-Key was used for a different request.")]
    KeyReused,
    #[error("A vault named {name} already exists.")]
    VaultExists { name: VaultName },
    #[error("The disk is full. Nothing has changed.")]
    DiskFull,
    /// The process or the system has no free file descriptor.
    #[error("The server has too many files open. Nothing has changed. Try again in a moment.")]
    TooManyOpenFiles,
    #[error("content: {0}")]
    Io(#[source] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
}
